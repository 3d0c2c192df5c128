"""What an instructor has to look at: hints that many got, checks without a mark, unusable files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from harness.causes import Cause
from harness.class_record import ClassRecord, Entry
from harness.classroom.items import Place
from harness.records import Observation


@dataclass(frozen=True)
class HintCount:
    """A hint, how many submissions were given it, and at which checks of the task."""

    task: str
    hint: str
    submissions: int
    checks: tuple[str, ...]


@dataclass(frozen=True)
class Trouble:
    """What is wrong with one submission: a check without a mark, or a file that was not loaded.

    Attributes:
        task: empty where it is about the whole submission.
        check: empty where it is about a whole task.
    """

    submission: str
    task: str
    check: str
    cause: str
    message: str


def hints(record: ClassRecord) -> tuple[tuple[HintCount, ...], tuple[int, int]]:
    """The hints, commonest first, and how many failed visible checks have none, of how many."""
    given: dict[Place, dict[str, list[str]]] = {}
    failed = without = 0
    for (name, task), entry in record.entries.items():
        for verdict in entry.grade.verdicts:
            if verdict.hint:
                submissions = given.setdefault((task, verdict.hint), {})
                submissions.setdefault(name, []).append(verdict.check)
            if verdict.status == "FAIL" and verdict.visibility == "visible":
                failed += 1
                without += not verdict.hint
    counted = [
        HintCount(task, hint, len(submissions), _distinct(submissions))
        for (task, hint), submissions in given.items()
    ]
    ordered = sorted(counted, key=lambda each: (-each.submissions, each.task, each.hint))
    return tuple(ordered), (without, failed)


def _distinct(submissions: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    return tuple(sorted({check for checks in submissions.values() for check in checks}))


def ungradable(record: ClassRecord) -> Iterator[Trouble]:
    """Every check without a mark, but for those that only the course can mark."""
    for (name, task), entry in sorted(record.entries.items()):
        for verdict in entry.grade.verdicts:
            if verdict.status == "UNGRADABLE" and not verdict.by_course:
                yield Trouble(name, task, verdict.check, verdict.cause, verdict.message)


def not_loaded(
    record: ClassRecord, seen: Mapping[tuple[str, str], Sequence[Observation]]
) -> Iterator[Trouble]:
    """Every file that was handed in and could not be loaded, with the reason; one line each."""
    whole = set()
    for name, subject in sorted(record.newest.items()):
        cause, message = subject.problems.get("", ("", ""))
        if cause and cause != Cause.MISSING_FILE:
            whole.add(name)
            yield Trouble(name, "", "", cause, message)
    for (name, task), entry in sorted(record.entries.items()):
        reason = _of_files(entry) or _while_loading(seen[name, task])
        if reason is not None and name not in whole:
            yield Trouble(name, task, "", *reason)


def _of_files(entry: Entry) -> tuple[str, str] | None:
    """Why the files alone show that nothing can be run; None where nothing was handed in."""
    named = [message for file, (_, message) in entry.subject.problems.items() if file]
    for verdict in entry.grade.verdicts:
        if verdict.status == "ERROR" and verdict.before_running:
            # a file of another name was found that may have been meant
            meant = verdict.cause == Cause.MISSING_FILE and verdict.message in named
            nothing = verdict.cause in (Cause.MISSING_FILE, Cause.EMPTY)
            return (verdict.cause, verdict.message) if meant or not nothing else None
    return None


def _while_loading(observations: Sequence[Observation]) -> tuple[str, str] | None:
    """The error by which a file ended before it was given anything; None where it did not."""
    for observation in observations:
        if observation.outcome == "error" and observation.message_is_public:
            return observation.cause, observation.message
    return None
