"""What is drawn of px-known-entropy: a model trained once on images whose neighbours are alike."""

import numpy as np

SIDE, TRAINING, SHOWN, SWEEPS = 4, 20000, 14, 30
COUPLING = 0.6


def _ising(rng, count):
    """Images [count 4 4] of the Ising model without a field, by Gibbs sampling."""
    spin = rng.choice([-1.0, 1.0], (count, SIDE + 2, SIDE + 2))
    spin[:, [0, -1]], spin[:, :, [0, -1]] = 0.0, 0.0
    for _ in range(SWEEPS):
        for row in range(1, SIDE + 1):
            for column in range(1, SIDE + 1):
                near = spin[:, row - 1, column] + spin[:, row + 1, column]
                near = near + spin[:, row, column - 1] + spin[:, row, column + 1]
                up = rng.random(count) < 1 / (1 + np.exp(-2 * COUPLING * near))
                spin[:, row, column] = np.where(up, 1.0, -1.0)
    return (spin[:, 1:-1, 1:-1] + 1) / 2


def _completed(model, rng, x, known):
    """x where it is known; the other pixels drawn one after the other, in the order of the task."""
    x = np.where(known, x, 0.0)
    for row in range(SIDE):
        for column in range(SIDE):
            p = 1 / (1 + np.exp(-model.forward(x)[:, row, column]))
            drawn = (rng.random(len(x)) < p).astype(np.float64)
            x[:, row, column] = np.where(known[:, row, column], x[:, row, column], drawn)
    return x


def _influence(model, x):
    """Whether pixel j moves logit i of any of some images: [j, i]."""
    moves = np.zeros((SIDE**2, SIDE**2))
    before = model.forward(x).reshape(len(x), -1)
    for pixel in range(SIDE**2):
        moved = x.reshape(len(x), -1).copy()
        moved[:, pixel] = 1 - moved[:, pixel]
        after = model.forward(moved.reshape(x.shape)).reshape(len(x), -1)
        moves[pixel] = np.abs(after - before).max(axis=0)
    return (moves > 1e-9 * max(moves.max(), 1e-300)).astype(np.float64)


def _alike(x):
    """The share of neighbouring pixels that are alike."""
    return np.concatenate([(np.diff(x, axis=axis) == 0).ravel() for axis in (1, 2)]).mean()


def show(student, rng):
    training = _ising(rng, TRAINING)
    model = student.new("PixelCNN")
    model.fit(training, student.generator())
    nothing = np.zeros((SHOWN, SIDE, SIDE), dtype=bool)
    samples = _completed(model, rng, training[:SHOWN], nothing)
    upper = nothing.copy()
    upper[:, : SIDE // 2] = True
    completed = _completed(model, rng, training[:SHOWN], upper)
    influence = _influence(model, training[:SHOWN])
    earlier = np.triu(np.ones_like(influence), 1)
    return [
        {
            "title": "Images of an Ising model, and those of your model",
            "alt": f"{SHOWN} training images above {SHOWN} that your model generates pixel by "
            f"pixel, and above completions of the upper halves of the first row. Of neighbouring "
            f"pixels {_alike(training):.0%} are alike in the training images, and "
            f"{_alike(samples):.0%} in the generated ones.",
            "images": np.stack([training[:SHOWN], samples, completed]),
            "rows": ["training", "generated", "completed"],
        },
        {
            "title": "What moves what in your trained model",
            "alt": "A row for every pixel that is moved, a column for every logit, dark where it "
            "moves, beside the earlier pixels, which are all that may move it; "
            f"{int((influence > earlier).sum())} dark places are not among these.",
            "images": np.stack([influence, earlier])[None],
            "rows": ["pixel by logit"],
            "columns": ["came back", "earlier pixels"],
        },
    ]
