"""Four schemes that courses and benchmarks use, each from its published description.

A result that is not finite is the worst possible one in all of them. Where a scheme leaves a case
open that its users meet (no spread at all), the docstring says what is done here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import special

from harness.comparison.scheme import (
    Better,
    Family,
    Graded,
    RunsBesideRuns,
    Scheme,
    Units,
    first,
    oriented,
    stored,
)
from harness.records import Array
from harness.statistics import laws
from harness.statistics.inputs import Floats, finite, probability, whole


@dataclass(frozen=True)
class AllClose(Scheme):
    """The seed is fixed and the numbers must be the reference's, by ``numpy.allclose``.

    Source: the graders that set a seed and compare with stored output (otter's ``seed`` field;
    the XCS236 problem set 2 compares the IWAE bound under one fixed ``torch`` seed), at the
    defaults of ``numpy.allclose``: |a - b| <= 1e-8 + 1e-5 |b|, every entry. Nothing is random, so
    no rate is stated; what fails is honest work that draws in another order.

    Attributes:
        units: draws or runs compared.
    """

    source: ClassVar[str] = "a fixed seed and numpy.allclose at its defaults"
    same_seed: ClassVar[bool] = True
    units: int

    @property
    def name(self) -> str:
        return "allclose"

    @property
    def own(self) -> int:
        return self.units

    @property
    def reference(self) -> int:
        return self.units

    def judge(self, own: Units, reference: Array, rng: np.random.Generator) -> Graded:
        del rng
        stored_values = stored(reference, self.units)[: self.units]
        own_values = first(own, self.units)
        if own_values.shape != stored_values.shape:
            raise ValueError(
                f"own has shape {own_values.shape}, the reference {stored_values.shape}"
            )
        return Graded(bool(np.allclose(own_values, stored_values)), self.units)


@dataclass(frozen=True)
class AllCloseDraws(AllClose):
    """:class:`AllClose` on the draws of an estimator."""

    family: ClassVar[Family] = "draws"


@dataclass(frozen=True)
class AllCloseRuns(AllClose):
    """:class:`AllClose` on the results of training seeds."""

    family: ClassVar[Family] = "runs"


@dataclass(frozen=True)
class AllSeeds(Scheme):
    """A score above a threshold on each of k hidden seeds.

    Source: ufal/npfl138 and npfl139, deep reinforcement learning (Charles University), 2025/26:
    Cart-Pole exercises ask for a mean of 490 of 500 over 100 episodes on each of 2 or 3 seeds. No
    error rate is stated. A learner that succeeds with probability p a seed fails with 1 - p^k:
    14 % at p = .95 and k = 3.

    Attributes:
        seeds: k.
        threshold: the worst value that passes; not finite is refused.
        better: which side of it passes.
        label: what tables add to the name.
    """

    source: ClassVar[str] = "npfl138/npfl139 2025/26: every hidden seed must reach the threshold"
    family: ClassVar[Family] = "runs"
    seeds: int
    threshold: float
    better: Better
    label: str = ""

    def __post_init__(self) -> None:
        whole("seeds", self.seeds, least=1)
        finite("threshold", self.threshold)

    @property
    def name(self) -> str:
        return f"all-seeds k={self.seeds}{self.label}"

    @property
    def own(self) -> int:
        return self.seeds

    def judge(self, own: Units, reference: Array, rng: np.random.Generator) -> Graded:
        del reference, rng
        return Graded(bool(self._reach(first(own, self.seeds)).all()), self.seeds)

    def exact(self, values: Floats) -> float:
        return 1 - float(self._reach(values).mean()) ** self.seeds

    def _reach(self, values: Floats) -> NDArray[np.bool_]:
        limit = self.threshold if self.better == "higher" else -self.threshold
        return oriented(values, self.better) >= limit


def share_of_best(low: float, best: float, share: float) -> float:
    """The threshold that lies at ``share`` of the way from ``low`` to the best value there is.

    With low = 0 and best = 500 a share of .98 is npfl139's 490 for Cart-Pole.

    Raises:
        ValueError: an argument not finite, or ``share`` not in (0, 1).
    """
    return finite("low", low) + probability("share", share) * (finite("best", best) - low)


def welch_t(own: Floats, reference: Floats) -> tuple[Floats, Floats]:
    """Welch's t of own minus reference and its degrees of freedom, per column of "n" or "n d".

    Without any spread on either side t is 0 where the means are equal and infinite elsewhere. Both
    are free of units, so columns are taken in units of their largest value: squares of what a
    diverged run comes to would overflow.
    """
    size = np.maximum(np.abs(own).max(axis=0), np.abs(reference).max(axis=0))
    size = np.where(size > 0, size, 1.0)
    own, reference = own / size, reference / size
    difference = own.mean(axis=0) - reference.mean(axis=0)
    squared = [x.var(axis=0, ddof=1) / len(x) for x in (own, reference)]
    total = squared[0] + squared[1]
    none = np.where(difference == 0, 0.0, np.copysign(np.inf, difference))
    t = np.divide(difference, np.sqrt(total), out=none, where=total > 0)
    parts = squared[0] ** 2 / (len(own) - 1) + squared[1] ** 2 / (len(reference) - 1)
    df = np.divide(total**2, parts, out=np.full_like(total, np.inf), where=parts > 0)
    return np.asarray(t), np.asarray(df)


@dataclass(frozen=True)
class WelchDraws(Scheme):
    """Welch's t on every coordinate's mean against stored draws of the reference, two-sided.

    Source: Welch 1947. The level is divided by the number of coordinates, which those who use it
    on one number at a time leave out (six coordinates at 5 % each fail 26 % of honest work).

    Attributes:
        draws, stored_draws: n of the program and of the reference, >= 2.
        alpha: the nominal rate over all coordinates.
    """

    source: ClassVar[str] = "Welch 1947, two-sided, Bonferroni over the coordinates"
    family: ClassVar[Family] = "draws"
    draws: int
    stored_draws: int
    alpha: float = 0.05

    def __post_init__(self) -> None:
        whole("draws", self.draws, least=2)
        whole("stored_draws", self.stored_draws, least=2)
        probability("alpha", self.alpha)

    @property
    def name(self) -> str:
        return "welch"

    @property
    def own(self) -> int:
        return self.draws

    @property
    def reference(self) -> int:
        return self.stored_draws

    @property
    def nominal(self) -> float:
        return self.alpha

    def judge(self, own: Units, reference: Array, rng: np.random.Generator) -> Graded:
        del rng
        own_values = first(own, self.draws)
        stored_values = stored(reference, self.stored_draws)[: self.stored_draws]
        if not np.isfinite(own_values).all():
            return Graded(False, self.draws)
        t, df = welch_t(own_values, stored_values)
        p = 2 * special.stdtr(df, -np.abs(t)) * t.size
        return Graded(bool((p >= self.alpha).all()), self.draws)


@dataclass(frozen=True)
class WelchRuns(RunsBesideRuns):
    """Welch's t of k training seeds against stored runs of the reference, one-sided for "worse".

    Source: Colas, Sigaud & Oudeyer 2018, "How Many Random Seeds?", who recommend it for comparing
    two algorithms. Beware: a single crashed seed widens the program's own spread and can turn a
    failure into a pass.
    """

    source: ClassVar[str] = "Colas et al. 2018: Welch's t against stored runs, one-sided"
    alpha: float = 0.05

    @property
    def name(self) -> str:
        return f"welch k={self.seeds}"

    def judge(self, own: Units, reference: Array, rng: np.random.Generator) -> Graded:
        del rng
        own_values, stored_values = (
            oriented(runs, self.better) for runs in self.both(own, reference)
        )
        if not np.isfinite(own_values).all():
            return Graded(False, self.seeds)
        t, df = welch_t(own_values, stored_values)
        return Graded(bool(special.stdtr(df, t) >= self.alpha), self.seeds)


@dataclass(frozen=True)
class ConvergencePoints(Scheme):
    """Reference convergence points: an olympic mean against a limit from 2N stored runs.

    Source: MLPerf training rules and mlcommons/logging, ``rcp_checker.py`` (at 7bbf792). Best and
    worst of the N runs submitted and of the 2N stored ones are dropped before taking means. The
    limit lies t(.95; 3N - 6)·s·√(1/(N - 2) + 1/(2N - 2)) beyond the stored mean, with s the
    standard deviation of all 2N (so untrimmed) stored runs, divisor 2N; that is the one-sided
    pooled t-test at 5 % with s in place of both spreads. MLPerf finds the limit by bisection to
    1e-4 and refuses runs that converge too *fast*; here it is exact, and refuses the worse side.
    A run that did not converge is infinitely bad; the rules admit one.

    Identical normal code fails 1.4 %, 3.6 % and 4.5 % of the time at N = 3, 5 and 10, over all
    stored references; under a single one (5th to 95th percentile of 100,000) 0 to 7.7 %, 0 to
    16.8 % and 0 to 19.3 %.

    Attributes:
        runs: N >= 3.
        better: which way a run is better.
        alpha: 5 % in the rules.
    """

    source: ClassVar[str] = "MLPerf reference convergence points, mlcommons/logging rcp_checker.py"
    family: ClassVar[Family] = "runs"
    runs: int
    better: Better
    alpha: float = 0.05

    def __post_init__(self) -> None:
        whole("runs", self.runs, least=3)
        probability("alpha", self.alpha)

    @property
    def name(self) -> str:
        return f"rcp N={self.runs}"

    @property
    def own(self) -> int:
        return self.runs

    @property
    def reference(self) -> int:
        return 2 * self.runs

    @property
    def nominal(self) -> float:
        return self.alpha

    def judge(self, own: Units, reference: Array, rng: np.random.Generator) -> Graded:
        del rng
        own_values = oriented(first(own, self.runs), self.better)
        stored_values = oriented(stored(reference, 2 * self.runs)[: 2 * self.runs], self.better)
        return Graded(_olympic_mean(own_values) >= self._limit(stored_values), self.runs)

    def _limit(self, stored_values: Floats) -> float:
        t = laws.t_critical(self.alpha, 3 * self.runs - 6)
        reach = math.sqrt(1 / (self.runs - 2) + 1 / (2 * self.runs - 2))
        return _olympic_mean(stored_values) - t * float(stored_values.std()) * reach


def _olympic_mean(values: Floats) -> float:
    """The mean without the best and the worst."""
    return float(np.sort(values)[1:-1].mean())
