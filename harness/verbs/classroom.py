"""What ``grade`` is told of a class, and what the results folder knows of it from earlier runs."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache
from pathlib import Path

from harness.class_record import ClassRecord
from harness.classroom import attempts, extensions, times
from harness.classroom import roster as rosters
from harness.classroom.attempts import History
from harness.classroom.extensions import Extensions
from harness.classroom.handing_in import Arrangements
from harness.classroom.roster import Roster
from harness.classroom.times import Times
from harness.course import Course
from harness.errors import UsageError
from harness.ledger import Ledger
from harness.report.explain import COUNTING_PHASES
from harness.results import Results
from harness.spec.catalogue import load_assignment
from harness.spec.models import Assignment
from harness.spec.schedule import moment_text
from harness.submissions import display
from harness.syllabus import Syllabus


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares ``--roster``, ``--times`` and ``--extensions``."""
    parser.add_argument(
        "--roster", type=Path, metavar="FILE", help="CSV id,pseudonym,…; kept for later runs"
    )
    parser.add_argument(
        "--times",
        type=Path,
        metavar="FILE",
        help="when work was handed in: CSV id,time or Gradescope's submission_metadata; added to "
        "the times that earlier runs were told",
    )
    parser.add_argument(
        "--replace-times",
        action="store_true",
        help="forget first what earlier runs were told of this assignment's times; with --single "
        "of those in the table alone",
    )
    parser.add_argument(
        "--extensions",
        type=Path,
        metavar="FILE",
        help="who has other dates: CSV id,assignment,days,reason; kept for later runs",
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
    roster, history, extended = _remembered(Results(args.results), declared)
    if args.roster is not None:
        roster = rosters.read(args.roster, by_group=by_group)
    if by_group and not any(student.group for student in roster.students.values()):
        raise UsageError(
            "the assignment is handed in by groups; give --roster with a column group that says "
            "who is in which"
        )
    if args.times is not None and declared is None:
        raise UsageError("--times needs --assignment, whose dates and limits the times are held to")
    if args.replace_times and args.times is None:
        raise UsageError("--replace-times needs --times, the table that takes the place of others")
    if args.times is not None:
        given = times.read(args.times)
        if args.replace_times:
            history, given = _forgetting(history, given, roster, single=args.single)
    else:
        given = times.beside(paths) if declared and not args.single else Times()
    if args.extensions is not None:
        extended = extensions.read(args.extensions, _loader(args, syllabus), roster)
    granted = extended.granted(declared, roster) if declared else {}
    dates = {name: each.assignment for name, each in granted.items()}
    return Arrangements(roster, declared, given, history, dates, extended)


def _forgetting(
    history: History, given: Times, roster: Roster, *, single: bool
) -> tuple[History, Times]:
    """The attempts without those that a table takes the place of, and the table with what it lacks.

    Args:
        single: whether this run is about those in the table alone, and not about the class.
    """
    told = {roster.unit(each.student) for each in given.attempts}
    if single and "" not in told:
        return history.of_others(told), given
    lost = sorted(history.attempts.keys() - told)
    notice = f"--replace-times forgot the times of {rosters.listed(lost)}: the table has none"
    return History(), replace(given, notices=(*given.notices, *([notice] if lost else [])))


def _loader(args: argparse.Namespace, syllabus: Syllabus) -> Callable[[str], Assignment]:
    """Gives an assignment of the course by its name, each read once."""

    @cache
    def load(name: str) -> Assignment:
        return load_assignment(args.tasks, name, syllabus.catalogue.ids)

    return load


def _remembered(
    results: Results, declared: Assignment | None
) -> tuple[Roster, History, Extensions]:
    """The roster, the attempts and the extensions that earlier runs were told of."""
    if not os.path.lexists(results.ledger):
        return Roster(), History(), Extensions()
    by_group = declared is not None and declared.groups
    with results.writer(), Ledger(results.ledger, "") as ledger:
        roster = rosters.stored(ledger, declared.id if declared else "", by_group=by_group)
        extended = extensions.stored(ledger.document(extensions.document_name()))
        if declared is None:
            return roster, History(), extended
        document = ledger.document(attempts.document_name(declared.id))
        return roster, attempts.stored(document), extended


def remember(ledger: Ledger, known: Arrangements, history: History, assignment: str) -> None:
    """Stores roster, extensions and attempts for later runs."""
    documents = known.roster.documents(assignment) if known.roster.path is not None else {}
    if known.extensions.path is not None:
        documents |= known.extensions.documents()
    if assignment and history.attempts:
        documents |= history.documents(assignment)
    ledger.put_documents(documents)


def settle_times(
    course: Course, stored: ClassRecord, declared: Assignment | None, history: History
) -> list[str]:
    """What is to be said of the times of a course, a sentence each.

    Raises:
        UsageError: the attempt of somebody that counts is neither here nor graded before; or marks
            that count are wanted and the time of a submission is not known.
    """
    notices = []
    for name, at in sorted(course.elsewhere.items()):
        before = stored.newest.get(name)
        known = before.submitted if before is not None else ""
        is_best = declared is not None and declared.counts == "best"
        counts = "may be the best" if is_best else "counts"
        who = next((unit for unit, names in course.names.items() if name in names), name)
        if not known or datetime.fromisoformat(known) != at:
            raise UsageError(
                f"{display(who)}: the attempt of {moment_text(at)} {counts}, and it is not among "
                "the submissions; give its folder, and its name in the column submission of "
                "--times. If its files cannot be had, leave out of that table what shall not "
                "count, and give --replace-times"
            )
        notices.append(f"{display(who)}: the attempt of {moment_text(at)} {counts} and is kept")
    if declared is None or (declared.due is None and declared.max_submissions is None):
        return notices
    unknown = [
        subject.program.owner
        for subject in course.subjects
        if not subject.submitted and subject.handed_in
    ]
    if unknown:
        notice = f"nothing says when these were handed in: {rosters.listed(unknown)}"
        earlier = [name for name in unknown if history.attempts.get(name)]
        if earlier:
            last = history.attempts[earlier[0]][-1].text
            notice += (
                f" (other files of {display(earlier[0])} came in at {last}; if these take their "
                f"place, the row is {earlier[0]},{last})"
            )
        if stored.name.phase in COUNTING_PHASES:
            raise UsageError(
                f"{notice}; give --times, a table with the columns id and time, since assignment "
                f"{declared.id} has dates or a limit"
            )
        notices.append(f"{notice}; they are neither late nor counted as attempts")
    return notices
