"""What ``grade`` is told of a class, and what the results folder knows of it from earlier runs."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from harness.class_record import ClassRecord
from harness.classroom import attempts, times
from harness.classroom import roster as rosters
from harness.classroom.attempts import History
from harness.classroom.handing_in import Arrangements
from harness.classroom.roster import Roster
from harness.classroom.times import Times
from harness.course import Course, Syllabus
from harness.errors import UsageError
from harness.ledger import Ledger
from harness.report.explain import COUNTING_PHASES
from harness.results import Results
from harness.spec.models import Assignment
from harness.spec.schedule import moment_text
from harness.submissions import display


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares ``--roster`` and ``--times``."""
    parser.add_argument(
        "--roster", type=Path, metavar="FILE", help="CSV id,pseudonym,…; kept for later runs"
    )
    parser.add_argument(
        "--times",
        type=Path,
        metavar="FILE",
        help="when work was handed in: CSV id,time or Gradescope's submission_metadata",
    )


def arrangements(
    args: argparse.Namespace, syllabus: Syllabus, paths: Sequence[Path]
) -> Arrangements:
    """What is known of the class before its submissions are looked at.

    A roster that an earlier run was given stays in force until another is given.

    Raises:
        UsageError: a file cannot be used, or it cannot be used without an assignment.
    """
    declared = syllabus.declared
    # a student's own machine has no roster, and needs none to mark what lies there
    by_group = declared is not None and declared.groups and not syllabus.at_home
    roster, history = _remembered(Results(args.results), declared)
    if args.roster is not None:
        roster = rosters.read(args.roster, by_group=by_group)
    if by_group and not any(student.group for student in roster.students.values()):
        raise UsageError(
            "the assignment is handed in by groups; give --roster with a column group that says "
            "who is in which"
        )
    if args.times is not None and declared is None:
        raise UsageError("--times needs --assignment, whose dates and limits the times are held to")
    if args.times is not None:
        given = times.read(args.times)
    else:
        given = times.beside(paths) if declared else Times()
    return Arrangements(roster, declared, given, history)


def _remembered(results: Results, declared: Assignment | None) -> tuple[Roster, History]:
    """The roster and the attempts that earlier runs were told of."""
    if not os.path.lexists(results.ledger):
        return Roster(), History()
    by_group = declared is not None and declared.groups
    with results.writer(), Ledger(results.ledger, "") as ledger:
        roster = rosters.stored(ledger.document(rosters.document_name()), by_group=by_group)
        if declared is None:
            return roster, History()
        return roster, attempts.stored(ledger.document(attempts.document_name(declared.id)))


def remember(ledger: Ledger, roster: Roster, history: History, assignment: str) -> None:
    """Stores roster and attempts for later runs."""
    documents = roster.documents() if roster.path is not None else {}
    if assignment and history.attempts:
        documents |= history.documents(assignment)
    ledger.put_documents(documents)


def settle_times(course: Course, stored: ClassRecord, declared: Assignment | None) -> list[str]:
    """What is to be said of the times of a course, a sentence each.

    Raises:
        UsageError: the attempt of somebody that counts is neither here nor graded before; or marks
            that count are wanted and the time of a submission is not known.
    """
    notices = []
    for name, at in sorted(course.elsewhere.items()):
        before = stored.newest.get(name)
        known = before.submitted if before is not None else ""
        if not known or datetime.fromisoformat(known) != at:
            raise UsageError(
                f"{display(name)}: the attempt of {moment_text(at)} counts, and it is not among "
                "the submissions; give its folder, and its name in the column submission of --times"
            )
        notices.append(f"{display(name)}: the attempt of {moment_text(at)} counts and is kept")
    if declared is None or (declared.due is None and declared.max_submissions is None):
        return notices
    unknown = [
        subject.program.name
        for subject in course.subjects
        if not subject.submitted and subject.program.files
    ]
    if unknown:
        said = f"nothing says when these were handed in: {rosters.listed(unknown)}"
        if stored.name.phase in COUNTING_PHASES:
            raise UsageError(
                f"{said}; give --times, a table with the columns id and time, since assignment "
                f"{declared.id} has dates or a limit"
            )
        notices.append(f"{said}; they are neither late nor counted as attempts")
    return notices
