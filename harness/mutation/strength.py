"""How strong the checks of a task are: every change of its honest programs, and what became of it.

The unit of work is one program. A fixed sample of each task is small enough for the tests.
"""

from __future__ import annotations

import resource
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import Problem
from harness.mutation import equivalents, forks
from harness.mutation.field import FIELD
from harness.mutation.generic import GENERIC
from harness.mutation.source import Change, Source
from harness.mutation.trying import Outcome, Tried, subject_of, try_all
from harness.records import Program, sha256
from harness.spec.load import LoadedTask

OPERATORS = (*GENERIC, *FIELD)


@dataclass(frozen=True)
class ProgramStrength:
    """One honest program: what became of its changes.

    Attributes:
        path: the program's file.
        broken: what it raised on arguments that the domain of its task allows.
        cpu_s: processor seconds, exploring included.
    """

    path: Path
    tried: tuple[Tried, ...]
    broken: tuple[str, ...]
    cpu_s: float


@dataclass(frozen=True)
class TaskStrength:
    """One task: what became of the changes of all its honest programs.

    Attributes:
        excused: the names of survivors that equivalent.yaml lists.
        problems: what `verify --mutate` objects to.
    """

    task: LoadedTask
    programs: tuple[ProgramStrength, ...]
    excused: frozenset[str]
    problems: tuple[Problem, ...]

    @property
    def tried(self) -> tuple[Tried, ...]:
        """All changes."""
        return tuple(item for program in self.programs for item in program.tried)

    @property
    def survivors(self) -> tuple[Tried, ...]:
        """Those that no check catches, no reason excuses, and an answer tells from the original."""
        return tuple(
            item
            for item in self.tried
            if item.outcome == "survives" and item.change.name not in self.excused
        )

    @property
    def cpu_s(self) -> float:
        """Processor seconds of all of it."""
        return sum(program.cpu_s for program in self.programs)

    @property
    def counts(self) -> Counter[Outcome]:
        """How many changes had each outcome."""
        return Counter(item.outcome for item in self.tried)

    @property
    def score(self) -> float:
        """Caught, as a share of those caught and those that survive; 1 where there are none."""
        return ratio(self.counts["caught"], len(self.survivors))

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.task.id,
            "mutants": len(self.tried),
            "outcomes": dict(self.counts),
            "excused": sorted(self.excused),
            "survivors": [str(item.change) for item in self.survivors],
            "score": self.score,
            "cpu_s": round(self.cpu_s, 3),
            "complaints": [str(problem) for problem in self.problems],
        }


def ratio(caught: int, survivors: int) -> float:
    """The mutation score."""
    return caught / (caught + survivors) if caught + survivors else 1.0


def measure(
    tasks: Sequence[LoadedTask], reference: Path, executor: Executor, sample: int | None = None
) -> Iterator[TaskStrength]:
    """The strength of each task, in their order.

    Args:
        reference: the folder of the references.
        executor: processes in which the programs are run.
        sample: how many changes of each reference are run, always the same ones; all changes of
            all honest programs if None.

    Raises:
        SpecError: a program cannot be parsed, or an equivalent.yaml is not valid.
    """
    work = []
    for task in tasks:
        folder = reference / task.id
        entries = equivalents.listed(folder)
        programs = honest(task) if sample is None else honest(task)[:1]
        futures = [
            executor.submit(of_program, task, program, folder, sample) for program in programs
        ]
        work.append((task, folder, entries, futures))
    for task, folder, entries, futures in work:
        strengths = tuple(future.result() for future in futures)
        yield of_task(task, folder, entries, strengths)


def of_task(
    task: LoadedTask,
    folder: Path,
    entries: Sequence[equivalents.Equivalent],
    programs: tuple[ProgramStrength, ...],
) -> TaskStrength:
    """What the programs of a task come to, with a problem for everything that is not right."""
    names = {change.name for change in changes(task, folder)}
    tried = [item for program in programs for item in program.tried]
    excused = frozenset(name for name in names if any(entry.covers(name) for entry in entries))
    problems = equivalents.problems(folder, entries, names, tried)
    for program in programs:
        problems += [_broken(program.path, text) for text in dict.fromkeys(program.broken)]
        for item in program.tried:
            if item.outcome == "survives" and item.change.name not in excused:
                problems.append(equivalents.survivor_problem(program.path, item))
            elif item.outcome == "ungradable":
                text = f"mutant {item.change.name} is UNGRADABLE at {item.check}: {item.words}"
                remedy = "let the measurement cope with whatever a program answers"
                problems.append(Problem(str(program.path), item.change.line, 1, text, remedy))
    return TaskStrength(task, programs, excused, tuple(problems))


def _broken(path: Path, text: str) -> Problem:
    message = f"raises on arguments that the domain of the task allows: {text}"
    return Problem(str(path), 1, 1, message, "mend the program, or narrow the domain")


def honest(task: LoadedTask) -> tuple[Program, ...]:
    """The reference and its variants."""
    assert task.reference is not None
    return (task.reference.solution, *task.reference.variants)


def changes(task: LoadedTask, folder: Path) -> list[Change]:
    """Every change of every honest program of a task.

    Raises:
        SpecError: one cannot be parsed.
    """
    return [
        change
        for program in honest(task)
        for change in Source(task, program, folder).changes(OPERATORS)
    ]


def of_program(
    task: LoadedTask, program: Program, folder: Path, sample: int | None = None
) -> ProgramStrength:
    """Runs the changes of one program.

    Args:
        sample: how many of those that some check executes: the ones whose names have the smallest
            digests, which are the same in every run. All changes if None.
    """
    forks.settle()
    before = _cpu_s()
    subject = subject_of(task, program, folder)
    changes = subject.source.changes(OPERATORS)
    if sample is not None:
        executed = [change for change in changes if subject.checks(change.unit)]
        changes = sorted(executed, key=lambda item: sha256(f"{task.id} {item.name}"))[:sample]
    tried = try_all(subject, changes)
    broken = subject.answers.broken if sample is None else ()
    return ProgramStrength(subject.source.path, tuple(tried), broken, _cpu_s() - before)


def _cpu_s() -> float:
    """Processor seconds of this process and of the forks that it has waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)
