"""Whether a program learns: a truncated sequential probability ratio test on per-seed success.

Seeds are run one after another until the number of failures reaches a line. The two lines have the
slope of Wald's test (*Sequential Analysis*, 1947); their intercepts are chosen by dynamic
programming over the number of failures, so that both error rates are exact, where Wald's are
bounds. At the cap a program that reached neither line is undecided, which is never a pass.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from harness.statistics import laws
from harness.statistics.inputs import Floats, Ints, probability, shaped, whole

Status = Literal["pass", "fail", "open", "undecided"]
Better = Literal["higher", "lower"]

#: The largest cap that is planned for; the lines are searched exhaustively.
MOST_SEEDS = 64
#: The largest fixed number of seeds that :func:`fixed_design` looks for.
MOST_FIXED = 100_000
#: Confidence of the upper bound for a mutant's success rate.
MUTANT_CONFIDENCE = 0.95
#: Intercepts closer than this are one: their difference is rounding.
_SAME = 1e-9
#: Pass lines that are tried at once.
_CHUNK = 128


@dataclass(frozen=True)
class Design:
    """Two lines, and the error rates that they keep.

    Attributes:
        success_rate: p0, the success rate that honest learners reach at least.
        broken_rate: p1 < p0, the success rate that must fail.
        alpha: bound on P(FAIL) at p0 and above.
        beta: bound on 1 - P(FAIL) at p1 and below, and so on P(PASS) there.
        max_seeds: the cap.
        pass_at: entry n-1 is the largest number of failures with which n seeds pass, -1 if none.
        fail_at: entry n-1 is the smallest number of failures with which n seeds fail, n+1 if none.

    Raises:
        ValueError: lines of another length than ``max_seeds``, out of range, or that meet.
    """

    success_rate: float
    broken_rate: float
    alpha: float
    beta: float
    max_seeds: int
    pass_at: tuple[int, ...]
    fail_at: tuple[int, ...]

    def __post_init__(self) -> None:
        for name, line in (("pass_at", self.pass_at), ("fail_at", self.fail_at)):
            if len(line) != self.max_seeds:
                raise ValueError(f"{name} has {len(line)} entries; wanted {self.max_seeds}")
        for n, (most, least) in enumerate(zip(self.pass_at, self.fail_at, strict=True), start=1):
            if not -1 <= most < least <= n + 1:
                raise ValueError(
                    f"at seed {n} the lines pass at {most} failures and fail at {least}; "
                    f"wanted -1 <= pass < fail <= {n + 1}"
                )


@dataclass(frozen=True)
class Operating:
    """What a design does with programs of one true success rate; the three p sum to 1."""

    p_pass: float
    p_fail: float
    p_undecided: float
    expected_seeds: float


@dataclass(frozen=True)
class State:
    """Where a program stands.

    Attributes:
        status: ``open`` while neither line nor cap is reached.
        seeds: how many results were used, to the first that decided.
        needed: while open, the number of further seeds before which no decision can come, so that
            they can be run together without waste; 0 otherwise.
    """

    status: Status
    seeds: int
    needed: int


@dataclass(frozen=True)
class Threshold:
    """A metric's threshold of success and the two rates that it separates."""

    threshold: float
    success_rate: float
    broken_rate: float


@lru_cache(maxsize=256)
def design(
    success_rate: float, broken_rate: float, alpha: float, beta: float, max_seeds: int
) -> Design:
    """The lines that pass honest learners soonest among those that keep both error rates.

    P(FAIL) <= alpha at ``success_rate`` and P(FAIL) >= 1 - beta at ``broken_rate``, both exact for
    independent seeds. For every pass line the lowest fail line that keeps alpha is the best in
    power and in seeds; the higher the pass line, the fewer seeds an honest learner needs, so the
    highest that leaves enough power is the one.

    Neither verdict proves a rate: PASS speaks against ``broken_rate``, FAIL against
    ``success_rate``, and programs between the two end in all three ways. The earliest PASS is
    where ``pass_at`` reaches 0, the earliest FAIL where ``fail_at`` is n.

    Exact figures at p0 .95, p1 .35, alpha 3e-6, beta .05, cap 20: an honest learner fails with
    2.4e-6, is undecided with 7.6e-4 and takes 4.75 seeds (17 in the fixed test with the same
    bounds); a broken one fails with .967 and takes 9.7. At .9, .3, 1e-4, .05, cap 20: 9.6e-5 and
    4.14, .954 and 8.57, where Wald's own lines give 5.2e-5 and 4.26, .946 and 9.11. Using up alpha
    buys the power and costs learners below p0: at .85 1.0e-3 against 6.6e-4 fail, at .7 .064
    against .048.

    Args:
        success_rate: p0, in (0, 1).
        broken_rate: p1, in (0, p0).
        alpha: bound on P(FAIL) at p0, in (0, 1).
        beta: bound on 1 - P(FAIL) at p1, in (0, 1).
        max_seeds: cap, 1 to MOST_SEEDS.

    Raises:
        ValueError: an argument out of range; or no lines keep both rates within ``max_seeds``: the
            message names the smallest cap that would do.
    """
    rates = _Rates.checked(success_rate, broken_rate, alpha, beta)
    cap = whole("max_seeds", max_seeds, least=1)
    if cap > MOST_SEEDS:
        raise ValueError(f"max_seeds is {cap}; wanted at most {MOST_SEEDS}")
    found = _search(rates, cap)
    if found is None:
        raise ValueError(
            f"no {cap} seeds tell success rates {success_rate} and {broken_rate} apart at "
            f"alpha={alpha} and beta={beta}; wanted max_seeds {_smallest_cap(rates, cap + 1)}"
        )
    pass_at, fail_at = found
    return Design(rates.good, rates.bad, rates.alpha, rates.beta, cap, pass_at, fail_at)


