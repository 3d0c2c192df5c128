"""What is drawn of ae-linear-pca: rows of two numbers, and what a code of one makes of them."""

import numpy as np

ROWS, LONG, SHORT = 200, 2.0, 0.4


def show(student, rng):
    turn = rng.uniform(0.3, 1.2)
    axes = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    x = (rng.normal(size=(ROWS, 2)) * [LONG, SHORT]) @ axes.T + [1.0, -0.5]
    mean, u, v = student.fit(x, 1)
    if u.shape != (2, 1) or v.shape != (1, 2):
        student.refuse(f"fit gave u {u.shape}, v {v.shape}; expected (2, 1), (1, 2)")
    rebuilt = student.reconstruct(x, mean, u, v)
    error = ((x - rebuilt) ** 2).sum(axis=1).mean()
    least = np.linalg.eigvalsh(np.cov(x.T, bias=True))[0]
    return [
        {
            "title": "Rows, and their reconstructions from a code of one number",
            "alt": f"{ROWS} rows scattered along a line, and their reconstructions by the weights "
            f"of fit, whose mean squared distance from the rows is {error:.3g}; the least that "
            f"there can be is {least:.3g}.",
            "points": {"row": x, "reconstruction": rebuilt},
            "across": ("x1", -6, 8),
            "up": ("x2", -7, 7),
        }
    ]
