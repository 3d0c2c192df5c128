"""What is drawn of px-mask: the tables, and what a deep stack sees of an image."""

import numpy as np

RADII, SIDE = (1, 2, 3), 15
WIDTH, FIRST_RADIUS, RADIUS, DEPTH = 1, 2, 1, 6


def _table(student, radius, sees_itself):
    """A table in the middle of a square of the largest one; what is outside is grey."""
    table, side = student.causal_mask(radius, sees_itself), 2 * radius + 1
    if table.shape != (side, side):
        student.refuse(f"causal_mask: shape {table.shape}; expected {(side, side)}")
    largest = 2 * max(RADII) + 1
    square, margin = np.full((largest, largest), 0.25), (largest - side) // 2
    square[margin : margin + side, margin : margin + side] = table
    return square


def _weights(student, rng, stack):
    """The state of a stack with positive numbers, so that no ReLU hides what is seen."""
    state = stack.state()
    filled = [f"layers.{i}.{part}" for i in range(DEPTH + 2) for part in ("weight", "bias")]
    for name in filled:
        if name not in state:
            student.refuse(f"state: there is no {name}; it holds {', '.join(sorted(state)[:12])}")
    return {
        name: rng.uniform(0.5, 1.5, state[name].shape) / max(1, state[name][0].size)
        for name in filled
    }


def _influence(student, stack, rng):
    """By how much the logit in the middle moves with every pixel: [SIDE SIDE], of the largest."""
    pixels = SIDE**2
    x = np.repeat(rng.uniform(0.0, 1.0, (1, pixels)), pixels + 1, axis=0)
    x[np.arange(pixels), np.arange(pixels)] += 4.0
    logits = stack.forward(x.reshape(-1, 1, SIDE, SIDE))
    if logits.shape != (pixels + 1, 1, SIDE, SIDE):
        student.refuse(f"forward: shape {logits.shape}; expected {(pixels + 1, 1, SIDE, SIDE)}")
    middle = logits[:, 0, SIDE // 2, SIDE // 2]
    moved = np.abs(middle[:-1] - middle[-1]).reshape(SIDE, SIDE)
    return moved / max(moved.max(), 1e-300)


def show(student, rng):
    tables = [[_table(student, radius, kind) for radius in RADII] for kind in (False, True)]
    stack = student.new("PixelStack", WIDTH, FIRST_RADIUS, RADIUS, DEPTH)
    stack.load({**stack.state(), **_weights(student, rng, stack)})
    influence = _influence(student, stack, rng)
    seen = influence > 1e-9
    place = np.zeros_like(influence)
    place[SIDE // 2, SIDE // 2] = 1.0
    later = int(seen.ravel()[SIDE**2 // 2 :].sum())
    return [
        {
            "title": "causal_mask for radius 1, 2 and 3; dark is 1, grey is outside",
            "alt": "The masks of type A above those of type B; the earlier taps of a kernel are "
            "its upper rows and the left part of its middle row.",
            "images": np.array(tables),
            "rows": ["type A", "type B"],
            "columns": [f"radius {radius}" for radius in RADII],
        },
        {
            "title": f"What the logit in the middle of {SIDE} x {SIDE} pixels sees",
            "alt": f"Beside the place of the logit, the {int(seen.sum())} pixels that move it and "
            f"by how much; {later} of them are the pixel itself or later ones. Of the "
            f"{SIDE**2 // 2} earlier ones those that are missing are its blind spot.",
            "images": np.stack([place, seen, np.sqrt(influence)])[None],
            "rows": [f"{DEPTH + 2} layers"],
            "columns": ["the logit", "seen", "how much"],
        },
    ]
