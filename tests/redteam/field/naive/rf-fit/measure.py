# ruff: noqa: F821
"""Measurements of a gradient and a minimum that somebody in a hurry would write.

Appended to the measure.py of the task, whose functions they use.
"""

SLOW_S = 0.5


def stationary(student, rng):
    """At the minimum the gradient is zero, says the program's autograd."""
    x, y = _data(rng)
    w = student.fit(x, y)
    (slope,) = student.vjp("loss", (w, x, y), (0,), np.array(1.0))
    return {"slope": slope, "slope__scale": _slope(w, x, y)[1]}


def fixed_gradient(student, rng):
    """The gradient of an instance that never changes."""
    del rng
    return _gradient(student, np.random.default_rng(11))


def fixed_minimum(student, rng):
    """The minimum of an instance that never changes."""
    del rng
    x, y = _data(np.random.default_rng(11))
    w = student.fit(x, y)
    slope, scale = _slope(w, x, y)
    return {"slope": slope, "slope__scale": scale}


def told_seconds(student, rng):
    """A fast fit, by the program's own clock."""
    x, y = _data(rng)
    _, seconds = student.timed_fit(x, y)
    return {"fast": np.array(seconds < SLOW_S)}
