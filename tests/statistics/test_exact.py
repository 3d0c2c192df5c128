"""Comparison up to rounding."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from harness.statistics.exact import tolerance, worst_ratio

EPS = float(np.finfo(np.float64).eps)
numbers = st.floats(-1e6, 1e6, allow_subnormal=False)


def test_tolerance_is_c_eps_scale_entry_by_entry() -> None:
    assert tolerance([[1.0, 0.0, 3.0]], EPS).tolist() == [[16 * EPS, 0.0, 48 * EPS]]
    assert tolerance(2.0, 1e-7, c=4.0) == pytest.approx(8e-7)
    assert tolerance(np.zeros(0), EPS).shape == (0,)


@pytest.mark.parametrize(
    ("scale", "eps", "c"),
    [
        (-1.0, EPS, 16.0),
        (np.nan, EPS, 16.0),
        (np.inf, EPS, 16.0),
        (1.0, 0.0, 16.0),
        (1.0, np.nan, 16.0),
        (1.0, EPS, -1.0),
        (1.0, EPS, np.inf),
        (1e308, 1.0, 16.0),
        ("x", EPS, 16.0),
    ],
)
def test_tolerance_refuses_what_is_no_size(scale: object, eps: float, c: float) -> None:
    with pytest.raises(ValueError, match=r"wanted|overflows"):
        tolerance(scale, eps, c)  # type: ignore[arg-type]


def test_worst_names_the_first_of_the_worst_entries() -> None:
    worst = worst_ratio([[1.0, 2.0], [3.5, 4.0]], [[1.0, 2.5], [3.0, 4.0]], np.full((2, 2), 0.25))
    assert (worst.ratio, worst.index, worst.within) == (2.0, (0, 1), False)
    assert worst_ratio(1.0, 1.5, 0.5).index == ()
    assert worst_ratio(1.0, 1.5, 0.5).within


@pytest.mark.parametrize(
    ("value", "target", "tol", "ratio"),
    [
        (np.nan, 0.0, 1.0, np.inf),
        (np.inf, 0.0, 1.0, np.inf),
        (0.0, np.inf, 1.0, np.inf),
        (np.nan, np.inf, 1.0, np.inf),
        (-np.inf, np.inf, 1.0, np.inf),
        (np.inf, np.inf, 1.0, 0.0),
        (-np.inf, -np.inf, 0.0, 0.0),
        (2.0, 2.0, 0.0, 0.0),
        (2.0, np.nextafter(2.0, 3.0), 0.0, np.inf),
        (-1.7e308, 1.7e308, 1.0, np.inf),
        (5e-324, 0.0, 0.0, np.inf),
        (0.0, -0.0, 0.0, 0.0),
        (True, 1.0, 0.0, 0.0),
    ],
)
def test_ratio_of_one_entry(value: float, target: float, tol: float, ratio: float) -> None:
    assert worst_ratio([value], [target], [tol]).ratio == ratio


def test_a_bad_entry_outshines_a_large_difference() -> None:
    worst = worst_ratio([9.0, np.nan, 0.0], [0.0, 0.0, 0.0], 1.0)
    assert (worst.ratio, worst.index) == (np.inf, (1,))


@pytest.mark.parametrize(
    ("value", "target", "tol"),
    [
        ([1.0], [1.0, 2.0], 1.0),
        (np.zeros((2, 1)), np.zeros((1, 2)), 1.0),
        ([], [], 1.0),
        ([1.0], [np.nan], 1.0),
        ([1.0], [1.0], -1.0),
        ([1.0], [1.0], np.nan),
        ([1.0, 1.0], [1.0, 1.0], [np.inf, 1.0]),
        ([1.0, 1.0], [1.0, 1.0], [1.0]),
        ([1j], [1.0], 1.0),
        ([2**53 + 1], [2.0**53], 1.0),
        (["a"], [1.0], 1.0),
    ],
)
def test_worst_ratio_refuses(value: object, target: object, tol: object) -> None:
    with pytest.raises(ValueError, match=r"wanted|exactly"):
        worst_ratio(value, target, tol)  # type: ignore[arg-type]


@given(hnp.arrays(np.float64, 6, elements=numbers), st.permutations(range(6)), st.data())
def test_permuting_the_entries_moves_the_index_and_keeps_the_ratio(
    value: np.ndarray, order: list[int], data: st.DataObject
) -> None:
    target = data.draw(hnp.arrays(np.float64, 6, elements=numbers))
    tol = data.draw(hnp.arrays(np.float64, 6, elements=st.floats(0, 10, allow_subnormal=False)))
    before = worst_ratio(value, target, tol)
    after = worst_ratio(value[order], target[order], tol[order])
    assert after.ratio == before.ratio
    (index,) = after.index
    original = worst_ratio(*(array[[order[index]]] for array in (value, target, tol)))
    assert original.ratio == before.ratio


@given(numbers, numbers, st.floats(1e-9, 10), st.floats(1, 100))
def test_a_larger_tolerance_never_raises_the_ratio(
    value: float, target: float, tol: float, factor: float
) -> None:
    assert worst_ratio(value, target, tol * factor).ratio <= worst_ratio(value, target, tol).ratio


def test_honest_reordering_stays_within_and_a_wrong_formula_does_not() -> None:
    rng = np.random.default_rng(1)
    mean, log_var = rng.normal(size=(2, 200, 64))
    terms = np.stack([np.exp(log_var), mean**2, -np.ones_like(mean), -log_var])
    scale = 0.5 * np.abs(terms).sum(axis=(0, 2))
    one = 0.5 * terms.sum(axis=(0, 2))
    other = 0.5 * (np.expm1(log_var) - log_var).sum(axis=1) + 0.5 * (mean**2).sum(axis=1)
    assert worst_ratio(other, one, tolerance(scale, EPS)).within
    wrong = one + log_var.sum(axis=1)
    assert worst_ratio(wrong, one, tolerance(scale, EPS)).ratio > 1e10
