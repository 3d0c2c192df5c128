"""What stands beside the computed points of a row, in words: overrides and lateness.

Each is a line of its own in every report, so that a mark adds up and nothing hides in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from harness.marking.gradebook import Lateness, Override, SubmissionGrade
from harness.report.marks import number, points_text
from harness.report.sanitise import NAME_LIMIT, SENTENCE_LIMIT, clean


@dataclass(frozen=True)
class Adjustment:
    """One line: where it belongs, what it adds to the points, and why.

    Attributes:
        check: what it is called beside checks: the one that was overridden, ``*`` for a whole task,
            ``late``.
        points: negative where it takes away.
    """

    kind: Literal["OVERRIDE", "LATE"]
    task: str
    check: str
    points: float
    text: str


def adjustments(row: SubmissionGrade) -> list[Adjustment]:
    """The lines of a row; none where the checks alone make its mark and it came in time."""
    lines = [
        Adjustment(
            "OVERRIDE",
            clean(each.task, NAME_LIMIT),
            clean(each.check, NAME_LIMIT) or "*",
            number(each.difference),
            override_text(each),
        )
        for each in row.overrides
    ]
    if row.late is not None and row.late.days:
        lines.append(
            Adjustment("LATE", "", "late", number(-row.late.penalty), lateness_text(row.late))
        )
    return lines


def override_text(override: Override) -> str:
    """One sentence about an override."""
    text = (
        f"{override.place}: {points_text(override.points)} points instead of the computed "
        f"{points_text(override.computed)}, given by {override.by}: {override.reason}"
    )
    return clean(text, SENTENCE_LIMIT)


def lateness_text(late: Lateness) -> str:
    """One sentence about when a submission came."""
    if not late.days:
        return clean(f"Handed in {late.submitted}, due {late.due}: in time.", SENTENCE_LIMIT)
    free = f", {late.free_days} of them from the budget of the term" if late.free_days else ""
    days = "1 day" if late.days == 1 else f"{late.days} days"
    lost = f"points lost: {points_text(late.penalty)}" if late.penalty else "nothing is lost"
    return clean(
        f"Handed in {late.submitted}, due {late.due}: {days} late{free}; {lost}.", SENTENCE_LIMIT
    )


def sum_text(row: SubmissionGrade) -> str:
    """How the mark adds up: ``8.5 = 10 computed - 1.5 late``."""
    parts = [f"{points_text(row.mark)} = {points_text(row.points)} computed"]
    for amount, what in ((row.overridden - row.points, "by override"), (-row.penalty, "late")):
        if round(amount, 4):
            parts.append(f"{'-' if amount < 0 else '+'} {points_text(abs(amount))} {what}")
    return " ".join(parts)
