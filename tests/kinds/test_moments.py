"""An exact moment over all outcomes of a law equals the reference's."""

import numpy as np
import pytest

from harness import kinds
from harness.errors import MeasurementError
from harness.kinds import Evidence
from harness.spec import checks as spec

COMMON = {"id": "a", "measurement": "m", "metric": "x", "points": 1.0}
NAN, INF = float("nan"), float("inf")


def moments(statistic):
    return spec.MomentsCheck(**COMMON, kind="moments", against="reference", statistic=statistic)


def law(outcomes, weights):
    return {"x": np.array(outcomes), "x__weight": np.array(weights)}


FAIR = law([[0.0, 1.0], [2.0, 3.0]], [0.5, 0.5])


@pytest.mark.parametrize("statistic", ["mean", "variance", "trace-variance"])
def test_moments_of_the_reference_pass(verdict, statistic):
    assert verdict(moments(statistic), FAIR, reference=FAIR) == ("PASS", "")
    broken = law([[0.0, NAN], [2.0, 3.0]], [0.5, 0.5])
    assert verdict(moments(statistic), broken, reference=FAIR) == ("FAIL", "not-finite")


def test_moments_compare_the_statistic_that_is_asked_for(verdict):
    wider = law([[-1.0, 0.0], [3.0, 4.0]], [0.5, 0.5])
    assert verdict(moments("mean"), wider, reference=FAIR) == ("PASS", "")
    assert verdict(moments("variance"), wider, reference=FAIR) == ("FAIL", "wrong")
    swapped = law([[0.0, 0.0], [0.0, 8.0**0.5]], [0.5, 0.5])
    assert verdict(moments("variance"), swapped, reference=FAIR) == ("FAIL", "wrong")
    assert verdict(moments("trace-variance"), swapped, reference=FAIR) == ("PASS", "")


@pytest.mark.parametrize("statistic", ["mean", "variance", "trace-variance"])
@pytest.mark.parametrize("size", [1e9, 1e18, 1e150])
def test_large_terms_of_a_program_excuse_nothing(verdict, statistic, size):
    """A mean of ±size is zero up to rounding, and a constant has no variance."""
    odd = law([[-size, -size], [size, size]], [0.5, 0.5])
    constant = law([[size, size], [size, size]], [0.5, 0.5])
    for made in (odd, constant):
        assert verdict(moments(statistic), made, reference=FAIR) == ("FAIL", "wrong")


@pytest.mark.parametrize("weights", [[0.5, 0.4], [0.5, 0.25, 0.25], [NAN, 0.5], [1.5, -0.5]])
def test_moments_under_no_law_are_an_error_of_ours(weights):
    with pytest.raises(MeasurementError, match="weights"):
        kinds.reduce(moments("mean"), law([0.0, 1.0], weights))


def test_without_the_statistics_of_the_reference_it_is_an_error_of_ours():
    own = {"value": np.zeros(3), "scale": np.ones(3)}
    with pytest.raises(ValueError, match="reference"):
        kinds.decide(moments("mean"), [Evidence(own)])
