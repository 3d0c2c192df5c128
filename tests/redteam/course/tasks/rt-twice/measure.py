"""What is measured of rt-twice: values, and the gradient by autograd."""

import numpy as np


def values(student, rng):
    x = rng.normal(size=5)
    return {"value": student.twice(x), "value__scale": np.abs(2 * x)}


def slopes(student, rng):
    x, cotangent = rng.normal(size=(2, 5))
    (slope,) = student.vjp("twice", (x,), (0,), cotangent)
    return {"slope": slope, "slope__scale": np.abs(2 * cotangent)}
