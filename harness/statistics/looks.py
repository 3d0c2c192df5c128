"""Group-sequential looks at the mean of a program's own draws: a pass has to be earned.

A stage that passes whatever it cannot reject is passed by noise: ten times the honest spread hides
a bias of half a standard deviation 85 % of the time. Drawing until the estimate is precise is no
remedy either, because the sample that looks precise is not a fair one (on lognormal draws the size
rises from .0015 to .0024). Here a stage looks at its draws at most K times. At every look it
rejects a bias (max-t), accepts where two one-sided tests establish that the bias is below the one
that must be found, and draws again otherwise. Both error rates are divided by K, so whatever the
rule of stopping, neither exceeds what its K tests have together (Bonferroni). Each of these rests
on fewer draws than one test of all would, and is protected less against skewness: on lognormal
draws the size at .001 is .0019 where one fixed test has .0017 and drawing until precise .0023.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from harness.statistics import equivalence, laws, unbiased
from harness.statistics.inputs import EPS64, ROUNDING, Summary, positive, probability, whole
from harness.statistics.outcome import MeanOutcome

Said = Literal["accepts", "rejects", "noisy", "open"]


@dataclass(frozen=True, kw_only=True)
class StageSoFar:
    """What the looks of one stage have come to.

    Attributes:
        said: ``accepts`` (no bias of ``margin`` is left possible), ``rejects`` (there is a bias),
            ``noisy`` (the last look decided neither), ``open`` (another look decides).
        looks: how many were used.
        outcome: max-t of the last look used.
        widest: the largest bias that the last look used leaves possible, in units of ``margin``.
    """

    said: Said
    looks: int
    outcome: MeanOutcome
    widest: float

    @property
    def rejects(self) -> bool:
        """Whether the stage speaks against the program: biased, or too noisy to tell."""
        return self.said in ("rejects", "noisy")


@dataclass(frozen=True)
class Plan:
    """What a stage must find, at which rates, in how many looks.

    Attributes:
        min_detectable: bias that must be found, in standard deviations of one honest draw.
        stage_alpha: bound on rejecting a right program at any look, by max-t.
        stage_beta: bound on accepting at any look where one coordinate is off by more.
        looks: the cap K.

    Raises:
        ValueError: a figure out of range.
    """

    min_detectable: float
    stage_alpha: float
    stage_beta: float
    looks: int

    def __post_init__(self) -> None:
        positive("min_detectable", self.min_detectable)
        probability("stage_alpha", self.stage_alpha)
        probability("stage_beta", self.stage_beta)
        whole("looks", self.looks, least=1)


def stage(
    summaries: Sequence[Summary], target: ArrayLike, scale: ArrayLike, plan: Plan
) -> StageSoFar:
    """One stage from its looks so far, each the summary of as many fresh draws.

    Args:
        summaries: at least one, from :func:`harness.statistics.unbiased.summarise`; those after
            the deciding look are ignored.
        target: "d", the expectation under a right program.
        scale: "d", standard deviation of one honest draw.

    Raises:
        ValueError: no look or more than the plan has, or an argument of the wrong shape or range.
        ArithmeticError: a figure came out NaN.
    """
    if not 1 <= len(summaries) <= plan.looks:
        raise ValueError(f"{len(summaries)} looks were taken; wanted 1 to {plan.looks}")
    alpha, beta = plan.stage_alpha / plan.looks, plan.stage_beta / plan.looks
    for used in range(1, len(summaries) + 1):
        drawn = unbiased.merge(summaries[:used])
        outcome = unbiased.max_t_stage(drawn, target, scale, alpha)
        widest = _widest(drawn, target, scale, plan.min_detectable, beta)
        said: Said = "open" if used < plan.looks else "noisy"
        if outcome.rejects:
            said = "rejects"
        elif widest < 1:
            said = "accepts"
        if said != "open":
            break
    return StageSoFar(said=said, looks=used, outcome=outcome, widest=widest)


def _widest(
    drawn: Summary, target: ArrayLike, scale: ArrayLike, min_detectable: float, beta: float
) -> float:
    """The largest bias left possible, in margins; coordinates without noise are compared exactly.

    The comparison is max-t's: where it does not reject, they equal their targets.
    """
    size = np.asarray(scale, dtype=np.float64)
    sd = np.asarray(drawn["sd"], dtype=np.float64)
    noisy = ~(sd <= ROUNDING * EPS64 * size)  # NaN counts as noisy
    if not noisy.any():
        return 0.0
    if not np.isfinite(sd).all() or (size[noisy] == 0).any():
        return math.inf
    part = {name: np.asarray(drawn[name])[noisy] for name in ("mean", "sd", "skew", "nonfinite")}
    margins = min_detectable * size[noisy]
    wanted = np.asarray(target, dtype=np.float64)[noisy]
    found = equivalence.equivalence_stage({**part, "n": drawn["n"]}, wanted, margins, beta)
    return float(found.bound / margins[found.coordinate])


def required_n(plan: Plan, dimensions: int) -> int:
    """Draws that all looks of a stage need together so that honest draws are not too noisy.

    At that many, whatever is not rejected at the last look is accepted there, so that a right
    program of the honest spread is rejected with about ``stage_alpha`` in all. A look has
    1/``looks`` of them.

    Raises:
        ValueError: no coordinate.
    """
    tail = laws.split(plan.stage_alpha / plan.looks, dimensions) / 2
    return laws.t_required_n(tail, plan.stage_beta / plan.looks, plan.min_detectable)
