"""Exact checks under many keys: known mistakes, and honest programs with what else they may write.

The verdict of a known mistake must not depend on the key, and no honest rewriting may come near
the tolerance. A rewriting counts as honest where its answers are those of the original on the
task's domain; one that overflows or cancels there is left out, and counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

from harness import kinds
from harness.errors import InfrastructureError, Problem, ProgramError
from harness.mutation import forks
from harness.mutation.deciding import (
    Asked,
    BareObservations,
    catches,
    decisions,
    measured_checks,
)
from harness.mutation.forks import Bounds
from harness.mutation.rewriting import REWRITINGS
from harness.mutation.source import Change
from harness.mutation.trying import Subject, difference, own_folder, subject_of
from harness.records import COMMON, Observation, Program
from harness.seeds import Key
from harness.spec import strict_yaml
from harness.spec.checks import Check
from harness.spec.load import LoadedTask
from harness.spec.references import Mutant

#: The share of a tolerance that honest work may use.
MARGIN = 0.2
_BOUNDS = Bounds(cpu_s=600.0, memory_mib=8192)
Known = Mapping[Asked, Observation]


@dataclass(frozen=True)
class MistakeByKey:
    """One known mistake at the check that must catch it.

    Attributes:
        caught: for each key, whether the check catches it.
        statuses: for each key, the status of the check.
    """

    name: str
    check: str
    caught: tuple[bool, ...]
    statuses: tuple[str, ...]

    @property
    def depends_on_key(self) -> bool:
        """Whether it is caught under some keys only."""
        return len(set(self.caught)) > 1


@dataclass(frozen=True)
class HonestByKey:
    """One honest program, or a rewriting of it, at one check.

    Attributes:
        name: the program's, or the change's.
        shown: the change in words; empty for the program as it is.
        ratio: the largest error in tolerances; NaN where the kind has none.
        failed: the numbers of the keys under which the check is not passed.
    """

    name: str
    shown: str
    check: str
    ratio: float
    failed: tuple[int, ...]


@dataclass(frozen=True)
class KeyReport:
    """One task under many keys.

    Attributes:
        rewritings: how many were honest, and were run.
        dropped: how many were not: they crash, or answer otherwise at an edge of the domain.
    """

    task: LoadedTask
    keys: int
    mistakes: tuple[MistakeByKey, ...]
    honest: tuple[HonestByKey, ...]
    rewritings: int
    dropped: int
    problems: tuple[Problem, ...]

    def worst(self, check: str) -> HonestByKey | None:
        """What comes nearest to the tolerance of a check; None where it has none."""
        judged = [item for item in self.honest if item.check == check and item.ratio == item.ratio]
        return max(judged, key=lambda item: item.ratio, default=None)

    def to_json(self) -> dict[str, Any]:
        worst = {check.id: self.worst(check.id) for check in exact_checks(self.task)}
        return {
            "id": self.task.id,
            "keys": self.keys,
            "mistakes": len(self.mistakes),
            "depend_on_key": [item.name for item in self.mistakes if item.depends_on_key],
            "rewritings": self.rewritings,
            "dropped": self.dropped,
            "worst": {
                name: {"ratio": item.ratio, "program": item.name, "change": item.shown}
                for name, item in worst.items()
                if item is not None
            },
            "complaints": [str(problem) for problem in self.problems],
        }


def exact_checks(task: LoadedTask) -> list[Check]:
    """The checks that neither train nor judge draws."""
    return [c for c in measured_checks(task) if kinds.of(c).required_draws is None]


def key(index: int) -> Key:
    """The key of one number; the same in every run."""
    return Key("feedback", sha256(f"verify {index}".encode()).digest())


def under_keys(task: LoadedTask, folder: Path, count: int) -> KeyReport:
    """Known mistakes and honest programs of one task under so many keys.

    Args:
        folder: that of the task's reference.

    Raises:
        SpecError: an honest program cannot be parsed.
        InfrastructureError: the reference cannot be measured.
    """
    assert task.reference is not None
    forks.settle()
    with own_folder():
        known = _value(forks.call(partial(_references, task, count), _BOUNDS), task.id)
        mistakes = tuple(_mistakes(task, known))
        honest: list[HonestByKey] = []
        run = dropped = 0
        for program in (task.reference.solution, *task.reference.variants):
            subject = subject_of(task, program, folder)
            changes = subject.source.changes(REWRITINGS)
            honest += _value(forks.call(partial(_honest, subject, None, known), _BOUNDS), task.id)
            functions = [partial(_honest, subject, change, known) for change in changes]
            for ended in forks.call_each(functions, _BOUNDS):
                of_change = None if ended.fault else ended.value
                run, dropped = run + (of_change is not None), dropped + (of_change is None)
                honest += of_change or ()
    problems = tuple(_problems(task, folder, mistakes, honest, count))
    return KeyReport(task, count, mistakes, tuple(honest), run, dropped, problems)


def _value(ended: forks.Ended, name: str) -> Any:
    if ended.fault:
        raise InfrastructureError(f"{name}: measuring under many keys {ended.fault}")
    return ended.value


def _references(task: LoadedTask, count: int) -> list[Known]:
    """What the reference does in every exact measurement, under each key."""
    assert task.reference is not None
    references: list[Known] = []
    with BareObservations(task, key(0)) as first:
        for index in range(count):
            seen = first.under(key(index))
            for check in exact_checks(task):
                seen.observe(task, task.reference.solution, check.measurement, COMMON)
            references.append(seen.known)
    return references


def _mistakes(task: LoadedTask, known: Sequence[Known]) -> Iterator[MistakeByKey]:
    assert task.reference is not None
    exact = {check.id for check in exact_checks(task)}
    mutants = [item for item in task.reference.mutants if item.mistake.check in exact]
    functions = [partial(_mistake, task, mutant, known) for mutant in mutants]
    for mutant, ended in zip(mutants, forks.call_each(functions, _BOUNDS), strict=True):
        if ended.fault:
            statuses = (ended.fault,) * len(known)
            name, check = mutant.mistake.name, mutant.mistake.check
            yield MistakeByKey(name, check, (False,) * len(known), statuses)
        else:
            yield ended.value


def _mistake(task: LoadedTask, mutant: Mutant, known: Sequence[Known]) -> MistakeByKey:
    check = task.spec.check(mutant.mistake.check)
    caught, statuses = [], []
    with BareObservations(task, key(0)) as first:
        for index, of_reference in enumerate(known):
            seen = first.under(key(index), of_reference)
            ((_, decision),) = decisions(task, mutant.program, [check], seen)
            caught.append(catches(check, decision))
            statuses.append(decision.status)
    return MistakeByKey(mutant.mistake.name, check.id, tuple(caught), tuple(statuses))


def _honest(
    subject: Subject, change: Change | None, known: Sequence[Known]
) -> list[HonestByKey] | None:
    """A program or a rewriting of it at every exact check; None where it is not honest."""
    task = subject.task
    program = subject.program if change is None else change.program
    # as a variant: a program in the role of the reference would be taken for it
    program = Program(program.name, "variant", program.files)
    checks = [
        check
        for check in exact_checks(task)
        if change is None or check in subject.checks(change.unit)
    ]
    ratios = {check.id: float("nan") for check in checks}
    failed: dict[str, list[int]] = {check.id: [] for check in checks}
    with BareObservations(task, key(0)) as first:
        if change is not None:
            try:
                running = first.running(program)
            except ProgramError:
                return None
            if difference(running, subject.episodes(change.unit)) is not None:
                return None
        for index, of_reference in enumerate(known):
            seen = first.under(key(index), of_reference)
            for check, decision in decisions(task, program, checks, seen):
                if decision.status != "PASS":
                    failed[check.id].append(index)
                if kinds.of(check).has_tolerance and not ratios[check.id] >= decision.margin:
                    ratios[check.id] = decision.margin
    name = change.name if change is not None else subject.program.name
    shown = f"`{change.old}` as `{change.new}`" if change is not None else ""
    return [
        HonestByKey(name, shown, check.id, ratios[check.id], tuple(failed[check.id]))
        for check in checks
    ]


def _problems(
    task: LoadedTask,
    folder: Path,
    mistakes: Sequence[MistakeByKey],
    honest: Sequence[HonestByKey],
    count: int,
) -> Iterator[Problem]:
    path = folder / "mistakes.yaml"
    places = strict_yaml.positions(path.read_text(encoding="utf-8"))
    assert task.reference is not None
    order = [mutant.mistake.name for mutant in task.reference.mutants]
    for item in mistakes:
        if item.depends_on_key:
            place = places.get(("mistakes", order.index(item.name)), (1, 1))
            passing = [str(index) for index, caught in enumerate(item.caught) if not caught]
            yield Problem(
                str(path),
                *place,
                f"mistake {item.name} is caught at {item.check} under {sum(item.caught)} of "
                f"{count} keys; not under {', '.join(passing[:8])}",
                "draw the instances so that it always shows, or compare every row",
            )
    for each in honest:
        where = f"{each.name} {each.shown}".strip()
        if each.failed:
            keys = ", ".join(map(str, each.failed[:8]))
            text = f"honest work fails {each.check} under {len(each.failed)} of {count} keys"
            remedy = "mend the scale, or narrow the domain"
            yield Problem(task.path, 1, 1, f"{text} ({keys}): {where}", remedy)
        elif each.ratio > MARGIN:
            text = f"honest work uses {each.ratio:.2g} of the tolerance of {each.check}"
            yield Problem(task.path, 1, 1, f"{text}, over {MARGIN}: {where}", "mend the scale")
