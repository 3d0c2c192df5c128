"""StochasticGrade (Kim, Geathers & Piech, EDM 2024): sampling on until a score rejects.

Written from the paper and from the parameters of yunsungkim0908/stochasticgrade (at ae6a776):
L sample sizes that grow geometrically (400 to 409,600 by a factor of 4, L = 6), nested; at each
the score of all draws so far against 500,000 stored draws of the solution; step i = 0 … L - 1 may
spend frr / 2^(L - i) of the false rejection rate frr = .01; only a rejection stops early. Draws of
several coordinates are replaced by their distance from a random anchor near the solution's
bounding box.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from harness.comparison.scheme import Family, Graded, Scheme, Units, first, stored
from harness.records import Array
from harness.statistics import laws
from harness.statistics.inputs import Floats, probability, whole

Scorer = Literal["t", "anderson-darling", "msd"]

#: Null scores from which the tool reads the thresholds of its ``msd`` scorer.
NULL_SCORES = 1000

#: The tool's thresholds of the Anderson-Darling scorer, by the rate a step may spend. They are
#: quantiles of the *one-sample* A² (3.857 at .01, asymptotically), while the score that they are
#: held against is the two-sample one, standardised: (A² - 1) / .761.
ANDERSON_DARLING = {
    1.5625e-4: 7.695,
    3.125e-4: 7.054,
    6.25e-4: 6.405,
    1.25e-3: 5.760,
    2.5e-3: 5.124,
    5e-3: 4.497,
}


def geometric(last: int, steps: int, factor: int) -> tuple[int, ...]:
    """``steps`` sample sizes up to ``last``, each ``factor`` times the one before, rounded down.

    Raises:
        ValueError: no step, or a first size below 2.
    """
    whole("steps", steps, least=1)
    sizes = tuple(last // factor ** (steps - 1 - step) for step in range(steps))
    whole("the first sample size", sizes[0], least=2)
    return sizes


def anchor(reference: Array, rng: np.random.Generator) -> tuple[float, ...]:
    """A point near the solution's draws "n d": within twice their bounding box, not inside it.

    Raises:
        ValueError: not "n d", not finite, or no spread in any coordinate.
    """
    draws = stored(reference, 2)
    if draws.ndim != 2:
        raise ValueError(f"reference has shape {draws.shape}; wanted (n, d)")
    low, high = draws.min(axis=0), draws.max(axis=0)
    if not (high > low).any():
        raise ValueError("the reference's draws do not vary; wanted a bounding box")
    while True:
        point = (low + high) / 2 + (high - low) * rng.uniform(-1.0, 1.0, low.shape)
        if ((point < low) | (point > high)).any():
            return tuple(point.tolist())


@dataclass(frozen=True)
class StochasticGrade(Scheme):
    """The scheme with one of the tool's scorers.

    * ``t``: the pooled two-sample t, rejected beyond ± Student's quantile at 1 - frr_i. Two tails
      of frr_i each make twice the stated rate: .019 measured for .01.
    * ``anderson-darling`` (the tool's default): two-sample A², standardised (Scholz & Stephens
      1987, midranks), against tabulated thresholds; frr = .01 with L = 6 only.
    * ``msd``: |squared distance of the means + difference of the variances|, against the null score
      of rank int(1000·frr_i) + 1 among those of 1,000 samples of the solution; see
      :meth:`calibrated`. The first three of six steps all take the largest null score, which a
      right program exceeds with probability 1/1001 whatever frr_i is: .014 in all, not .01.

    Attributes:
        sizes: the sample sizes, ascending.
        stored_draws: draws of the solution.
        frr: the nominal false rejection rate.
        point: the anchor (see :func:`anchor`); None for one coordinate.
        thresholds: of ``msd``, one a step.
    """

    source: ClassVar[str] = "StochasticGrade, Kim, Geathers & Piech, EDM 2024"
    family: ClassVar[Family] = "draws"
    scorer: Scorer
    sizes: tuple[int, ...]
    stored_draws: int
    frr: float = 0.01
    point: tuple[float, ...] | None = None
    thresholds: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        probability("frr", self.frr)
        if not self.sizes or any(a >= b for a, b in pairwise((1, *self.sizes))):
            raise ValueError(f"sizes is {self.sizes}; wanted ascending sample sizes from 2 on")
        unknown = [share for share in self.spent if share not in ANDERSON_DARLING]
        if self.scorer == "anderson-darling" and unknown:
            raise ValueError(f"no threshold of Anderson-Darling is tabulated for {unknown}")

    @property
    def name(self) -> str:
        return f"stochasticgrade {self.scorer}"

    @property
    def own(self) -> int:
        return self.sizes[-1]

    @property
    def reference(self) -> int:
        return self.stored_draws

    @property
    def nominal(self) -> float:
        return self.frr

    @property
    def spent(self) -> tuple[float, ...]:
        """What each step may spend of ``frr``; a single step spends all of it."""
        steps = len(self.sizes)
        if steps == 1:
            return (self.frr,)
        return tuple(self.frr / 2 ** (steps - step) for step in range(steps))

    def calibrated(self, nulls: Iterable[Array], reference: Array) -> StochasticGrade:
        """The scheme with ``msd`` thresholds from samples of the solution (the tool takes 1,000).

        Raises:
            ValueError: no sample, or one that is too short.
        """
        solution = self._projected(stored(reference, self.stored_draws))
        scores = np.array(
            [
                [_msd(draws[:size], solution) for size in self.sizes]
                for draws in (self._projected(first(null, self.own)) for null in nulls)
            ]
        )
        if not len(scores):
            raise ValueError("no null sample is given; wanted at least one")
        falling = -np.sort(-scores, axis=0)
        ranks = [int(len(scores) * share) for share in self.spent]
        limits = falling[ranks, np.arange(len(ranks))]
        return replace(self, thresholds=tuple(limits.tolist()))

    def judge(self, own: Units, reference: Array, rng: np.random.Generator) -> Graded:
        del rng
        solution = self._projected(stored(reference, self.stored_draws)[: self.stored_draws])
        if self.scorer == "anderson-darling":
            solution = np.sort(solution)
        for step, size in enumerate(self.sizes):
            draws = first(own, size)
            if not np.isfinite(draws).all() or self._rejects(
                step, self._projected(draws), solution
            ):
                return Graded(False, size)
        return Graded(True, self.own)

    def _projected(self, draws: Floats) -> Floats:
        if self.point is None:
            if draws.ndim == 2 and draws.shape[1] != 1:
                raise ValueError(f"draws of {draws.shape[1]} coordinates need an anchor")
            return draws.reshape(-1)
        return np.asarray(np.sqrt(((draws - np.asarray(self.point)) ** 2).sum(axis=1)))

    def _rejects(self, step: int, draws: Floats, solution: Floats) -> bool:
        if self.scorer == "t":
            df = len(draws) + len(solution) - 2
            return abs(_pooled_t(draws, solution)) >= laws.t_critical(self.spent[step], df)
        if self.scorer == "anderson-darling":
            score = standardised_anderson_darling(np.sort(draws), solution)
            return score >= ANDERSON_DARLING[self.spent[step]]
        if self.thresholds is None:
            raise ValueError("the msd scorer has no thresholds; calibrate it first")
        return _msd(draws, solution) >= self.thresholds[step]


def _pooled_t(draws: Floats, solution: Floats) -> float:
    """Student's two-sample t; without spread 0 where the means are equal, else infinite."""
    n, m = len(draws), len(solution)
    pooled = (n * float(draws.var()) + m * float(solution.var())) / (n + m - 2)
    difference = float(draws.mean()) - float(solution.mean())
    if pooled == 0:
        return 0.0 if difference == 0 else math.inf
    return difference / math.sqrt(pooled * (1 / n + 1 / m))


