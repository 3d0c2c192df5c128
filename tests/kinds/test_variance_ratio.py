"""An estimator's variance is below a multiple of a baseline's."""

import numpy as np
import pytest

from harness import kinds
from harness.errors import MeasurementError
from harness.spec import checks as spec

COMMON = {"id": "a", "measurement": "m", "metric": "x", "points": 1.0}
STAGES = {"stage_alpha": 1e-3, "min_detectable": 0.3, "beta": 0.01}
NAN, INF = float("nan"), float("inf")
VARIANCE = spec.VarianceRatioCheck(
    **{**COMMON, **STAGES, "min_detectable": 2.0}, kind="variance-ratio", limit=1.2
)


RNG = np.random.default_rng(7)
GOOD, OTHER = RNG.normal(size=(2, 2000, 2))


def broken(samples, value):
    changed = samples.copy()
    changed[3, 1] = value
    return changed


def ratio(own):
    return {"x": own, "x__baseline": OTHER}


@pytest.mark.parametrize(
    ("check", "good", "bad", "cause"),
    [
        (VARIANCE, ratio(GOOD), ratio(GOOD * 1.5), "variance-ratio"),
        (VARIANCE, ratio(GOOD), ratio(broken(GOOD, INF)), "not-finite"),
    ],
)
def test_two_rejections_fail_and_one_does_not(fails_after_two_rejections, check, good, bad, cause):
    fails_after_two_rejections(check, good, bad, cause)


def hidden(samples, ratio):
    """The same, with one draw that alone brings the total variance to so many times its own."""
    changed = samples.copy()
    changed[0] = np.sqrt(changed.var(axis=0).sum() * (ratio - 1) * len(changed) / 2)
    return changed


def test_one_huge_draw_does_not_hide_a_variance(fails_after_two_rejections):
    """Its error of the log-ratio is 1 at any n, so that no ratio up to limit·exp(z) is rejected."""
    bad = ratio(hidden(GOOD, 20.0))
    fails_after_two_rejections(VARIANCE, ratio(GOOD), bad, "variance-ratio")


def test_pairs_of_different_shape_are_an_error_of_ours():
    with pytest.raises(MeasurementError, match="pairs"):
        kinds.reduce(VARIANCE, {"x": np.zeros((10, 2)), "x__baseline": np.zeros((10, 3))})
