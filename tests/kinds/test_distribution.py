"""Draws follow a standard law."""

import numpy as np
import pytest

from harness import kinds
from harness.errors import MeasurementError
from harness.spec import checks as spec

COMMON = {"id": "a", "measurement": "m", "metric": "x", "points": 1.0}
STAGES = {"stage_alpha": 1e-3, "min_detectable": 0.3, "beta": 0.01}
NAN, INF = float("nan"), float("inf")
NORMAL = spec.DistributionCheck(**COMMON, **STAGES, kind="distribution", law="normal", dimensions=2)
CATEGORICAL = spec.DistributionCheck(
    **COMMON, **STAGES, kind="distribution", law="categorical", dimensions=1, categories=3
)


RNG = np.random.default_rng(7)
GOOD, _ = RNG.normal(size=(2, 2000, 2))


def broken(samples, value):
    changed = samples.copy()
    changed[3, 1] = value
    return changed


def categories(probabilities, samples=None):
    rng = np.random.default_rng(11)
    drawn = rng.choice(3, (2000, 1), p=probabilities) if samples is None else samples
    return {"x": drawn, "x__probabilities": np.array([[0.2, 0.3, 0.5]])}


NO_CATEGORY = categories(None, np.full((2000, 1), NAN))


@pytest.mark.parametrize(
    ("check", "good", "bad", "cause"),
    [
        (NORMAL, {"x": GOOD}, {"x": GOOD * 2}, "distribution"),
        (NORMAL, {"x": GOOD}, {"x": broken(GOOD, INF)}, "not-finite"),
        (CATEGORICAL, categories([0.2, 0.3, 0.5]), categories([0.4, 0.3, 0.3]), "distribution"),
        (CATEGORICAL, categories([0.2, 0.3, 0.5]), NO_CATEGORY, "distribution"),
    ],
)
def test_two_rejections_fail_and_one_does_not(fails_after_two_rejections, check, good, bad, cause):
    fails_after_two_rejections(check, good, bad, cause)


@pytest.mark.parametrize("shape", [(100,), (100, 3), (100, 2, 1)])
def test_draws_of_another_shape_are_an_error_of_ours(shape):
    with pytest.raises(MeasurementError, match="shape"):
        kinds.reduce(NORMAL, {"x": np.zeros(shape)})


def test_categories_of_another_shape_are_an_error_of_ours():
    with pytest.raises(MeasurementError, match="shapes"):
        kinds.reduce(CATEGORICAL, categories(None, np.zeros((10, 2))))
    wrong = {"x": np.zeros((10, 1)), "x__probabilities": np.array([[0.5, 0.5]])}
    with pytest.raises(MeasurementError, match="shapes"):
        kinds.reduce(CATEGORICAL, wrong)
