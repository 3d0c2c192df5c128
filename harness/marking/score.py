"""The decision: from stored observations to verdicts, and what is still missing.

Pure functions of specs, programs and the ledger. :func:`decide` answers for one check with a
decision or with the runs that it waits for; :mod:`harness.marking.plan` asks it what to run next
and :func:`judge` asks it for the marks, so both always agree.
"""

from __future__ import annotations

import json
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from harness import kinds
from harness.marking.gradebook import TaskGrade
from harness.marking.jobs import Run
from harness.marking.trials import Subject, View
from harness.records import Observation, Program, Status, Step, Verdict
from harness.spec.checks import CheckBase
from harness.spec.load import LoadedTask

_MESSAGES = {
    "wrong": "the answer is not the expected one",
    "not-finite": "the answer holds NaN or infinity where a number is expected",
    "leak": "an output changes with an input that it must not depend on",
    "blind": "an output ignores inputs that it must depend on",
    "biased": "the mean of your draws is not the expected one, on two independent sets of draws",
    "distribution": "your draws do not follow the law, on two independent sets of draws",
    "dependent": "draws that must be independent are correlated, on two independent sets of draws",
    "variance": "the estimator is too noisy for its mean to be certified at this number of draws",
    "seeds": "too few training runs, each with a seed of its own, reach the threshold",
    "undecided": "training runs reach the threshold too often to fail and too seldom to pass",
    "variance-ratio": "the variance is above the limit, on two independent sets of draws",
    "below-floor": "the likelihood is better than that of the true distribution",
    "excess": "the negative log-likelihood is above the reference's by more than the margin",
    "return": "the mean episode return is below that for full credit",
    "few-trajectories": "too few distinct episodes came about for an interval",
    "no-target": "no target is stored for this check; it cannot be graded yet",
    "harness-error": "this check could not be graded, through no fault of yours",
    "not-run": "this check has not been run yet",
    "prerequisite": "a check that this one builds on did not pass",
    "not-reproducible": "the same seed gave different results when the program ran again",
}
_HIDDEN_MESSAGE = "a hidden check did not pass"


@dataclass(frozen=True)
class Decision:
    """What is decided about one check of one program.

    ``before_running``: the reason was known without running anything, so it can be told of a
    hidden check too.
    """

    status: Status
    cause: str = ""
    credit: float = 0.0
    margin: float = float("nan")
    figures: Mapping[str, Any] = field(default_factory=dict)
    message: str = ""
    steps: int = 0
    before_running: bool = False


@dataclass(frozen=True)
class Waiting:
    """Nothing is decided before these runs are made (none of its own: a gate waits)."""

    runs: tuple[Run, ...]


def decide(task: LoadedTask, check: CheckBase, subject: Subject, view: View) -> Decision | Waiting:
    """One check of one program, its gates aside."""
    problem = subject.problem(task)
    if problem is not None:
        return Decision("ERROR", problem[0], message=problem[1], before_running=True)
    target = None
    if getattr(check, "against", None) == "target":
        target = _target(task, check)
        if target is None:
            return Decision("UNGRADABLE", "no-target")
    evidence: list[kinds.Evidence] = []
    outcome = kinds.FIRST
    while outcome.status == "MORE":
        if not outcome.wants or {item.step for item in evidence} & set(outcome.wants):
            return _ours(f"{check.id} asks for what it has: {outcome.wants}")
        found = _steps(task, check, subject, view, outcome.wants)
        if isinstance(found, Decision | Waiting):
            return found
        evidence += [replace(item, target=target) for item in found]
        try:
            outcome = kinds.decide(check, evidence)
        except (ValueError, ArithmeticError, KeyError) as error:
            return _ours(f"{check.id}: {error}")
    return Decision(
        outcome.status,
        outcome.cause,
        outcome.credit,
        outcome.margin,
        outcome.figures,
        outcome.message,
        steps=len(evidence),
    )


def _ours(message: str) -> Decision:
    return Decision("UNGRADABLE", "harness-error", message=message)


def _steps(
    task: LoadedTask, check: CheckBase, subject: Subject, view: View, wants: Sequence[Step]
) -> list[kinds.Evidence] | Decision | Waiting:
    """The evidence of some steps; the first decision among them, or all runs they wait for."""
    evidence: list[kinds.Evidence] = []
    runs: list[Run] = []
    for step in wants:
        found = _step(task, check, subject, view, step)
        if isinstance(found, Decision):
            return found
        if isinstance(found, Waiting):
            runs += found.runs
        else:
            evidence.append(found)
    return Waiting(tuple(runs)) if runs else evidence


def _step(  # noqa: PLR0911 - one answer a way in which a step can end
    task: LoadedTask, check: CheckBase, subject: Subject, view: View, step: Step
) -> kinds.Evidence | Decision | Waiting:
    """The evidence of one step, or why there is none."""
    name = subject.program.name
    asked = [subject.program]
    if check.needs_reference:
        if task.reference is None:
            return Decision("UNGRADABLE", "no-target", message="no reference at hand")
        asked.append(task.reference.solution)
    found = [view.observe(task, program, check.measurement, step, name) for program in asked]
    missing = tuple(item for item in found if isinstance(item, Run))
    own = found[0]
    if isinstance(own, Observation):
        if own.outcome == "infrastructure":
            return Decision("UNGRADABLE", "harness-error", message=own.message)
        repeated = _not_reproducible(task, check, subject, view, step)
        if repeated is not None:
            return repeated
        if own.outcome == "error":
            if step.replicate > 0 and kinds.counts_errors(check):
                return kinds.Evidence({}, step=step, error=own.cause)
            return Decision("ERROR", own.cause, message=own.message)
    if missing:
        return Waiting(missing)
    values = []
    for item in found:
        assert isinstance(item, Observation)
        if item.outcome != "ok":  # only the reference can be left
            text = f"the reference did not deliver: {item.cause} {item.message}"
            return Decision("UNGRADABLE", "harness-error", message=text)
        values.append(_of_check(item.values, check.id))
    reference = values[1] if check.needs_reference else None
    return kinds.Evidence(values[0], reference, step=step)


