"""Who is better than whom: all pairs at one familywise level, rank intervals, letters."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.statistics.inputs import (
    EPS64,
    ROUNDING,
    Floats,
    Ints,
    finite_array,
    probability,
    shaped,
)

#: The signs of the first eleven seeds take every combination; those of further seeds follow by
#: s[t + 11] = XOR of s[t + tap], the recurrence of (x + 1)(x⁵ + x² + 1)(x⁵ + x⁴ + x³ + x² + 1).
_FREE_SIGNS = 11
_TAPS = (0, 1, 3, 4, 5, 7, 8)

_CHUNK_ENTRIES = 4_000_000
_GROUPS_TO_SPARE = 1000
_ALPHABET = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, eq=False)
class Comparisons:
    """All pairs of n submissions, compared at once.

    Attributes:
        means: "n", mean of the values that were compared (of paired ones, the common seeds).
        p_values: "n n", symmetric, adjusted for all pairs; 1 where nothing can be said.
        alpha: familywise level: chance of at least one wrong claim.
        seeds: number of values of each submission that were compared; of unpaired values that
            differ in number, the smallest.
    """

    means: Floats
    p_values: Floats
    alpha: float
    seeds: int

    @property
    def better(self) -> NDArray[np.bool_]:
        """ "n n": whether the submission of the row is significantly better than the column's."""
        higher = self.means[:, None] > self.means[None, :]
        return np.asarray(higher & (self.p_values <= self.alpha), dtype=np.bool_)


def simultaneous(values: Sequence[ArrayLike], *, paired: bool, alpha: float = 0.05) -> Comparisons:
    """Compares the means of all pairs of submissions at familywise level ``alpha``.

    **Paired** (value s of everybody comes from seed s): sign flips by seed (Fisher 1935), step
    down over pairs (Westfall & Young 1993, algorithm 4.1). The statistic of a pair is the plain
    difference of its means. Its law is taken from the same differences with the sign of whole
    seeds flipped, for all pairs at once, so that what pairs and seeds have in common is kept, and
    no two submissions need have equal spread. The level is exact where the differences that
    are zero in the mean are jointly symmetric, as those of normal values of any covariance are, and
    for any set of flips that is a group (Hemerik & Goeman 2018): all 2^(k-1) up to 11 seeds, beyond
    that 1,024 in which any five signs are independent; seeds 31 apart share a sign. Nothing is
    random. The claims are exactly the pairs whose means differ by more than one least significant
    difference.

    Values of different length are compared on the seeds that all have, the first of each. From
    :func:`least_seeds` seeds on (6 at .05) a claim is possible; with fewer, everything ties.

    **Unpaired**: Holm (1979) over Welch's t-tests with Welch's degrees of freedom rounded down. A
    pair of which neither, or one with a single value, has any spread is not claimed: nothing is
    known of its error. Valid for near-normal values or many of them.

    A negative result means: no claim, not equality.

    Measured at alpha .05 with n = 20 (1,000 leaderboards a figure, standard error .007 at .95).
    *Coverage*: no wrong claim among all pairs, all means equal; the least over normal, skewed
    (exponential) and bimodal (.3 fail) values on independent seeds and on common ones (correlation
    .8): for equal sd's, for sd's from .5 to 1.5, for sd's from .1 to 2. *Width* of the rank
    intervals, mean over the three laws, where the means run over 3 sd of a value: on independent
    and on common seeds, for equal sd's and for sd's from .1 to 2.

    =====  ==================  ==================  ============  ============
    seeds  method              coverage            width, equal  width, .1-2
    =====  ==================  ==================  ============  ============
    6      sign flips          .966  .956  .937    19.1  15.1    19.4  18.0
    6      Holm, paired t      .949  .827  .507    19.6  16.1    16.7  14.4
    6      Holm, Welch         .978  .913  .420    19.4  19.0    15.8  15.6
    6      Games-Howell        .902  .753  .264    18.3  18.0    14.0  13.9
    10     sign flips          .947  .933  .905    16.1   9.5    17.1  13.7
    10     Holm, paired t      .951  .827  .707    17.9  11.1    13.1  10.7
    10     Holm, Welch         .965  .909  .687    16.7  16.6    12.5  12.5
    10     Games-Howell        .912  .814  .661    15.8  15.7    11.8  11.8
    20     sign flips          .952  .944  .934    11.9   6.3    13.6  10.2
    20     Holm, paired t      .964  .842  .845    12.9   6.8     9.3   7.4
    20     Holm, Welch         .971  .940  .875    12.1  12.2     9.1   9.1
    20     Games-Howell        .944  .897  .822    12.0  12.1     9.1   9.2
    30     sign flips          .944  .933  .935     9.8   5.0    11.4   8.5
    30     Holm, paired t      .964  .864  .857    10.4   5.3     7.7   5.9
    30     Holm, Welch         .964  .959  .904    10.0  10.0     7.6   7.6
    30     Games-Howell        .944  .927  .866    10.1  10.1     7.8   7.8
    =====  ==================  ==================  ============  ============

    Differences are skewed where seeds are unequally hard and the submissions feel it by gains from
    .2 to 2, without noise of their own; the error of flips is then .089 and .083 (exponential
    difficulty, 10 and 20 seeds), .152 (lognormal, 10) and .194 (15 % of seeds hard, 10), 4,000
    leaderboards each.

    With 5 seeds flips claim nothing; the least coverage of the others is then .621 (paired t), .527
    (Welch) and .230 (Games-Howell). Flips fall short for skewed values of unequal spread on common
    seeds (10 seeds: .914 over 4,000 leaderboards; bimodal ones: .938; normal ones, 20 seeds: .952
    over 5,000). Where sd's differ by a factor of 20, the others buy narrower ranks with coverage;
    so do flips of studentised differences (.67 to .90 there for skewed and bimodal values, 10 to 30
    seeds, 300 or 400 leaderboards).

    Args:
        values: one array "k" a submission, higher is better, k >= 1, finite.
        paired: whether equal places hold the same environment seed for everybody.
        alpha: familywise level, in (0, 1); paired at least 2^-10, the least adjusted p-value.

    Raises:
        ValueError: no submission, one without values, values not finite, alpha out of range.
    """
    level = probability("alpha", alpha)
    if paired:
        least_seeds(level)
    columns = [_checked(place, column) for place, column in enumerate(values)]
    if not columns:
        raise ValueError("values has no submission; wanted at least one")
    fewest = min(map(len, columns))
    if paired:
        columns = [column[:fewest] for column in columns]
    largest = max(float(np.abs(column).max()) for column in columns)
    exponent = int(np.frexp(largest)[1])
    units = [np.ldexp(column, -exponent) for column in columns]
    p_values = _flipped_p_values(np.stack(units, axis=1)) if paired else _welch_p_values(units)
    count = len(units)
    square = np.ones((count, count))
    left, right = np.triu_indices(count, k=1)
    square[left, right] = square[right, left] = p_values
    means = np.ldexp(np.array([unit.mean() for unit in units]), exponent)
    return Comparisons(means=means, p_values=square, alpha=level, seeds=fewest)


