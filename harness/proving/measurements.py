"""Whether the measurements of a task return what its checks need, before anything is sandboxed.

Every measurement that does not train is made once with the reference, without a sandbox. A metric
or a companion that is missing, or that a check cannot use, is a problem of measure.py with its
place and its remedy. A measurement that trains is too costly for that: what it lacks is shown by
the reference's first sandboxed run, in the same sentence.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor
from pathlib import Path

from harness import kinds
from harness.collect.bare import BareProgram
from harness.errors import MeasurementError, Problem, ProgramError, SpecError
from harness.records import COMMON
from harness.seeds import PUBLIC_KEY
from harness.spec.load import LoadedTask


def require_measurable(tasks: Sequence[LoadedTask], executor: Executor) -> None:
    """Refuses tasks whose measurements do not return what their checks need.

    Args:
        executor: processes in which references are run.

    Raises:
        SpecError: every such measurement.
    """
    refuse(executor.map(problems_of, tasks))


def refuse(by_task: Iterable[Sequence[Problem]]) -> None:
    """Raises SpecError with the problems of all tasks, if there is one."""
    if problems := [problem for of_task in by_task for problem in of_task]:
        raise SpecError(problems)


def problems_of(task: LoadedTask) -> list[Problem]:
    """The problems of one task's measurements, measured with its reference."""
    names = short_measurements(task)
    if task.reference is None or not names:
        return []
    try:
        with BareProgram(task, task.reference.solution) as reference:
            return [problem for name in names for problem in _problems(task, name, reference)]
    except ProgramError:  # the reference cannot be loaded; `verify` complains of its checks
        return []


def short_measurements(task: LoadedTask) -> list[str]:
    """The measurements of a task that do not train."""
    return [
        name
        for name in task.spec.measurements
        if not any(kinds.of(check).trained for check in task.spec.checks_of(name))
    ]


def _problems(task: LoadedTask, measurement: str, reference: BareProgram) -> Iterator[Problem]:
    try:
        metrics = reference.metrics(measurement, COMMON, PUBLIC_KEY)
    except ProgramError:  # as above
        return
    except MeasurementError as error:
        remedy = error.remedy or "return a dict: the name of each metric, and its array"
        yield problem_at(task, measurement, error.message, remedy)
        return
    except Exception as error:  # measure.py is an instructor's: it may raise anything
        text = f"{measurement} raised {type(error).__name__}: {error}"
        yield problem_at(task, measurement, text, "correct it, so that the reference is measured")
        return
    for check in task.spec.checks_of(measurement):
        try:
            kinds.require(check, metrics)
        except MeasurementError as error:
            yield problem_at(task, measurement, error.message, error.remedy)


def problem_at(task: LoadedTask, measurement: str, message: str, remedy: str) -> Problem:
    """A problem of a measurement, at the place of its function."""
    line, col = next(
        (node.lineno, node.col_offset + 1)
        for node in ast.parse(task.measure).body
        if isinstance(node, ast.FunctionDef) and node.name == measurement
    )
    path = str(Path(task.path).with_name("measure.py"))
    return Problem(path, line, col, message, remedy)
