"""The sequential test on successes: exact rates, boundaries, thresholds."""

import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from harness.statistics import sequential
from harness.statistics.sequential import Design, Operating, State

ORDER = {"fail": 0, "open": 1, "undecided": 1, "pass": 2}
TYPICAL = (0.95, 0.35, 3e-6, 0.05, 20)

# Rates far enough apart and bounds loose enough that few seeds do.
small_designs = st.builds(
    lambda good, bad, alpha, beta: sequential.design(good, bad, alpha, beta, 12),
    st.floats(0.88, 0.97),
    st.floats(0.05, 0.3),
    st.floats(0.01, 0.2),
    st.floats(0.05, 0.2),
)


def wald(good: float, bad: float, alpha: float, beta: float, cap: int) -> Design:
    """Wald's approximate boundaries: log(1/alpha) and log(beta)."""

    def ratio(failures: int, n: int) -> float:
        weight = math.log((1 - bad) / (1 - good)), math.log(bad / good)
        return failures * weight[0] + (n - failures) * weight[1]

    counts = [range(n + 1) for n in range(1, cap + 1)]
    passes = [[f for f in c if ratio(f, c[-1]) <= math.log(beta)] for c in counts]
    fails = [[f for f in c if ratio(f, c[-1]) >= -math.log(alpha)] for c in counts]
    return Design(
        good,
        bad,
        alpha,
        beta,
        cap,
        tuple(max(found, default=-1) for found in passes),
        tuple(min(found, default=len(c)) for found, c in zip(fails, counts, strict=True)),
    )


def enumerated(design: Design, rate: float) -> Operating:
    """The same figures from every sequence of ``max_seeds`` results."""
    ends: dict[str, list[float]] = {"pass": [], "fail": [], "undecided": []}
    seeds = []
    for successes in itertools.product((False, True), repeat=design.max_seeds):
        weight = rate ** sum(successes) * (1 - rate) ** (design.max_seeds - sum(successes))
        end = sequential.state(design, successes)
        ends[end.status].append(weight)
        seeds.append(weight * end.seeds)
    return Operating(*(math.fsum(terms) for terms in (*ends.values(), seeds)))


def figures(operating: Operating) -> list[float]:
    return [getattr(operating, name) for name in Operating.__dataclass_fields__]


def test_typical_design() -> None:
    design = sequential.design(*TYPICAL)
    honest, broken = (sequential.operating(design, rate) for rate in (0.95, 0.35))
    assert honest.p_fail == pytest.approx(2.41e-6, abs=5e-9)
    assert honest.p_undecided == pytest.approx(7.6e-4, abs=5e-6)
    assert honest.expected_seeds == pytest.approx(4.75, abs=5e-3)
    assert broken.p_fail == pytest.approx(0.967, abs=5e-4)
    assert broken.p_pass == pytest.approx(0.0207, abs=5e-5)
    assert broken.expected_seeds == pytest.approx(9.66, abs=5e-3)
    assert sequential.fixed_design(*TYPICAL[:4]) == (17, 7)


# d5's figures: actual alpha, seeds of the honest, power, seeds of the broken, to their digits.
@pytest.mark.parametrize(
    ("arguments", "alpha", "honest", "power", "broken"),
    [
        ((0.9, 0.5, 0.05, 0.1, 20), 0.028, 6.1, 0.903, 5.9),
        ((0.9, 0.3, 0.05, 0.1, 10), 0.018, 3.7, 0.943, 3.6),
        ((0.9, 0.3, 1e-3, 0.05, 20), 3.9e-4, 4.3, 0.960, 7.3),
        ((0.9, 0.3, 1e-4, 0.05, 20), 5.2e-5, 4.3, 0.946, 9.1),
        ((0.9, 0.3, 1e-5, 0.05, 20), 4.2e-6, 4.3, 0.932, 11.4),
        ((0.9, 0.1, 1e-4, 0.05, 10), 1.6e-5, 2.5, 0.947, 6.1),
        ((0.9, 0.5, 1e-4, 0.05, 40), 5.0e-5, 9.1, 0.942, 18.4),
    ],
)
def test_figures_of_walds_lines(
    arguments: Any, alpha: float, honest: float, power: float, broken: float
) -> None:
    design = wald(*arguments)
    at_good, at_bad = (sequential.operating(design, rate) for rate in arguments[:2])
    assert at_good.p_fail == pytest.approx(alpha, rel=0.025)
    assert at_bad.p_fail == pytest.approx(power, abs=5e-4)
    assert at_good.expected_seeds == pytest.approx(honest, abs=0.051)
    assert at_bad.expected_seeds == pytest.approx(broken, abs=0.051)


