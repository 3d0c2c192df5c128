"""How late work is and what that costs: pure functions of times and rules.

A day is 24 hours. One that has begun is late as a whole, but for the grace of the rule.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from harness.marking.gradebook import Lateness
from harness.spec.models import Assignment
from harness.spec.schedule import DAY, LateRule, moment_texts, on_the_clocks_of


@dataclass(frozen=True)
class Dated:
    """An assignment and when everybody handed in what counts of it.

    Attributes:
        extended: the assignment with the dates of those who have others.
    """

    assignment: Assignment
    times: Mapping[str, datetime]
    extended: Mapping[str, Assignment] = field(default_factory=dict)


def days_late(at: datetime, assignment: Assignment) -> int:
    """The days that had begun since the assignment was due; 0 in time or within the grace."""
    if assignment.due is None or assignment.late is None:
        return 0
    over = at - assignment.due
    return 0 if over <= assignment.late.grace else -(-over // DAY)


def free_days(name: str, here: Dated, others: Sequence[Dated], budget: int | None) -> int:
    """How many late days of one assignment a student's budget of the term pays for.

    Days are spent in the order of the due dates that hold for everybody, so what is handed in later
    never changes what an earlier assignment was given.

    Args:
        others: the other assignments that draw on the budget.
        budget: the days of the term; None where there is no budget.
    """
    left = budget or 0
    ordered = sorted([here, *others], key=_order)
    for each in ordered:
        rule, at = each.assignment.late, each.times.get(name)
        spent = 0
        if rule is not None and rule.late_days is not None and at is not None:
            dates = each.extended.get(name, each.assignment)
            spent = min(days_late(at, dates), rule.late_days, left)
        if each.assignment.id == here.assignment.id:
            return spent
        left -= spent
    return 0


def _order(each: Dated) -> tuple[str, str]:
    due = each.assignment.due
    return ("" if due is None else f"{due.timestamp():020.3f}", each.assignment.id)


def penalty(rule: LateRule, days: int, max_points: float, points: float) -> float:
    """What so many days cost, to four places: at most the cap, and never more than there is.

    Args:
        max_points: what the assignment is worth.
        points: what was reached.
    """
    lost = days * rule.per_day.of(max_points)
    if rule.cap is not None:
        lost = min(lost, rule.cap.of(max_points))
    return round(max(0.0, min(lost, points)), 4)


def lateness(
    at: datetime, assignment: Assignment, free: int, max_points: float, points: float
) -> Lateness | None:
    """How late a submission is and what it loses; None where nothing is ever due."""
    if assignment.due is None:
        return None
    days = days_late(at, assignment)
    lost = 0.0
    if assignment.late is not None:
        lost = penalty(assignment.late, days - free, max_points, points)
    handed_in, due = moment_texts(on_the_clocks_of(at, assignment.due), assignment.due)
    return Lateness(handed_in, due, days, free, lost)
