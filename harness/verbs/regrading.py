"""Marks that change are shown before they are written, and the former ones are kept."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from harness import class_documents
from harness.class_record import ClassRecord
from harness.classroom import regrade
from harness.classroom.book import Book
from harness.classroom.regrade import Change
from harness.ledger import Ledger
from harness.marking.gradebook import Gradebook
from harness.report.sanitise import SENTENCE_LIMIT, clean


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares ``--dry-run`` and ``--yes``."""
    parser.add_argument(
        "--dry-run", action="store_true", help="show which marks would change; write no mark"
    )
    parser.add_argument(
        "--yes", action="store_true", help="write changed marks without asking on a terminal"
    )


def show(changes: Sequence[Change]) -> None:
    """Prints on stderr who gains, who loses, by which check and why."""
    if not changes:
        return
    total: dict[str, float] = {}
    for change in changes:
        gained = change.gained if change.moves_mark else 0.0
        total[change.student] = round(total.get(change.student, 0.0) + gained, 4)
    gain = sum(each > 0 for each in total.values())
    lose = sum(each < 0 for each in total.values())
    print(f"marks that change: {gain} gain, {lose} lose, by {len(changes)} checks", file=sys.stderr)
    for change in changes:
        print(f"  {clean(str(change), SENTENCE_LIMIT)}", file=sys.stderr)


def confirmed(args: argparse.Namespace, changes: Sequence[Change]) -> bool:
    """Shows what changes; whether it may be written: not in a dry run, nor if a person says no.

    Nobody is asked where no terminal is there to answer.
    """
    show(changes)
    if args.dry_run:
        print("dry run: no mark and no report was written", file=sys.stderr)
        return False
    if not changes or args.yes or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return True
    print("write these marks? [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() in ("y", "yes"):
        return True
    print("nothing was written; what was observed is kept", file=sys.stderr)
    return False


@dataclass(frozen=True)
class Regrade:
    """A record of a class as it is stored, beside which new marks are held.

    Attributes:
        gradebook: its marks.
        book: what stands beside them.
    """

    record: ClassRecord
    gradebook: Gradebook
    book: Book

    def changes(self, ledger: Ledger, after: Gradebook) -> list[Change]:
        """Whose marks are others than before; what is dropped is none of it."""
        prefix = self.record.name.prefix
        before = regrade.with_former_penalties(ledger, prefix, self.gradebook)
        return regrade.changes(before, after)

    def write(
        self,
        ledger: Ledger,
        after: ClassRecord,
        gradebook: Gradebook,
        changes: Sequence[Change],
        graded: Collection[str] = (),
    ) -> None:
        """Keeps the former marks of those whose marks change, and stores the record after it.

        Args:
            gradebook: the marks of the record.
            changes: what :meth:`changes` says of them.
            graded: the names of what is stored also where its marks are the same.
        """
        prefix = self.record.name.prefix
        if changes:
            units = self.book.units([change.student for change in changes])
            when = datetime.now(UTC).isoformat(timespec="seconds")
            names = self.record.names_of(units)
            regrade.keep(ledger, prefix, changes, names, when)
        class_documents.write(after, ledger, {*graded, *after.differing(self.record)})
        regrade.keep_penalties(ledger, prefix, gradebook)
