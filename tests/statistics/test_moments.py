"""Moments under an enumerated or integrated law."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from harness.statistics.exact import tolerance, worst_ratio
from harness.statistics.moments import weighted_moments

EPS = float(np.finfo(np.float64).eps)


def test_a_coin() -> None:
    moments = weighted_moments([[-1.0, 0.0], [3.0, 2.0]], [0.25, 0.75])
    assert moments.mean.tolist() == [2.0, 1.5]
    assert moments.variance.tolist() == [3.0, 0.75]
    assert moments.mean_scale.tolist() == [2.5, 1.5]
    assert moments.variance_scale.tolist() == [7.0 + 4.0, 3.0 + 2.25]
    assert moments.trace_variance == 3.75
    assert moments.trace_variance_scale == 16.25


def test_shapes_of_an_outcome_are_kept() -> None:
    rng = np.random.default_rng(2)
    outcomes = rng.normal(size=(5, 2, 3))
    moments = weighted_moments(outcomes, np.full(5, 0.2))
    assert moments.mean.shape == moments.variance_scale.shape == (2, 3)
    np.testing.assert_allclose(moments.mean, outcomes.mean(axis=0), rtol=0, atol=1e-15)
    np.testing.assert_allclose(moments.variance, outcomes.var(axis=0), rtol=0, atol=1e-15)
    assert weighted_moments([1.0, 3.0], [0.5, 0.5]).mean.shape == ()


def test_gauss_hermite_integrates_a_polynomial_exactly() -> None:
    nodes, weights = np.polynomial.hermite_e.hermegauss(16)
    weights = weights / weights.sum()
    grid = np.array(list(itertools.product(nodes, repeat=2)))
    joint = np.array([a * b for a, b in itertools.product(weights, repeat=2)])
    joint = joint / math.fsum(joint)
    moments = weighted_moments(grid[:, 0] ** 2 * grid[:, 1] ** 4, joint)
    assert worst_ratio(moments.mean, 3.0, tolerance(moments.mean_scale, EPS, 64)).within
    exact = 3.0 * 105.0 - 9.0
    assert worst_ratio(moments.variance, exact, tolerance(moments.variance_scale, EPS, 64)).within


@given(st.lists(st.integers(-(2**40), 2**40), min_size=1, max_size=12))
def test_variance_agrees_with_rational_arithmetic(values: list[int]) -> None:
    count = len(values)
    weights = np.full(count, 1 / count)
    law = [Fraction(w) for w in weights.tolist()]
    mean = sum(w * x for w, x in zip(law, values, strict=True))
    variance = sum(w * (x - mean) ** 2 for w, x in zip(law, values, strict=True))
    moments = weighted_moments(np.array(values, dtype=np.float64), weights)
    assert worst_ratio(moments.mean, float(mean), tolerance(moments.mean_scale, EPS)).within
    allowed = tolerance(moments.variance_scale, EPS)
    assert worst_ratio(moments.variance, float(variance), allowed).within
    assert moments.variance >= 0


@given(
    hnp.arrays(np.float64, (6, 2), elements=st.floats(-1e3, 1e3, allow_subnormal=False)),
    st.permutations(range(6)),
)
def test_the_order_of_the_outcomes_does_not_matter(values: np.ndarray, order: list[int]) -> None:
    weights = np.array([0.05, 0.1, 0.15, 0.2, 0.25, 0.25])
    one = weighted_moments(values, weights)
    other = weighted_moments(values[order], weights[order])
    assert one.mean.tobytes() == other.mean.tobytes()
    assert one.variance.tobytes() == other.variance.tobytes()


def test_a_constant_has_no_variance_and_a_large_offset_does_no_harm() -> None:
    moments = weighted_moments([0.1, 0.1, 0.1], [0.2, 0.3, 0.5])
    assert abs(moments.variance) <= tolerance(moments.variance_scale, EPS)
    shifted = weighted_moments([1e8, 1e8 + 1], [0.5, 0.5])
    assert shifted.variance == 0.25


def test_an_outcome_that_is_not_finite_spoils_its_coordinate_only() -> None:
    outcomes = [[1.0, 1.0, 1.0], [np.nan, np.inf, 3.0]]
    moments = weighted_moments(outcomes, [1.0, 0.0])
    assert np.isnan(moments.mean).tolist() == [True, True, False]
    assert np.isnan(moments.variance).tolist() == [True, True, False]
    allowed = tolerance(moments.mean_scale, EPS)
    assert worst_ratio(moments.mean, [1.0, 1.0, 1.0], allowed).ratio == np.inf
    assert math.isnan(moments.trace_variance)


def test_sizes_beyond_float64_are_infinite_and_never_cast_as_numbers() -> None:
    moments = weighted_moments([[1e300, 1e-300], [-1e300, 0.0]], [0.5, 0.5])
    assert moments.mean.tolist() == [0.0, 5e-301]
    assert moments.variance.tolist() == [np.inf, 0.0]
    assert np.isfinite(tolerance(moments.variance_scale, EPS)).all()
    assert worst_ratio(moments.variance[0], 1.0, 1.0).ratio == np.inf
    assert moments.trace_variance == np.inf
    both = weighted_moments([[1.7e308, 1.7e308]], [1.0])
    assert both.trace_variance_scale == np.finfo(np.float64).max


def test_negative_weights_only_by_leave() -> None:
    weights = [-0.5, 1.0, 0.5]
    with pytest.raises(ValueError, match="allow_negative"):
        weighted_moments([1.0, 2.0, 3.0], weights)
    moments = weighted_moments([1.0, 0.0, 0.0], weights, allow_negative=True)
    assert moments.mean == -0.5
    assert moments.mean_scale == 0.5
    assert moments.variance == -0.75


def test_an_unsummable_variance_is_not_a_number() -> None:
    outcomes = [[1e200, 0.0], [-1e200, 0.0], [0.0, 1e200]]
    moments = weighted_moments(outcomes, [0.75, 0.75, -0.5], allow_negative=True)
    assert moments.variance.tolist() == [np.inf, -np.inf]
    assert math.isnan(moments.trace_variance)


@pytest.mark.parametrize(
    ("outcomes", "weights"),
    [
        ([], []),
        (1.0, [1.0]),
        (np.zeros((2, 0)), [0.5, 0.5]),
        ([1.0, 2.0], [1.0]),
        ([1.0, 2.0], [0.5, 0.5 + 1e-12]),
        ([1.0, 2.0], [0.5, np.nan]),
        ([1.0, 2.0], [np.inf, 0.0]),
        ([1.0, 2.0], [1.7e308, 1.7e308]),
        ([1j, 2.0], [0.5, 0.5]),
    ],
)
def test_refusals(outcomes: object, weights: object) -> None:
    with pytest.raises(ValueError, match="wanted"):
        weighted_moments(outcomes, weights)  # type: ignore[arg-type]
