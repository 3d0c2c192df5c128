"""One run of ``grade`` in a class: what it grades, and the record of the class that it updates."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from dataclasses import dataclass, replace

from harness import class_record, grading
from harness.class_record import ClassRecord, RecordName
from harness.classroom.book import Book
from harness.course import Course, Syllabus
from harness.ledger import Ledger
from harness.marking.gradebook import Gradebook
from harness.marking.round import Round
from harness.marking.trials import View
from harness.verbs import classroom
from harness.verbs.stored import usable


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

    def record(self, current: Round) -> ClassRecord:
        """The record of the class, with what this run knows so far."""
        return self.kept.updated(current)

    def gradebook(self, current: Round, commit: str) -> Gradebook:
        """The marks of the class, with what this run knows so far."""
        return self.of(self.record(current), commit)

    def of(self, record: ClassRecord, commit: str) -> Gradebook:
        """The marks of a record of the class."""
        return self.book.finished(grading.of_record(record, self.order, commit))


def prepare(args: argparse.Namespace, syllabus: Syllabus, course: Course, view: View) -> ClassRun:
    """The run that the command line asks for, with what is known of the class besides.

    Args:
        course: the tasks and subjects that the command line names.
        view: the ledger under the key of the phase.
    """
    name = RecordName(course.assignment, args.phase, view.key.commitment)
    _say_what_is_replaced(args, view.ledger, name)
    stored = class_record.read(view.ledger, name)
    free = args.assignment is None and not args.task
    if free:
        course = course.held(() if args.prune else stored.task_ids)
    for notice in classroom.settle_times(course, stored, syllabus.declared):
        print(f"note: {notice}", file=sys.stderr)
    if not args.prune:
        course = course.without_absent({each.program.owner for each in stored.newest.values()})
    graded = {
        (subject.program.name, task.id) for subject in course.subjects for task in course.tasks
    }
    if args.prune:
        kept = ClassRecord(name)
    else:
        kept = stored.recomputed(usable(stored, syllabus), view, syllabus.points, graded)
        kept = kept.without(_counting_no_more(stored, course))
    dropped = set(stored.newest) - set(kept.newest) - {name for name, _ in graded}
    gone = {stored.newest[name].program.owner for name in dropped}
    key_file = os.path.abspath(args.key_file) if args.key_file else ""
    kept = replace(kept, key_file=key_file, isolation=view.isolation)
    if free:
        kept = kept.completed(course.tasks, view, syllabus.points, graded)
    return ClassRun(course, syllabus.ids, kept, tuple(sorted(gone)), Book(), stored)


def _counting_no_more(stored: ClassRecord, course: Course) -> set[str]:
    """The subjects whose owners handed in, and that are none of what may count of it now."""
    return {
        name
        for name in stored.names_of(course.names)
        if name not in course.names[stored.newest[name].program.owner]
    }


def _say_what_is_replaced(args: argparse.Namespace, ledger: Ledger, name: RecordName) -> None:
    """Says on stderr that the tables of the folder showed other marks until now."""
    known = class_record.names(ledger)
    if known and known[-1] != name:
        last = known[-1]
        print(
            f"note: the tables in {args.results}/ showed {last}; they now show {name}. The former "
            f"marks stay stored: `{shlex.join(['report', *last.options])}` shows them",
            file=sys.stderr,
        )
