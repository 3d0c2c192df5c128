"""What is measured of rt-draw: independent calls give different draws, all within the interval."""

import numpy as np


def draws(student, rng):
    found = np.stack(student.independent("draw", 16, replicates=3))
    return {"inside": (found >= 0) & (found < 1)}
