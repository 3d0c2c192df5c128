"""The ledger of a results folder, opened for a verb, and the record of a class in it.

``grade`` updates a record; ``score``, ``report`` and ``replay`` read it back and compute its marks
again.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import platform
import secrets
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from harness import class_documents, grading, levels
from harness.class_record import ClassRecord, RecordName
from harness.classroom import book as books
from harness.classroom import overrides
from harness.classroom.book import Book
from harness.classroom.roster import listed
from harness.errors import UsageError
from harness.isolation import Isolation
from harness.ledger import Ledger
from harness.marking.gradebook import Gradebook
from harness.marking.views import View
from harness.report.sanitise import SENTENCE_LIMIT, clean
from harness.results import Results
from harness.seeds import PHASES, phase_key
from harness.spec.catalogue import ALL, assignment_path
from harness.spec.load import LoadedTask
from harness.spec.reading import did_you_mean
from harness.syllabus import Syllabus, read_syllabus
from harness.verbs import output


@dataclass(frozen=True)
class Stored:
    """A record as it is stored, and what is needed to compute its marks again.

    Attributes:
        tasks: those of the record that can be loaded, by id.
        points: what a task is worth where the assignment says something else than its spec.
        order: the ids of the tasks in the order of their columns.
        book: what stands beside the computed marks.
    """

    record: ClassRecord
    view: View
    tasks: Mapping[str, LoadedTask]
    points: Mapping[str, float]
    order: tuple[str, ...]
    book: Book

    def gradebook(self) -> Gradebook:
        """The marks computed again; those that cannot be are stale."""
        return self.of(self.recomputed())

    def recomputed(self) -> ClassRecord:
        """The record with its marks computed again."""
        return self.record.recomputed(self.tasks, self.view, self.points, self.order)

    def counting(self, record: ClassRecord) -> ClassRecord:
        """What counts of a record, an attempt of everybody, under the names of who handed in."""
        rows = self.of(record).submissions
        return record.renamed({row.subject: row.unit for row in rows})

    def nobody(self, given: str, known: Iterable[str], *, units: bool = False) -> UsageError:
        """The refusal of a name that no row has: whose it is by the roster, or the nearest one.

        Args:
            known: the names of all rows.
            units: whether they are those of submissions, which groups have together.
        """
        roster = self.book.roster
        of_roster = {
            roster.unit(each.id) if units else each.id
            for each in roster.students.values()
            if given and given in vars(each).values()
        }
        meant = sorted(of_roster & set(known))
        if meant:
            ids = listed(meant)
            one = f"give {ids}" if len(meant) == 1 else f"give one of {ids}"
            return UsageError(f"{given!r} is no id; in the roster it belongs to {ids}: {one}")
        what = "no submission is called" if units else "nobody in this record has the id"
        return UsageError(f"{what} {given!r}{did_you_mean(given, known)}")

    def of(self, record: ClassRecord) -> Gradebook:
        """The marks of a record, with what stands beside them."""
        return self.book.finished(grading.of_record(record, self.order, output.commit()))


@contextlib.contextmanager
def open_ledger(results: Results) -> Iterator[Ledger]:
    """The ledger of a results folder, which is held for this one writer.

    Raises:
        UsageError: another run holds the folder, or it cannot be used.
        InfrastructureError: the ledger cannot be used.
    """
    with results.writer(), Ledger(results.ledger, new_run()) as ledger:
        yield ledger


def new_run() -> str:
    """A name for a run, by which the ledger tells its observations from those of others."""
    return secrets.token_hex(8)


@contextlib.contextmanager
def open_stored(results: Results, *, reads: bool = False) -> Iterator[Ledger]:
    """The ledger of a results folder that something was graded into before.

    Args:
        reads: whether nothing is going to be written; then it may lie on a disk that cannot be.

    Raises:
        UsageError, InfrastructureError: as :func:`open_ledger`; or there is no ledger, or an empty
            one, and then nothing is made.
    """
    if not os.path.lexists(results.ledger):
        refuse_lost_ledger(results)
        raise UsageError(f"{results.root}: nothing is stored here; grade first")
    if reads and not os.access(results.root, os.W_OK):
        results.check(reads=True)
        with Ledger(results.ledger, new_run(), read_only=True) as ledger:
            yield ledger
        return
    with open_ledger(results) as ledger:
        if ledger.is_empty:
            refuse_lost_ledger(results)
        yield ledger


def refuse_lost_ledger(results: Results) -> None:
    """Refuses a folder with the marks of a class whose ledger is empty or gone.

    Raises:
        UsageError: it is one.
    """
    shown = [path for path in results.marks if path.exists()]
    if shown:
        raise UsageError(
            f"{shown[0]} shows marks of a class, and {results.ledger}, where they are stored, is "
            "empty or gone: bring back a copy. `grade --prune` begins anew, and another folder "
            "with --results leaves this one as it is"
        )


def refuse_lost_key(
    args: argparse.Namespace, assignment: str, results: Results, ledger: Ledger
) -> None:
    """Refuses to make a new key for a class that has marks under one that is gone.

    Raises:
        UsageError: it is so.
    """
    if args.phase != "feedback" or args.key_file or results.feedback_key.exists():
        return
    for name in class_documents.names(ledger):
        is_here = (name.assignment, name.phase) == (assignment, "feedback")
        if is_here and not class_documents.read(ledger, name).key_file:
            raise UsageError(
                f"{results.feedback_key}: the key of the marks that are stored here is gone; bring "
                "it back. `grade --prune` begins anew under another one"
            )


def add_choice_of_record(parser: argparse.ArgumentParser) -> None:
    """Declares ``--phase`` and ``--assignment``: which record, where the folder has several."""
    parser.add_argument("--phase", choices=PHASES, help="marks of this phase; else the last graded")
    parser.add_argument("--assignment", metavar="NAME", help="marks of this assignment")


def open_record(args: argparse.Namespace, ledger: Ledger) -> Stored:
    """The record that the command line names, or the one that was written last.

    Raises:
        UsageError: there is no such record, or its key is not at hand.
    """
    record = class_documents.read(ledger, _chosen(args, ledger))
    name = record.name
    given = getattr(args, "key_file", None)
    key_file = given or (Path(record.key_file) if record.key_file else None)
    made = Results(args.results).feedback_key
    if key_file is None and name.phase == "feedback" and not made.exists():
        remedy = "give it with --key-file" if hasattr(args, "key_file") else "bring it back"
        raise UsageError(f"{made}: the key of these marks is gone; {remedy}")
    key = phase_key(name.phase, key_file, args.results)
    if key.commitment != name.key_sha256:
        raise UsageError(
            f"the run used the key {name.key_sha256[:16]}…, this one is {key.commitment[:16]}…; "
            "give the right one with --key-file"
        )
    _require_assignment(args, name)
    syllabus = read_syllabus(args.tasks, args.reference, name.assignment or None)
    view = View(key, ledger, record.isolation)
    tasks = usable(record, syllabus)
    book = read_book(ledger, syllabus, name)
    return Stored(record, view, tasks, syllabus.points, syllabus.ids, book)


def _require_assignment(args: argparse.Namespace, name: RecordName) -> None:
    """Refuses marks whose assignment has lost its file: another one is about another record.

    Raises:
        UsageError: it has.
    """
    path = assignment_path(args.tasks, name.assignment)
    if name.assignment not in ("", ALL) and not path.is_file():
        raise UsageError(
            f"{path}: the assignment of the marks that are stored here is gone; bring the file "
            "back: without it nobody knows what they count. Nothing of them is lost"
        )


def read_book(ledger: Ledger, syllabus: Syllabus, name: RecordName) -> Book:
    """What the folder knows of the class beside its computed marks."""
    declared, others = syllabus.declared, syllabus.others
    return books.of_ledger(ledger, declared, others, syllabus.late_days, name.prefix)


def pages_of_others(ledger: Ledger, book: Book, name: RecordName) -> list[str]:
    """The rows that other records of a results folder have: what lies there of them is theirs."""
    others = (
        class_documents.read(ledger, each) for each in class_documents.names(ledger) if each != name
    )
    owners = {each.program.owner for record in others for each in record.newest.values()}
    return book.names(sorted(owners))


def _chosen(args: argparse.Namespace, ledger: Ledger) -> RecordName:
    names = class_documents.names(ledger)
    chosen = [
        name
        for name in names
        if args.phase in (None, name.phase) and args.assignment in (None, name.assignment)
    ]
    if chosen:
        return chosen[-1]
    if names:
        stored = "; ".join(map(str, names))
        raise UsageError(f"{args.results}: no such marks are stored here; there are: {stored}")
    raise UsageError(f"{args.results}: no finished run is stored here; grade first")


def say_what_counts_nothing(record: ClassRecord, gradebook: Gradebook, book: Book) -> None:
    """Says on stderr what of a record does not count, since its assignment was changed after it.

    Args:
        gradebook: the marks of the record.
    """
    for task, count in sorted(record.not_counted.items()):
        print(
            f"note: {record.name.assignment} has no task {task} now: marks of {count} submissions "
            "are kept, and count nothing",
            file=sys.stderr,
        )
    rows = {row.name: row for row in gradebook.submissions}
    for words in overrides.changed_by(rows, book.overrides):
        print(f"note: {clean(words, SENTENCE_LIMIT)}", file=sys.stderr)


def usable(record: ClassRecord, syllabus: Syllabus) -> dict[str, LoadedTask]:
    """The tasks of a record that can be loaded, wherever they belong now."""
    loaded = syllabus.catalogue.loaded
    return {name: loaded[name] for name in record.task_ids if name in loaded}


def compare_with_best(ledger: Ledger, isolation: Isolation) -> None:
    """Says on stderr that this machine was isolated better before; else remembers the level."""
    host = platform.node()
    best = (ledger.document("isolation") or {}).get(host, "L0")
    if levels.rank(isolation.level) < levels.rank(best):
        why = isolation.record.get("stronger", {}).get(best, "")
        reason = f" ({why})" if why else ""
        print(
            f"warning: isolation {isolation.level}: this machine reached {best} when it graded "
            f"into this folder before{reason}; `doctor` says what is missing, "
            f"--require-isolation {best} refuses to grade below it",
            file=sys.stderr,
        )
        return
    known = ledger.document("isolation") or {}
    ledger.put_document("isolation", {**known, host: isolation.level})
