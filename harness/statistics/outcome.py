"""What a stage of a statistical check returns."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

#: Why a stage rejected. ``none``: it did not. ``statistic``: the statistic exceeds its critical
#: value. ``exact``: there was no noise to test against, and the values differ by more than
#: rounding. ``nonfinite``: a sample is NaN or infinite. ``impossible``: a category of probability
#: zero was drawn. ``degenerate``: the draws do not vary where they must. ``noisy``: they vary so
#: much that what must be found could hide in them.
Reason = Literal["none", "statistic", "exact", "nonfinite", "impossible", "degenerate", "noisy"]

#: The miss probability at which ``achieved_mdb_sd`` is reported.
REPORTED_BETA = 0.01


@dataclass(frozen=True, kw_only=True)
class StageOutcome:
    """The decision of one stage and the figures behind it.

    Attributes:
        rejects: whether the stage speaks against the program.
        statistic: the statistic of the coordinate that speaks loudest; infinite where a rejection
            did not need a critical value.
        critical: the value that ``statistic`` must exceed for a rejection.
        p_value: probability of so large a statistic if the program is right, in [0, 1], already
            multiplied by the number of coordinates (Bonferroni).
        coordinate: index of the coordinate (or pair) that speaks loudest; 0 for scalar statistics.
        reason: why the stage rejected, see :data:`Reason`.

    Raises:
        ArithmeticError: a figure is NaN or the p-value is outside [0, 1]; an error of the
            grader, never a verdict.
    """

    rejects: bool
    statistic: float
    critical: float
    p_value: float
    coordinate: int
    reason: Reason

    def __post_init__(self) -> None:
        figures = {name: getattr(self, name) for name in ("statistic", "critical", "p_value")}
        if any(math.isnan(figure) for figure in figures.values()):
            raise ArithmeticError(f"a stage came to a figure that is not a number: {figures}")
        if not 0 <= self.p_value <= 1:
            raise ArithmeticError(f"a stage came to the p-value {self.p_value}, outside [0, 1]")
        if self.rejects != (self.reason != "none"):
            raise ArithmeticError(f"a stage rejects={self.rejects} for reason {self.reason!r}")


@dataclass(frozen=True, kw_only=True)
class MeanOutcome(StageOutcome):
    """A stage that tested a mean, with what its sample could have found.

    Attributes:
        achieved_mdb_sd: smallest bias, in standard deviations of one draw, that this stage finds
            with probability ``1 - REPORTED_BETA``.
        skew_guard_n: sample size that the largest sample skewness asks for (see
            :func:`harness.statistics.laws.guard_n`).
        skew_ok: whether the sample is that large. Where it is not, the size of the stage is not
            vouched for, and a rejection is no proof.
    """

    achieved_mdb_sd: float
    skew_guard_n: int
    skew_ok: bool
