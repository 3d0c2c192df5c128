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
    Check,
    DistributionCheck,
    IndependenceCheck,
    Stochastic,
    UnbiasedCheck,
    VarianceRatioCheck,
)
from harness.spec.load import LoadedTask

#: An assignment's total probability of failing honest work, per student.
ALPHA_TOTAL = 1e-4
#: A check on a mean also fails programs that are too noisy; honest draws, whose spread is only
#: estimated, need room below that limit: 81 % of them failed a stage at a factor of 1, 15 % at
#: 1.1, 0.1 % at 1.2 (d = 3, n = 429).
_NOISE_HEADROOM = 1.5


def require_feasible(tasks: Sequence[LoadedTask], alpha_total: float = ALPHA_TOTAL) -> None:
    """Refuses specs whose declared power or total error rate is out of reach.

    Raises:
        SpecError: every such check, with the number of draws that would do.
    """
    problems = [problem for task in tasks for problem in _task(task)]
    total = sum(
        check.alpha for task in tasks for check in task.spec.checks if isinstance(check, Stochastic)
    )
    if total > alpha_total:
        problems.append(
            Problem(
                "tasks",
                1,
                1,
                f"all checks together fail honest work with probability {total:.3g}",
                f"lower stage_alpha until the sum of its squares is at most {alpha_total:g}",
            )
        )
    if problems:
        raise SpecError(problems)


def _task(task: LoadedTask) -> Iterable[Problem]:
    stochastic = [
        (index, check)
        for index, check in enumerate(task.spec.checks)
        if isinstance(check, Stochastic)
    ]
    if not stochastic:
        return
    places = strict_yaml.positions(Path(task.path).read_text(encoding="utf-8"))
    for index, check in stochastic:
        declared = task.spec.measurements[check.measurement].draws or 0
        line, col = places.get(("checks", index, "min_detectable"), (1, 1))
        try:
            needed = required_draws(check)
        except ValueError as error:
            yield Problem(task.path, line, col, f"check {check.id!r}: {error}", "declare another")
            continue
        if declared < needed:
            yield Problem(
                task.path,
                line,
                col,
                f"check {check.id!r} cannot find {check.min_detectable:g} with probability "
                f"{1 - check.beta:g} at stage_alpha {check.stage_alpha:g} from {declared} draws",
                f"give measurements.{check.measurement}.draws: {needed}, or raise min_detectable",
            )


def required_draws(check: Check) -> int:
    """The draws a stage needs so that both stages find ``min_detectable`` with 1 - ``beta``."""
    from harness.statistics import (
        chi_square,
        distribution,
        independence,
        two_stage,
        unbiased,
        variance_ratio,
    )

    assert isinstance(check, Stochastic)
    beta = two_stage.stage_beta(check.beta)
    alpha, effect = check.stage_alpha, check.min_detectable
    match check:
        case UnbiasedCheck():
            needed = unbiased.required_n(alpha, beta, effect, check.dimensions)
            return math.ceil(needed * _NOISE_HEADROOM)
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
    raise TypeError(f"no size is known for kind {check.kind!r}")
