"""What is shown of a training beside its mark: how long episodes lasted in its course.

All comes from the episodes of the served environment as the grader counted them. A check of the
kind ``seed-success`` that declares ``solved`` stores it of every seed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from harness.kinds.outcome import Metrics, Values
from harness.kinds.record import named
from harness.records import Array

#: Metrics that the harness adds to those of the measurement. Of the episodes that ended by
#: themselves, in the order of their ends: how many steps all sub-environments had made by then, and
#: how many the episode took; and the budget of steps of all sub-environments.
ENDS, LENGTHS, BUDGET = "served__ends", "served__lengths", "served__budget"
#: The number of points of a learning curve, at equal distances from the first on.
POINTS = 25


def declared(check: Any) -> bool:
    """Whether a check, of any kind, has learning curves shown."""
    return getattr(check, "solved", None) is not None


def of_seed(check: Any, metrics: Metrics) -> Values:
    """The learning curve of one training.

    Returns:
        ``first_solved`` (): after how many steps of all sub-environments ``solved.episodes``
        episodes in a row first had the mean length ``solved.mean``; NaN where they never had.
        ``curve`` "POINTS": the mean length of so many episodes, the last that had ended when the
        share 1/POINTS, 2/POINTS, … 1 of the budget was used; NaN before there were so many.
        ``budget`` ().

    Raises:
        MeasurementError: an array is missing.
    """
    ends, lengths, budget = (named(metrics, name) for name in (ENDS, LENGTHS, BUDGET))
    window = check.solved.episodes
    means = window_means(lengths, window)
    ends = ends[window - 1 :]  # of the last episode of each window
    solved = np.flatnonzero(means >= check.solved.mean)
    first = float(ends[solved[0]]) if len(solved) else np.nan
    at = np.arange(1, POINTS + 1) * (float(budget) / POINTS)
    ended = np.searchsorted(ends, at, side="right")
    curve = np.concatenate([[np.nan], means])[ended]
    return {"first_solved": np.asarray(first), "curve": curve, "budget": budget.astype(np.float64)}


def figures(seeds: Sequence[Mapping[str, Array]]) -> dict[str, Any]:
    """The evidence of several seeds: ``first_solved`` and ``curves`` seed by seed, ``budget``.

    None stands for NaN. A seed in which the program broke has no statistics; its curve is empty.
    """
    budgets = [float(each["budget"]) for each in seeds if "budget" in each]
    return {
        "budget": int(max(budgets, default=0)),
        "first_solved": [_whole(each.get("first_solved", np.nan)) for each in seeds],
        "curves": [[_tenths(mean) for mean in each.get("curve", ())] for each in seeds],
    }


def _whole(number: Any) -> int | None:
    return int(number) if np.isfinite(number) else None


def _tenths(number: Any) -> float | None:
    return round(float(number), 1) if np.isfinite(number) else None


def window_means(lengths: Array, window: int) -> Array:
    """Means of every ``window`` numbers in a row, "n" to "n - window + 1"; none where n is less."""
    sums = np.concatenate([[0], lengths.cumsum()])
    means: Array = (sums[window:] - sums[:-window]) / window
    return means