@dataclass(frozen=True)
class _Rates:
    good: float
    bad: float
    alpha: float
    beta: float

    @classmethod
    def checked(cls, good: float, bad: float, alpha: float, beta: float) -> _Rates:
        rates = cls(
            probability("success_rate", good),
            probability("broken_rate", bad),
            probability("alpha", alpha),
            probability("beta", beta),
        )
        if rates.bad >= rates.good:
            raise ValueError(f"broken_rate is {bad}; wanted below success_rate={good}")
        return rates

    @property
    def slope(self) -> float:
        """Failures a seed at which the likelihood ratio stands still, between 1-p0 and 1-p1."""
        success = math.log(self.good / self.bad)
        return success / (success + math.log((1 - self.bad) / (1 - self.good)))


def _search(rates: _Rates, cap: int) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
    """The highest pass line, with its lowest fail line, that has the power; None if none has."""
    if _largest_power(rates, cap) < 1 - rates.beta:
        return None
    n = np.arange(1, cap + 1)
    offsets = np.concatenate([np.arange(k + 1) - rates.slope * k for k in n])
    fail_lines = _fail_lines(rates.slope, n, _distinct(offsets))
    pass_lines = _pass_lines(rates.slope, n, _distinct(-offsets))
    for start in range(0, len(pass_lines), _CHUNK):
        passes = pass_lines[start : start + _CHUNK]
        fails = fail_lines[_lowest_fail_lines(rates, passes, fail_lines)]
        enough = _walk(passes, fails, rates.bad)[1] >= 1 - rates.beta
        if enough.any():
            first = int(enough.argmax())
            return tuple(passes[first].tolist()), tuple(fails[first].tolist())
    return None


def _distinct(offsets: Floats) -> Floats:
    """The positive offsets in ascending order, each once."""
    ordered = np.sort(offsets[offsets > _SAME])
    return ordered[np.diff(ordered, prepend=-1.0) > _SAME]


def _pass_lines(slope: float, n: Ints, below: Floats) -> Ints:
    """Lines "line n" so far below slope·n, highest first; -1 where no count passes."""
    lines = np.floor(slope * n - below[:, None] + _SAME)
    return np.asarray(np.maximum(lines, -1), dtype=np.int64)


def _fail_lines(slope: float, n: Ints, above: Floats) -> Ints:
    """Lines "line n" so far above slope·n, lowest first; the last one never fails."""
    lines = np.ceil(slope * n - _SAME + np.append(above, np.inf)[:, None])
    return np.asarray(np.minimum(lines, n + 1), dtype=np.int64)


def _lowest_fail_lines(rates: _Rates, passes: Ints, fail_lines: Ints) -> Ints:
    """For each pass line, the index of the lowest fail line that keeps alpha, by bisection."""
    low = np.full(len(passes), -1)
    high = np.full(len(passes), len(fail_lines) - 1)
    while (high - low > 1).any():
        middle = (low + high + 1) // 2
        keeps = _walk(passes, fail_lines[middle], rates.good)[1] <= rates.alpha
        low, high = np.where(keeps, low, middle), np.where(keeps, middle, high)
    return high


