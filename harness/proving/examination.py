"""What is found out of a task before anything is sandboxed, all from one run of its measurements.

Every measurement that does not train is made once with the reference, watched call by call. What it
returns, which edges its calls reach and what they leave out are read from that one run.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from harness.errors import Problem, SpecError
from harness.proving import companions, texts
from harness.proving.measurements import measured
from harness.proving.reach import Seen
from harness.spec.load import LoadedTask


@dataclass(frozen=True)
class Examined:
    """What was found of one task.

    Attributes:
        problems: why it cannot be verified.
        complaints: what `verify` objects to besides.
    """

    problems: tuple[Problem, ...] = ()
    complaints: tuple[str, ...] = ()


def examined(task: LoadedTask) -> Examined:
    """Measures a task with its reference, and looks at its texts."""
    seen = Seen(task)
    metrics = measured(task, seen)
    if metrics.problems:
        return Examined(problems=metrics.problems)
    if dependent := companions.problems_of(task, metrics.metrics):
        return Examined(problems=tuple(dependent))
    complaints = map(str, texts.problems_of(task, seen.called))
    return Examined(complaints=(*seen.complaints(), *complaints))


def refuse(by_task: Iterable[Examined]) -> None:
    """Raises SpecError with the problems of all tasks, if there is one."""
    if problems := [problem for each in by_task for problem in each.problems]:
        raise SpecError(problems)
