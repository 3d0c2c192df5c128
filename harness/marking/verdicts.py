"""From decisions to verdicts: the points of every check, and the sentence that goes with it."""

from __future__ import annotations

from collections.abc import Mapping

from harness.causes import Cause
from harness.marking.gradebook import TaskGrade
from harness.marking.score import Answer, Decision, Waiting
from harness.records import Verdict
from harness.spec.checks import CheckBase
from harness.spec.load import LoadedTask


def of_task(
    task: LoadedTask, submission: str, answers: Mapping[str, Answer], points: float | None = None
) -> TaskGrade:
    """The verdicts of one submission on one task.

    Args:
        answers: for every check that is marked by its id; one that waits is UNGRADABLE for now.
        points: what the task is worth in the assignment; its own points where None.
    """
    worth = task.points if points is None else points
    verdicts = tuple(
        _verdict(task, check, submission, answers[check.id], maximum)
        for check, maximum in zip(task.checks, _shares(task, worth), strict=True)
    )
    return TaskGrade(task.id, task.spec.title, task.spec.tier, worth, verdicts)


def _shares(task: LoadedTask, worth: float) -> list[float]:
    """What every check is worth, to four places; the largest takes what rounding left over."""
    share = worth / task.points if task.points else 0.0
    parts = [round(check.points * share, 4) for check in task.checks]
    largest = max(range(len(parts)), key=parts.__getitem__)
    parts[largest] = round(parts[largest] + worth - sum(parts), 4)
    return parts


def _verdict(
    task: LoadedTask, check: CheckBase, submission: str, answer: Answer, max_points: float
) -> Verdict:
    decision = Decision("UNGRADABLE", Cause.NOT_RUN) if isinstance(answer, Waiting) else answer
    credit = 1.0 if decision.status == "PASS" else decision.credit
    return Verdict(
        submission=submission,
        task=task.id,
        check=check.id,
        status=decision.status,
        cause=decision.cause,
        points=None if decision.status == "UNGRADABLE" else round(max_points * credit, 4),
        max_points=max_points,
        visibility=check.visibility,
        evidence=decision.figures,
        message=_message(decision),
        seeds_used=decision.steps,
        before_running=decision.before_running,
    )


def _message(decision: Decision) -> str:
    """The most precise sentence there is: the decision's own, the kind's, the cause's."""
    return decision.message or decision.cause.message
