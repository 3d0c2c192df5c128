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


@pytest.mark.parametrize("shape", [(100,), (100, 3), (100, 2, 1)])
def test_draws_of_another_shape_are_an_error_of_ours(shape):
    with pytest.raises(MeasurementError, match="shape"):
        kinds.reduce(INDEPENDENCE, {"x": np.zeros(shape)})


def test_too_few_draws_are_an_error_of_ours():
    with pytest.raises(MeasurementError):
        kinds.reduce(INDEPENDENCE, {"x": GOOD[:2]})
