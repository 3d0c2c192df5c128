"""One run of ``grade`` in a class: what it grades, and the record of the class that it updates."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from dataclasses import dataclass, replace

from harness import class_documents, grading
from harness.class_record import ClassRecord, RecordName
from harness.classroom.attempts import History
from harness.classroom.book import Book
from harness.classroom.handing_in import Arrangements
from harness.course import Course, is_absent
from harness.ledger import Ledger
from harness.marking.gradebook import Gradebook
from harness.marking.round import Round
from harness.marking.views import View
from harness.syllabus import Syllabus
from harness.verbs import classroom
from harness.verbs.stored import pages_of_others, usable


@dataclass(frozen=True)
class ClassRun:
    """What one run is about.

    Attributes:
        order: the ids of the tasks in the order of their columns.
        kept: the record without what this run grades, its marks computed again.
        gone: those whose marks are dropped, by the names that they hand in under.
        book: what stands beside the computed marks.
        before: the record as it was, marks and all.
    """

    course: Course
    order: tuple[str, ...]
    kept: ClassRecord
    gone: tuple[str, ...]
    book: Book
    before: ClassRecord

    @property
    def graded(self) -> list[str]:
        """The names of the submissions that this run grades."""
        return [subject.program.name for subject in self.course.subjects]

    @property
    def units(self) -> list[str]:
        """Who handed these in."""
        return list(dict.fromkeys(subject.program.owner for subject in self.course.subjects))

    @property
    def is_regrade(self) -> bool:
        """Whether some of what it grades has marks already."""
        return any(
            (name, task.id) in self.before.entries
            for name in self.graded
            for task in self.course.tasks
        )

    def gone_names(self, ledger: Ledger, shown: list[RecordName]) -> list[str]:
        """The rows whose reports are to go; where another record was shown, those of it too."""
        gone = self.book.names(self.gone)
        if shown != [self.kept.name]:
            gone += pages_of_others(ledger, self.book, self.kept.name)
        return gone

    def record(self, current: Round) -> ClassRecord:
        """The record of the class, with what this run knows so far."""
        return self.kept.updated(current)

    def gradebook(self, current: Round, commit: str) -> Gradebook:
        """The marks of the class, with what this run knows so far."""
        return self.of(self.record(current), commit)

    def of(self, record: ClassRecord, commit: str) -> Gradebook:
        """The marks of a record of the class."""
        return self.book.finished(grading.of_record(record, self.order, commit))


def prepare(
    args: argparse.Namespace,
    syllabus: Syllabus,
    course: Course,
    view: View,
    known: Arrangements,
    history: History,
) -> ClassRun:
    """The run that the command line asks for, with what is known of the class besides.

    Args:
        course: the tasks and subjects that the command line names.
        view: the ledger under the key of the phase.
        history: every attempt that is known now.
    """
    name = RecordName(course.assignment, args.phase, view.key.commitment)
    stored = class_documents.read(view.ledger, name)
    if args.free:
        course = course.held(() if args.prune else stored.task_ids)
    # on a student's own machine nobody asks when something was handed in
    dated = None if syllabus.at_home else syllabus.declared
    for notice in classroom.settle_times(course, stored, dated, history):
        print(f"note: {notice}", file=sys.stderr)
    _say_what_is_replaced(args, view.ledger, name)
    lost = _without_work(stored, known, history)
    if not args.prune:
        owners = {each.program.owner for each in stored.newest.values()}
        course = course.without_absent(owners - lost)
    graded = {
        (subject.program.name, task.id) for subject in course.subjects for task in course.tasks
    }
    if args.prune:
        kept = ClassRecord(name)
    else:
        tasks = usable(stored, syllabus)
        kept = stored.recomputed(tasks, view, syllabus.points, syllabus.ids, graded)
        kept = kept.without({*_counting_no_more(stored, course), *stored.names_of(lost)})
    dropped = set(stored.newest) - set(kept.newest) - {name for name, _ in graded}
    gone = {stored.newest[name].program.owner for name in dropped}
    key_file = os.path.abspath(args.key_file) if args.key_file else ""
    kept = replace(kept, key_file=key_file, isolation=view.isolation)
    if args.free:
        kept = kept.completed(course.tasks, view, syllabus.points, graded)
    return ClassRun(course, syllabus.ids, kept, tuple(sorted(gone)), Book(), stored)


def _without_work(stored: ClassRecord, known: Arrangements, history: History) -> set[str]:
    """Who has marks in the record and handed in nothing, as it turns out.

    That is whose every attempt is somebody else's by what is told now, and who is not in the roster
    any more and had a row for being in it: an id that was wrong there.
    """
    lost = set(known.history.attempts.keys() - history.attempts.keys())
    if known.roster.path is None:
        return lost
    rows = stored.newest.values()
    absent = {each.program.owner for each in rows if is_absent(each)}
    return lost | (absent - known.roster.units.keys())


def _counting_no_more(stored: ClassRecord, course: Course) -> set[str]:
    """The subjects whose owners handed in, and that are none of what may count of it now."""
    return {
        name
        for name in stored.names_of(course.names)
        if name not in course.names[stored.newest[name].program.owner]
    }


def _say_what_is_replaced(args: argparse.Namespace, ledger: Ledger, name: RecordName) -> None:
    """Says on stderr that the tables of the folder showed other marks until now."""
    if args.dry_run:
        return
    known = class_documents.names(ledger)
    if known and known[-1] != name:
        last = known[-1]
        print(
            f"note: the tables in {args.results}/ showed {last}; they now show {name}. The former "
            f"marks stay stored: `{shlex.join(['report', *last.options])}` shows them",
            file=sys.stderr,
        )
