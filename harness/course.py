"""What is graded in one run: tasks with their points and subjects with their files."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from harness.causes import Cause
from harness.classroom import roster as rosters
from harness.classroom.attempts import History
from harness.classroom.handing_in import Arrangements, HandedIn, sorted_out, without_work
from harness.marking.subjects import Subject
from harness.records import Program
from harness.spec.load import LoadedTask
from harness.submissions import Reading, Submission, display, find_all

#: What is said of whoever is in the roster and handed nothing in.
_NOTHING = "nothing was submitted"


@dataclass(frozen=True)
class Course:
    """The frozen input of a run.

    Attributes:
        points: what a task is worth where the assignment differs from the task's spec.
        absent: the names of the subjects that are in the roster and handed nothing in.
        elsewhere: the names of attempts that may count and are not here -> when they were made.
        names: who handed in -> every name under which something of theirs may count.
    """

    tasks: tuple[LoadedTask, ...]
    subjects: tuple[Subject, ...]
    assignment: str
    points: Mapping[str, float]
    absent: frozenset[str] = frozenset()
    elsewhere: Mapping[str, datetime] = field(default_factory=dict)
    names: Mapping[str, set[str]] = field(default_factory=dict)

    def held(self, recorded: Container[str]) -> Course:
        """The course with those tasks that somebody handed in, or has marks of; all if none.

        Args:
            recorded: the ids of the tasks that the class has marks of.
        """
        held = tuple(
            task
            for task in self.tasks
            if task.id in recorded or any(each.holds(task) for each in self.subjects)
        )
        return replace(self, tasks=held or self.tasks)

    def without_absent(self, known: Container[str]) -> Course:
        """The course without those absent who are known: what they handed in before is kept."""
        kept = tuple(
            subject
            for subject in self.subjects
            if subject.program.name not in self.absent or subject.program.name not in known
        )
        return replace(self, subjects=kept)


@dataclass(frozen=True)
class Submitted:
    """What was found at some paths.

    Attributes:
        notices: what the grader must know before the marks are used, a sentence each.
        absent: the names of the subjects that are in the roster and handed nothing in.
        elsewhere: the names of attempts that may count and are not here -> when they were made.
        names: who handed in -> every name under which something of theirs may count.
        history: every attempt that is known now.
    """

    subjects: tuple[Subject, ...]
    notices: tuple[str, ...]
    absent: frozenset[str]
    elsewhere: Mapping[str, datetime]
    names: Mapping[str, set[str]]
    history: History


def find_subjects(
    paths: Sequence[Path], every_task: Sequence[LoadedTask], roster: Path | None
) -> tuple[Subject, ...]:
    """The submissions at some paths, as subjects, by name; see :func:`find_submitted`."""
    listed = rosters.Roster() if roster is None else rosters.read(roster)
    return find_submitted(paths, every_task, Arrangements(listed)).subjects


def find_submitted(
    paths: Sequence[Path],
    every_task: Sequence[LoadedTask],
    known: Arrangements,
    reading: Reading = "guess",
    asked: Sequence[LoadedTask] = (),
) -> Submitted:
    """The submissions at some paths, as subjects, by name, and what is to be said of them.

    With a roster, whoever is in it and handed nothing in is a subject too, if one of the paths is a
    class. Of several attempts of somebody the one that counts is a subject, or each of those of
    which the best does; where none counts, they are a subject without files.

    Args:
        reading: ``single`` where every path is one submission.
        asked: the tasks that this run is about, whose files messages name; else all.

    Raises:
        UsageError: a path cannot be used, or it cannot be told which attempt counts.
    """
    wanted_files = frozenset(name for task in every_task for name in task.spec.wanted_files)
    names = frozenset(name for task in asked for name in task.spec.wanted_files)
    found = find_all(paths, wanted_files, reading=reading, asked=names)
    by_name = {submission.name: submission for submission in found.submissions}
    digests = {name: submission.sha256 for name, submission in by_name.items()}
    handed_in = sorted_out(digests, known)
    who = list(handed_in.names)
    # A single submission of nobody in the roster is one student's folder, not a class of one.
    is_class = bool(found.classes) and (len(who) > 1 or bool(known.roster.units.keys() & set(who)))
    absent = known.roster.absent(who) if is_class else []
    shown = known.roster.shown([*who, *absent])
    subjects = [
        _subject(by_name[name], marked, shown, handed_in)
        for marked, name in handed_in.counted.items()
    ]
    reasons = {**handed_in.refused, **dict.fromkeys(absent, _NOTHING)}
    subjects += [_without_files(name, shown.get(name), why) for name, why in reasons.items()]
    subjects = [_identified(subject, known.roster) for subject in subjects]
    notices = [
        f"{display(str(path))} has names as a learning platform's download has them, and is one "
        "submission here, since several PATHs are given: unpack it and name the folder"
        for path in found.downloads
    ]
    notices += [
        f"{display(subject.program.owner)}: {problem}"
        for subject in subjects
        for problem in _our_problems(subject)
    ]
    notices += [*known.roster.notices, *handed_in.notices, *known.roster.strangers(who)]
    notices += [*known.roster.missing(who), *without_work(known, who)] if is_class else []
    if known.roster.path is None and is_class and known.assignment is not None:
        notices += known.extensions.strangers(who, known.assignment.id)
    notices += known.extensions.notices
    notices += [
        f"{display(str(path))} holds marks of ours and is no submission" for path in found.results
    ]
    ordered = sorted(subjects, key=lambda subject: subject.program.name)
    return Submitted(
        tuple(ordered),
        tuple(notices),
        frozenset(absent),
        handed_in.elsewhere,
        handed_in.names,
        handed_in.history,
    )


def _subject(
    submission: Submission, name: str, shown: Mapping[str, str], handed_in: HandedIn
) -> Subject:
    problems = {
        problem.file or "": (problem.cause, problem.message) for problem in submission.problems
    }
    files = {
        file: content
        for file, content in sorted(submission.contents.items())
        if file not in problems and "" not in problems
    }
    at = handed_in.at.get(name)
    unit = handed_in.units.get(name, "")
    return Subject(
        Program(name, "submission", files, unit),
        shown.get(unit or name) or display(unit or name),
        "unverified",
        problems,
        submission.notes,
        submission.left,
        "" if at is None else at.isoformat(),
        handed_in.limited.get(unit or name, ""),
    )


def _without_files(name: str, shown: str | None, why: str) -> Subject:
    """Who handed nothing in that counts."""
    problem = (str(Cause.MISSING_FILE), why)
    return Subject(Program(name, "submission", {}), shown or display(name), problems={"": problem})


def is_absent(subject: Subject) -> bool:
    """Whether somebody is a subject for being in the roster alone."""
    return subject.problems.get("") == (str(Cause.MISSING_FILE), _NOTHING)


def _identified(subject: Subject, roster: rosters.Roster) -> Subject:
    known = subject.program.owner in roster.units
    return replace(subject, identity="roster") if known else subject


def _our_problems(subject: Subject) -> list[str]:
    """The problems of a submission that are faults of this machine's."""
    return [
        message for cause, message in subject.problems.values() if Cause(cause).fault == "harness"
    ]
