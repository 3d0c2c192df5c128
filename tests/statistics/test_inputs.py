"""What is demanded of arguments and of stored summaries."""

import numpy as np
import pytest

from harness.statistics import inputs


def test_real_numbers_become_float64() -> None:
    assert inputs.real_array("x", [True, False]).tolist() == [1.0, 0.0]
    assert inputs.real_array("x", np.float32(0.5)).dtype == np.float64
    assert inputs.real_array("x", [2**53]).item() == 2.0**53
    assert inputs.real_array("x", np.array([], dtype=np.int64)).size == 0
    assert np.isinf(inputs.real_array("x", np.array([1e400], dtype=np.longdouble)))[0]


@pytest.mark.parametrize("value", [[2**53 + 1], [-(2**60)], [1j], ["a"], [None]])
def test_other_things_do_not(value: object) -> None:
    with pytest.raises(ValueError, match=r"wanted real|exactly"):
        inputs.real_array("x", value)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [0.0, 1.0, -0.1, 2.0, float("nan"), float("inf")])
def test_probabilities_are_strictly_inside(value: float) -> None:
    with pytest.raises(ValueError, match="strictly between"):
        inputs.probability("alpha", value)


@pytest.mark.parametrize("value", [1.5, 1, float("nan"), float("inf")])
def test_whole_numbers(value: float) -> None:
    with pytest.raises(ValueError, match="whole number of at least 2"):
        inputs.whole("n", value, least=2)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf")])
def test_positive_numbers(value: float) -> None:
    with pytest.raises(ValueError, match="above 0"):
        inputs.positive("x", value)


def test_finite_numbers() -> None:
    with pytest.raises(ValueError, match="finite"):
        inputs.finite("x", float("nan"))


def test_a_damaged_summary_is_refused() -> None:
    summary = {"n": np.array(5), "mean": np.array([0.0, np.nan])}
    usable = np.array([True, True])
    assert inputs.stored_size(summary, least=2) == 5
    with pytest.raises(ValueError, match="wanted 'sd' too"):
        inputs.stored(summary, "sd", ndim=1)
    with pytest.raises(ValueError, match="wanted 0 axes"):
        inputs.stored(summary, "mean", ndim=0)
    with pytest.raises(ValueError, match="not finite although"):
        inputs.stored_figures(summary, "mean", usable)
    with pytest.raises(ValueError, match=r"wanted \(1,\)"):
        inputs.stored_figures(summary, "mean", usable[:1])
    with pytest.raises(ValueError, match="at least 9"):
        inputs.stored_size(summary, least=9)
