"""Two one-sided tests: level, power, edges."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from harness.statistics import equivalence, laws, unbiased
from harness.statistics.equivalence import EquivalenceOutcome, equivalence_stage, required_n


def judge(
    samples: np.ndarray, margin: Any = 1.0, alpha: float = 0.05, **more: Any
) -> EquivalenceOutcome:
    zeros = np.zeros(samples.shape[1])
    return equivalence_stage(unbiased.summarise(samples), zeros, margin, alpha, **more)


def test_agrees_with_two_tests_of_scipy() -> None:
    x = np.random.default_rng(400).normal(0.1, 1, (40, 3))
    outcome = judge(x, [0.5, 0.6, 0.7])
    p_values = [
        stats.ttest_1samp(x[:, j], sign * margin, alternative=side).pvalue
        for j, margin in enumerate((0.5, 0.6, 0.7))
        for sign, side in ((-1, "greater"), (1, "less"))
    ]
    assert outcome.p_value == pytest.approx(max(p_values), rel=1e-9)
    assert outcome.established == (max(p_values) < 0.05)
    half = stats.t.isf(0.05, 39) * x.std(axis=0, ddof=1) / math.sqrt(40)
    bounds = np.abs(x.mean(axis=0)) + half
    worst = int((bounds / [0.5, 0.6, 0.7]).argmax())
    assert outcome.coordinate == worst
    assert outcome.bound == pytest.approx(bounds[worst], rel=1e-9)


# Bands: 2,500 stages at .05. One mean at its margin errs with its own level, and no other helps.
@pytest.mark.parametrize("n", [2, 5, 50])
@pytest.mark.parametrize("others", [0, 4])
def test_level_at_the_margin(sim: Any, n: int, others: int) -> None:
    rng = np.random.default_rng(401)
    mean = np.array([1.0] + [0.0] * others)
    noise = 0.05 if n == 2 else 0.3
    seen = sim.rejections(
        2500, lambda: judge(mean + noise * rng.standard_normal((n, mean.size))).established
    )
    assert seen in sim.band(2500, 0.05)


def test_with_all_means_at_their_margins_the_level_is_its_power() -> None:
    rng = np.random.default_rng(402)
    seen = sum(judge(1 + 0.3 * rng.standard_normal((10, 5))).established for _ in range(2000))
    assert seen <= 3  # .05**5


# One-sided, the guard lets the level grow threefold on the side of the long tail: .033, and .0024.
@pytest.mark.parametrize(("sign", "measured"), [(1, 0.0331), (-1, 0.0024)])
def test_level_of_a_skewed_law_at_its_guard(sim: Any, sign: int, measured: float) -> None:
    rng = np.random.default_rng(403)
    n = laws.guard_n(math.sqrt(8), 0.01)
    assert n == 117
    seen = sim.rejections(
        3000,
        lambda: judge(1 + sign * 0.3 * sim.centred_chi_square(rng, n, 1), alpha=0.01).established,
    )
    assert seen in sim.band(3000, measured)


# A Cauchy law that sits at the margin is never affirmed beyond the level; Pareto(1.5) is.
def test_heavy_tails(sim: Any) -> None:
    rng = np.random.default_rng(404)
    for n, margin in ((5, 1.0), (50, 30.0), (500, 1.0), (500, 30.0)):
        seen = sim.rejections(
            1000, lambda n=n, m=margin: judge(m + rng.standard_cauchy((n, 1)), m).established
        )
        assert seen <= max(sim.band(1000, 0.03)) < 50
    pareto = [judge(rng.pareto(1.5, (500, 1)) - 1) for _ in range(1000)]
    assert sum(outcome.established for outcome in pareto) in sim.band(1000, 0.309)
    assert sum(outcome.skew_ok for outcome in pareto) in sim.band(1000, 0.85)


@pytest.mark.parametrize(
    ("alpha", "beta", "margin", "d", "bias", "n"),
    [
        (0.05, 0.1, 0.5, 1, 0.0, 45),
        (0.01, 0.05, 0.5, 4, 0.0, 96),
        (0.05, 0.1, 0.5, 1, 0.2, 97),
        (0.01, 0.1, 0.3, 10, 0.1, 544),
    ],
)
def test_power_at_the_required_draws(
    sim: Any, alpha: float, beta: float, margin: float, d: int, bias: float, n: int
) -> None:
    assert required_n(alpha, beta, margin, d, bias_sd=bias) == n
    rng = np.random.default_rng(405)
    seen = sim.rejections(
        1000, lambda: judge(bias + rng.standard_normal((n, d)), margin, alpha).established
    )
    assert seen in sim.band(1000, 1 - beta, 1 - beta + 0.01)


def test_required_draws_are_the_smallest() -> None:
    for arguments in ((0.05, 0.1, 0.5, 1), (0.01, 0.05, 0.3, 10), (0.05, 0.1, 2.0, 1)):
        alpha, beta, margin, d = arguments
        n = required_n(*arguments)
        misses = [2 * d * (1 - laws.t_power(m, alpha, margin)) for m in (n, n - 1)]
        assert misses[0] <= beta < misses[1]
    assert required_n(0.01, 0.05, 1e4, 1) == 2
    assert required_n(0.01, 0.05, 0.3, 10) < required_n(0.001, 0.05, 0.3, 10)


def test_perfectly_separated() -> None:
    x = np.random.default_rng(406).normal(0, 0.1, (50, 2))
    inside, outside = judge(x), judge(x + np.array([0.0, 9.0]))
    assert (inside.established, inside.reason) == (True, "none")
    assert (outside.established, outside.reason, outside.coordinate) == (False, "bound", 1)
    assert inside.p_value < 1e-30
    assert outside.p_value == pytest.approx(1.0)


def test_noise_leaves_the_claim_open() -> None:
    x = np.random.default_rng(407).normal(0, 20, (50, 1))
    assert judge(x).reason == "bound"
    assert judge(x, 20.0).established


def test_constant_draws_need_to_know_how_far_a_draw_may_be() -> None:
    x = np.zeros((1000, 2))
    x[:, 1] = 0.1
    blind = judge(x)
    assert (blind.established, blind.reason) == (False, "degenerate")
    assert (blind.bound, blind.p_value) == (math.inf, 1.0)
    seen = judge(x, reach=[1.0, 1.0])
    assert (seen.established, seen.coordinate) == (True, 1)
    assert seen.bound == pytest.approx(0.1 + 1 - 0.05 ** (1 / 999))
    assert judge(x, reach=[0.0, 0.0]).bound == pytest.approx(0.1)
    assert judge(x, 0.05, reach=[0.0, 0.0]).reason == "bound"
    assert judge(x, reach=[0.0, 0.0]).p_value == 0.0
    assert judge(x, 0.1, reach=[0.0, 0.0]).p_value == 1.0
    assert not judge(x[:5], 0.5, reach=[1.0, 1.0]).established


@given(st.floats(1e-4, 0.5), st.integers(2, 2000), st.floats(0, 2), st.floats(0, 3))
def test_the_p_value_of_constant_draws_says_when_they_are_enough(
    alpha: float, n: int, value: float, reach: float
) -> None:
    outcome = judge(np.full((n, 1), value), 1.0, alpha, reach=[reach])
    if outcome.p_value != pytest.approx(alpha, rel=1e-9):
        assert outcome.established == (outcome.p_value < alpha)


# A share of draws at 1 puts the mean at the margin, and no draw of 200 shows it .0476 of the time,
# just below the level; a little nearer, such draws are no proof.
def test_level_of_a_rare_jump(sim: Any) -> None:
    rng = np.random.default_rng(408)
    wrong = {0.0151: 0, 0.0149: 0}
    for margin in wrong:
        for _ in range(3000):
            x = (rng.random((200, 1)) < margin) * 1.0
            wrong[margin] += not x.any() and judge(x, margin, reach=[1.0]).established
    assert wrong[0.0151] in sim.band(3000, (1 - 0.0151) ** 200)
    assert (1 - 0.0151) ** 200 < 0.05
    assert wrong[0.0149] == 0


# The docstring's .086 at .05.
def test_a_few_jumps_pass_for_noise(sim: Any) -> None:
    rng = np.random.default_rng(411)
    seen = sim.rejections(
        2000, lambda: judge((rng.random((200, 1)) < 0.02) * 1.0, 0.02, reach=[1.0]).established
    )
    assert seen in sim.band(2000, 0.0864)


def test_rounding_is_not_noise() -> None:
    x = np.full((1000, 1), 1.0)
    x[::2] += 2.0**-52
    assert judge(x, 2.0).reason == "degenerate"
    assert judge(x, 2.0, reach=[0.0]).established
    assert judge(np.array([[5e-324], [0.0], [5e-324]])).reason in ("none", "degenerate")


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_draw_that_is_not_finite_leaves_the_claim_open(bad: float) -> None:
    x = np.random.default_rng(409).normal(0, 0.1, (100, 3))
    x[7, 1] = bad
    outcome = judge(x)
    assert (outcome.established, outcome.reason, outcome.coordinate) == (False, "nonfinite", 1)
    assert (outcome.bound, outcome.p_value) == (math.inf, 1.0)
    assert judge(x, reach=np.ones(3)).reason == "nonfinite"


def test_two_draws_suffice_and_one_does_not() -> None:
    assert judge(np.array([[0.01], [-0.01]])).established
    assert not judge(np.array([[0.5], [-0.5]])).established
    with pytest.raises(ValueError, match="at least"):
        unbiased.summarise(np.ones((1, 1)))
    with pytest.raises(ValueError, match="at least"):
        unbiased.summarise(np.ones((0, 1)))


def test_the_largest_floats() -> None:
    huge = judge(np.array([[1.7e308], [-1.7e308]] * 4))
    assert (huge.established, huge.reason) == (False, "bound")
    far = equivalence_stage(
        unbiased.summarise(np.full((3, 1), 1.7e308)), [-1.7e308], 1e308, 0.05, reach=[0.0]
    )
    assert (far.bound, far.p_value) == (math.inf, 1.0)


@given(
    hnp.arrays(np.float64, (6, 2), elements=st.floats(-10, 10)),
    st.floats(0.1, 20),
    st.floats(0.1, 20),
)
def test_what_is_established_stays_so_with_more_room(x: np.ndarray, one: float, two: float) -> None:
    narrow, wide = (judge(x, margin) for margin in sorted((one, two)))
    assert wide.established or not narrow.established
    assert wide.p_value <= narrow.p_value
    strict = judge(x, one, 0.001)
    assert judge(x, one).established or not strict.established
    assert judge(x, one).established <= all(judge(x[:, [j]], one).established for j in range(2))


def test_refusals() -> None:
    summary = unbiased.summarise(np.random.default_rng(410).normal(size=(9, 2)))
    good: dict[str, Any] = {"target": [0.0, 0.0], "margin": [1.0, 1.0], "stage_alpha": 0.05}
    for change in (
        {"target": [0.0]},
        {"target": [0.0, np.nan]},
        {"margin": [1.0]},
        {"margin": 0.0},
        {"margin": [1.0, -1.0]},
        {"margin": np.inf},
        {"stage_alpha": 0.0},
        {"stage_alpha": np.nan},
        {"reach": [1.0]},
        {"reach": [1.0, -1.0]},
    ):
        with pytest.raises(ValueError, match="wanted"):
            equivalence_stage(summary, **good | change)
    for name in ("n", "mean", "sd", "skew", "nonfinite"):
        kept = {key: value for key, value in summary.items() if key != name}
        with pytest.raises(ValueError, match="wanted"):
            equivalence_stage(kept, **good)
    for arguments in (
        (0.0, 0.1, 0.5, 1),
        (0.05, 1.0, 0.5, 1),
        (0.05, 0.1, 0.0, 1),
        (0.05, 0.1, 0.5, 0),
    ):
        with pytest.raises(ValueError, match="wanted"):
            required_n(*arguments)
    for bias in (-0.1, 0.5, math.nan):
        with pytest.raises(ValueError, match="wanted"):
            required_n(0.05, 0.1, 0.5, 1, bias_sd=bias)


def test_figures_that_cannot_be() -> None:
    good: dict[str, Any] = {
        "established": True,
        "bound": 0.5,
        "p_value": 0.01,
        "coordinate": 0,
        "reason": "none",
        "skew_guard_n": 2,
        "skew_ok": True,
    }
    for change in ({"bound": math.nan}, {"p_value": math.nan}, {"p_value": 1.1}):
        with pytest.raises(ArithmeticError, match="cannot be"):
            equivalence.EquivalenceOutcome(**good | change)
    with pytest.raises(ArithmeticError, match="contradicts"):
        equivalence.EquivalenceOutcome(**good | {"reason": "bound"})
