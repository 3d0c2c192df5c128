"""What is measured of centre: how far off it is, on draws of each seed's own."""

import numpy as np


def learn(student, rng):
    centre = rng.normal(0.0, 3.0)
    found = student.learn(centre + rng.normal(size=100), student.generator())
    return {"error": np.abs(np.float64(found) - centre)}
