"""How often checks on draws fail honest work, and how often they catch mistakes: counted.

Each honest program is graded under thousands of keys of its own, one stage at a time; each known
mistake under some hundreds. Where a grading costs more than 20 ms, only 300 measure fresh draws;
the others draw rows from a pool that holds a hundred times the draws of a stage, all of the same
program (a bootstrap: the pool's own error widens the statistic by about half a percent). What a
training check does is not counted but derived, exactly, from the success rates that stored runs
bear out: see :mod:`harness.proving.certificate`.

The work is cut into units. A unit gives the same counts in any order and in any process, and is
stored as soon as it is done.
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
from harness.spec.load import LoadedTask
from harness.spec.references import Mutant
from harness.stored_runs import measured_by

#: Seconds above which a grading draws from a pool.
CHEAP_S = 0.020
#: Gradings on fresh draws where there is a pool; gradings of a unit; draws of a pool, in stages.
REAL, UNIT, POOL = 300, 500, 100

Metrics = Mapping[str, Array]


@dataclass(frozen=True)
class Unit:
    """Some gradings of one program on one measurement, all of one stage and one kind.

    Attributes:
        stage: 1 or 2, which are counted separately; 0 for both stages together, of a mistake.
        pooled: whether draws come from a pool.
        first: number of the first of the ``gradings``; a grading's number gives its key.
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
    """A unit that was counted.

    Attributes:
        digest: identifies what the counts depend on, see :func:`digest`.
        rejections: check -> gradings that rejected the program; of a mistake, that caught it.
    """

    unit: Unit
    digest: str
    rejections: Mapping[str, int]

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "rejections": dict(self.rejections)}

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Counted:
        """The inverse of :meth:`to_json`.

        Raises:
            KeyError, TypeError: the record is of another format.
        """
        return cls(Unit(**record["unit"]), record["digest"], record["rejections"])


def sampled(task: LoadedTask, measurement: str) -> list[Stochastic]:
    """The checks of a measurement that judge draws of the program."""
    return [c for c in task.spec.checks_of(measurement) if isinstance(c, Stochastic)]


def measurements(task: LoadedTask) -> list[str]:
    """The measurements that have a check on draws, in the order of the spec."""
    return [name for name in task.spec.measurements if sampled(task, name)]


def honest(task: LoadedTask, submissions: Path) -> list[Program]:
    """Reference, variants, and the sample submission ``complete`` where it has the task's files."""
    assert task.reference is not None
    programs = [task.reference.solution, *task.reference.variants]
    complete = submissions / "complete"
    if all((complete / name).is_file() for name in task.spec.wanted_files):
        files = {name: (complete / name).read_bytes() for name in task.spec.wanted_files}
        programs.append(Program("complete", "submission", files))
    return programs


def mistakes(task: LoadedTask) -> list[Mutant]:
    """The known mistakes that a check on draws must catch."""
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
        gradings: of every honest program, for each stage.
        mistaken: gradings of every known mistake, both stages together.
        cheap: measurements of which all gradings measure fresh draws.
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


def digest(task: LoadedTask, program: Program, measurement: str) -> str:
    """Of what a count depends on: program, measurement, and everything that its checks declare.

    Of measure.py it covers what the measurement reaches, so that a change of an exact check does
    not make hours of counting stale.
    """
    declared = [check.model_dump(mode="json") for check in task.spec.checks_of(measurement)]
    draws = task.spec.measurements[measurement].draws
    contract = sha256(task.starter).hexdigest()
    content = [program.sha256, contract, *measured_by(task, [measurement]), declared, draws]
    return sha256(canonical(content).encode()).hexdigest()


def seconds(task: LoadedTask, program: Program, measurement: str) -> float:
    """Processor seconds of the first stage of one grading, not counting what only starts once."""
    with BareProgram(task, program) as running:
        times = []
        for index in range(4):
            started = time.process_time()
            _rejects(task, measurement, partial(_measured, running, measurement, index, COMMON, ""))
            times.append(time.process_time() - started)
    return min(times[1:])