def least_seeds(alpha: float) -> int:
    """Smallest number of common seeds with which a pair can be told apart: 2^(1-k) <= alpha.

    Raises:
        ValueError: alpha not in [2^-10, 1): sign flips give no smaller p-value.
    """
    level = probability("alpha", alpha)
    if level < 2.0 ** (1 - _FREE_SIGNS):
        raise ValueError(f"alpha is {alpha}; wanted at least 2**-10 for paired comparisons")
    return 1 + math.ceil(-math.log2(level))


def rank_intervals(comparisons: Comparisons) -> tuple[Ints, Ints]:
    """Places that each submission may have, both "n": 1 + better ones, and n - worse ones.

    All n intervals hold the true places at once with probability 1 - alpha. Of submissions whose
    true means are equal, any order counts as true.
    """
    better = comparisons.better
    lo = 1 + better.sum(axis=0, dtype=np.int64)
    hi = len(better) - better.sum(axis=1, dtype=np.int64)
    return lo, hi


def letters(comparisons: Comparisons) -> list[str]:
    """The compact letter display: those that share a letter are not significantly different.

    Any two share a letter exactly if they do not differ significantly. Insert-and-absorb (Piepho
    2004), the pairs of one submission inserted together, so the groups are the largest possible.
    They are named from the best on: by their best member, then by the next best. Up to 26 groups
    give letters in one word ("abc"); more give names of equal length from "aa" on, with spaces
    ("aa ab"). Equal means are ordered as given. Of paired comparisons there are at most n groups.

    Raises:
        ValueError: more than 1,000 + n groups at some step. Paired comparisons never make so many;
            Welch's of 300 submissions with sd's from .05 to 2 do (2,600 to over 10,000).
    """
    order = np.argsort(-comparisons.means, kind="stable")
    better = comparisons.better
    different = (better | better.T)[np.ix_(order, order)]
    groups = sorted(map(_members, _groups(different)))
    held: list[list[str]] = [[] for _ in order]
    names = _names(len(groups))
    for name, group in zip(names, groups, strict=True):
        for place in group:
            held[place].append(name)
    between = "" if len(groups) <= len(_ALPHABET) else " "
    shown = [""] * len(order)
    for place, submission in enumerate(order.tolist()):
        shown[submission] = between.join(held[place])
    return shown


def _checked(place: int, column: ArrayLike) -> Floats:
    name = f"values[{place}]"
    array = shaped(name, column, "k", least=(1,))
    return finite_array(name, array, array.shape)


def sign_flips(seeds: int) -> Floats:
    """Signs "b k" that form a group up to the overall sign; the first row flips nothing."""
    free = min(seeds, _FREE_SIGNS) - 1
    words = np.arange(2**free)
    bits = [np.zeros_like(words), *(words >> place & 1 for place in range(free))]
    for start in range(seeds - _FREE_SIGNS):
        bits.append(np.bitwise_xor.reduce([bits[start + tap] for tap in _TAPS]))
    return 1.0 - 2.0 * np.stack(bits, axis=1)


