"""What is drawn of pixelrnn-lstm: images of a network that repeats the pixel before."""

import numpy as np

COUNT, SIDE, SMALL = 12, 8, 4


def _repeats():
    """start, w_x, w_h, bias, w_out, b_out: a pixel is that before it with a probability of .9.

    The input decides g alone; the old cell is forgotten, the other gates are open.
    """
    w_x, bias = np.zeros((4, 1)), np.array([[8.0], [-8.0], [8.0], [-1.5]])
    w_x[3] = 3.0
    h = np.tanh(np.tanh(1.5))
    w_out = np.array([np.log(9.0) / h])
    return np.array(0.5), w_x, np.zeros((4, 1, 1)), bias, w_out, np.array(0.0)


def _remembers(rng, m=5):
    """A network in which every earlier pixel counts."""
    bias = rng.normal(0.0, 0.5, (4, m))
    bias[1] += 2.0
    w_x, w_h = rng.normal(0.0, 1.0, (4, m)), rng.normal(0.0, 0.3, (4, m, m))
    return np.array(0.5), w_x.clip(-3, 3), w_h, bias, rng.uniform(1.0, 3.0, m), np.array(0.0)


def _influence(student, rng):
    """Whether pixel j moves logit i, of images of SMALL x SMALL pixels: [j, i]."""
    pixels = SMALL**2
    x = np.repeat(rng.integers(0, 2, (1, pixels)), pixels + 1, axis=0).astype(np.float64)
    x[np.arange(pixels), np.arange(pixels)] = 1 - x[-1]
    found = student.logits(x.reshape(-1, SMALL, SMALL), *_remembers(rng)).reshape(-1, pixels)
    moved = np.abs(found[:-1] - found[-1])
    return (moved > 1e-9 * max(moved.max(), 1e-300)).astype(np.float64)


def show(student, rng):
    network = _repeats()
    u = rng.uniform(0.0, 0.999, (COUNT, SIDE, SIDE))
    sampled = student.sample(u, *network)
    x = np.repeat(rng.integers(0, 2, (COUNT, SIDE, 1)), SIDE, axis=2).astype(np.float64)
    observed = np.zeros(x.shape, dtype=bool)
    observed[:, :, : SIDE // 2] = True
    completed = student.complete(x, observed, u, *network)
    kept = (completed == x)[observed].mean()
    influence = _influence(student, rng)
    earlier = np.triu(np.ones_like(influence), 1)
    wrong = int((influence != earlier).sum())
    return [
        {
            "title": "Images of a network that repeats the pixel before it nine times in ten",
            "alt": f"{COUNT} images above the {COUNT} completions of known left halves, whose rows "
            f"are of one colour; {kept:.0%} of the known pixels are as they were.",
            "images": np.stack([sampled, np.where(observed, x, 0.0), completed]),
            "rows": ["sample", "known", "complete"],
        },
        {
            "title": f"What moves what in images of {SMALL} x {SMALL} pixels",
            "alt": "A row for every pixel that is moved, a column for every logit, dark where it "
            f"moves, beside what the order of the pixels allows; {wrong} places differ.",
            "images": np.stack([influence, earlier])[None],
            "rows": ["pixel by logit"],
            "columns": ["came back", "earlier pixels"],
        },
    ]
