"""Whether the checks can decide what their specs declare, at the draws that they declare.

A spec that promises to find a departure with some probability is held to it before anything runs:
the function that sizes a test says how many draws a stage needs, and a measurement with fewer is
refused with that number.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.errors import Problem, SpecError
from harness.spec import strict_yaml
from harness.spec.checks import CheckBase, SeedSuccessCheck, Stochastic
from harness.spec.load import LoadedTask

#: An assignment's total probability that honest work loses points, per student.
ALPHA_TOTAL = 1e-4


@dataclass(frozen=True)
class _Flaw:
    """What is wrong with one field of a check, and what to write instead."""

    field: str
    message: str
    remedy: str


def require_feasible(
    tasks: Sequence[LoadedTask],
    alpha_total: float = ALPHA_TOTAL,
    *,
    beta: float = 1.0,
    chances: int = 1,
) -> None:
    """Refuses specs whose declared power or total error rate is out of reach.

    Args:
        beta: the most with which a check may miss a departure of the declared size in one of the
            attempts of a student that are decided.
        chances: how many those are.

    Raises:
        SpecError: every such check, with the number of draws that would do.
    """
    problems = [problem for task in tasks for problem in _task(task)]
    total = sum(check.loss_bound for task in tasks for check in task.checks)
    if total > alpha_total:
        problems.append(
            Problem(
                "tasks",
                1,
                1,
                f"all checks together cost honest work points with probability {total:.3g}",
                f"lower stage_alpha, loss and floor_alpha: {alpha_total:g} is for all",
            )
        )
    missed = misses(tasks, chances)
    worst = max(missed, key=lambda place: missed[place], default=None)
    if worst is not None and missed[worst] > beta:
        problems.append(
            Problem(
                "tasks",
                1,
                1,
                f"{worst} misses a departure of the declared size in one of {chances} attempts "
                f"with probability up to {missed[worst]:.3g}, and beta is {beta:g}",
                "lower max_submissions, or raise beta in the assignment",
            )
        )
    if problems:
        raise SpecError(problems)


def misses(tasks: Sequence[LoadedTask], chances: int) -> dict[str, float]:
    """task/check -> bound on the probability that one of some attempts passes it wrongly.

    The events of the attempts may depend on each other, so their probabilities are added; the bound
    holds where none of the attempts was written with results under the key at hand.
    """
    return {
        f"{task.id}/{check.id}": min(1.0, chances * check.miss_bound)
        for task in tasks
        for check in task.checks
        if check.miss_bound is not None
    }


def _task(task: LoadedTask) -> Iterable[Problem]:
    """The problems of one task; its task.yaml is read again for their places, where there are."""
    flaws = [
        (index, check, flaw)
        for index, check in enumerate(task.spec.checks)
        for flaw in _flaws(task, check)
    ]
    if not flaws:
        return
    places = strict_yaml.positions(Path(task.path).read_text(encoding="utf-8"))
    for index, check, flaw in flaws:
        line, col = places.get(("checks", index, flaw.field), (1, 1))
        message = f"check {check.id!r} {flaw.message}"
        yield Problem(task.path, line, col, message, flaw.remedy)


def _flaws(task: LoadedTask, check: CheckBase) -> Iterable[_Flaw]:
    if isinstance(check, Stochastic):
        yield from _draws(check, task.spec.measurements[check.measurement].draws or 0)
    elif isinstance(check, SeedSuccessCheck):
        yield from _seeds(task, check)


def _draws(check: Stochastic, declared: int) -> Iterable[_Flaw]:
    try:
        needed = required_draws(check)
    except ValueError as error:
        yield _Flaw("min_detectable", f"cannot be sized: {error}", "declare another")
        return
    if declared < needed:
        message = (
            f"cannot find {check.min_detectable:g} with probability {1 - check.beta:g} at "
            f"stage_alpha {check.stage_alpha:g} from {declared} draws"
        )
        remedy = f"give measurements.{check.measurement}.draws: {needed}, or raise min_detectable"
        yield _Flaw("min_detectable", message, remedy)


def _seeds(task: LoadedTask, check: SeedSuccessCheck) -> Iterable[_Flaw]:
    """Whether the seeds suffice, and whether the stored runs bear out the declared success rate.

    A task without its reference, or whose runs are not stored yet, is held to the former alone.
    """
    from harness import stored_runs
    from harness.kinds import seed_success
    from harness.statistics import sequential

    try:
        lost = 1 - sequential.operating(seed_success.design(check), check.success_rate).p_pass
    except ValueError as error:
        remedy = "raise max_seeds, or move success_rate and min_detectable apart"
        yield _Flaw("max_seeds", f"cannot be decided: {error}", remedy)
    else:
        if lost > check.loss:
            message = (
                f"is FAIL or INCONCLUSIVE with {lost:.3g} at its success rate, not {check.loss:g}"
            )
            remedy = f"raise max_seeds, or write loss: {_rounded_up(lost):g}"
            yield _Flaw("loss", message, remedy)
    for stored in stored_runs.read(task, check.target):
        if stored.role != "reference" or check.metric not in stored.values:
            continue
        reached = [seed_success.succeeds(check, value) for value in stored.of(check)]
        if len(reached) < stored_runs.LEAST_RUNS:
            message = f"has {len(reached)} stored runs; wanted at least {stored_runs.LEAST_RUNS}"
            yield _Flaw("target", message, f"python -m harness targets {task.id}")
            continue
        bound = sequential.tolerance_bound(sum(reached), len(reached))
        if bound < check.success_rate:
            message = (
                f"promises a success rate of {check.success_rate:g}; {sum(reached)} successes in "
                f"{len(reached)} stored runs bear out {bound:.4f}"
            )
            remedy = f"write success_rate: {math.floor(bound * 1e3) / 1e3}"
            yield _Flaw("success_rate", message, remedy)


def _rounded_up(probability: float) -> float:
    """The probability with two digits, never below it."""
    unit = 10.0 ** (math.floor(math.log10(probability)) - 1)
    return math.ceil(probability / unit) * unit


def required_draws(check: CheckBase) -> int:
    """The draws a stage needs so that both stages find ``min_detectable`` with 1 - ``beta``.

    Raises:
        TypeError: checks of this kind draw nothing.
        ValueError: no number of draws would do.
    """
    from harness import kinds

    required = kinds.of(check).required_draws
    if required is None:
        raise TypeError(f"check {check.id!r} is of a kind that draws nothing")
    return required(check)