def _msd(draws: Floats, solution: Floats) -> float:
    apart = float(draws.mean() - solution.mean()) ** 2
    return abs(apart + float(draws.var()) - float(solution.var()))


def standardised_anderson_darling(draws: Floats, solution: Floats) -> float:
    """Two-sample Anderson-Darling statistic of two sorted samples, less its mean, over its sd.

    Midrank version, equation 7 of Scholz & Stephens 1987 with k = 2.
    """
    n, total = len(draws), len(draws) + len(solution)
    places = np.searchsorted(solution, draws) + np.arange(n)
    owned = np.zeros(total, dtype=np.bool_)
    owned[places] = True
    pooled = np.empty(total)
    pooled[places], pooled[~owned] = draws, solution
    starts = np.flatnonzero(np.concatenate([[True], pooled[1:] > pooled[:-1]]))
    ties = np.diff(starts, append=total)
    mine = np.add.reduceat(owned.astype(np.float64), starts)
    below = starts + ties / 2
    gap = total * (np.cumsum(mine) - mine / 2) - n * below
    weight = below * (total - below) - total * ties / 4
    usable = weight > 0
    area = float((ties * gap**2 / np.where(usable, weight, 1.0))[usable].sum()) / total
    statistic = (total - 1) / total * area * (1 / n + 1 / (total - n))
    return (statistic - 1) / _anderson_darling_sd(n, total - n)


@lru_cache(maxsize=64)
def _anderson_darling_sd(n: int, m: int) -> float:
    """Standard deviation of the statistic for continuous draws (Scholz & Stephens 1987, k = 2)."""
    total = n + m
    inverse: NDArray[np.float64] = 1.0 / np.arange(1, total)
    h = float(inverse.sum())
    beyond = h - np.cumsum(inverse)[:-1]
    g = float((beyond / (total - np.arange(1, total - 1))).sum())
    both = 1 / n + 1 / m
    a = 4 * g - 6 + (10 - 6 * g) * both
    b = 4 * (2 * g - 4) + 16 * h + (2 * g - 14 * h - 4) * both - 8 * h + 4 * g - 6
    c = 4 * (6 * h + 2 * g - 2) + 2 * (4 * h - 4 * g + 6) + (2 * h - 6) * both + 4 * h
    d = 4 * (2 * h + 6) - 8 * h
    above = a * total**3 + b * total**2 + c * total + d
    return math.sqrt(above / ((total - 1) * (total - 2) * (total - 3)))
