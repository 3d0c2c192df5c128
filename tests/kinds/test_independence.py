"""Columns of draws are uncorrelated."""

import numpy as np
import pytest

from harness import kinds
from harness.errors import MeasurementError
from harness.spec import checks as spec

COMMON = {"id": "a", "measurement": "m", "metric": "x", "points": 1.0}
STAGES = {"stage_alpha": 1e-3, "min_detectable": 0.3, "beta": 0.01}
NAN, INF = float("nan"), float("inf")
INDEPENDENCE = spec.IndependenceCheck(**COMMON, **STAGES, kind="independence", dimensions=2)


RNG = np.random.default_rng(7)
GOOD, _ = RNG.normal(size=(2, 2000, 2))


def broken(samples, value):
    changed = samples.copy()
    changed[3, 1] = value
    return changed


@pytest.mark.parametrize(
    ("check", "good", "bad", "cause"),
    [
        (INDEPENDENCE, {"x": GOOD}, {"x": GOOD @ [[1.0, 0.5], [0.0, 1.0]]}, "dependent"),
        (INDEPENDENCE, {"x": GOOD}, {"x": broken(GOOD, NAN)}, "not-finite"),
        (INDEPENDENCE, {"x": GOOD}, {"x": GOOD * [1.0, 0.0]}, "dependent"),
    ],
)
def test_two_rejections_fail_and_one_does_not(fails_after_two_rejections, check, good, bad, cause):
    fails_after_two_rejections(check, good, bad, cause)


def spoilt(change):
    samples = np.random.default_rng(3).normal(size=(2000, 4))
    return change(samples)


def of_the_same_draw(x):
    x[:, 3] += 0.6 * x[:, 1]
    return x


def of_the_next_draw(x):
    x[1:, 2] += x[:-1, 0]
    return x


def far_away(x):
    x[1000:, 3] += 2 * x[:1000, 1]
    return x


def magnitudes(x):
    x[:, 2] *= np.sqrt(np.abs(x[:, 0]))
    return x


def magnitudes_of_later_draws(x):
    x[40:, 0] *= np.abs(x[:-40, 0])
    return x


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (of_the_same_draw, "between coordinate 1 and coordinate 3 of a draw"),
        (of_the_next_draw, "between coordinate 0 of a draw and coordinate 2 of the draw 1 later"),
        (far_away, "between coordinate 1 of a draw and coordinate 3 of the draw 1000 later"),
        (magnitudes, "between the magnitude of coordinate 0 and that of coordinate 2 of a draw"),
        (
            magnitudes_of_later_draws,
            "between the magnitude of coordinate 0 of a draw "
            "and that of coordinate 0 of the draw 40 later",
        ),
    ],
)
def test_a_failure_says_what_depends_on_what(decide, change, words):
    """A pair has a number of its own in the statistic, which says nothing to a student."""
    check = INDEPENDENCE.model_copy(update={"dimensions": 4})
    bad = {"x": spoilt(change)}
    message = decide(check, bad, bad).message
    assert f" {words}, at most " in message
    assert "in coordinate" not in message


@pytest.mark.parametrize("shape", [(100,), (100, 3), (100, 2, 1)])
def test_draws_of_another_shape_are_an_error_of_ours(shape):
    with pytest.raises(MeasurementError, match="shape"):
        kinds.reduce(INDEPENDENCE, {"x": np.zeros(shape)})


def test_too_few_draws_are_an_error_of_ours():
    with pytest.raises(MeasurementError):
        kinds.reduce(INDEPENDENCE, {"x": GOOD[:2]})
