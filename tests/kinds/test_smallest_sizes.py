"""Kinds at the smallest sizes that a spec may declare: they decide, and their rates hold there.

What a spec declares is held to ``required_draws`` when it is loaded, so that number is the smallest
size; here it is reached with departures so large that nothing else asks for more.
"""

import itertools
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from harness import kinds
from harness.errors import MeasurementError
from harness.feasibility import required_draws
from harness.kinds import Evidence
from harness.kinds.unbiased import LEAST_DRAWS
from harness.records import COMMON, OWN, Step
from harness.spec.checks import (
    DistributionCheck,
    IndependenceCheck,
    LikelihoodCheck,
    ReturnsCheck,
    Stochastic,
    UnbiasedCheck,
    VarianceRatioCheck,
)
from harness.statistics.chi_square import (
    chi_square_required_n,
    chi_square_stage,
    least_expected,
    summarise_table,
)
from harness.statistics.laws import binomial_mass, chi_square_critical

NAMED: dict[str, Any] = {"id": "c", "measurement": "m", "metric": "x", "points": 1.0}
ALPHAS = (1e-6, 1e-3, 0.01)
UNBIASED = [
    UnbiasedCheck(
        **NAMED, kind="unbiased", stage_alpha=alpha, beta=0.2, min_detectable=size, dimensions=d,
        looks=looks,
    )
    for alpha, size, d, looks in itertools.product(ALPHAS, (1.0, 1e3), (1, 3), (1, 16))
]  # fmt: skip
LAWS = [
    DistributionCheck(
        **NAMED, kind="distribution", stage_alpha=alpha, beta=0.2, min_detectable=size,
        dimensions=d, law=law,
    )
    for alpha, size, d, law in itertools.product(ALPHAS, (0.5, 1.0), (1, 3), ("normal", "uniform"))
]  # fmt: skip
TABLES = [
    DistributionCheck(
        **NAMED, kind="distribution", stage_alpha=alpha, beta=0.2, min_detectable=size,
        dimensions=d, law="categorical", categories=k,
    )
    for alpha, size, d, k in itertools.product(ALPHAS, (1.0, 10.0), (1, 3), (2, 6, 40))
]  # fmt: skip
PAIRS = [
    IndependenceCheck(
        **NAMED, kind="independence", stage_alpha=alpha, beta=0.2, min_detectable=0.99, dimensions=d
    )
    for alpha, d in itertools.product(ALPHAS, (2, 4))
]
RATIOS = [
    VarianceRatioCheck(
        **NAMED, kind="variance-ratio", stage_alpha=alpha, beta=0.2, min_detectable=1e6, limit=1.2
    )
    for alpha in ALPHAS
]
CHECKS = [*UNBIASED, *LAWS, *TABLES, *PAIRS, *RATIOS]


def honest(check: Stochastic, rng: np.random.Generator, n: int) -> dict[str, Any]:
    """What a right program's measurement returns with n draws."""
    match check:
        case UnbiasedCheck(dimensions=d):
            return {"x": rng.standard_normal((n, d)), "x__expected": 0.0, "x__scale": 1.0}
        case DistributionCheck(law="categorical", dimensions=d, categories=k):
            assert k is not None
            return {"x": rng.integers(k, size=(n, d)), "x__probabilities": np.full((d, k), 1 / k)}
        case DistributionCheck(law="uniform", dimensions=d):
            return {"x": rng.random((n, d))}
        case VarianceRatioCheck():
            return {"x": rng.standard_normal((n, 1)), "x__baseline": rng.standard_normal((n, 1))}
        case _:
            return {"x": rng.standard_normal((n, check.dimensions))}


def decided(check: Stochastic, metrics: Any) -> str:
    """FAIL where one stage rejects a program that answers so in every look, else PASS."""
    arrays = {name: np.asarray(value) for name, value in metrics.items()}
    stored, steps = kinds.reduce(check, arrays), []
    while True:
        outcome = kinds.decide(check, steps) if steps else kinds.FIRST
        if outcome.status != "MORE":
            return outcome.status
        steps += [Evidence(stored, step=step) for step in outcome.wants]


def named(check: Stochastic) -> str:
    told = check.model_dump(exclude=set(NAMED), exclude_defaults=True)
    return "-".join(str(value) for value in told.values())


@pytest.mark.parametrize("check", CHECKS, ids=named)
def test_the_smallest_size_is_decided_and_honest_work_passes(check: Stochastic) -> None:
    """Of twenty stages with a bound of at most .01 four reject once in 25,000 checks."""
    rng = np.random.default_rng(20261128)
    n = required_draws(check)
    stages = [decided(check, honest(check, rng, n)) for _ in range(20)]
    assert set(stages) <= {"PASS", "FAIL"}
    assert stages.count("FAIL") <= 3


def constant(check: Stochastic, metrics: dict[str, Any]) -> dict[str, Any]:
    """The same answer in every draw."""
    return {**metrics, "x": np.full_like(metrics["x"], 1)}


def tied(check: Stochastic, metrics: dict[str, Any]) -> dict[str, Any]:
    """Draws of which only the sign is left."""
    return {**metrics, "x": np.sign(metrics["x"])}


WITHOUT_A_LAW = [check for check in CHECKS if check.kind not in ("variance-ratio",)]


@pytest.mark.parametrize("check", WITHOUT_A_LAW, ids=named)
def test_constant_columns_do_not_pass(check: Stochastic) -> None:
    metrics = honest(check, np.random.default_rng(1), required_draws(check))
    assert decided(check, constant(check, metrics)) == "FAIL"


