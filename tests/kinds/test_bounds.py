"""A difference from the ideal lies within its bounds."""

import numpy as np
import pytest

from harness import kinds
from harness.errors import MeasurementError
from harness.spec import checks as spec

COMMON = {"id": "a", "measurement": "m", "metric": "x", "points": 1.0}
NAN, INF = float("nan"), float("inf")
GAP = spec.BoundsCheck(**COMMON, kind="bounds", lower=-1e-9, upper=1e-3)


@pytest.mark.parametrize(
    ("difference", "status", "cause"),
    [
        (np.array([[0.0, 9.9e-4], [-9.9e-10, 1e-12]]), "PASS", ""),
        (np.array([0.0, 1.1e-3]), "FAIL", "wrong"),
        (np.array([0.0, -1.1e-9]), "FAIL", "wrong"),
        (np.array([NAN, 0.0]), "FAIL", "not-finite"),
        (np.array(INF), "FAIL", "not-finite"),
        (np.array(-INF), "FAIL", "not-finite"),
    ],
)
def test_bounds(verdict, difference, status, cause):
    assert verdict(GAP, {"x": difference}) == (status, cause)


@pytest.mark.parametrize(("side", "inside"), [("lower", 1.0), ("upper", -1.0)])
def test_a_bound_that_is_left_out_holds_every_finite_number(verdict, side, inside):
    check = spec.BoundsCheck(**COMMON, kind="bounds", **{side: 0.0})
    assert verdict(check, {"x": np.array([0.0, inside * 1e300])}) == ("PASS", "")
    assert verdict(check, {"x": np.array([0.0, -inside * 1e-300])}) == ("FAIL", "wrong")
    assert verdict(check, {"x": np.array([inside * INF])}) == ("FAIL", "not-finite")


def test_the_margin_of_bounds_is_the_share_of_the_bound(decide):
    assert decide(GAP, {"x": np.array([5e-4, -1e-10])}).margin == pytest.approx(0.5)
    assert decide(GAP, {"x": np.array([1e-5, -3e-9])}).margin == pytest.approx(3)


def test_bounds_say_how_far_off_and_what_is_allowed(decide):
    outcome = decide(GAP, {"x": np.array([0.0, 0.4125, -1e-8])})
    assert outcome.message == (
        "a difference of 0.412 from the ideal, where at least -1e-09 and at most 0.001 is allowed"
    )
    one_sided = spec.BoundsCheck(**COMMON, kind="bounds", upper=0.5)
    assert decide(one_sided, {"x": np.array(2.0)}).message.endswith("where at most 0.5 is allowed")
    assert decide(GAP, {"x": np.array(NAN)}).message.startswith("the answer holds NaN")


def test_bounds_of_nothing_are_an_error_of_ours():
    with pytest.raises(MeasurementError, match="no entry"):
        kinds.reduce(GAP, {"x": np.zeros(0)})


def test_bounds_that_hold_every_number_are_refused():
    with pytest.raises(ValueError, match="every number"):
        spec.BoundsCheck(**COMMON, kind="bounds")
