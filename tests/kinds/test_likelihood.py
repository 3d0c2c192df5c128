"""Committed negative log-likelihoods, beside the reference's and above their floor."""

import numpy as np
import pytest

from harness import kinds
from harness.errors import MeasurementError
from harness.kinds import Evidence
from harness.spec import checks as spec

COMMON = {"id": "a", "measurement": "m", "metric": "x", "points": 1.0}
NAN, INF = float("nan"), float("inf")
LIKELIHOOD = spec.LikelihoodCheck(**COMMON, kind="likelihood", against="reference", margin_nats=0.1)


FLOOR = np.random.default_rng(3).exponential(5.0, 500)
TRUE = {"x": FLOOR, "x__floor": FLOOR}


def nll(values_):
    return {"x": values_, "x__floor": FLOOR}


@pytest.mark.parametrize(
    ("own", "status", "cause"),
    [
        (FLOOR, "PASS", ""),
        (FLOOR + 0.09, "PASS", ""),
        (FLOOR + np.linspace(-0.4, 0.4, 500), "PASS", ""),
        (FLOOR + 0.3, "FAIL", "excess"),
        (FLOOR - 1.0, "FAIL", "below-floor"),
        (np.where(np.arange(500) == 3, INF, FLOOR), "FAIL", "not-finite"),
        (np.where(np.arange(500) == 3, -INF, FLOOR), "FAIL", "not-finite"),
        (np.where(np.arange(500) == 3, NAN, FLOOR), "FAIL", "not-finite"),
    ],
)
def test_likelihood(verdict, own, status, cause):
    assert verdict(LIKELIHOOD, nll(own), reference=TRUE) == (status, cause)


def test_likelihood_is_compared_with_the_reference_and_bounded_by_the_floor(decide, verdict):
    worse = nll(FLOOR + 0.5)
    assert verdict(LIKELIHOOD, worse, reference=worse) == ("PASS", "")
    figures = decide(LIKELIHOOD, worse, reference=worse).figures
    assert figures["mean_excess_nats"] == 0
    assert figures["mean_above_floor_nats"] == pytest.approx(0.5)


def test_without_the_statistics_of_the_reference_it_is_an_error_of_ours():
    own = {"nll": np.zeros(3), "floor": np.zeros(3)}
    with pytest.raises(ValueError, match="reference"):
        kinds.decide(LIKELIHOOD, [Evidence(own)])


def test_floor_of_another_length_is_an_error_of_ours():
    with pytest.raises(MeasurementError):
        kinds.reduce(LIKELIHOOD, {"x": np.zeros(3), "x__floor": np.zeros(4)})
