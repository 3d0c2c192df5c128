"""Which known mistake a program makes, told by its answers on the public example."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet

import numpy as np

from harness import kinds
from harness.marking.closeness import same, tolerance, wrong_entries
from harness.marking.trials import example_digest
from harness.records import Array, Observation
from harness.spec.answers import Answers, Figure, Kept, MistakeAnswers, Statistics
from harness.spec.checks import Check
from harness.spec.load import LoadedTask
from harness.spec.sealed import Contents, SealedHints, seal
from harness.statistics.exact import Wanted

#: How many entries of an array are kept in all, and how many of those that differ.
_ENTRIES = 8


def hint(task: LoadedTask, check: str, own: Observation, failed: AbstractSet[str]) -> str:
    """The hint of the known mistake that a program makes, as its answers show; empty if none fits.

    Args:
        task: the task, loaded with its reference.
        check: the id of a visible check that failed.
        own: what the program did on the public example.
        failed: the ids of all checks that it failed: of mistakes that answer the same here, the one
            that fails the most similar set of checks is meant.
    """
    if task.reference is None or own.outcome != "ok" or not is_current(task, check):
        return ""
    assert task.reference.answers is not None
    statistics = own.statistics.get(check, {})
    unseen = _unseen(task, check)
    name = task.reference.answers.matching(check, statistics, failed, unseen)
    if name and only_truth_values(task, check):
        name = name if failed == task.reference.answers.mistakes[name].checks.keys() else None
    hints = {each.mistake.name: each.mistake.hint for each in task.reference.mutants}
    return hints.get(name or "", "")


def is_current(task: LoadedTask, check: str) -> bool:
    """Whether the stored answers of a check's measurement are those of its present form."""
    assert task.reference is not None
    measurement = task.spec.check(check).measurement
    answers = task.reference.answers
    stored = answers.measurements.get(measurement) if answers else None
    return stored == example_digest(task, measurement)


def sealed_hint(
    task: LoadedTask,
    check: str,
    own: Observation,
    failed: AbstractSet[str],
    undecided: AbstractSet[str],
) -> str:
    """The same as :func:`hint` where there is no reference, from the sealed hints of a handout.

    Args:
        task: the task, loaded without its reference.
        check: the id of a visible check that failed, or that is not decided here.
        own: what the program did on the public example.
        failed: the ids of all checks that it failed.
        undecided: the checks that are not decided here: they tell no mistakes apart.
    """
    if task.sealed is None or own.outcome != "ok":
        return ""
    measurement = task.spec.check(check).measurement
    if task.sealed.measurements.get(measurement) != example_digest(task, measurement):
        return ""
    statistics = own.statistics.get(check, {})
    opened = task.sealed.opened(check, statistics)
    if only_truth_values(task, check):
        opened = [contents for contents in opened if failed == set(contents.checks)]

    def unlike(contents: Contents) -> tuple[int, str]:
        # the boxes have no order, so of equals the first hint is taken, always the same
        return len((failed ^ set(contents.checks)) - undecided), contents.hint

    return min(opened, key=unlike).hint if opened else ""


def _unseen(task: LoadedTask, check: str) -> frozenset[str]:
    """Names of statistics that are not stored of a submission, so that no answer is told by them.

    Files of stored answers hold them where they were written before these were left out.
    """
    return frozenset(kinds.of(task.spec.check(check)).of_reference)


def only_truth_values(task: LoadedTask, check: str) -> bool:
    """Many mistakes give the same truth values: only the set of failed checks tells them apart."""
    return task.spec.check(check).kind == "property"


def sealed(task: LoadedTask) -> SealedHints | None:
    """The stored answers and hints of a task's mistakes, sealed; None where they are stale.

    Args:
        task: the task, loaded with its reference.
    """
    assert task.reference is not None
    answers = task.reference.answers
    if answers is None or stale(task):
        return None
    hints = {each.mistake.name: each.mistake.hint for each in task.reference.mutants}
    boxes = [
        seal(
            check,
            Contents(
                hint=hints[name],
                checks=tuple(each.checks),
                statistics={
                    part: kept
                    for part, kept in statistics.items()
                    if part not in _unseen(task, check)
                },
            ),
        )
        for name, each in answers.mistakes.items()
        for check, statistics in each.checks.items()
    ]
    by_salt = sorted(boxes, key=lambda box: (box.check, box.salt))
    return SealedHints(measurements=answers.measurements, boxes=tuple(by_salt))


def stale(task: LoadedTask) -> str:
    """What of a task the stored answers do not fit any more, in words; empty if they are current.

    Args:
        task: the task, loaded with its reference.
    """
    assert task.reference is not None
    answers = task.reference.answers
    wanted = list(hinted_checks(task))
    if not wanted:
        return ""
    if answers is None:
        return "there are none, or not in this form"
    if answers.reference != task.reference.solution.sha256:
        return "the solution has changed"
    for check in wanted:
        if not is_current(task, check):
            return f"what {check} measures has changed"
    programs = {each.mistake.name: each.program.sha256 for each in task.reference.mutants}
    if programs != {name: each.program for name, each in answers.mistakes.items()}:
        return "the mistakes have changed"
    return ""


