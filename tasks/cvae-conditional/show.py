"""What is drawn of cvae-conditional: pairs (x, y) of a law with two branches, and the model's."""

import numpy as np

TRAINING, SHOWN, WIDTH, SIDE = 4000, 400, 0.2, 1.5


def _law(rng, x):
    """y [n 1]: on a wave, above or below its middle, more often above where x2 is large."""
    above = rng.random(len(x)) < 1 / (1 + np.exp(-2 * x[:, 1]))
    middle = 0.5 * np.sin(2 * x[:, 0])
    return (middle + np.where(above, 0.9, -0.9) + WIDTH * rng.normal(size=len(x)))[:, None]


def show(student, rng):
    x = rng.uniform(-SIDE, SIDE, (TRAINING, 2))
    model = student.new("CVAE")
    model.fit(x, _law(rng, x), student.generator())
    pictures = []
    for height in (0.0, 1.0):
        along = np.linspace(-SIDE, SIDE, SHOWN)
        where = np.stack([along, np.full(SHOWN, height)], axis=1)
        wanted = _law(rng, where)
        drawn = model.sample(where, rng.normal(size=(SHOWN, 1)), rng.normal(size=(SHOWN, 1)))
        middle = 0.5 * np.sin(2 * along)
        shares = [(y[:, 0] > middle).mean() for y in (wanted, drawn)]
        pictures.append(
            {
                "title": f"y given x, where x2 is {height:g}",
                "alt": f"{SHOWN} draws of the law of the training pairs, on two waves above each "
                f"other, and {SHOWN} of your model. {shares[0]:.0%} and {shares[1]:.0%} of them "
                "lie above the middle.",
                "points": {
                    "law": np.column_stack([along, wanted]),
                    "your model": np.column_stack([along, drawn]),
                },
                "across": ("x1", -SIDE, SIDE),
                "up": ("y", -3, 3),
            }
        )
    return pictures