def _flipped_p_values(unit: Floats) -> Floats:
    """Step-down adjusted p-values of all pairs of the columns of "k n", entries within [-1, 1]."""
    seeds, count = unit.shape
    sums = sign_flips(seeds) @ unit
    left, right = np.triu_indices(count, k=1)
    seen = np.abs(sums[0, left] - sums[0, right])
    order = np.argsort(seen, kind="stable")
    left, right, seen = left[order], right[order], seen[order]
    # A flip that ties with what was seen counts, whatever rounding makes of it.
    least = seen - ROUNDING * EPS64 * seeds
    reached = np.zeros(len(order), dtype=np.int64)
    for part in np.array_split(sums, math.ceil(len(sums) * len(order) / _CHUNK_ENTRIES) or 1):
        largest = np.abs(part[:, left] - part[:, right])
        np.maximum.accumulate(largest, axis=1, out=largest)
        reached += (largest >= least).sum(axis=0)
    p_values = np.empty(len(order))
    p_values[order] = np.maximum.accumulate(reached[::-1])[::-1] / len(sums)
    return p_values


def _welch_p_values(units: Sequence[Floats]) -> Floats:
    """Holm's adjusted p-values of Welch's t-tests of all pairs of arrays within [-1, 1]."""
    from harness.statistics import laws  # scipy takes a second; paired comparisons need none

    sizes = np.array([unit.size for unit in units])
    freedom = np.maximum(sizes - 1, 1)
    squares = np.array([_squared_deviations(unit) for unit in units])
    errors = np.where(sizes > 1, squares / freedom / sizes, 0.0)
    left, right = np.triu_indices(len(units), k=1)
    total = errors[left] + errors[right]
    testable = (total > 0) & (sizes[left] > 1) & (sizes[right] > 1)
    means = np.array([unit.mean() for unit in units])
    shares = errors / np.sqrt(freedom)
    safe = np.where(testable, total, 1.0)
    t = np.abs(means[left] - means[right]) / np.sqrt(safe)
    degrees = (safe / np.where(testable, np.hypot(shares[left], shares[right]), 1.0)) ** 2
    tails = (
        2 * laws.t_tail(value, math.floor(df * (1 + ROUNDING * EPS64)))
        for value, df in zip(t.tolist(), degrees.tolist(), strict=True)
    )
    raw = np.where(testable, np.fromiter(tails, dtype=np.float64, count=len(t)), 1.0)
    return _holm(raw)


def _squared_deviations(unit: Floats) -> float:
    """Sum of squares about the mean; 0 where all entries are equal up to rounding."""
    deviation = unit - unit[0]
    if np.abs(deviation).max() <= ROUNDING * EPS64:
        return 0.0
    return float(((deviation - deviation.mean()) ** 2).sum())


def _holm(p_values: Floats) -> Floats:
    order = np.argsort(p_values, kind="stable")
    scaled = p_values[order] * np.arange(len(order), 0, -1)
    adjusted = np.empty(len(order))
    adjusted[order] = np.minimum(np.maximum.accumulate(scaled), 1.0)
    return adjusted


def _groups(different: NDArray[np.bool_]) -> list[int]:
    """The largest sets without a pair that differs, as bits; "n n" symmetric, best first."""
    groups = [(1 << len(different)) - 1]
    most = len(different) + _GROUPS_TO_SPARE
    for place, row in enumerate(different):
        against = sum(1 << other for other in np.flatnonzero(row).tolist())
        apart = [group for group in groups if group >> place & 1 and group & against]
        halves = {half for group in apart for half in (group & ~(1 << place), group & ~against)}
        kept = [group for group in groups if not (group >> place & 1 and group & against)]
        groups = _absorbed(kept, halves)
        if len(groups) > most:
            raise ValueError(f"the comparisons make more than {most} groups; wanted at most that")
    return groups


def _absorbed(kept: list[int], new: Iterable[int]) -> list[int]:
    """``kept`` and those of ``new`` that lie in no other; no kept one lies in a new one."""
    for group in sorted(new, key=lambda bits: (-bits.bit_count(), bits)):
        if all(group & ~other for other in kept):
            kept.append(group)
    return kept


def _members(group: int) -> list[int]:
    return [place for place in range(group.bit_length()) if group >> place & 1]


def _names(count: int) -> list[str]:
    """``count`` different names of equal length, in alphabetical order."""
    length = 1
    while len(_ALPHABET) ** length < count:
        length += 1
    return [_name(number, length) for number in range(count)]


def _name(number: int, length: int) -> str:
    places = (number // len(_ALPHABET) ** place for place in reversed(range(length)))
    return "".join(_ALPHABET[place % len(_ALPHABET)] for place in places)
