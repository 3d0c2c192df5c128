"""Whether the measurements of a task return what its checks need, before anything is sandboxed.

Every measurement that does not train is made once with the reference, without a sandbox. A metric
or a companion that is missing, or that a check cannot use, is a problem of measure.py with its
place and its remedy. A measurement that trains is too costly for that: what it lacks is shown by
the reference's first sandboxed run, in the same sentence.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from harness import kinds
from harness.collect.bare import BareProgram
from harness.collect.calls import Observe
from harness.errors import MeasurementError, Problem, ProgramError
from harness.kinds.outcome import Metrics
from harness.records import COMMON, SHOW
from harness.seeds import PUBLIC_KEY
from harness.spec.load import LoadedTask


@dataclass(frozen=True)
class Measured:
    """What the measurements of a task that do not train gave with its reference.

    Attributes:
        metrics: by measurement; those that could not be made are left out.
        problems: what their checks cannot use.
    """

    metrics: Mapping[str, Metrics] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()


def measured(task: LoadedTask, observe: Observe | None = None) -> Measured:
    """Makes every measurement of a task that does not train once, with its reference.

    Nothing is measured where the reference cannot be loaded: `verify` complains of its checks.

    Args:
        task: the task, loaded with its reference.
        observe: is told of every call.
    """
    names = short_measurements(task)
    if task.reference is None or not names:
        return Measured()
    metrics: dict[str, Metrics] = {}
    problems: list[Problem] = []
    try:
        with BareProgram(task, task.reference.solution) as reference:
            for name in names:
                problems += _measured(task, name, reference, observe, metrics)
            if task.show is not None and task.spec.tier != "training":
                problems += _drawn(task, reference)
    except ProgramError:
        return Measured()
    return Measured(metrics, tuple(problems))


def short_measurements(task: LoadedTask) -> list[str]:
    """The measurements of a task that do not train."""
    return [
        name
        for name in task.spec.measurements
        if not any(kinds.of(check).trained for check in task.spec.checks_of(name))
    ]


def _measured(
    task: LoadedTask,
    measurement: str,
    reference: BareProgram,
    observe: Observe | None,
    metrics: dict[str, Metrics],
) -> Iterator[Problem]:
    """Adds what one measurement gives to ``metrics``; its problems."""
    try:
        returned = reference.metrics(measurement, COMMON, PUBLIC_KEY, observe=observe)
    except ProgramError:  # `verify` complains of its checks
        return
    except MeasurementError as error:
        remedy = error.remedy or "return a dict: the name of each metric, and its array"
        yield problem_at(task, measurement, error.message, remedy)
        return
    except Exception as error:  # measure.py is an instructor's: it may raise anything
        text = f"{measurement} raised {type(error).__name__}: {error}"
        yield problem_at(task, measurement, text, "correct it, so that the reference is measured")
        return
    metrics[measurement] = returned
    for check in task.spec.checks_of(measurement):
        try:
            kinds.require(check, returned)
        except MeasurementError as error:
            yield problem_at(task, measurement, error.message, error.remedy)


def _drawn(task: LoadedTask, reference: BareProgram) -> Iterator[Problem]:
    """What is wrong with the pictures of the reference."""
    try:
        reference.pictures()
    except MeasurementError as error:
        yield _problem_in(task, SHOW, "show", error.message, error.remedy)
    except Exception as error:  # show.py is an instructor's: it may raise anything
        text = f"show raised {type(error).__name__}: {error}"
        yield _problem_in(task, SHOW, "show", text, "correct it, so that the reference is drawn")


def problem_at(task: LoadedTask, measurement: str, message: str, remedy: str) -> Problem:
    """A problem of a measurement, at the place of its function."""
    return _problem_in(task, "measure.py", measurement, message, remedy)


def _problem_in(task: LoadedTask, file: str, function: str, message: str, remedy: str) -> Problem:
    """A problem of a function of one of a task's two files of code."""
    code = (task.show or b"") if file == SHOW else task.measure
    line, col = next(
        (node.lineno, node.col_offset + 1)
        for node in ast.parse(code).body
        if isinstance(node, ast.FunctionDef) and node.name == function
    )
    return Problem(str(Path(task.path).with_name(file)), line, col, message, remedy)
