"""What is graded in one run: tasks with their points and subjects with their files."""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.errors import InfrastructureError, UsageError
from harness.feasibility import ALPHA_TOTAL, require_feasible
from harness.ledger import Ledger
from harness.marking.trials import Subject
from harness.records import Program
from harness.spec.load import LoadedTask, did_you_mean, load_all, load_assignment
from harness.submissions import Submission, find


@dataclass(frozen=True)
class Course:
    """The frozen input of a run.

    ``points`` holds what a task is worth where the assignment differs from the task's spec.
    """

    tasks: tuple[LoadedTask, ...]
    subjects: tuple[Subject, ...]
    assignment: str
    points: Mapping[str, float]


def load_tasks(
    tasks: Path, reference: Path, assignment: str | None, chosen: Sequence[str]
) -> tuple[tuple[LoadedTask, ...], Mapping[str, float]]:
    """The tasks of an assignment (all, without one), narrowed to the chosen ids (none: all).

    Raises:
        UsageError, SpecError: see :func:`harness.spec.load.load_all`.
    """
    loaded = load_all(tasks, reference)
    points: dict[str, float] = {}
    alpha_total = ALPHA_TOTAL
    if assignment is not None:
        declared = load_assignment(tasks, assignment, loaded)
        by_id = {task.id: task for task in loaded}
        loaded = [by_id[entry.id] for entry in declared.tasks]
        points = {entry.id: entry.points for entry in declared.tasks if entry.points is not None}
        alpha_total = declared.alpha
    require_feasible(loaded, alpha_total)
    known = [task.id for task in loaded]
    for name in chosen:
        if name not in known:
            raise UsageError(f"no task is called {name!r}{did_you_mean(name, known)}")
    return tuple(task for task in loaded if not chosen or task.id in chosen), points


def find_subjects(
    paths: Sequence[Path], every_task: Sequence[LoadedTask], roster: Path | None
) -> tuple[Subject, ...]:
    """The submissions at some paths, as subjects, by name.

    Raises:
        UsageError: a path or the roster cannot be used.
    """
    wanted_files = frozenset(name for task in every_task for name in task.spec.wanted_files)
    pseudonyms = _roster(roster)
    subjects = [_subject(submission, pseudonyms) for submission in find(paths, wanted_files)]
    return tuple(sorted(subjects, key=lambda subject: subject.program.name))


def _subject(submission: Submission, roster: Mapping[str, str]) -> Subject:
    problems = {
        problem.file or "": (problem.cause, problem.message) for problem in submission.problems
    }
    broken = {name for name in problems if name}
    files: Mapping[str, bytes] = {}
    if "" not in problems:
        try:
            files = submission.read(set(submission.files) - broken)
        except InfrastructureError as error:  # it changed meanwhile: only its own row is affected
            problems[""] = ("unsafe-file", f"the submission changed while it was read: {error}")
    pseudonym = roster.get(submission.name)
    return Subject(
        Program(submission.name, "submission", dict(sorted(files.items()))),
        pseudonym or submission.display_name,
        "roster" if pseudonym else "unverified",
        problems,
    )


def _roster(path: Path | None) -> dict[str, str]:
    """id -> pseudonym from a CSV file with the columns id, pseudonym, group."""
    if path is None:
        return {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            rows = list(csv.DictReader(stream))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{path}: the roster cannot be read: {error}") from error
    names: dict[str, str] = {}
    for line, row in enumerate(rows, start=2):
        identity, pseudonym = row.get("id"), row.get("pseudonym")
        if not identity or not pseudonym:
            raise UsageError(f"{path}:{line}: a row needs id and pseudonym, found {dict(row)}")
        if identity in names:
            raise UsageError(f"{path}:{line}: {identity} stands twice in the roster")
        names[identity] = unicodedata.normalize("NFC", pseudonym)
    return names


def remember(subjects: Sequence[Subject], ledger: Ledger) -> None:
    """Stores what was submitted, so that the run can be scored and replayed later."""
    records = [
        {
            "name": subject.program.name,
            "display_name": subject.display_name,
            "identity": subject.identity,
            "problems": {name: list(problem) for name, problem in subject.problems.items()},
            "files": _stored_files(subject.program, ledger),
        }
        for subject in subjects
    ]
    ledger.put_document("subjects", {"subjects": records})


def _stored_files(program: Program, ledger: Ledger) -> dict[str, str]:
    """Stores the files of a program; their digests by name."""
    digests = program.all_digests
    ledger.put_files({digests[name]: content for name, content in program.files.items()})
    return dict(digests)


def recall(ledger: Ledger) -> tuple[Subject, ...]:
    """The subjects of the last run.

    Raises:
        UsageError: nothing was graded here.
    """
    document = ledger.document("subjects")
    if document is None:
        raise UsageError("nothing was graded into this results folder yet")
    return tuple(
        Subject(
            Program(
                record["name"],
                "submission",
                {name: ledger.file(digest) for name, digest in record["files"].items()},
            ),
            record["display_name"],
            record["identity"],
            {name: (cause, text) for name, (cause, text) in record["problems"].items()},
        )
        for record in document["subjects"]
    )
