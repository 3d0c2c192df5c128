"""Max-t: size, power, edges."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from harness.statistics import unbiased
from harness.statistics.outcome import MeanOutcome


def judge(samples: np.ndarray, target: object = 0.0, alpha: float = 0.01) -> MeanOutcome:
    d = samples.shape[1]
    wanted = np.broadcast_to(np.asarray(target, dtype=np.float64), (d,))
    return unbiased.max_t_stage(unbiased.summarise(samples), wanted, np.ones(d), alpha)


def test_summary_agrees_with_scipy() -> None:
    x = np.random.default_rng(10).exponential(size=(50, 3)) * [1e-200, 1.0, 1e200]
    summary = unbiased.summarise(x)
    assert summary["n"] == 50
    unit = x / [1e-200, 1.0, 1e200]
    np.testing.assert_allclose(summary["mean"], x.mean(axis=0), rtol=1e-13)
    np.testing.assert_allclose(
        summary["sd"], unit.std(axis=0, ddof=1) * [1e-200, 1.0, 1e200], rtol=1e-13
    )
    np.testing.assert_allclose(summary["skew"], stats.skew(unit), rtol=1e-12)
    assert summary["nonfinite"].tolist() == [0, 0, 0]


def test_statistic_agrees_with_scipy() -> None:
    x = np.random.default_rng(11).normal(size=(30, 1))
    outcome = judge(x, 0.3)
    expected = stats.ttest_1samp(x[:, 0], 0.3)
    assert outcome.statistic == pytest.approx(abs(expected.statistic), rel=1e-10)
    assert outcome.p_value == pytest.approx(expected.pvalue, rel=1e-10)
    assert outcome.critical == pytest.approx(stats.t.isf(0.005, 29))


# Bands: 4,000 stages at .01 give 40 ± 3.29·6.3 rejections for a right size.
def test_size_normal(sim: Any) -> None:
    rng = np.random.default_rng(12)
    seen = sim.rejections(4000, lambda: judge(rng.standard_normal((50, 5))).rejects)
    assert seen in sim.band(4000, 0.01)


# At the guard the expansion allows .01 to .01·(3 + 1/3)/2; below a tenth of it, far more.
def test_size_skewed_at_its_guard_and_far_below(sim: Any) -> None:
    rng = np.random.default_rng(13)
    n = unbiased.skew_guard_n(math.sqrt(8), 0.01, 5)
    assert n == 642
    at_guard = sim.rejections(4000, lambda: judge(sim.centred_chi_square(rng, n, 5)).rejects)
    assert at_guard in sim.band(4000, 0.01, 0.0167)
    below = sim.rejections(2000, lambda: judge(sim.centred_chi_square(rng, n // 10, 5)).rejects)
    assert below > max(sim.band(2000, 0.01, 0.0167))


def test_the_sample_satisfies_the_guard_from_twice_its_n_on(sim: Any) -> None:
    rng = np.random.default_rng(14)
    n = unbiased.skew_guard_n(math.sqrt(8), 0.01, 5)
    twice = sim.rejections(300, lambda: judge(sim.centred_chi_square(rng, 2 * n, 5)).skew_ok)
    assert twice in sim.band(300, 0.956)
    tenth = sim.rejections(300, lambda: judge(sim.centred_chi_square(rng, n // 10, 5)).skew_ok)
    assert tenth == 0


def test_power_normal_at_the_declared_bias(sim: Any) -> None:
    rng = np.random.default_rng(15)
    n = unbiased.required_n(0.01, 0.05, 0.3, 4)
    bias = np.array([0.0, 0.0, 0.3, 0.0])
    seen = [judge(rng.standard_normal((n, 4)) + bias) for _ in range(2000)]
    assert sum(outcome.rejects for outcome in seen) in sim.band(2000, 0.95)
    assert sum(outcome.coordinate == 2 for outcome in seen) > 1900


# A skewed law gains power on one side and loses on the other: .9967 and .9830 for .99.
@pytest.mark.parametrize(("sign", "measured"), [(1, 0.9967), (-1, 0.983)])
def test_power_skewed_at_the_declared_bias(sim: Any, sign: int, measured: float) -> None:
    rng = np.random.default_rng(16)
    n = unbiased.required_n(1e-3, 0.01, 0.1, 10)
    assert n == 3873
    bias = np.zeros(10)
    bias[0] = -sign * 0.1 * math.sqrt(2)
    stages = 500
    draws = (sim.centred_chi_square(rng, n, 10) for _ in range(stages))
    seen = sum(judge(x, bias, 1e-3).rejects for x in draws)
    assert seen in sim.band(stages, measured)
    assert seen >= sim.at_least(stages, 0.98)


def test_achieved_bias_is_the_one_that_is_found() -> None:
    rng = np.random.default_rng(17)
    x = rng.standard_normal((400, 1)) * 7
    outcome = judge(x)
    found = unbiased.achieved_mdb(unbiased.summarise(x), 0.01, 0.01)
    assert found.item() == pytest.approx(outcome.achieved_mdb_sd * x.std(ddof=1))
    needed = unbiased.required_n(0.01, 0.01, outcome.achieved_mdb_sd, 1)
    assert needed == pytest.approx(400, rel=0.02)


def test_noise_hides_a_bias_and_the_achieved_bias_says_so() -> None:
    rng = np.random.default_rng(18)
    samples = rng.standard_normal((2000, 1))
    honest, noisy = samples + 0.5, 10 * samples + 0.5
    assert judge(honest, alpha=1e-3).rejects
    assert not judge(noisy, alpha=1e-3).rejects
    found = [unbiased.achieved_mdb(unbiased.summarise(x), 1e-3, 0.01)[0] for x in (honest, noisy)]
    assert found[0] < 0.5 < found[1]


def test_constant_coordinates_are_compared_exactly() -> None:
    x = np.random.default_rng(19).standard_normal((1000, 3))
    x[:, 1] = 0.1
    summary = unbiased.summarise(x)
    assert summary["sd"][1] == 0.0 == summary["skew"][1]
    assert summary["mean"][1] == 0.1
    assert not judge(x, [0.0, 0.1, 0.0]).rejects
    assert not judge(x, [0.0, 0.1 + 1e-15, 0.0]).rejects
    off = judge(x, [0.0, 0.1 + 1e-14, 0.0])
    assert (off.rejects, off.reason, off.coordinate) == (True, "exact", 1)
    assert (off.statistic, off.p_value) == (math.inf, 0.0)


def test_rounding_is_never_tested_as_noise() -> None:
    x = np.full((1000, 1), 1.0)
    x[::2] += 2.0**-52
    outcome = judge(x, 1.0)
    assert not outcome.rejects
    assert outcome.statistic == 0.0
    single = np.float32(0.1) + np.zeros((1000, 1))
    single[::2] = np.nextafter(np.float32(0.1), np.float32(1))
    summary = unbiased.summarise(single)
    double = unbiased.max_t_stage(summary, [0.1], [1.0], 0.01)
    eps32 = float(np.finfo(np.float32).eps)
    assert double.rejects
    assert not unbiased.max_t_stage(summary, [0.1], [1.0], 0.01, eps=eps32).rejects


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_draw_that_is_not_finite_rejects(bad: float) -> None:
    x = np.random.default_rng(20).standard_normal((100, 2))
    x[3, 1] = bad
    summary = unbiased.summarise(x)
    assert summary["nonfinite"].tolist() == [0, 1]
    assert np.isnan([summary[name][1] for name in ("mean", "sd", "skew")]).all()
    outcome = judge(x)
    assert (outcome.rejects, outcome.reason, outcome.coordinate) == (True, "nonfinite", 1)
    assert unbiased.achieved_mdb(summary, 0.01, 0.01)[1] == np.inf
    assert judge(np.full((5, 1), bad)).reason == "nonfinite"


def test_two_draws_suffice_and_one_does_not() -> None:
    assert judge(np.array([[1.0], [1.0001]])).rejects
    assert not judge(np.array([[1.0], [3.0]])).rejects
    with pytest.raises(ValueError, match="at least"):
        unbiased.summarise(np.ones((1, 1)))


# Symmetric tails make the test conservative; one-sided ones without a variance ruin it (size .15),
# and the guard tells in 94 % of the samples.
def test_heavy_tails(sim: Any) -> None:
    rng = np.random.default_rng(21)
    cauchy = [judge(rng.standard_cauchy((2000, 1))) for _ in range(500)]
    assert sum(outcome.rejects for outcome in cauchy) <= max(sim.band(500, 0.0, 0.01))
    pareto = [judge(rng.pareto(1.5, (2000, 1)), 2.0) for _ in range(500)]
    assert sum(outcome.rejects for outcome in pareto) in sim.band(500, 0.1505)
    assert sum(outcome.skew_ok for outcome in pareto) in sim.band(500, 0.058)
    assert all(outcome.skew_ok == (outcome.skew_guard_n <= 2000) for outcome in cauchy + pareto)


def test_a_rare_event_that_never_happens_fails_exactly_unless_n_follows_the_guard() -> None:
    rng = np.random.default_rng(22)
    q = 0.01
    skew = (1 - 2 * q) / math.sqrt(q * (1 - q))
    n = unbiased.skew_guard_n(skew, 0.01, 1)
    assert n * math.log1p(-q) < -20
    draws = [(rng.random((50, 1)) < q).astype(np.float64) for _ in range(200)]
    assert sum(judge(x, q).reason == "exact" for x in draws) > 80
    planned = [(rng.random((n, 1)) < q).astype(np.float64) for _ in range(200)]
    assert not any(judge(x, q).reason == "exact" for x in planned)


def test_the_largest_floats() -> None:
    x = np.array([[1.7e308], [-1.7e308]] * 4)
    summary = unbiased.summarise(x)
    assert np.isfinite(summary["sd"]).all()
    assert not judge(x).rejects
    assert judge(np.full((3, 1), 1.7e308), -1.7e308).reason == "exact"
    assert judge(np.array([[5e-324], [0.0], [5e-324]]), 1.0).rejects


@settings(deadline=None)
@given(
    hnp.arrays(np.float64, (8, 2), elements=st.integers(-1000, 1000).map(float)),
    st.integers(-20, 20),
    st.permutations(range(8)),
)
def test_units_and_order_do_not_change_the_decision(
    x: np.ndarray, power: int, order: list[int]
) -> None:
    factor = 2.0**power
    one = unbiased.max_t_stage(unbiased.summarise(x), [1.0, 2.0], [9.0, 9.0], 0.01)
    two = unbiased.max_t_stage(
        unbiased.summarise(x[order] * factor),
        np.array([1.0, 2.0]) * factor,
        np.array([9.0, 9.0]) * factor,
        0.01,
    )
    if math.isfinite(one.statistic):
        assert two.statistic == pytest.approx(one.statistic, rel=1e-9, abs=1e-9)
    else:
        assert two.statistic == one.statistic
    assert (two.reason == "exact") == (one.reason == "exact")


def test_planning() -> None:
    assert unbiased.required_n(1e-3, 0.01, 0.2, 1) == 795
    assert unbiased.required_n(1e-3, 0.01, 0.1, 10) < unbiased.required_n(1e-3, 0.01, 0.1, 100)
    assert unbiased.skew_guard_n(2.83, 1e-3, 1) in (935, 936)


def test_refusals() -> None:
    summary = unbiased.summarise(np.random.default_rng(24).normal(size=(9, 2)))
    good = {"target": [0.0, 0.0], "scale": [1.0, 1.0], "stage_alpha": 0.01}
    for change in (
        {"target": [0.0]},
        {"target": [0.0, np.nan]},
        {"scale": [1.0, -1.0]},
        {"scale": [np.inf, 1.0]},
        {"stage_alpha": 0.0},
        {"stage_alpha": np.nan},
        {"eps": 0.0},
    ):
        with pytest.raises(ValueError, match="wanted"):
            unbiased.max_t_stage(summary, **(good | change))  # type: ignore[arg-type]
    for broken in (
        {"n": np.array(1)},
        {"mean": np.zeros(3)},
        {"sd": np.array([1.0, np.nan])},
    ):
        with pytest.raises(ValueError, match=r"wanted|finite"):
            unbiased.max_t_stage(summary | broken, **good)  # type: ignore[arg-type]
    for samples in (np.zeros(3), np.zeros((3, 0)), np.zeros((0, 3)), np.zeros((3, 1), complex)):
        with pytest.raises(ValueError, match="wanted"):
            unbiased.summarise(samples)
    with pytest.raises(ValueError, match="min_detectable"):
        unbiased.required_n(1e-3, 0.01, -1.0, 1)
    with pytest.raises(ValueError, match="beta"):
        unbiased.achieved_mdb(summary, 0.01, 1.0)
