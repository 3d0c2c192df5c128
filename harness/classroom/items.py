"""Item analysis: how hard every check was, and how well it tells strong work from weak.

*Difficulty* is the difficulty index of classical test theory: the mean share of a check's points
that was got. 1 is a check that everybody got whole. *Discrimination* is the item-rest correlation
(the corrected item-total correlation; Henrysson, Psychometrika 28, 1963): Pearson's correlation of
that share with the share that the same submission got of all other points. For a check that gives
all or nothing it is the point-biserial correlation. The rest leaves out the check itself, since a
part correlates with its whole.

Submissions without a file for the task are no answers to its checks and are left out of both; in
the rest of other checks such a task counts with no points. A check that has no mark yet
(UNGRADABLE) is left out of everything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from harness.causes import Cause
from harness.marking.gradebook import SubmissionGrade, TaskGrade
from harness.records import Verdict

#: The id of a task and that of a check.
Place: TypeAlias = tuple[str, str]
#: With fewer submissions every correlation is 1 or -1, or there is none.
LEAST = 3
_NOTHING = (Cause.MISSING_FILE, Cause.EMPTY)
#: Differences of shares that are rounding: points have four decimals.
_EQUAL = 1e-9


@dataclass(frozen=True)
class Item:
    """One check in the answers of a class.

    Attributes:
        n: how many submissions have a mark for it and handed a file in.
        difficulty: the mean share of its points, in [0, 1]; None without a submission.
        discrimination: the item-rest correlation, in [-1, 1]; None where it is not defined.
        undefined: why it is not, in words; empty where it is.
    """

    n: int
    difficulty: float | None = None
    discrimination: float | None = None
    undefined: str = ""


def handed_in(task: TaskGrade) -> bool:
    """Whether a submission has a file for a task; checks that wait for others do not count."""
    decided = [verdict for verdict in task.verdicts if verdict.status != "SKIPPED"]
    return not decided or any(
        not verdict.before_running or verdict.cause not in _NOTHING for verdict in decided
    )


def analysis(rows: Sequence[SubmissionGrade]) -> dict[Place, Item]:
    """Every check of a class, by task and check, in the order in which they come.

    Args:
        rows: the submissions, each once; the computed points count, not overrides or lateness.
    """
    shares: dict[Place, list[tuple[float, float | None]]] = {}
    for row in rows:
        verdicts = [verdict for task in row.tasks for verdict in task.verdicts]
        got = sum(verdict.points or 0.0 for verdict in verdicts)
        most = sum(verdict.max_points for verdict in verdicts if verdict.points is not None)
        for task in row.tasks:
            answered = handed_in(task)
            for verdict in task.verdicts:
                pairs = shares.setdefault((task.id, verdict.check), [])
                if answered and verdict.points is not None:
                    pairs.append((_share(verdict), _rest(verdict, got, most)))
    return {place: item(pairs) for place, pairs in shares.items()}


def item(pairs: Sequence[tuple[float, float | None]]) -> Item:
    """The figures of one check.

    Args:
        pairs: for every submission the share of its points, and of all others; None where no other
            points have a mark.
    """
    if not pairs:
        return Item(0, undefined="nobody has a mark for it")
    own = np.array([share for share, _ in pairs])
    difficulty = float(own.mean())
    compared = [(share, rest) for share, rest in pairs if rest is not None]
    if len(compared) < LEAST:
        why = f"fewer than {LEAST} submissions" if len(pairs) < LEAST else "no other check counts"
        return Item(len(pairs), difficulty, undefined=why)
    x, y = np.array(compared).T
    if np.ptp(x) < _EQUAL:
        return Item(len(pairs), difficulty, undefined="all have the same points for it")
    if np.ptp(y) < _EQUAL:
        return Item(len(pairs), difficulty, undefined="all have the same points for the rest")
    return Item(len(pairs), difficulty, float(np.corrcoef(x, y)[0, 1]))


def _share(verdict: Verdict) -> float:
    """The share of its points; of a check that is worth nothing, whether it is passed."""
    if not verdict.max_points:
        return float(verdict.status == "PASS")
    return (verdict.points or 0.0) / verdict.max_points


def _rest(verdict: Verdict, got: float, most: float) -> float | None:
    """The share of all points but its own that have a mark; None where there are none."""
    others = most - verdict.max_points
    return (got - (verdict.points or 0.0)) / others if others > _EQUAL else None