def test_learners_below_the_success_rate_under_walds_lines_and_the_tuned_ones() -> None:
    arguments = (0.9, 0.3, 1e-4, 0.05, 20)
    designs = wald(*arguments), sequential.design(*arguments)
    rates = (0.85, 0.8, 0.7, 0.6)
    seen = [[sequential.operating(d, rate).p_fail for rate in rates] for d in designs]
    digits = [[f"{p_fail:.1e}" for p_fail in row] for row in seen]
    assert digits[0] == ["6.6e-04", "4.1e-03", "4.8e-02", "2.1e-01"]
    assert digits[1] == ["1.0e-03", "6.0e-03", "6.4e-02", "2.6e-01"]


@pytest.mark.parametrize("good", [0.93, 0.95, 0.97])
@pytest.mark.parametrize("bad", [0.3, 0.35, 0.4])
@pytest.mark.parametrize("cap", [16, 20, 24])
def test_both_rates_are_kept(good: float, bad: float, cap: int) -> None:
    try:
        design = sequential.design(good, bad, 3e-6, 0.05, cap)
    except ValueError as error:
        wanted = int(str(error).rsplit(" ", 1)[1])
        assert cap < wanted <= 24
        assert sequential.design(good, bad, 3e-6, 0.05, wanted).max_seeds == wanted
        with pytest.raises(ValueError, match=f"wanted max_seeds {wanted}"):
            sequential.design(good, bad, 3e-6, 0.05, wanted - 1)
        return
    assert sequential.operating(design, good).p_fail <= 3e-6
    assert sequential.operating(design, bad).p_fail >= 0.95
    fixed = sequential.fixed_design(good, bad, 3e-6, 0.05)[0]
    # .22 to .53, the most where the cap is the smallest that does
    assert sequential.operating(design, good).expected_seeds < 0.53 * fixed


def test_no_other_lines_are_sooner() -> None:
    """Every pair of parallel lines at a small cap, one by one."""
    good, bad, alpha, beta, cap = 0.9, 0.3, 0.02, 0.1, 9
    chosen = sequential.operating(sequential.design(good, bad, alpha, beta, cap), good)
    slope = math.log(3) / (math.log(3) + math.log(7))
    seeds = range(1, cap + 1)
    offsets = {f - slope * n for n in seeds for f in range(n + 1)}
    quickest = math.inf
    for above in sorted(o for o in offsets if o > 0):
        fails = tuple(min(n + 1, math.ceil(slope * n + above - 1e-12)) for n in seeds)
        for below in sorted(-o for o in offsets if o < 0):
            passes = tuple(max(-1, math.floor(slope * n - below + 1e-12)) for n in seeds)
            lines = Design(good, bad, alpha, beta, cap, passes, fails)
            honest = sequential.operating(lines, good)
            if honest.p_fail <= alpha and sequential.operating(lines, bad).p_fail >= 1 - beta:
                quickest = min(quickest, honest.expected_seeds)
    assert chosen.expected_seeds == pytest.approx(quickest, rel=1e-12)


def test_lines_are_parallel_and_straight() -> None:
    """Some intercept gives every count of a line, the slope being Wald's."""
    design = sequential.design(*TYPICAL)
    slope = math.log(0.95 / 0.35) / math.log(0.95 / 0.35 * 0.65 / 0.05)
    n = np.arange(1, 21)
    below, above = slope * n - design.pass_at, np.array(design.fail_at) - slope * n
    some = np.array(design.pass_at) >= 0
    assert 0 < (below - 1).max() < below[some].min()
    some = np.array(design.fail_at) <= n
    assert 0 < (above - 1).max() < above[some].min()


@pytest.mark.parametrize("rate", [0.0, 0.1, 0.35, 0.8, 0.95, 1.0])
def test_operating_is_the_enumeration(rate: float) -> None:
    for design in (sequential.design(0.95, 0.2, 1e-3, 0.05, 12), wald(0.8, 0.4, 0.1, 0.1, 9)):
        seen = sequential.operating(design, rate)
        assert figures(seen) == pytest.approx(figures(enumerated(design, rate)), abs=1e-13)


