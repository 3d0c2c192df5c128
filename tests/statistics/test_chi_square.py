"""Pearson's chi-square: pooling, size, power, edges."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from harness.statistics.chi_square import (
    chi_square_required_n,
    chi_square_stage,
    pooled_cells,
    summarise_counts,
    summarise_table,
)

EQUAL = np.full((1, 8), 0.125)
UNEVEN = np.array([[0.5, 0.25, 0.12, 0.06, 0.04, 0.02, 0.01]])


def test_counts() -> None:
    summary = summarise_counts([[0, 2], [1, 2], [1, 0]], 3)
    assert summary["counts"].tolist() == [[1, 2, 0], [1, 0, 2]]
    assert summary["outside"].tolist() == [0, 0]
    assert summarise_table([[1, 2, 0], [1, 0, 2]])["counts"].tolist() == summary["counts"].tolist()


@pytest.mark.parametrize("bad", [-1.0, 3.0, 0.5, np.nan, np.inf, -np.inf, 1e300])
def test_draws_that_are_no_category_reject(bad: float) -> None:
    draws = np.tile([0.0, 1.0, 2.0], 20)[:, None]
    draws[7] = bad
    summary = summarise_counts(draws, 3)
    assert summary["outside"].tolist() == [1]
    assert summary["counts"].sum() == 59
    outcome = chi_square_stage(summary, np.full((1, 3), 1 / 3), 0.01)
    assert (outcome.rejects, outcome.reason, outcome.p_value) == (True, "impossible", 0.0)


def test_a_category_of_probability_zero_rejects() -> None:
    law = [[0.5, 0.5, 0.0], [0.0, 0.0, 1.0]]
    right = chi_square_stage(summarise_table([[30, 30, 0], [0, 0, 60]]), law, 0.01)
    assert (right.rejects, right.p_value) == (False, 1.0)
    hit = chi_square_stage(summarise_table([[30, 29, 1], [0, 0, 60]]), law, 0.01)
    assert (hit.reason, hit.coordinate, hit.statistic) == ("impossible", 0, math.inf)
    sure = chi_square_stage(summarise_table([[30, 30, 0], [1, 0, 59]]), law, 0.01)
    assert (sure.reason, sure.coordinate) == ("impossible", 1)


def test_statistic_agrees_with_scipy() -> None:
    counts = np.array([[20, 30, 50], [33, 33, 34]])
    law = np.array([[0.3, 0.3, 0.4], [0.3, 0.3, 0.4]])
    outcome = chi_square_stage(summarise_table(counts), law, 0.01)
    wanted = [stats.chisquare(c, 100 * p) for c, p in zip(counts, law, strict=True)]
    worst = int(np.argmin([w.pvalue for w in wanted]))
    assert outcome.coordinate == worst
    assert outcome.statistic == pytest.approx(wanted[worst].statistic)
    assert outcome.p_value == pytest.approx(2 * wanted[worst].pvalue)


@pytest.mark.parametrize(
    ("probabilities", "n", "pools"),
    [
        ([0.5, 0.5], 100, [0, 1]),
        ([0.9, 0.05, 0.0, 0.05], 100, [2, 0, -1, 1]),
        ([0.9, 0.04, 0.04, 0.02], 100, [1, 0, 0, 0]),
        ([0.02, 0.08, 0.9], 100, [0, 0, 1]),
        ([0.5, 0.5], 9, [0, 0]),
        ([0.3, 0.3, 0.4], 10, [0, 0, 0]),
        ([1.0, 0.0], 3, [0, -1]),
    ],
)
def test_pools(probabilities: list[float], n: int, pools: list[int]) -> None:
    assert pooled_cells(np.array(probabilities), n).tolist() == pools


@given(st.lists(st.integers(0, 50), min_size=2, max_size=10), st.integers(1, 2000))
def test_every_pool_is_expected_five_times_or_is_alone(weights: list[int], n: int) -> None:
    if not sum(weights):
        return
    law = np.array(weights) / sum(weights)
    pools = pooled_cells(law, n)
    assert ((pools == -1) == (law == 0)).all()
    expected = n * np.bincount(pools[pools >= 0], weights=law[pools >= 0])
    assert expected.size == 1 or (expected >= 5 - 1e-9).all()
    assert expected.sum() == pytest.approx(n)


def table(rng: np.random.Generator, n: int, law: np.ndarray) -> dict[str, np.ndarray]:
    return summarise_table(rng.multinomial(n, law))


# Bands: the approximation itself measures .0102 (equal) and .0114 (rarest category expected 5
# times) in 100,000 stages.
@pytest.mark.parametrize(
    ("law", "n", "measured"), [(EQUAL, 200, 0.0102), (UNEVEN, 500, 0.0114), (UNEVEN, 5000, 0.0106)]
)
def test_size(sim: Any, law: np.ndarray, n: int, measured: float) -> None:
    rng = np.random.default_rng(40)
    stages = 10_000
    seen = sim.rejections(stages, lambda: chi_square_stage(table(rng, n, law), law, 0.01).rejects)
    assert seen in sim.band(stages, measured)
    assert seen in sim.band(stages, 0.01, 0.0115)


def test_power_at_the_declared_effect(sim: Any) -> None:
    rng = np.random.default_rng(41)
    n = chi_square_required_n(0.01, 0.05, 0.3, 6)
    assert n == 287
    even = np.full((1, 6), 1 / 6)
    tilted = even * [1.3, 0.7, 1.3, 0.7, 1.3, 0.7]
    assert math.sqrt(((tilted - even) ** 2 / even).sum()) == pytest.approx(0.3)
    seen = sim.rejections(4000, lambda: chi_square_stage(table(rng, n, tilted), even, 0.01).rejects)
    assert seen in sim.band(4000, 0.95, 0.956)


def test_several_coordinates_share_the_alpha() -> None:
    alone = chi_square_stage(summarise_table([[40, 60]]), [[0.5, 0.5]], 0.01)
    both = chi_square_stage(summarise_table([[40, 60], [50, 50]]), [[0.5, 0.5]] * 2, 0.01)
    assert both.p_value == pytest.approx(2 * alone.p_value)
    assert both.critical > alone.critical


def test_perfect_separation() -> None:
    outcome = chi_square_stage(summarise_table([[10**6, 0]]), [[0.5, 0.5]], 1e-6)
    assert (outcome.rejects, outcome.p_value) == (True, 0.0)


def test_smallest_samples() -> None:
    coin = [[0.5, 0.5]]
    assert chi_square_stage(summarise_table([[11, 0]]), coin, 1e-3).rejects
    with pytest.raises(ValueError, match="reach 10 at most"):
        chi_square_stage(summarise_table([[10, 0]]), coin, 1e-3)
    with pytest.raises(ValueError, match="single pool"):
        chi_square_stage(summarise_table([[9, 0]]), coin, 1e-3)
    with pytest.raises(ValueError, match="no draws"):
        chi_square_stage(summarise_table([[0, 0]]), coin, 1e-3)


def test_refusals() -> None:
    for samples, k in ((np.zeros(3), 2), (np.zeros((0, 1)), 2), (np.zeros((2, 1)), 0)):
        with pytest.raises(ValueError, match="wanted"):
            summarise_counts(samples, k)
    for counts in ([[1.5, 2.0]], [[-1, 2]], [[np.nan, 1.0]]):
        with pytest.raises(ValueError, match="whole numbers"):
            summarise_table(counts)
    good = summarise_table([[30, 30]])
    for law in ([[0.5, 0.4]], [[1.5, -0.5]], [[np.nan, 1.0]], [[0.5, 0.25, 0.25]]):
        with pytest.raises(ValueError, match="wanted"):
            chi_square_stage(good, law, 0.01)
    with pytest.raises(ValueError, match="integers"):
        chi_square_stage(good | {"counts": np.ones((1, 2))}, [[0.5, 0.5]], 0.01)
    with pytest.raises(ValueError, match="misses no more"):
        chi_square_required_n(0.1, 0.95, 0.3, 4)
    with pytest.raises(ValueError, match="categories"):
        chi_square_required_n(0.1, 0.05, 0.3, 1)
