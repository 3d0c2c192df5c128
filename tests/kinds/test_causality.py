"""Outputs depend on the inputs that they must depend on, and on no others."""

import numpy as np
import pytest

from harness import kinds
from harness.errors import MeasurementError
from harness.spec import checks as spec

COMMON = {"id": "a", "measurement": "m", "metric": "x", "points": 1.0}
NAN, INF = float("nan"), float("inf")
CAUSALITY = spec.CausalityCheck(**COMMON, kind="causality")


def causal(influence, scale=1.0, **masks):
    lower = np.tri(3, k=-1, dtype=bool)
    metrics = {"x": np.array(influence), "x__allowed": lower, "x__required": lower}
    return {**metrics, "x__scale": np.array(scale), **masks}


CAUSAL = np.tri(3, k=-1)


def influence(row, column, size):
    changed = CAUSAL.copy()
    changed[row, column] = size
    return changed


@pytest.mark.parametrize(
    ("found", "status", "cause"),
    [
        (CAUSAL, "PASS", ""),
        (influence(0, 2, 0.5e-12), "PASS", ""),
        (influence(0, 2, 2e-12), "FAIL", "leak"),
        (influence(1, 1, 1.0), "FAIL", "leak"),
        (influence(2, 0, 0.0), "FAIL", "blind"),
        (influence(2, 0, NAN), "FAIL", "blind"),
        (influence(0, 2, NAN), "FAIL", "not-finite"),
        (influence(0, 2, INF), "FAIL", "not-finite"),
    ],
)
def test_causality(verdict, found, status, cause):
    assert verdict(CAUSALITY, causal(found)) == (status, cause)


def test_causality_measures_a_leak_by_the_size_of_the_outputs(verdict):
    assert verdict(CAUSALITY, causal(influence(0, 2, 2e-12), scale=10.0))[0] == "PASS"
    assert verdict(CAUSALITY, causal(CAUSAL, scale=NAN)) == ("FAIL", "not-finite")


def test_leak_of_a_program_whose_outputs_are_zero_is_a_leak(verdict):
    assert verdict(CAUSALITY, causal(influence(0, 2, 1.0), scale=0.0)) == ("FAIL", "leak")


@pytest.mark.parametrize(
    "masks",
    [
        {"x__allowed": np.ones((3, 3), dtype=bool)},
        {"x__required": np.zeros((3, 3), dtype=bool)},
        {"x__required": np.ones((3, 3), dtype=bool)},
        {"x__allowed": np.zeros((3, 2), dtype=bool)},
        {"x__required": np.zeros(3, dtype=bool)},
    ],
)
def test_causality_with_masks_that_ask_nothing_is_an_error_of_ours(masks):
    with pytest.raises(MeasurementError):
        kinds.reduce(CAUSALITY, causal(CAUSAL, **masks))


def test_scale_without_entries_is_an_error_of_ours():
    with pytest.raises(MeasurementError, match="x__scale has no entry"):
        kinds.reduce(CAUSALITY, causal(CAUSAL, x__scale=np.zeros(0)))