def test_operating_is_the_simulation(sim: Any) -> None:
    design, runs = sequential.design(0.9, 0.3, 0.01, 0.05, 14), 20_000
    rng = np.random.default_rng(200)
    for rate in (0.9, 0.7, 0.3):
        expected = sequential.operating(design, rate)
        ends = [sequential.state(design, row) for row in rng.random((runs, 14)) < rate]
        for status in ("pass", "fail", "undecided"):
            seen = sum(end.status == status for end in ends)
            assert seen in sim.band(runs, getattr(expected, f"p_{status}"))
        seeds = np.array([end.seeds for end in ends])
        error = seeds.std(ddof=1) / math.sqrt(runs)
        assert abs(seeds.mean() - expected.expected_seeds) < 3.3 * error


@given(small_designs, st.floats(0, 1), st.floats(0, 1))
def test_probabilities_sum_to_one_and_move_with_the_rate(
    design: Design, one: float, two: float
) -> None:
    low, high = (sequential.operating(design, rate) for rate in sorted((one, two)))
    for seen in (low, high):
        assert seen.p_pass + seen.p_fail + seen.p_undecided == pytest.approx(1, abs=1e-12)
        assert min(figures(seen)) >= 0
        assert 1 - 1e-12 <= seen.expected_seeds <= design.max_seeds
    assert low.p_pass <= high.p_pass + 1e-12
    assert low.p_fail >= high.p_fail - 1e-12


@settings(max_examples=25)
@given(st.data())
def test_a_better_seed_never_makes_the_status_worse(data: st.DataObject) -> None:
    """All sequences of up to eight results, all failures in them, for any lines whatever."""
    cap = 8
    fails = [data.draw(st.integers(0, n + 1)) for n in range(1, cap + 1)]
    passes = [data.draw(st.integers(-1, least - 1)) for least in fails]
    design = Design(0.9, 0.3, 0.1, 0.1, cap, tuple(passes), tuple(fails))
    ranks = {
        results: ORDER[sequential.state(design, results).status]
        for length in range(cap + 1)
        for results in itertools.product((False, True), repeat=length)
    }
    for results, rank in ranks.items():
        for i, success in enumerate(results):
            if not success:
                assert ranks[(*results[:i], True, *results[i + 1 :])] >= rank


@given(small_designs, st.lists(st.booleans(), max_size=14))
def test_no_decision_comes_before_the_needed_seeds(design: Design, results: list[bool]) -> None:
    seen = sequential.state(design, results)
    if seen.status != "open":
        assert seen.needed == 0
        return
    assert (seen.seeds, seen.needed > 0) == (len(results), True)
    ends: dict[int, set[str]] = {}
    for further in (seen.needed - 1, seen.needed):
        following = itertools.product((False, True), repeat=further)
        ends[further] = {sequential.state(design, results + list(f)).status for f in following}
    assert ends[seen.needed - 1] == {"open"}
    assert ends[seen.needed] != {"open"}


def test_stopping_early_both_ways_and_what_follows_is_ignored() -> None:
    design = sequential.design(*TYPICAL)
    assert sequential.state(design, []) == State("open", 0, 4)
    assert sequential.state(design, [True] * 3) == State("open", 3, 1)
    assert sequential.state(design, [True] * 4) == State("pass", 4, 0)
    assert sequential.state(design, [True] * 4 + [False] * 30) == State("pass", 4, 0)
    assert sequential.state(design, [False] * 4) == State("open", 4, 1)
    assert sequential.state(design, [False] * 5) == State("fail", 5, 0)
    assert sequential.state(design, [False] * 5 + [True] * 30) == State("fail", 5, 0)
    assert sequential.state(design, np.array([True] * 4)).status == "pass"


def test_undecided_at_the_cap_is_no_pass() -> None:
    design = sequential.design(*TYPICAL)
    results = [True, True, False] * 7
    assert sequential.state(design, results[:19]) == State("open", 19, 1)
    assert sequential.state(design, results) == State("undecided", 20, 0)


def test_one_seed() -> None:
    design = sequential.design(0.99, 0.01, 0.02, 0.02, 1)
    assert (design.pass_at, design.fail_at) == ((0,), (1,))
    assert sequential.operating(design, 0.99) == Operating(0.99, pytest.approx(0.01), 0.0, 1.0)


