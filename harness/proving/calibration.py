"""The grader, graded: how often its checks fail honest work, and how often they catch mistakes.

For every sampled check, each honest program is graded under thousands of keys of its own, stage by
stage; each known mistake under some hundreds. Where a grading costs more than 20 ms, 300 are real
and the others draw rows from a stored pool of a hundred times as many draws of the program's own
(a bootstrap: the pool's own error widens the statistic by about half a percent). What a training
check does is not measured but derived, exactly, from the success rates that stored runs bear out.

Work is cut into units that can be made in any order, in any process, and are kept as they come.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from harness import kinds
from harness.collect.bare import BareProgram
from harness.records import COMMON, OWN, Array, Program, Step, canonical
from harness.seeds import Key
from harness.spec.checks import Stochastic
from harness.spec.load import LoadedTask, Mutant

#: A grading that costs more is drawn from a pool.
CHEAP_S = 0.020
#: Real gradings beside a pool, gradings of a unit, and how much larger than a stage a pool is.
REAL, UNIT, POOL = 300, 500, 100

Metrics = Mapping[str, Array]


@dataclass(frozen=True)
class Unit:
    """Some gradings of one program on one measurement, all of one stage and one kind.

    Attributes:
        stage: 1 or 2: each is counted on its own; 0 for whole gradings of a mistake.
        pooled: whether draws come from a pool.
        first: number of the first grading; with ``gradings`` it names their keys.
    """

    task: str
    measurement: str
    program: str
    role: str
    stage: int
    pooled: bool
    first: int
    gradings: int


@dataclass(frozen=True)
class Counted:
    """What came of a unit: rejections (or mistakes caught) by check."""

    unit: Unit
    digest: str
    rejections: Mapping[str, int]

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "rejections": dict(self.rejections)}

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Counted:
        return cls(Unit(**record["unit"]), record["digest"], record["rejections"])


def sampled(task: LoadedTask, measurement: str) -> list[Stochastic]:
    """The checks of a measurement that rest on draws of the program's own."""
    return [c for c in task.spec.checks_of(measurement) if isinstance(c, Stochastic)]


def measurements(task: LoadedTask) -> list[str]:
    """The measurements that have such checks, in the order of the spec."""
    return [name for name in task.spec.measurements if sampled(task, name)]


def honest(task: LoadedTask, submissions: Path) -> list[Program]:
    """Reference, variants, and the sample submission that is complete, where it has the task."""
    assert task.reference is not None
    found = [task.reference.solution, *task.reference.variants]
    complete = submissions / "complete"
    if all((complete / name).is_file() for name in task.spec.wanted_files):
        files = {name: (complete / name).read_bytes() for name in task.spec.wanted_files}
        found.append(Program("complete", "submission", files))
    return found


def mistakes(task: LoadedTask) -> list[Mutant]:
    """The known mistakes that such a check must catch."""
    assert task.reference is not None
    return [
        mutant
        for mutant in task.reference.mutants
        if isinstance(task.spec.check(mutant.mistake.check), Stochastic)
    ]


def plan(
    task: LoadedTask, honest: Sequence[Program], gradings: int, mistaken: int, cheap: Container[str]
) -> Iterator[Unit]:
    """The units of one task.

    Args:
        honest: programs that each stage is counted for.
        gradings: of every honest program and stage.
        mistaken: whole gradings of every known mistake.
        cheap: measurements of which all gradings are real.
    """
    for measurement in measurements(task):
        for program in honest:
            for stage in (COMMON.stage, OWN.stage):
                name = (task.id, measurement, program.name, program.role, stage)
                real = gradings if measurement in cheap else min(REAL, gradings)
                for first in range(0, real, UNIT):
                    yield Unit(*name, False, first, min(UNIT, real - first))
                for first in range(real, gradings, UNIT):
                    yield Unit(*name, True, first, min(UNIT, gradings - first))
    for mutant in mistakes(task):
        check = task.spec.check(mutant.mistake.check)
        program = mutant.program
        for first in range(0, mistaken, UNIT):
            count = min(UNIT, mistaken - first)
            yield Unit(
                task.id, check.measurement, program.name, program.role, 0, False, first, count
            )


