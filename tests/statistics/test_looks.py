"""Looks at a mean: both error rates at any stopping, and no pass that noise can buy."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.statistics import laws, looks, unbiased

D = 5
PLAN = looks.Plan(0.2, 0.01, 0.01, 4)
N = math.ceil(looks.required_n(PLAN, D) / PLAN.looks)


def normal(rng, shape):
    return rng.normal(size=shape)


def chi_square(rng, shape):
    return (rng.normal(size=shape) ** 2 - 1) / math.sqrt(2)


def lognormal(rng, shape):
    return (rng.lognormal(size=shape) - math.exp(0.5)) / math.sqrt((math.e - 1) * math.e)


def staged(rng, draw, plan=PLAN, n=N, bias=0.0, d=D):
    """One stage, its looks taken as they are asked for; the bias is that of one coordinate."""
    taken = []
    while True:
        samples = draw(rng, (n, d))
        samples[:, 0] += bias
        taken.append(unbiased.summarise(samples))
        found = looks.stage(taken, np.zeros(d), np.ones(d), plan)
        if found.said != "open":
            return found


def share(said, count, draw, **how):
    rng = np.random.default_rng(20)
    return sum(staged(rng, draw, **how).said in said for _ in range(count)) / count


# sizes and powers; the docstring of the module and docs/statistics.md have longer runs


@pytest.mark.parametrize(("draw", "most"), [(normal, 0.021), (chi_square, 0.045)])
def test_honest_draws_are_seldom_rejected(draw, most):
    """1,500 stages at .01: normal .0065, chi-square(1) .026 (its guard allows .0167 a look)."""
    assert share(("rejects", "noisy"), 1500, draw) < most


@pytest.mark.parametrize(("draw", "bias"), [(normal, 0.2), (chi_square, 0.2), (chi_square, -0.2)])
def test_the_bias_that_must_be_found_is_hardly_ever_accepted(draw, bias):
    assert share(("accepts",), 600, draw, bias=bias) < 0.01 + 3 * math.sqrt(0.01 / 600)


@pytest.mark.parametrize("times", [2, 5, 10, 20])
def test_noise_buys_no_pass(times):
    """At one look without the rule, .85 of these passed with ten times the honest noise."""
    assert (
        share(("accepts",), 150, lambda rng, shape: times * rng.normal(size=shape), bias=0.5) == 0
    )


def test_without_a_bias_twice_the_noise_is_too_noisy_and_not_biased():
    said = share(("noisy",), 100, lambda rng, shape: 2 * rng.normal(size=shape))
    assert said > 0.9


def test_a_fixed_number_of_draws_and_no_rule_of_noise_lets_noise_pass():
    """What the rule is for: bias .5, ten times the noise, 2,000 draws at 1e-3."""
    rng = np.random.default_rng(3)
    passed = [
        not unbiased.max_t_stage(
            unbiased.summarise(10 * rng.normal(size=(2000, 1)) + 0.5), [0.0], [1.0], 1e-3
        ).rejects
        for _ in range(400)
    ]
    assert np.mean(passed) == pytest.approx(0.85, abs=0.06)


def drawn_until_precise(rng, alpha):
    """Rejections of right lognormal draws, tested once their standard error is small enough."""
    samples = lognormal(rng, 200)
    while samples.std(ddof=1) / math.sqrt(samples.size) > 0.05:
        samples = np.append(samples, lognormal(rng, 100))
    t = abs(samples.mean()) * math.sqrt(samples.size) / samples.std(ddof=1)
    return t > laws.t_critical(alpha / 2, samples.size - 1)


@pytest.mark.slow
def test_drawing_until_the_estimate_is_precise_inflates_the_size():
    rng = np.random.default_rng(4)
    rate = np.mean([drawn_until_precise(rng, 0.01) for _ in range(4000)])
    fixed = [
        unbiased.max_t_stage(
            unbiased.summarise(lognormal(rng, (400, 1))), [0.0], [1.0], 0.01
        ).rejects
        for _ in range(4000)
    ]
    assert rate > 1.3 * np.mean(fixed)


def test_looking_early_costs_fewer_draws_than_one_look():
    rng = np.random.default_rng(5)
    used = np.mean([staged(rng, normal).looks for _ in range(300)]) * N
    assert used < looks.required_n(looks.Plan(0.2, 0.01, 0.01, 1), D)


# the order of looks


def test_the_first_deciding_look_decides_whatever_comes_after():
    rng = np.random.default_rng(6)
    good = [unbiased.summarise(normal(rng, (4 * N, D))) for _ in range(2)]
    bad = unbiased.summarise(normal(rng, (4 * N, D)) + 1)
    scale = np.ones(D)
    first = looks.stage(good[:1], np.zeros(D), scale, PLAN)
    assert first.said == "accepts"
    assert looks.stage([good[0], bad], np.zeros(D), scale, PLAN) == first
    assert looks.stage([bad, good[0]], np.zeros(D), scale, PLAN).said == "rejects"
    assert looks.stage([bad, good[0]], np.zeros(D), scale, PLAN).looks == 1


def test_an_open_stage_is_noisy_at_its_last_look():
    rng = np.random.default_rng(7)
    taken = [unbiased.summarise(3 * normal(rng, (N, D))) for _ in range(4)]
    said = [looks.stage(taken[:k], np.zeros(D), np.ones(D), PLAN).said for k in range(1, 5)]
    assert said == ["open", "open", "open", "noisy"]


@pytest.mark.parametrize("count", [0, 5])
def test_no_look_and_too_many_are_refused(count):
    taken = [unbiased.summarise(np.ones((5, D)) * np.arange(5)[:, None])] * count
    with pytest.raises(ValueError, match=f"{count} looks"):
        looks.stage(taken, np.zeros(D), np.ones(D), PLAN)


@pytest.mark.parametrize(
    "plan", [(0, 0.1, 0.1, 1), (0.1, 0, 0.1, 1), (0.1, 0.1, 1, 1), (0.1, 0.1, 0.1, 0)]
)
def test_a_plan_that_cannot_be_is_refused(plan):
    with pytest.raises(ValueError, match="wanted"):
        looks.Plan(*plan)


# inputs that are no samples


def said_of(samples, scale=1.0, plan=PLAN):
    d = samples.shape[1]
    summary = unbiased.summarise(samples)
    return looks.stage([summary], np.zeros(d), np.full(d, scale), plan)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_draw_that_is_not_finite_rejects(value):
    samples = normal(np.random.default_rng(8), (4 * N, 2))
    samples[3, 1] = value
    found = said_of(samples)
    assert (found.said, found.outcome.reason) == ("rejects", "nonfinite")


def test_constants_are_compared_exactly():
    assert said_of(np.zeros((20, 2))).said == "accepts"
    assert said_of(np.full((20, 2), 1e-3)).said == "rejects"


def test_noise_where_an_honest_program_has_none_is_never_accepted():
    samples = normal(np.random.default_rng(9), (4 * N, 1))
    assert said_of(samples - samples.mean(), scale=0.0).said == "open"


def test_one_draw_is_no_sample():
    with pytest.raises(ValueError, match="at least"):
        unbiased.summarise(np.zeros((1, 2)))


def test_cauchy_draws_are_never_certified():
    """They have no mean: whatever it is said to be, nothing establishes it."""
    rng = np.random.default_rng(10)
    said = [staged(rng, lambda r, shape: r.standard_cauchy(shape)).said for _ in range(100)]
    assert "accepts" not in said


# merging


@given(st.integers(1, 4), st.integers(0, 2**32 - 1), st.sampled_from([1e-300, 1.0, 1e150, 1e300]))
def test_summaries_of_parts_merge_to_the_summary_of_the_whole(parts, seed, size):
    rng = np.random.default_rng(seed)
    samples = [size * rng.exponential(size=(rng.integers(2, 30), 3)) for _ in range(parts)]
    merged = unbiased.merge([unbiased.summarise(part) for part in samples])
    whole = unbiased.summarise(np.concatenate(samples))
    assert merged["n"] == whole["n"]
    for name in ("mean", "sd", "skew"):
        np.testing.assert_allclose(
            merged[name], whole[name], rtol=1e-9, atol=1e-9 * (name == "skew")
        )


def test_equal_constants_merge_to_a_constant():
    merged = unbiased.merge([unbiased.summarise(np.full((n, 1), 0.1)) for n in (3, 7)])
    assert (float(merged["mean"][0]), float(merged["sd"][0])) == (0.1, 0.0)


def test_draws_that_are_not_finite_are_counted_over_all_parts():
    bad, good = np.array([[math.nan], [0.0]]), np.array([[1.0], [2.0]])
    merged = unbiased.merge([unbiased.summarise(part) for part in (bad, good, bad)])
    assert merged["nonfinite"].tolist() == [2]
    assert np.isnan(merged["mean"]).all()


def test_nothing_merges_to_nothing():
    with pytest.raises(ValueError, match="at least one"):
        unbiased.merge([])