def _walk(passes: Ints, fails: Ints, rate: float) -> tuple[Floats, Floats, Floats, Floats]:
    """P(pass), P(fail), P(undecided) and expected seeds, each "line", of lines "line n"."""
    lines, cap = passes.shape
    failures = np.arange(cap + 1)
    mass = np.zeros((lines, cap + 1))  # of the undecided, by their number of failures
    mass[:, 0] = 1.0
    p_pass, p_fail, seeds = np.zeros((3, lines))
    for n in range(cap):
        seeds += mass.sum(axis=1)
        moved = mass * rate
        moved[:, 1:] += mass[:, :-1] * (1 - rate)
        passed, failed = failures <= passes[:, n, None], failures >= fails[:, n, None]
        p_pass += np.where(passed, moved, 0.0).sum(axis=1)
        p_fail += np.where(failed, moved, 0.0).sum(axis=1)
        mass = np.where(passed | failed, 0.0, moved)
    return p_pass, p_fail, mass.sum(axis=1), seeds


def _largest_power(rates: _Rates, cap: int) -> float:
    """Power of the most powerful test of ``cap`` seeds (Neyman-Pearson), which no lines exceed."""
    spent = power = 0.0
    for failures in range(cap, -1, -1):
        at_good = laws.binomial_mass(failures, cap, 1 - rates.good)
        at_bad = laws.binomial_mass(failures, cap, 1 - rates.bad)
        if spent + at_good > rates.alpha:
            return power + at_bad * (rates.alpha - spent) / at_good
        spent, power = spent + at_good, power + at_bad
    return 1.0


def _smallest_cap(rates: _Rates, first: int) -> str:
    caps = range(first, MOST_SEEDS + 1)
    found = next((cap for cap in caps if _search(rates, cap) is not None), None)
    return f"beyond {MOST_SEEDS}" if found is None else str(found)


def state(design: Design, successes: Sequence[bool]) -> State:
    """Judge the shortest prefix that reaches a line; what comes after it is ignored.

    A failure turned into a success never makes the status worse, in the order fail, then open or
    undecided, then pass: the number of failures falls at every seed from there on.

    Args:
        design: the lines.
        successes: one result a seed, in the order of the seeds.

    Raises:
        ValueError: an entry that is not a truth value.
    """
    failures = 0
    for n, success in enumerate(successes[: design.max_seeds], start=1):
        if not isinstance(success, bool | np.bool_):
            raise ValueError(f"result {n} is {success!r}; wanted a truth value")
        failures += not success
        if failures <= design.pass_at[n - 1]:
            return State("pass", n, 0)
        if failures >= design.fail_at[n - 1]:
            return State("fail", n, 0)
    used = min(len(successes), design.max_seeds)
    if used == design.max_seeds:
        return State("undecided", used, 0)
    return State("open", used, _needed(design, used, failures))


def _needed(design: Design, used: int, failures: int) -> int:
    for n in range(used + 1, design.max_seeds):
        passes = failures <= design.pass_at[n - 1]
        if passes or failures + n - used >= design.fail_at[n - 1]:
            return n - used
    return design.max_seeds - used


def operating(design: Design, success_rate: float) -> Operating:
    """Exact probabilities of the three ends and the expected number of seeds.

    ``p_pass`` never falls and ``p_fail`` never rises with the success rate.

    Args:
        design: the lines.
        success_rate: the true rate of independent seeds, 0 to 1.

    Raises:
        ValueError: ``success_rate`` outside [0, 1] or NaN.
    """
    if not 0 <= success_rate <= 1:
        raise ValueError(f"success_rate is {success_rate}; wanted 0 to 1")
    passes, fails = np.array([[design.pass_at], [design.fail_at]], dtype=np.int64)
    return Operating(*(float(figure[0]) for figure in _walk(passes, fails, float(success_rate))))


def fixed_design(
    success_rate: float, broken_rate: float, alpha: float, beta: float
) -> tuple[int, int]:
    """Seeds and largest number of failures of the smallest fixed-size test with the same bounds.

    It passes with at most so many failures: P(FAIL) <= alpha at ``success_rate`` and
    P(PASS) <= beta at ``broken_rate``.

    Raises:
        ValueError: as :func:`design`; or more than MOST_FIXED seeds would be needed.
    """
    rates = _Rates.checked(success_rate, broken_rate, alpha, beta)
    most = 0
    for seeds in range(1, MOST_FIXED + 1):
        while laws.binomial_tail(most + 1, seeds, 1 - rates.good) > rates.alpha:
            most += 1
        if laws.binomial_cdf(most, seeds, 1 - rates.bad) <= rates.beta:
            return seeds, most
    raise ValueError(
        f"success rates {success_rate} and {broken_rate} need more than {MOST_FIXED} seeds at "
        f"alpha={alpha} and beta={beta}; wanted rates further apart"
    )


