"""What is drawn of px-sample-complete: images of a model in which neighbours are alike."""

import numpy as np

COUNT, SIDE, LEVELS, SPREAD = 10, 6, 5, 1.4


def _smooth():
    """Weight and bias of `dense`: a pixel is near the mean of those left of it and above right.

    The logit of level k is k m / s² - k² / 2 s², a Gaussian around m cut at the levels.
    """
    k = np.arange(LEVELS)
    weight = np.zeros((SIDE, SIDE, LEVELS, SIDE, SIDE))
    bias = np.repeat(-(k**2) / (2 * SPREAD), SIDE**2).reshape(LEVELS, SIDE, SIDE)
    bias[:, 0, 0] = 0.0
    for row in range(SIDE):
        for column in range(SIDE):
            near = [(row - 1, min(column + 1, SIDE - 1))] * (row > 0)
            near += [(row, column - 1)] * (column > 0)
            for place in near:
                weight[row, column, :, *place] = k / (SPREAD * len(near))
    return weight, bias


def _brightness(student, name, x):
    if x.shape != (COUNT, SIDE, SIDE):
        student.refuse(f"{name}: shape {x.shape}; expected {(COUNT, SIDE, SIDE)}")
    return np.asarray(x, dtype=np.float64) / (LEVELS - 1)


def show(student, rng):
    model = student.given("dense", *_smooth())
    u = rng.random((COUNT, SIDE, SIDE))
    sampled = _brightness(student, "sample", student.sample(model, u))
    own = student.draw(model, COUNT, SIDE, SIDE, student.generator())
    own = _brightness(student, "draw", own)
    slope = rng.choice([-0.8, 0.8], (COUNT, 1)) * (np.arange(SIDE) - (SIDE - 1) / 2)
    ramp = np.rint(slope + rng.uniform(1.0, 3.0, (COUNT, 1))).clip(0, LEVELS - 1)
    x = np.repeat(ramp[:, None, :], SIDE, axis=1).astype(np.int64)
    observed = np.zeros(x.shape, dtype=bool)
    observed[:, : SIDE // 2] = True
    found = _brightness(student, "complete", student.complete(model, x, observed, u))
    kept = (found == x / (LEVELS - 1))[observed].mean()
    return [
        {
            "title": "Images of a model in which a pixel is like those left of it and above right",
            "alt": f"{COUNT} images from given uniform numbers above {COUNT} from your own.",
            "images": np.stack([sampled, own]),
            "rows": ["sample", "draw"],
        },
        {
            "title": "Images of which the upper half is known",
            "alt": f"{COUNT} known halves above what became of them; {kept:.0%} of the known "
            "pixels are as they were.",
            "images": np.stack([np.where(observed, x, 0) / (LEVELS - 1), found]),
            "rows": ["known", "complete"],
        },
    ]
