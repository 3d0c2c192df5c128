"""Whether what a program is judged by stays the same whatever the program answers.

Scales, expectations, weights, masks and baselines come beside a metric (``x__scale`` to ``x``), and
they must be computed from what was drawn: a tolerance that is computed from answers can be made as
wide as one likes. Every measurement that does not train is made with the reference and with a
program that answers one large number; both must come to the same companions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from harness import kinds
from harness.collect.bare import BareProgram
from harness.contract.constant import constant_program
from harness.errors import Problem
from harness.kinds.outcome import Metrics
from harness.proving.measurements import problem_at
from harness.records import COMMON, Array, Program
from harness.seeds import PUBLIC_KEY
from harness.spec.load import LoadedTask

#: Answers that no honest program gives; the second is for measurements that refuse the first.
_ANSWERS = (1e9, 1.0)


def problems_of(task: LoadedTask, wanted: Mapping[str, Metrics]) -> list[Problem]:
    """The companions of one task that depend on answers.

    Args:
        task: the task, loaded with its reference.
        wanted: what its measurements give with the reference.
    """
    if task.reference is None or not wanted:
        return []
    source = task.reference.solution.files
    problems: dict[str, Problem] = {}
    for answer in _ANSWERS:
        text = constant_program(task.contract, answer).encode()
        program = Program("made", "constant", {**source, task.spec.file: text})
        with BareProgram(task, program) as ignorant:
            for name in wanted:
                seen = _metrics(ignorant, name)
                for companion in _changed(task, name, wanted[name], seen):
                    problems[companion] = _problem(task, name, companion)
    return list(problems.values())


def _metrics(program: BareProgram, measurement: str) -> Metrics:
    """What a measurement returns; nothing where the program is refused."""
    try:
        return program.metrics(measurement, COMMON, PUBLIC_KEY)
    except Exception:  # of the program, or of measure.py: both are reported elsewhere
        return {}


def _changed(task: LoadedTask, measurement: str, wanted: Metrics, seen: Metrics) -> Iterator[str]:
    """Names of the companions that differ."""
    for check in task.spec.checks_of(measurement):
        for companion in kinds.of(check).companions_of(check):
            name = companion.name(check.metric)
            if name in wanted and name in seen and not _same(wanted[name], seen[name]):
                yield name


def _same(first: Array, second: Array) -> bool:
    return first.shape == second.shape and np.array_equal(
        first, second, equal_nan=first.dtype.kind == "f" and second.dtype.kind == "f"
    )


def _problem(task: LoadedTask, measurement: str, companion: str) -> Problem:
    return problem_at(
        task,
        measurement,
        f"{companion!r} of {measurement} changes with what the program answers",
        "compute it from what was drawn alone: a program could choose by what it is judged",
    )