def tolerance_bound(successes: int, runs: int, confidence: float = 0.997) -> float:
    """Exact one-sided lower bound for the success probability (Clopper & Pearson 1934).

    With ``successes`` = M - j + 1 it is also the distribution-free tolerance bound of the j-th
    worst of M runs: the probability that a further run is at least as good as that one exceeds it
    with this confidence, for every law (Wilks 1941).

    Raises:
        ValueError: not 0 <= successes <= runs, no run, confidence not in (0, 1).
    """
    total = whole("runs", runs, least=1)
    good = whole("successes", successes, least=0)
    if good > total:
        raise ValueError(f"successes is {successes}; wanted at most runs={runs}")
    miss = 1 - probability("confidence", confidence)
    return laws.beta_quantile(miss, good, total - good + 1) if good else 0.0


def upper_bound(events: int, runs: int, confidence: float) -> float:
    """Exact one-sided upper bound for the probability of an event (Clopper & Pearson 1934).

    Raises:
        ValueError: as :func:`tolerance_bound`.
    """
    return 1 - tolerance_bound(runs - events, runs, confidence)


def best_threshold(honest: ArrayLike, mutants: Sequence[ArrayLike], *, better: Better) -> Threshold:
    """The value of an honest run that separates honest runs from the mutants' best.

    The smaller Kullback-Leibler divergence between the two bounds is maximised: an honest learner
    takes about log(1/beta) over one of them, a broken one about log(1/alpha) over the other.
    Compared with either of the two, both weighted by these logarithms, and the plain difference
    (12 draws each of five laws, M = 60 and 200, alpha 3e-6, beta .05; rates out of reach counted
    as 65 seeds), none needs fewer honest seeds by more than 2 %. For normal runs, M = 200: 7.1
    against 7.2, 7.5, 7.5 and 7.0, with a smallest cap of 26.0 against 26.3, 25.3, 25.3 and 27.1.

    A bound on the runs that chose the threshold is optimistic. It exceeds the true success rate in
    .5 to 1.5 % of 1,500 draws (M = 50 and 200; normal, skewed, overlapping), where .3 % is stated,
    and lies .01 to .06 above the bound from fresh runs on average. Take the threshold from here and
    certify p0 by :func:`tolerance_bound` on other runs (.0 to .5 % of the same draws).

    Args:
        honest: "run", the metric of each honest run; a run that is not finite succeeds nowhere.
        mutants: for each mutant "run", the metric of its runs, likewise.
        better: which values of the metric are better.

    Returns:
        The threshold (success: at least as good), the lower 99.7 % bound for the honest success
        rate, and the largest upper 95 % bound of any mutant's.

    Raises:
        ValueError: no honest run or mutant, or a mutant without runs; nothing separates.
    """
    runs = _oriented("honest", honest, better)
    broken = [_oriented(f"mutant {i}", values, better) for i, values in enumerate(mutants)]
    if not broken:
        raise ValueError("mutants is empty; wanted the runs of at least one mutant")
    best, largest = None, 0.0
    for candidate in np.unique(runs[np.isfinite(runs)]):
        good = tolerance_bound(int((runs >= candidate).sum()), runs.size)
        counts = [(int((values >= candidate).sum()), values.size) for values in broken]
        bad = max(upper_bound(reached, of, MUTANT_CONFIDENCE) for reached, of in counts)
        separation = _separation(good, bad)
        if separation > largest:
            best, largest = (float(candidate), good, bad), separation
    if best is None:
        raise ValueError(
            f"no value of {runs.size} honest runs separates them from the mutants; "
            "wanted more runs, or mutants that do worse"
        )
    threshold, good, bad = best
    return Threshold(threshold if better == "higher" else -threshold, good, bad)


def _oriented(name: str, values: ArrayLike, better: Better) -> Floats:
    """The runs with better ones larger; a run that is not finite is the worst."""
    if better not in ("higher", "lower"):
        raise ValueError(f"better is {better!r}; wanted 'higher' or 'lower'")
    runs = shaped(name, values, "run", least=(1,))
    return np.where(np.isfinite(runs), runs if better == "higher" else -runs, -np.inf)


def _separation(good: float, bad: float) -> float:
    """The smaller Kullback-Leibler divergence between success rates, nats a seed; 0 if reversed."""
    if not 0 < bad < good < 1:
        return 0.0
    return min(_divergence(good, bad), _divergence(bad, good))


def _divergence(p: float, q: float) -> float:
    return p * math.log(p / q) + (1 - p) * math.log((1 - p) / (1 - q))
