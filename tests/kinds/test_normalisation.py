"""Log-probabilities over a whole sample space sum to one."""

import math

import numpy as np
import pytest

from harness import kinds
from harness.errors import MeasurementError
from harness.spec import checks as spec

COMMON = {"id": "a", "measurement": "m", "metric": "x", "points": 1.0}
NAN, INF = float("nan"), float("inf")
NORMALISATION = spec.NormalisationCheck(**COMMON, kind="normalisation")


@pytest.mark.parametrize(
    ("logs", "status", "cause"),
    [
        (np.log([[0.25, 0.75], [0.5, 0.5]]), "PASS", ""),
        (np.array([-1e4, 0.0]), "PASS", ""),
        (np.array([0.0, -INF]), "PASS", ""),
        (np.log([[0.25, 0.75], [0.5, 0.6]]), "FAIL", "wrong"),
        (np.log([0.5, 0.4]), "FAIL", "wrong"),
        (np.array([0.0, NAN]), "FAIL", "not-finite"),
        (np.array([-INF, -INF]), "FAIL", "not-finite"),
        (np.array([0.0, INF]), "FAIL", "not-finite"),
    ],
)
def test_normalisation(verdict, logs, status, cause):
    assert verdict(NORMALISATION, {"x": logs}) == (status, cause)


def test_normalisation_says_the_log_of_the_sum(decide):
    figures = decide(NORMALISATION, {"x": np.log([0.5, 1.5])}).figures
    assert figures["log_sum"] == pytest.approx(math.log(2))


@pytest.mark.parametrize("logs", [np.array(0.0), np.zeros(0), np.zeros((2, 0))])
def test_normalisation_over_nothing_is_an_error_of_ours(logs):
    with pytest.raises(MeasurementError, match="outcomes"):
        kinds.reduce(NORMALISATION, {"x": logs})
