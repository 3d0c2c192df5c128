"""What is drawn of px-digits: a model trained once on digits that nobody disguised."""

import numpy as np

TRAIN, SIDE, SHOWN = 1297, 8, 12
ROW, COLUMN = 5, 4  # of the logit whose field of view is drawn


def _completed(student, rng, x, known, parameters):
    """x where it is known; the other pixels drawn one after the other, row by row."""
    x = np.where(known, x, 0.0)
    for row in range(SIDE):
        for column in range(SIDE):
            if known[:, row, column].all():
                continue
            p = 1 / (1 + np.exp(-student.logits(x, *parameters)[:, row, column]))
            drawn = (rng.random(len(x)) < p).astype(np.float64)
            x[:, row, column] = np.where(known[:, row, column], x[:, row, column], drawn)
    return x


def _influence(student, x, parameters):
    """By how much one logit moves with every pixel, at most over some images: [SIDE SIDE]."""
    pixels = SIDE**2
    moved = np.repeat(x[:, None].reshape(len(x), 1, pixels), pixels + 1, axis=1)
    places = np.arange(pixels)
    moved[:, places, places] = 1 - moved[:, places, places]
    logits = student.logits(moved.reshape(-1, SIDE, SIDE), *parameters)[:, ROW, COLUMN]
    logits = logits.reshape(len(x), pixels + 1)
    found = np.abs(logits[:, :-1] - logits[:, -1:]).max(axis=0).reshape(SIDE, SIDE)
    return found / max(found.max(), 1e-300)


def show(student, rng):
    parts = student.images().split(rng, TRAIN)
    training, fresh = (part.deformed(rng).binary() for part in parts)
    fitted = student.fit(training.astype(np.float32), student.generator())
    parameters = [array.astype(np.float64) for array in fitted]
    digits = fresh[:SHOWN]
    nothing = np.zeros(digits.shape, dtype=bool)
    samples = _completed(student, rng, digits, nothing, parameters)
    upper = nothing.copy()
    upper[:, : SIDE // 2] = True
    completed = _completed(student, rng, digits, upper, parameters)
    influence = _influence(student, fresh[:4], parameters)
    seen = influence > 1e-9
    place = np.zeros_like(influence)
    place[ROW, COLUMN] = 1.0
    later = int(seen.ravel()[ROW * SIDE + COLUMN :].sum())
    return [
        {
            "title": "Digits that your model generates pixel by pixel, and halves it completes",
            "alt": f"{SHOWN} generated images, {samples.mean():.2f} of whose pixels are dark "
            f"({training.mean():.2f} in the training images); the upper halves of {SHOWN} fresh "
            "digits, what your model makes of them, and the digits themselves.",
            "images": np.stack([samples, np.where(upper, digits, 0.0), completed, digits]),
            "rows": ["generated", "known", "completed", "digit"],
        },
        {
            "title": f"What the logit of row {ROW + 1}, column {COLUMN + 1} sees after training",
            "alt": f"Beside the place of the logit, the {int(seen.sum())} pixels that move it and "
            f"by how much; {later} of them are the pixel itself or later ones.",
            "images": np.stack([place, seen, np.sqrt(influence)])[None],
            "rows": ["pixels"],
            "columns": ["the logit", "seen", "how much"],
        },
    ]
