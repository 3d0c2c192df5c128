"""Every entry equals the reference's, up to rounding."""

import numpy as np
import pytest

from harness import kinds
from harness.errors import MeasurementError
from harness.kinds import Evidence
from harness.spec import checks as spec

COMMON = {"id": "a", "measurement": "m", "metric": "x", "points": 1.0}
NAN, INF = float("nan"), float("inf")
EPS = np.finfo(np.float64).eps
EXACT = spec.ExactCheck(**COMMON, kind="exact", against="reference")


def values(*entries, scale=1.0):
    array = np.array(entries)
    return {"x": array, "x__scale": np.full(array.shape, scale)}


@pytest.mark.parametrize(
    ("own", "status", "cause"),
    [
        ((1.0, 2.0), "PASS", ""),
        ((1.0 + 15 * EPS, 2.0), "PASS", ""),
        ((1.0 + 17 * EPS, 2.0), "FAIL", "wrong"),
        ((1.0, NAN), "FAIL", "not-finite"),
        ((-INF, 2.0), "FAIL", "not-finite"),
    ],
)
def test_exact(verdict, own, status, cause):
    assert verdict(EXACT, values(*own), reference=values(1.0, 2.0)) == (status, cause)


def test_exact_takes_the_scale_of_the_reference(verdict):
    own = values(1.1, scale=1e20)
    assert verdict(EXACT, own, reference=values(1.0)) == ("FAIL", "wrong")


def test_exact_compares_infinities(verdict):
    assert verdict(EXACT, values(INF), reference=values(INF))[0] == "PASS"
    assert verdict(EXACT, values(1.0), reference=values(INF)) == ("FAIL", "wrong")


def test_exact_in_single_precision_allows_its_rounding(verdict):
    single = EXACT.model_copy(update={"precision": "float32"})
    assert verdict(single, values(1.0 + 1e-6), reference=values(1.0))[0] == "PASS"
    assert verdict(EXACT, values(1.0 + 1e-6), reference=values(1.0))[0] == "FAIL"


def test_exact_says_where_and_how_far(decide):
    found = decide(EXACT, values(1.0, 3.0), reference=values(1.0, 2.0))
    assert found.figures["index"] == [1]
    assert (found.figures["got"], found.figures["wanted"]) == (3.0, 2.0)
    assert found.margin == pytest.approx(1 / (16 * EPS))


@pytest.mark.parametrize("reference", [values(1.0), values(1.0, NAN)])
def test_exact_against_what_cannot_be_compared_is_an_error_of_ours(decide, reference):
    with pytest.raises(ValueError, match="wanted"):
        decide(EXACT, values(1.0, 2.0), reference=reference)


def test_without_the_statistics_of_the_reference_it_is_an_error_of_ours():
    own = {"value": np.zeros(3), "scale": np.ones(3)}
    with pytest.raises(ValueError, match="reference"):
        kinds.decide(EXACT, [Evidence(own)])


@pytest.mark.parametrize("scale", [-1.0, NAN, INF])
def test_unusable_scale_is_an_error_of_ours(scale):
    with pytest.raises(MeasurementError, match="x__scale"):
        kinds.reduce(EXACT, values(1.0, 2.0, scale=scale))


@pytest.mark.parametrize("shape", [(2,), (2, 3)])
def test_scale_of_another_shape_is_an_error_of_ours(shape):
    metrics = {"x": np.zeros(3), "x__scale": np.ones(shape)}
    with pytest.raises(MeasurementError, match=r"x__scale has shape .*; wanted \(3,\)"):
        kinds.reduce(EXACT, metrics)


def test_a_failure_says_how_much_is_wrong_and_by_how_much(decide):
    right, wrong = values(1.0, 2.0, 4.0), values(1.0, 2.0, 4.0 + 1e-9)
    said = decide(EXACT, wrong, reference=right).message
    assert said.startswith("1 of 3 numbers is not as expected; the largest error is ")
    assert said.endswith(" times what rounding excuses")
    assert decide(EXACT, values(NAN, INF, 4.0), reference=right).message == (
        "the answer holds NaN or infinity where a number is expected: 2 of 3 numbers are not as "
        "expected"
    )
