"""What two stages on independent draws say together: a check fails only if both reject."""

from __future__ import annotations

import math
from typing import Literal, Protocol

from harness.statistics.inputs import probability

Decision = Literal["pass", "fail", "need-second"]


class Stage(Protocol):
    """Anything that says whether it rejects, such as a StageOutcome."""

    @property
    def rejects(self) -> bool: ...


def false_fail_bound(stage_alpha: float) -> float:
    """Probability that right work fails both of two independent stages: stage_alpha².

    The first stage's draws are common to a cohort, so its rejections of right work come together;
    the second stage's are the subject's own.

    Raises:
        ValueError: ``stage_alpha`` not in (0, 1).
    """
    return probability("stage_alpha", stage_alpha) ** 2


def power(first: float, second: float) -> float:
    """Probability that two independent stages of these powers both reject, in [0, 1].

    Raises:
        ValueError: a power outside [0, 1].
    """
    for name, value in (("first", first), ("second", second)):
        if not 0 <= value <= 1:
            raise ValueError(f"the power of the {name} stage is {value}; wanted 0 to 1")
    return first * second


def stage_beta(beta: float) -> float:
    """The miss probability that each stage may have so that both together miss with ``beta``.

    Raises:
        ValueError: ``beta`` not in (0, 1).
    """
    return -math.expm1(0.5 * math.log1p(-probability("beta", beta)))


def combine(first: Stage, second: Stage | None) -> Decision:
    """The verdict of a first stage and, where it was run, a second on fresh draws.

    The second stage is asked for only if the first rejects; it never turns a pass into a failure.
    """
    if not first.rejects:
        return "pass"
    if second is None:
        return "need-second"
    return "fail" if second.rejects else "pass"
