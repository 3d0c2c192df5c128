"""What is measured of noise: draws of independent calls."""

import numpy as np

REPLICATES = 4


def _metrics(student, name, rng, n):
    mu = rng.normal(0, 2, 3)
    calls = student.independent(name, mu, n // REPLICATES, replicates=REPLICATES)
    draw = np.concatenate(calls)
    return {"draw": draw, "draw__expected": mu, "draw__scale": np.ones(3), "noise": draw - mu}


def draws(student, rng, n):
    return _metrics(student, "draw", rng, n)


def other_draws(student, rng, n):
    return _metrics(student, "draw_numpy", rng, n)
