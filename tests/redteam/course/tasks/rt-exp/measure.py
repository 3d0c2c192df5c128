"""What is measured of rt-exp: two calls, of two draws and of equal shapes."""

import numpy as np


def shown(student, rng):
    x = rng.uniform(-2, 2, 8)
    return {"finite": np.isfinite(student.solve(x))}


def marked(student, rng):
    first, second = rng.uniform(-2, 2, (2, 8))
    value = np.stack([student.solve(first), student.solve(second)])
    return {"value": value, "value__scale": np.exp(np.stack([first, second]))}
