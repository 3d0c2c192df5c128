"""What all exports work from: the marks of a class, and lists of whom they leave out."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass

from harness.lms import moodle, sheet
from harness.lms.matching import Mine
from harness.marking.gradebook import Gradebook, SubmissionGrade
from harness.submissions import display
from harness.verbs.stored import Stored

#: How many people a list on the terminal names.
_LONGEST = 40


@dataclass(frozen=True)
class ClassMarks:
    """The marks that are exported, and who they are about."""

    stored: Stored
    gradebook: Gradebook

    @property
    def rows(self) -> tuple[SubmissionGrade, ...]:
        """A row for everybody who has a mark."""
        return self.gradebook.submissions

    @property
    def mine(self) -> list[Mine]:
        """Everybody who has a mark, with what the roster knows of them."""
        students = self.stored.book.roster.students
        return [
            Mine(
                row.name,
                row.student.get("email", ""),
                students[row.name].submission if row.name in students else "",
            )
            for row in self.rows
        ]


def worksheet_of(args: argparse.Namespace) -> moodle.Worksheet:
    """Moodle's grading worksheet that the command line names, as it was exported.

    Raises:
        UsageError: the file is none.
    """
    return moodle.read(sheet.read(args.file, moodle.WHAT), moodle.read_headers(args.header))


def list_reasons(what: str, reasons: Mapping[str, str]) -> None:
    """Prints who is left out and why, the first 40 of them; nothing where nobody is."""
    if not reasons:
        return
    print(f"{what}:")
    for name, reason in list(reasons.items())[:_LONGEST]:
        print(f"  {display(name)}: {reason}")
    if len(reasons) > _LONGEST:
        print(f"  and {len(reasons) - _LONGEST} more")
