"""Dependence at every lag and in magnitude: size, power, edges."""

import math
from typing import Any

import numpy as np
import pytest

from harness.statistics.dependence import (
    dependence_required_n,
    dependence_stage,
    summarise_dependence,
)
from harness.statistics.outcome import StageOutcome

N, D, CALLS = 8000, 6, 4
Draws = np.ndarray


def judge(samples: Draws, alpha: float = 1e-4) -> StageOutcome:
    return dependence_stage(summarise_dependence(samples), alpha)


def half(rng: np.random.Generator) -> Draws:
    return rng.standard_normal((N // CALLS // 2, D))


def antithetic(rng: np.random.Generator) -> Draws:
    e = half(rng)
    return np.concatenate([e, -e])


def shifted(rng: np.random.Generator) -> Draws:
    return np.roll(antithetic(rng), 1, axis=0)


def twice(rng: np.random.Generator) -> Draws:
    e = half(rng)
    return np.concatenate([e, e])


def shuffled(rng: np.random.Generator) -> Draws:
    return rng.permutation(antithetic(rng))


def magnitudes_over_rows(rng: np.random.Generator) -> Draws:
    size = (N // CALLS, 3, 2)
    e = np.abs(rng.standard_normal((N // CALLS, 1, 2)))
    return (e * rng.choice([-1, 1], size)).reshape(-1, D)


def one_radius(rng: np.random.Generator) -> Draws:
    size = (N // CALLS, D)
    return np.abs(rng.standard_normal((N // CALLS, 1))) * rng.choice([-1, 1], size)


def scale_of_a_sample(rng: np.random.Generator) -> Draws:
    scale = np.exp(0.3 * rng.standard_normal((N // CALLS, 1)))
    return scale * rng.standard_normal((N // CALLS, D))


def second_lag(rng: np.random.Generator) -> Draws:
    e = rng.standard_normal((N // CALLS, D))
    for row in range(2, len(e)):
        e[row] = 0.5 * e[row - 2] + math.sqrt(0.75) * e[row]
    return e


MISTAKES = [antithetic, shifted, twice, shuffled, magnitudes_over_rows, one_radius]
MISTAKES += [scale_of_a_sample, second_lag]


@pytest.mark.parametrize("mistake", MISTAKES)
def test_natural_mistakes_are_found(mistake: Any) -> None:
    """By both stages of 10 programs each; pairs of neighbours show none of the first six."""
    rng = np.random.default_rng(1)
    for _ in range(20):
        samples = np.concatenate([mistake(rng) for _ in range(CALLS)])
        assert judge(samples).rejects


def test_calls_that_repeat_each_other_are_found() -> None:
    e = np.random.default_rng(2).standard_normal((N // CALLS, D))
    assert judge(np.tile(e, (CALLS, 1))).rejects


# 20,000 stages of normal draws at 2e-4: see the docstring of dependence_stage.
@pytest.mark.parametrize("law", ["standard_normal", "standard_exponential", "standard_cauchy"])
def test_size_does_not_depend_on_the_law(sim: Any, law: str) -> None:
    rng = np.random.default_rng(3)
    draw = getattr(rng, law)
    seen = sim.rejections(400, lambda: judge(draw((500, 3)), 0.05).rejects)
    assert seen in sim.band(400, 0.0, 0.07)


def test_power_at_the_declared_correlation(sim: Any) -> None:
    rng = np.random.default_rng(4)
    n = dependence_required_n(1e-3, 0.05, 0.2, 3)

    def rejects() -> bool:
        x = rng.standard_normal((n, 3))
        x[:, 2] = 0.2 * np.roll(x[:, 0], 7) + math.sqrt(0.96) * x[:, 2]
        return judge(x, 1e-3).rejects

    assert sim.rejections(200, rejects) >= sim.at_least(200, 0.95)


def test_far_draws_hide_no_dependence() -> None:
    rng = np.random.default_rng(5)
    x = rng.standard_normal((4000, 2))
    x[:, 1] = 0.5 * x[:, 0] + 0.8 * x[:, 1]
    x[:20] = 1e9 * rng.standard_normal((20, 2))
    assert judge(x).rejects


def test_where_it_is() -> None:
    rng = np.random.default_rng(6)
    x = rng.standard_normal((1000, 3))
    x[:, 2] = np.roll(x[:, 0], 5)
    summary = summarise_dependence(x)
    assert summary["lags"][0].tolist() == [0, 2, 5]
    assert summary["lagged"][0] == pytest.approx(1.0, abs=1e-9)


def test_edges() -> None:
    constant = np.ones((300, 2))
    assert judge(constant).reason == "degenerate"
    bad = np.random.default_rng(7).standard_normal((300, 2))
    bad[5, 0] = np.nan
    assert judge(bad).reason == "degenerate"
    with pytest.raises(ValueError, match="at least"):
        judge(bad[:100])
    with pytest.raises(ValueError, match="below 1"):
        dependence_required_n(1e-3, 0.05, 1.0, 2)