def count(task: LoadedTask, program: Program, unit: Unit) -> Counted:
    """Makes the gradings of a unit.

    Raises:
        ProgramError, MeasurementError: the program or its measurement did not deliver.
    """
    rejections = {check.id: 0 for check in sampled(task, unit.measurement)}
    with BareProgram(task, program) as running:
        pool = pooled_draws(task, running, unit) if unit.pooled else None
        for index in range(unit.first, unit.first + unit.gradings):
            for check, rejected in _grade(task, running, unit, index, pool).items():
                rejections[check] += rejected
    return Counted(unit, digest(task, program, unit.measurement), rejections)


#: From the numbers of a grading and of a look to the metrics of that look.
PooledDraws = Callable[[int, int], Metrics]


def _grade(
    task: LoadedTask, running: BareProgram, unit: Unit, index: int, pool: PooledDraws | None
) -> dict[str, bool]:
    """For every check whether its stage rejects; for a mistake, whether both of its stages do."""
    name, owner = unit.measurement, unit.program

    def stage_rejects(step: Step) -> dict[str, bool]:
        return _rejects(task, name, partial(_measured, running, name, index, step, owner))

    if pool is not None:
        return _rejects(task, name, partial(pool, index))
    if unit.stage:
        return stage_rejects(Step(unit.stage))
    first = stage_rejects(COMMON)
    if not any(first.values()):
        return first
    second = stage_rejects(OWN)
    return {check: first[check] and second[check] for check in first}


def _rejects(task: LoadedTask, measurement: str, look: Callable[[int], Metrics]) -> dict[str, bool]:
    """For every check on draws, whether one stage rejects the program.

    A stage that rejects is recognised by what the kind asks for next: a second stage. The steps are
    numbered as those of a first stage even where their draws are of a second one.

    Args:
        look: from the number of a look to its metrics; called once for each look.
    """
    looks: list[Metrics] = []
    rejects = {}
    for check in sampled(task, measurement):
        evidence: list[kinds.Evidence] = []
        outcome = kinds.FIRST
        while outcome.status == "MORE" and outcome.wants[0].stage == COMMON.stage:
            if len(evidence) == len(looks):
                looks.append(look(len(looks)))
            statistics = kinds.reduce(check, looks[len(evidence)])
            evidence.append(kinds.Evidence(statistics, step=Step(COMMON.stage, len(evidence))))
            outcome = kinds.decide(check, evidence)
        rejects[check.id] = outcome.status == "MORE"
    return rejects


def _measured(
    running: BareProgram, measurement: str, index: int, stage: Step, owner: str, look: int
) -> Metrics:
    """The metrics of one look, measured under the key of one grading."""
    step = Step(stage.stage, look)
    return running.metrics(measurement, step, key(index, owner), subject=step.subject(owner))


def key(index: int, owner: str) -> Key:
    """The key of one grading of one program; it depends on nothing else, so counts repeat."""
    return Key("feedback", sha256(f"calibration {owner} {index}".encode()).digest())


def pooled_draws(task: LoadedTask, running: BareProgram, unit: Unit) -> PooledDraws:
    """Draws of a grading from a pool: rows with replacement, the same rows of paired arrays.

    Which arrays hold draws is read off their shapes: those that grow with the number of draws.
    """
    name, step = unit.measurement, Step(unit.stage)
    subject = step.subject(unit.program)
    stage = running.metrics(name, step, key(0, unit.program), subject=subject)
    draws = task.spec.measurements[name].draws or 0
    pool = running.metrics(name, step, key(0, unit.program), subject=subject, draws=POOL * draws)
    rows = {
        metric: len(array) for metric, array in stage.items() if array.shape != pool[metric].shape
    }

    def draw(index: int, look: int) -> Metrics:
        rng = np.random.default_rng([index, look, unit.stage])
        sizes = sorted({(rows[metric], len(pool[metric])) for metric in rows})
        picked = {size: rng.integers(size[1], size=size[0]) for size in sizes}
        return {
            metric: array[picked[rows[metric], len(array)]] if metric in rows else array
            for metric, array in pool.items()
        }

    return draw