def hinted_checks(task: LoadedTask) -> Iterator[str]:
    """The checks whose failure is explained by an example: visible ones that do not train."""
    for check in task.spec.checks:
        if check.visibility == "visible" and not kinds.of(check).trained:
            yield check.id


def answers_of(
    task: LoadedTask,
    reference: Mapping[str, Mapping[str, Array]],
    mutants: Mapping[str, Mapping[str, Mapping[str, Array]]],
    rounded: Mapping[str, Mapping[str, Mapping[str, Array]]] | None = None,
) -> Answers:
    """The answers to be stored.

    Args:
        task: the task, loaded with its reference.
        reference: check -> statistics of the reference on the public example.
        mutants: mistake -> check -> statistics; a check on which it breaks is left out.
        rounded: mistake -> check -> statistic -> by how much more than rounding in double precision
            each entry is excused. Nothing where it is left out.
    """
    assert task.reference is not None

    def judged(check: str, statistics: Mapping[str, Array]) -> Mapping[str, Array]:
        return kinds.of(task.spec.check(check)).judged(statistics)

    measurements = {task.spec.check(check).measurement for check in reference}
    mistakes = {}
    for mutant in task.reference.mutants:
        name = mutant.mistake.name
        checks = {
            check: kept
            for check, statistics in mutants.get(name, {}).items()
            if (
                kept := _kept(
                    judged(check, statistics),
                    judged(check, reference[check]),
                    _missed(task.spec.check(check), statistics, reference[check]),
                    (rounded or {}).get(name, {}).get(check, {}),
                )
            )
        }
        mistakes[name] = MistakeAnswers(program=mutant.program.sha256, checks=checks)
    digests = {name: example_digest(task, name) for name in sorted(measurements)}
    solution = task.reference.solution.sha256
    return Answers(reference=solution, measurements=digests, mistakes=mistakes)


def _missed(
    check: Check, own: Mapping[str, Array], reference: Mapping[str, Array]
) -> dict[str, Array]:
    """Of the values, the entries outside of the check's tolerance; empty without a tolerance.

    What a check calls wrong may be less than what :mod:`.closeness` excuses of any array.
    """
    try:
        target = kinds.wanted(check, reference)
    except (KeyError, ValueError, ArithmeticError):  # a reference that marks nobody either
        return {}
    value = own.get("value")
    if not isinstance(target, Wanted) or value is None or value.shape != target.value.shape:
        return {}
    with np.errstate(invalid="ignore"):
        right = (value == target.value) | (np.abs(value - target.value) <= target.tolerance)
    return {"value": ~right}


def _kept(
    own: Mapping[str, Array],
    reference: Mapping[str, Array],
    missed: Mapping[str, Array],
    rounded: Mapping[str, Array],
) -> Statistics:
    """Entries of the statistics; nothing where the reference's are the same.

    Args:
        missed: statistic -> the entries that the check itself calls wrong. They count where no
            other entry differs.
        rounded: statistic -> what single precision takes from each entry.
    """
    if own.keys() != reference.keys() or not all(
        same(array, reference[name]) for name, array in own.items()
    ):
        return {
            name: _entries(array, reference.get(name), rounded=rounded.get(name))
            for name, array in own.items()
        }
    if not any(mask.any() for mask in missed.values()):
        return {}
    return {name: _entries(array, reference[name], missed.get(name)) for name, array in own.items()}


def _entries(
    array: Array,
    reference: Array | None,
    missed: Array | None = None,
    rounded: Array | None = None,
) -> Kept:
    """Entries spread over the array, and over those that differ from the reference's."""
    places = _spread(np.arange(array.size))
    excused = np.broadcast_to(tolerance(array), array.shape)
    if rounded is not None:
        excused = excused + 2 * rounded
    if reference is not None and reference.shape == array.shape:
        differing = wrong_entries(array, reference)
        if missed is not None:
            differing = differing | missed
            # so that right answers, which lie as close as that, are told from these
            excused = np.where(missed, np.minimum(excused, np.abs(array - reference) / 2), excused)
        places = np.union1d(places, _spread(np.flatnonzero(differing)))
    values = array.astype(np.float64).ravel()[places]
    excused = excused.ravel()[places]
    return Kept(
        shape=array.shape,
        at=tuple(int(place) for place in places),
        values=tuple(_figure(float(value)) for value in values),
        tolerances=tuple(float(f"{each:.3g}") for each in excused),
    )


def _figure(value: float) -> Figure:
    if math.isnan(value):
        return "nan"
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    return value


def _spread(places: Array) -> Array:
    if places.size <= _ENTRIES:
        return places
    chosen: Array = places[np.linspace(0, places.size - 1, _ENTRIES).astype(int)]
    return chosen