def digest(task: LoadedTask, program: Program) -> str:
    """What a count depends on: program, measurement, and everything that the checks declare."""
    declared = [check.model_dump(mode="json") for check in task.spec.checks]
    drawn = {name: found.draws for name, found in task.spec.measurements.items()}
    content = [program.sha256, task.protocol, task.spec.draw, declared, drawn]
    return sha256(canonical(content).encode()).hexdigest()


def seconds(task: LoadedTask, program: Program, measurement: str) -> float:
    """Processor seconds of one grading's first stage, the first call left out."""
    with BareProgram(task, program) as running:
        found = []
        for index in range(4):
            started = time.process_time()
            _rejects(task, measurement, partial(_drawn, running, measurement, index, COMMON, ""))
            found.append(time.process_time() - started)
    return min(found[1:])


def count(task: LoadedTask, program: Program, unit: Unit) -> Counted:
    """Makes the gradings of a unit.

    Raises:
        ProgramError, MeasurementError: the program or its measurement did not deliver.
    """
    found = {check.id: 0 for check in sampled(task, unit.measurement)}
    with BareProgram(task, program) as running:
        draw = _pool(task, running, unit) if unit.pooled else None
        for index in range(unit.first, unit.first + unit.gradings):
            for name, rejected in _grade(task, running, unit, index, draw).items():
                found[name] += rejected
    return Counted(unit, digest(task, program), found)


Draw = Callable[[int, int], Metrics]


def _grade(
    task: LoadedTask, running: BareProgram, unit: Unit, index: int, draw: Draw | None
) -> dict[str, bool]:
    """Whether each check's stage rejects, or for a mistake whether the whole check fails."""
    name, owner = unit.measurement, unit.program
    if draw is not None:
        return _rejects(task, name, partial(draw, index))
    if unit.stage:
        return _rejects(task, name, partial(_drawn, running, name, index, Step(unit.stage), owner))
    first = _rejects(task, name, partial(_drawn, running, name, index, COMMON, owner))
    if not any(first.values()):
        return first
    second = _rejects(task, name, partial(_drawn, running, name, index, OWN, owner))
    return {check: first[check] and second[check] for check in first}


def _rejects(task: LoadedTask, measurement: str, look: Callable[[int], Metrics]) -> dict[str, bool]:
    """For every check on draws, whether one stage of these looks speaks against the program."""
    seen: list[Metrics] = []
    found = {}
    for check in sampled(task, measurement):
        evidence: list[kinds.Evidence] = []
        outcome = kinds.FIRST
        while outcome.status == "MORE" and outcome.wants[0].stage == COMMON.stage:
            if len(evidence) == len(seen):
                seen.append(look(len(seen)))
            values = kinds.reduce(check, seen[len(evidence)])
            evidence.append(kinds.Evidence(values, step=Step(COMMON.stage, len(evidence))))
            outcome = kinds.decide(check, evidence)
        found[check.id] = outcome.status == "MORE"
    return found


def _drawn(
    running: BareProgram, measurement: str, index: int, stage: Step, owner: str, look: int
) -> Metrics:
    """What one look measures under the key of one grading."""
    step = Step(stage.stage, look)
    return running.metrics(measurement, step, key(index, owner), subject=step.subject(owner))


def key(index: int, owner: str) -> Key:
    """The key of one grading of one program: a repetition gives the same count."""
    return Key("feedback", sha256(f"calibration {owner} {index}".encode()).digest())


def _pool(task: LoadedTask, running: BareProgram, unit: Unit) -> Draw:
    """Draws of a grading from a pool: rows with replacement, paired arrays by the same rows."""
    name, own = unit.measurement, Step(unit.stage)
    subject = own.subject(unit.program)
    one = running.metrics(name, own, key(0, unit.program), subject=subject)
    draws = task.spec.measurements[name].draws or 0
    pool = running.metrics(name, own, key(0, unit.program), subject=subject, draws=POOL * draws)
    rows = {metric: len(one[metric]) for metric in one if one[metric].shape != pool[metric].shape}

    def draw(index: int, look: int) -> Metrics:
        rng = np.random.default_rng([index, look, unit.stage])
        sizes = sorted({(rows[metric], len(pool[metric])) for metric in rows})
        picked = {size: rng.integers(size[1], size=size[0]) for size in sizes}
        return {
            metric: array[picked[rows[metric], len(array)]] if metric in rows else array
            for metric, array in pool.items()
        }

    return draw