def test_fixed_design_is_the_smallest() -> None:
    good, bad, alpha, beta = 0.9, 0.5, 1e-4, 0.05
    seeds, most = sequential.fixed_design(good, bad, alpha, beta)
    assert stats.binom.sf(most, seeds, 1 - good) <= alpha
    assert stats.binom.cdf(most, seeds, 1 - bad) <= beta
    for fewer in range(1, seeds):
        allowed = next(c for c in range(fewer + 1) if stats.binom.sf(c, fewer, 1 - good) <= alpha)
        assert stats.binom.cdf(allowed, fewer, 1 - bad) > beta
    with pytest.raises(ValueError, match="more than 100000 seeds"):
        sequential.fixed_design(0.5, 0.4999, 0.3, 0.3)


def test_refused_plans() -> None:
    for change in (
        {"success_rate": 1.0},
        {"broken_rate": 0.0},
        {"broken_rate": 0.95},
        {"broken_rate": math.nan},
        {"alpha": 0.0},
        {"beta": 1.0},
    ):
        good: dict[str, Any] = {
            "success_rate": 0.95,
            "broken_rate": 0.35,
            "alpha": 3e-6,
            "beta": 0.05,
        }
        for plan in (
            lambda **given: sequential.design(**given, max_seeds=20),
            sequential.fixed_design,
        ):
            with pytest.raises(ValueError, match=next(iter(change))):
                plan(**good | change)
    for cap in (0, 2.5, 65):
        with pytest.raises(ValueError, match="max_seeds is"):
            sequential.design(0.95, 0.35, 3e-6, 0.05, cap)
    with pytest.raises(ValueError, match="wanted max_seeds 18"):
        sequential.design(0.95, 0.35, 3e-6, 0.05, 16)
    with pytest.raises(ValueError, match="wanted max_seeds beyond 64"):
        sequential.design(0.6, 0.5, 3e-6, 0.05, 24)


@pytest.mark.parametrize(
    ("passes", "fails"),
    [((0,), (1, 2)), ((0, 0, 0), (1, 2)), ((0, 1), (1, 1)), ((-2, 0), (1, 2)), ((0, 0), (1, 4))],
)
def test_refused_lines(passes: tuple[int, ...], fails: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="wanted"):
        Design(0.9, 0.3, 0.1, 0.1, 2, passes, fails)


@pytest.mark.parametrize("entry", [1, 0.5, math.nan, None, "yes", 200.0])
def test_results_are_truth_values(entry: Any) -> None:
    with pytest.raises(ValueError, match="result 2 is"):
        sequential.state(sequential.design(*TYPICAL), [True, entry])


@pytest.mark.parametrize("rate", [-0.1, 1.1, math.nan])
def test_operating_refuses(rate: float) -> None:
    with pytest.raises(ValueError, match="success_rate"):
        sequential.operating(sequential.design(*TYPICAL), rate)


def test_tolerance_bounds() -> None:
    """d5's and the correction's figures; the definition; its ends."""
    for (successes, runs, confidence), bound in (
        ((49, 50, 0.95), 0.909),
        ((96, 100, 0.95), 0.911),
        ((189, 200, 0.95), 0.911),
        ((166, 200, 0.95), 0.780),
        ((189, 200, 0.997), 0.885),
        ((49, 50, 0.997), 0.851),
    ):
        seen = sequential.tolerance_bound(successes, runs, confidence)
        assert seen == pytest.approx(bound, abs=6e-4)
        assert stats.binom.sf(successes - 1, runs, seen) == pytest.approx(1 - confidence)
    assert sequential.tolerance_bound(0, 10) == 0.0
    assert sequential.tolerance_bound(10, 10) == pytest.approx(0.003**0.1)
    assert sequential.tolerance_bound(1, 1) == pytest.approx(0.003)
    for arguments in ((1, 0), (-1, 5), (6, 5), (2.5, 5), (3, 5, 1.0), (3, 5, math.nan)):
        with pytest.raises(ValueError, match="wanted"):
            sequential.tolerance_bound(*arguments)


def test_the_bound_covers_further_runs_of_any_law(sim: Any) -> None:
    """The fifth worst of 60 runs against the true chance of doing at least as well."""
    rng = np.random.default_rng(201)
    bound = sequential.tolerance_bound(56, 60, 0.95)
    fifth = np.sort(rng.standard_cauchy((20_000, 60)), axis=1)[:, 4]
    assert int((stats.cauchy.sf(fifth) < bound).sum()) in sim.band(20_000, 0.05)