@pytest.mark.parametrize("check", PAIRS, ids=named)
def test_draws_of_which_two_values_occur_are_not_called_independent(check: Stochastic) -> None:
    metrics = honest(check, np.random.default_rng(1), required_draws(check))
    assert decided(check, tied(check, metrics)) == "FAIL"


@pytest.mark.parametrize("check", UNBIASED, ids=named)
def test_a_look_has_draws_enough_to_show_their_skewness(check: UnbiasedCheck) -> None:
    """Fewer than two have no spread (a spec with one was accepted, and grading broke)."""
    assert required_draws(check) >= LEAST_DRAWS
    stored = kinds.reduce(check, honest(check, np.random.default_rng(2), LEAST_DRAWS) | {
        "x__expected": np.array(0.0), "x__scale": np.array(1.0)})  # fmt: skip
    assert kinds.decide(check, [Evidence(stored, step=Step(COMMON.stage, 0))]).status in (
        "PASS",
        "MORE",
    )


def test_the_guard_sees_exponential_draws_from_the_fewest_on() -> None:
    check = UNBIASED[len(UNBIASED) // 3]
    assert check.stage_alpha == 1e-3
    rng, seen = np.random.default_rng(3), 0
    for _ in range(500):
        draws = rng.standard_exponential((LEAST_DRAWS, 1)) - 1
        metrics = {"x": draws, "x__expected": np.zeros(1), "x__scale": np.ones(1)}
        stored = kinds.reduce(check, metrics)
        figures = kinds.decide(
            check, [Evidence(stored, step=COMMON), Evidence(stored, step=OWN)]
        ).figures
        seen += not figures["skew_ok"]
    assert seen > 0.97 * 500


def exact_size(expected: float, share: float, tail: float) -> float:
    """How often the chi-square of two categories rejects right counts, by enumeration."""
    n = round(expected / share)
    law = np.array([[share, 1 - share]])
    if n * max(law[0]) / min(law[0]) <= chi_square_critical(tail, 1):
        return 0.0  # refused: no rejection is possible
    return sum(
        binomial_mass(count, n, share)
        for count in range(n + 1)
        if chi_square_stage(summarise_table([[count, n - count]]), law, tail).rejects
    )


@pytest.mark.parametrize("tail", [2e-3, 2e-4, 1e-4, 2e-5, 2e-7])
@pytest.mark.parametrize("share", [0.5, 0.2, 0.02])
def test_tables_keep_the_bound_at_the_smallest_size(tail: float, share: float) -> None:
    """A stage runs at a fifth of its bound: five times its level is what it may reject."""
    least = least_expected(tail)
    for expected in (least, least + 1, least + 2, 1.5 * least):
        assert exact_size(expected, share, tail) <= 5 * tail


def test_five_expected_draws_would_not_do() -> None:
    """Why the least number grows: Pearson's law at 2e-5 for a category expected five times."""
    assert least_expected(2e-3) == 5
    assert [least_expected(tail) for tail in (2e-4, 2e-5, 2e-7)] == [8, 25, 101]
    critical, share, n = 18.19, 0.01, 500
    tail = sum(
        binomial_mass(count, n, share)
        for count in range(n + 1)
        if (count - 5) ** 2 / (5 * (1 - share)) > critical
    )
    assert tail > 5 * 2e-5


def test_categories_that_would_be_pooled_ask_for_more_draws() -> None:
    """Of 27 draws of six categories none stands alone, whatever the power formula says."""
    assert chi_square_required_n(2e-3, 0.1, 1.0, 6) >= 6 * 5
    for k, d, tail in itertools.product((2, 6, 40), (1, 3), (2e-7, 2e-3)):
        n = chi_square_required_n(tail, 0.1, 100.0, k, d)
        table = np.full((d, k), n // k)
        table[:, 0] += n - table.sum(axis=1)
        chi_square_stage(summarise_table(table), np.full((d, k), 1 / k), tail)
    with pytest.raises(ValueError, match=r"single pool .* as 80 would"):
        chi_square_stage(summarise_table([[20, 0]]), [[0.9, 0.1]], 2e-4)


def test_one_image_has_no_spread_and_is_refused_in_words() -> None:
    check = LikelihoodCheck(**NAMED, kind="likelihood", against="reference", compare="images")
    one = {"x": np.ones(1), "x__floor": np.ones(1), "x__scale": np.ones(1)}
    with pytest.raises(MeasurementError, match=r"wanted \(n\) of at least \(2,\)"):
        kinds.reduce(check, one)
    two = {name: np.ones(2) for name in one}
    stored = kinds.reduce(check, two)
    assert kinds.decide(check, [Evidence(stored, reference=stored)]).status == "PASS"


def test_more_distinct_trajectories_than_episodes_are_refused() -> None:
    fields = {"kind": "returns", "against": "target", "target": "t.json", "low": 0.0, "high": 1.0}
    ReturnsCheck(**NAMED, **fields, episodes=2, min_distinct=2)
    with pytest.raises(ValidationError, match="nobody could pass"):
        ReturnsCheck(**NAMED, **fields, episodes=2, min_distinct=3)


def test_a_ramp_that_does_not_rise_is_refused() -> None:
    fields = {"kind": "returns", "against": "target", "target": "t.json", "episodes": 2}
    for low, high in ((1.0, 1.0), (10.0, 5.0)):
        with pytest.raises(ValidationError, match="which has to be larger"):
            ReturnsCheck(**NAMED, **fields, low=low, high=high)