def _not_reproducible(
    task: LoadedTask, check: CheckBase, subject: Subject, view: View, step: Step
) -> Decision | Waiting | None:
    """ERROR where one key gave different values and the reference, run again, did not."""
    name = subject.program.name
    own = view.observe(task, subject.program, check.measurement, step, name)
    assert isinstance(own, Observation)
    if len(set(view.ledger.digests(own.trial.key))) < 2 or task.reference is None:
        return None
    again = view.observe(task, task.reference.solution, check.measurement, step, name)
    if isinstance(again, Run):
        return Waiting((again,))
    digests = view.ledger.digests(again.trial.key)
    if len(digests) > 1 and len(set(digests)) == 1:
        return Decision("ERROR", "not-reproducible")
    text = "results differ between runs; `replay --rerun` tells whether the reference's do, too"
    return Decision("UNGRADABLE", "harness-error", message=text)


def _of_check(values: Mapping[str, Any], check_id: str) -> dict[str, Any]:
    prefix = check_id + "/"
    return {
        name.removeprefix(prefix): value
        for name, value in values.items()
        if name.startswith(prefix)
    }


def _target(task: LoadedTask, check: CheckBase) -> Mapping[str, Any] | None:
    if task.reference is None:
        return None
    stored = task.reference.targets.get(getattr(check, "target", ""))
    return None if stored is None else json.loads(stored)


def decide_task(
    task: LoadedTask, subject: Subject, view: View, leave_out: Container[str] = ()
) -> dict[str, Decision | Waiting]:
    """Every check of a task, gates included, in the order of the spec.

    Args:
        leave_out: checks that are not asked for; they and what comes after them are SKIPPED.
    """
    decided: dict[str, Decision | Waiting] = {}
    for check in task.spec.checks:
        if check.id in leave_out:
            decided[check.id] = Decision("SKIPPED", "prerequisite")
            continue
        decided[check.id] = _gate([decided[name] for name in check.after]) or decide(
            task, check, subject, view
        )
    return decided


def _gate(before: Sequence[Decision | Waiting]) -> Decision | Waiting | None:
    if any(isinstance(earlier, Waiting) for earlier in before):
        return Waiting(())
    statuses = {earlier.status for earlier in before if isinstance(earlier, Decision)}
    if statuses - {"PASS", "UNGRADABLE"}:
        return Decision("SKIPPED", "prerequisite")
    return Decision("UNGRADABLE", "prerequisite") if "UNGRADABLE" in statuses else None


def judge_task(
    task: LoadedTask, subject: Subject, view: View, points: float | None = None
) -> TaskGrade:
    """The verdicts of one submission on one task.

    Args:
        points: what the task is worth in the assignment; its own points where None.
    """
    worth = task.spec.points if points is None else points
    decisions = decide_task(task, subject, view).values()
    verdicts = tuple(
        _verdict(task, check, subject.program, decision, maximum)
        for check, decision, maximum in zip(
            task.spec.checks, decisions, _shares(task, worth), strict=True
        )
    )
    return TaskGrade(task.id, task.spec.title, task.spec.tier, worth, verdicts)


def _shares(task: LoadedTask, worth: float) -> list[float]:
    """What every check is worth, to four places; the largest takes what rounding left over."""
    share = worth / task.spec.points if task.spec.points else 0.0
    parts = [round(check.points * share, 4) for check in task.spec.checks]
    largest = max(range(len(parts)), key=parts.__getitem__)
    parts[largest] = round(parts[largest] + worth - sum(parts), 4)
    return parts


def _verdict(
    task: LoadedTask,
    check: CheckBase,
    program: Program,
    decision: Decision | Waiting,
    max_points: float,
) -> Verdict:
    if isinstance(decision, Waiting):
        decision = Decision("UNGRADABLE", "not-run")
    credit = 1.0 if decision.status == "PASS" else decision.credit
    points = None if decision.status == "UNGRADABLE" else round(max_points * credit, 4)
    return Verdict(
        submission=program.name,
        task=task.id,
        check=check.id,
        status=decision.status,
        cause=decision.cause,
        points=points,
        max_points=max_points,
        visibility=check.visibility,
        evidence=decision.figures,
        message=_message(check, decision),
        seeds_used=decision.steps,
    )


def _message(check: CheckBase, decision: Decision) -> str:
    """What is said of a check; of a hidden one a fixed sentence, whatever was observed."""
    if decision.status == "PASS":
        return ""
    if check.visibility == "hidden" and not decision.before_running:
        if decision.status in ("UNGRADABLE", "SKIPPED"):
            return _MESSAGES.get(decision.cause, _MESSAGES["harness-error"])
        return _HIDDEN_MESSAGE
    return decision.message or _MESSAGES.get(decision.cause, decision.cause)
