"""Whether the checks can decide what their specs declare, at the draws that they declare.

A spec that promises to find a departure with some probability is held to it before anything runs:
the function that sizes a test says how many draws a stage needs, and a measurement with fewer is
refused with that number.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path

from harness.errors import Problem, SpecError
from harness.spec import strict_yaml
from harness.spec.checks import (
    DistributionCheck,
    IndependenceCheck,
    SeedSuccessCheck,
    Stochastic,
    UnbiasedCheck,
    VarianceRatioCheck,
)
from harness.spec.load import LoadedTask

#: An assignment's total probability of failing honest work, per student.
ALPHA_TOTAL = 1e-4
#: Honest draws estimate their own spread, and look too noisy where that is too large: of stages of
#: chi-square(1) draws (d = 5, one look, run at .01) .019 do at the bare number, .0091 at 1.1 times,
#: .0029 at 1.2 times as many; run at 2e-4, .0006, .0004 and .0002 (10,000 stages each).
_SPREAD_HEADROOM = 1.2


def require_feasible(tasks: Sequence[LoadedTask], alpha_total: float = ALPHA_TOTAL) -> None:
    """Refuses specs whose declared power or total error rate is out of reach.

    Raises:
        SpecError: every such check, with the number of draws that would do.
    """
    problems = [problem for task in tasks for problem in _task(task)]
    total = sum(check.alpha_bound for task in tasks for check in task.spec.checks)
    if total > alpha_total:
        problems.append(
            Problem(
                "tasks",
                1,
                1,
                f"all checks together fail honest work with probability {total:.3g}",
                f"lower stage_alpha, alpha and floor_alpha: {alpha_total:g} is for all",
            )
        )
    if problems:
        raise SpecError(problems)


def _task(task: LoadedTask) -> Iterable[Problem]:
    random = [
        (index, check)
        for index, check in enumerate(task.spec.checks)
        if isinstance(check, Stochastic | SeedSuccessCheck)
    ]
    if not random:
        return
    places = strict_yaml.positions(Path(task.path).read_text(encoding="utf-8"))
    for index, check in random:
        if isinstance(check, Stochastic):
            declared = task.spec.measurements[check.measurement].draws or 0
            found = _draws(check, declared)
        else:
            found = _seeds(task, check)
        for name, message, remedy in found:
            line, col = places.get(("checks", index, name), (1, 1))
            yield Problem(task.path, line, col, f"check {check.id!r} {message}", remedy)


#: A field of a check, what is wrong with it, what to write.
_Found = tuple[str, str, str]


def _draws(check: Stochastic, declared: int) -> Iterable[_Found]:
    try:
        needed = required_draws(check)
    except ValueError as error:
        yield "min_detectable", f"cannot be sized: {error}", "declare another"
        return
    if declared < needed:
        message = (
            f"cannot find {check.min_detectable:g} with probability {1 - check.beta:g} at "
            f"stage_alpha {check.stage_alpha:g} from {declared} draws"
        )
        remedy = f"give measurements.{check.measurement}.draws: {needed}, or raise min_detectable"
        yield "min_detectable", message, remedy


def _seeds(task: LoadedTask, check: SeedSuccessCheck) -> Iterable[_Found]:
    """Whether the seeds suffice, and whether the stored runs bear out the declared success rate.

    A task without its reference, or whose runs are not stored yet, is held to the former alone.
    """
    from harness import stored_runs
    from harness.kinds import seed_success
    from harness.statistics import sequential

    try:
        seed_success.design(check)
    except ValueError as error:
        yield "max_seeds", f"cannot be decided: {error}", "raise max_seeds, or tell rates apart"
    for stored in stored_runs.read(task, check.target):
        if stored.role != "reference" or check.metric not in stored.values:
            continue
        reached = [seed_success.succeeds(check, value) for value in stored.of(check)]
        if len(reached) < stored_runs.LEAST_RUNS:
            message = f"has {len(reached)} stored runs; wanted at least {stored_runs.LEAST_RUNS}"
            yield "target", message, f"python -m harness targets {task.id}"
            continue
        bound = sequential.tolerance_bound(sum(reached), len(reached))
        if bound < check.success_rate:
            message = (
                f"promises a success rate of {check.success_rate:g}; {sum(reached)} successes in "
                f"{len(reached)} stored runs bear out {bound:.4f}"
            )
            yield "success_rate", message, f"write success_rate: {math.floor(bound * 1e3) / 1e3}"


def required_draws(check: Stochastic) -> int:
    """The draws a stage needs so that both stages find ``min_detectable`` with 1 - ``beta``."""
    from harness.statistics import (
        chi_square,
        distribution,
        independence,
        looks,
        two_stage,
        variance_ratio,
    )

    beta = two_stage.stage_beta(check.beta)
    alpha, effect = check.nominal_alpha, check.min_detectable
    match check:
        case UnbiasedCheck():
            plan = looks.Plan(effect, alpha, beta, check.looks)
            needed = looks.required_n(plan, check.dimensions) * _SPREAD_HEADROOM
            return math.ceil(needed / check.looks)
        case DistributionCheck(law="categorical"):
            return chi_square.chi_square_required_n(
                alpha, beta, effect, check.categories or 0, check.dimensions
            )
        case DistributionCheck():
            return distribution.ks_required_n(alpha, beta, effect, check.dimensions)
        case IndependenceCheck():
            pairs = check.dimensions * (check.dimensions - 1) // 2
            return independence.correlation_required_n(alpha, beta, effect, pairs)
        case VarianceRatioCheck():
            return variance_ratio.required_n(alpha, beta, check.limit, effect)
    raise TypeError(f"no size is known for kind {type(check).__name__}")
