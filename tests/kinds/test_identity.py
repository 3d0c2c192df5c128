"""A residual between answers of one program is zero, up to rounding."""

import numpy as np
import pytest

from harness import kinds
from harness.errors import MeasurementError
from harness.spec import checks as spec

COMMON = {"id": "a", "measurement": "m", "metric": "x", "points": 1.0}
NAN, INF = float("nan"), float("inf")
EPS = np.finfo(np.float64).eps
IDENTITY = spec.IdentityCheck(**COMMON, kind="identity")


def values(*entries, scale=1.0):
    array = np.array(entries)
    return {"x": array, "x__scale": np.full(array.shape, scale)}


def test_identity(verdict):
    assert verdict(IDENTITY, values(0.0, 15 * EPS)) == ("PASS", "")
    assert verdict(IDENTITY, values(0.0, -17 * EPS)) == ("FAIL", "wrong")
    assert verdict(IDENTITY, values(0.0, NAN)) == ("FAIL", "not-finite")
    assert verdict(IDENTITY, values(0.0, 0.1, scale=1e15)) == ("PASS", "")


def test_identity_without_entries_is_an_error_of_ours(decide):
    with pytest.raises(ValueError, match="entr"):
        decide(IDENTITY, {"x": np.zeros(0), "x__scale": np.zeros(0)})


@pytest.mark.parametrize("scale", [-1.0, NAN, INF])
def test_unusable_scale_is_an_error_of_ours(scale):
    with pytest.raises(MeasurementError, match="x__scale"):
        kinds.reduce(IDENTITY, values(1.0, 2.0, scale=scale))


@pytest.mark.parametrize("shape", [(2,), (2, 3)])
def test_scale_of_another_shape_is_an_error_of_ours(shape):
    metrics = {"x": np.zeros(3), "x__scale": np.ones(shape)}
    with pytest.raises(MeasurementError, match=r"x__scale has shape .*; wanted \(3,\)"):
        kinds.reduce(IDENTITY, metrics)
