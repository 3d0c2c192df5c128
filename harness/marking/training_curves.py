"""What a student is shown of trainings beside their mark: when they solved it, and their curves.

Numbers are those of a verdict's evidence (:mod:`harness.kinds.training_curve`), beside stored
curves of the reference where these are at hand. No mark comes of them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from harness import stored_runs
from harness.spec.checks import SeedSuccessCheck
from harness.spec.load import LoadedTask
from harness.stored_runs import StoredCurves

#: Quartiles: between the first and the last lies the middle half.
_QUARTILES = (0.25, 0.5, 0.75)


def sentence(task: LoadedTask, check: SeedSuccessCheck, figures: Mapping[str, Any]) -> str:
    """When the trainings first solved the environment, and when the reference's do; '' without.

    Args:
        figures: the evidence of a verdict of this check.
    """
    training = figures.get("training")
    if check.solved is None or not training:
        return ""
    told = (
        f"{check.solved.episodes} episodes in a row first lasted {check.solved.mean:g} steps on "
        f"average {_when(training)}"
    )
    reference = _reference(task, check.id)
    if reference is not None:
        low, middle, high = map(_steps, reference.first_solved)
        told += (
            f"; the reference's median is {middle}, its middle half {low} to {high} "
            f"({reference.runs} runs)"
        )
    return f"{told}. This is shown and not marked."


def _when(training: Mapping[str, Any]) -> str:
    """After how many steps, and in how many of the seeds."""
    all_seeds = training["first_solved"]
    solved = sorted(each for each in all_seeds if each is not None)
    where = f"in {len(solved)} of {len(all_seeds)} seeds"
    if not solved:
        return f"{where} within {training['budget']:,} steps"
    first, last = _steps(solved[0]), _steps(solved[-1])
    after = f"{first} to {last}" if first != last else first
    return f"{where}, after {after} steps of {training['budget']:,}"


def quartiles(first_solved: Sequence[int | None]) -> list[float]:
    """The quartiles of first times, infinite where a training never solved it; none is between."""
    numbers = [math.inf if each is None else each for each in first_solved]
    found: list[float] = np.quantile(numbers, _QUARTILES, method="inverted_cdf").tolist()
    return found


def _steps(count: float) -> str:
    """Steps to the next hundred, in words."""
    return "never" if math.isinf(count) else f"{round(count, -2):,.0f}"


def drawn(
    task: LoadedTask, check: SeedSuccessCheck, figures: Mapping[str, Any]
) -> dict[str, Any] | None:
    """The learning curves of a verdict's seeds, to be drawn; None where there are none.

    Returns:
        ``budget``; ``wanted``, the mean length at which it counts as solved; ``first_solved`` and
        ``curves`` seed by seed, as in the evidence; ``band``: the lowest and the highest of the
        middle half of the reference's curves, point by point, None where a run has no number yet.
    """
    training = figures.get("training")
    if check.solved is None or not training or not any(training["curves"]):
        return None
    reference = _reference(task, check.id)
    band = None if reference is None else reference.band
    return {**training, "wanted": check.solved.mean, "band": band}


@dataclass(frozen=True)
class _Reference:
    """Stored curves of a reference: quartiles of first times, the number of runs, the band."""

    first_solved: list[float]
    runs: int
    band: list[list[float] | None]


@lru_cache(maxsize=256)
def _reference(task: LoadedTask, check_id: str) -> _Reference | None:
    """What is shown of a check's reference, put together once a run; None where there is none."""
    check = task.spec.check(check_id)
    assert isinstance(check, SeedSuccessCheck)
    stored = stored_runs.curves(task, check)
    if stored is None:
        return None
    return _Reference(quartiles(stored.first_solved), len(stored.first_solved), _band(stored))


def _band(stored: StoredCurves) -> list[list[float] | None]:
    """The middle half of stored curves, point by point."""
    points = zip(*stored.curves, strict=True)
    return [
        None if None in point else np.quantile(point, (_QUARTILES[0], _QUARTILES[-1])).tolist()
        for point in points
    ]