def test_threshold_of_separated_runs() -> None:
    honest, mutants = np.arange(100.0, 160.0), [np.arange(20.0), [1.0] * 30]
    seen = sequential.best_threshold(honest, mutants, better="higher")
    assert seen.threshold == 100.0
    assert seen.success_rate == sequential.tolerance_bound(60, 60)
    assert seen.broken_rate == pytest.approx(1 - 0.05 ** (1 / 20))
    turned = sequential.best_threshold(-honest, [-np.asarray(m) for m in mutants], better="lower")
    assert (turned.threshold, turned.success_rate) == (-100.0, seen.success_rate)


def test_the_threshold_leaves_the_failure_mode() -> None:
    """Honest runs fail now and then as mutants do; a low quantile would pass both."""
    rng = np.random.default_rng(202)
    honest = np.append(rng.normal(200, 10, 94), rng.normal(20, 5, 6))
    mutant = np.append(rng.normal(200, 10, 6), rng.normal(20, 5, 24))
    seen = sequential.best_threshold(honest, [mutant], better="higher")
    assert 150 < seen.threshold < 200
    assert seen.broken_rate < 0.37
    assert seen.success_rate > 0.8


def test_a_threshold_on_its_own_runs_is_optimistic(sim: Any) -> None:
    """The docstring's .5 to 1.5 % of bounds beyond the truth, and .3 % on fresh runs."""
    rng = np.random.default_rng(203)
    draws, runs = 400, 50
    own = fresh = 0
    excess = 0.0
    for _ in range(draws):
        honest, mutant = rng.normal(1, 0.15, runs), rng.normal(0.6, 0.2, 30)
        seen = sequential.best_threshold(honest, [mutant], better="higher")
        true = stats.norm.sf(seen.threshold, 1, 0.15)
        own += seen.success_rate > true
        good = int((rng.normal(1, 0.15, runs) >= seen.threshold).sum())
        certified = sequential.tolerance_bound(good, runs)
        fresh += certified > true
        excess += (seen.success_rate - certified) / draws
    assert own in sim.band(draws, 0.005, 0.015)
    assert fresh <= max(sim.band(draws, 0.003))
    assert 0.03 < excess < 0.06


def test_runs_that_are_not_finite_are_failures() -> None:
    honest, mutant = np.arange(40.0) + 10, np.arange(20.0) - 40
    clean = sequential.best_threshold(honest, [mutant], better="higher")
    crashed = np.append(mutant[:-3], [np.nan, np.inf, -np.inf])
    assert sequential.best_threshold(honest, [crashed], better="higher") == clean
    weaker = sequential.best_threshold(np.append(honest[1:], np.inf), [mutant], better="higher")
    assert weaker.threshold == 11.0
    assert weaker.success_rate == sequential.tolerance_bound(39, 40)
    lower = sequential.best_threshold(np.append(-honest[1:], np.nan), [-mutant], better="lower")
    assert (lower.threshold, lower.success_rate) == (-11.0, weaker.success_rate)


@pytest.mark.parametrize(
    ("honest", "mutants"),
    [
        ([1.0], [[0.0] * 30]),  # one run proves nothing
        ([5.0] * 50, [[5.0] * 50]),  # all ties
        ([1.0, 2.0] * 30, [[1.0, 2.0] * 30]),
        ([np.nan] * 50, [[0.0] * 30]),
        ([1.0] * 50, [[1.0]]),
        ([1.0] * 50, []),
        ([1.0] * 50, [[]]),
        ([], [[0.0]]),
    ],
)
def test_nothing_to_separate(honest: Any, mutants: Any) -> None:
    with pytest.raises(ValueError, match="wanted"):
        sequential.best_threshold(honest, mutants, better="higher")


def test_constant_runs_above_the_mutants_separate() -> None:
    seen = sequential.best_threshold([500.0] * 50, [[20.0] * 30], better="higher")
    assert (seen.threshold, seen.success_rate) == (500.0, sequential.tolerance_bound(50, 50))
    with pytest.raises(ValueError, match="better"):
        sequential.best_threshold([1.0], [[0.0]], better="bigger")  # type: ignore[arg-type]
