"""What is measured of square: values, gradients and sums of one batch."""

import numpy as np


def values(student, rng):
    x = rng.normal(size=(20, 3))
    found = student.square(x)
    again = student.square(x)
    return {"square": np.stack([found, again]), "square__scale": np.stack([x**2, x**2])}


def slopes(student, rng):
    x, cotangent = rng.normal(size=(2, 20, 3))
    (slope,) = student.vjp("square", (x,), (0,), cotangent)
    return {"slope": slope, "slope__scale": np.abs(2 * x * cotangent)}


def sums(student, rng):
    x = rng.normal(size=(20, 3))
    return {"total": student.total(x), "total__scale": np.abs(x).sum(1)}
