"""The roster: who is expected, in which group, and under which names they are shown."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Any

from harness.classroom import table
from harness.errors import UsageError
from harness.ledger import Ledger
from harness.submissions import display

WHAT = "a roster"
_LISTED = 10
#: How many names are compared with those that are nearly theirs.
_COMPARED = 50
_REMEDIES = {"pseudonym": "`import --roster` draws one for everybody without"}
_HEAD = "id,pseudonym (`import --roster` draws pseudonyms for a roster that has none)"
#: What is read besides, where there are such columns.
FURTHER = ("name", "group", "email", "submission")
_DOCUMENT = "roster"


@dataclass(frozen=True)
class Student:
    """One row of the roster; empty texts where it does not say.

    Attributes:
        submission: the name of the submission in a download, where that is not the id.
    """

    id: str
    pseudonym: str
    name: str = ""
    group: str = ""
    email: str = ""
    submission: str = ""


@dataclass(frozen=True)
class Roster:
    """The students of a class by their ids.

    Attributes:
        path: the file, for messages; None without a roster.
        by_group: whether those of one group hand in together.
        notices: what whoever gave the file should know, a sentence each.
    """

    path: Path | None = None
    students: Mapping[str, Student] = field(default_factory=dict)
    by_group: bool = False
    notices: tuple[str, ...] = ()

    @property
    def pseudonyms(self) -> dict[str, str]:
        """Id -> the pseudonym that it is shown under."""
        return {name: student.pseudonym for name, student in self.students.items()}

    @cached_property
    def _by_submission(self) -> dict[str, Student]:
        return {each.submission: each for each in self.students.values() if each.submission}

    @property
    def units(self) -> dict[str, list[Student]]:
        """Who hands in together, by the name of the group, or the id of one who does so alone."""
        units: dict[str, list[Student]] = {}
        for student in self.students.values():
            units.setdefault(self.unit(student.id), []).append(student)
        return units

    def unit(self, name: str) -> str:
        """Under whose name a submission is marked: the group's where its member handed it in."""
        student = self.students.get(name) or self._by_submission.get(name)
        if student is None:
            return name
        return student.group if self.by_group and student.group else student.id

    def shown(self, names: Collection[str]) -> dict[str, str]:
        """What submissions are shown as, by their names; nothing where there is no roster.

        Those that are not in the roster are numbered: a digest of a name would tell it to whoever
        tries all names.
        """
        if self.path is None:
            return {}
        units = self.units
        by_name = {
            name: " & ".join(each.pseudonym for each in units[name])
            for name in names
            if name in units
        }
        strangers = sorted(set(names) - units.keys())
        return by_name | {
            name: f"not in the roster ({number})" for number, name in enumerate(strangers, 1)
        }

    def absent(self, names: Iterable[str]) -> list[str]:
        """Who of the roster no submission has the name of; of a group its name."""
        return sorted(self.units.keys() - set(names))

    def strangers(self, names: Iterable[str]) -> list[str]:
        """A sentence about the submissions that the roster lacks; empty where there are none."""
        given = set(names)
        strangers = sorted(given - self.units.keys()) if self.path is not None else []
        if not strangers:
            return []
        absent = self.absent(given)
        likely = lost_zeros(strangers, absent) or meant(strangers, absent)
        return [f"not in {self.path}, and shown without their names: {listed(strangers)}{likely}"]

    def missing(self, names: Iterable[str]) -> list[str]:
        """A sentence about those in the roster without a submission; empty where all have one."""
        absent = self.absent(names)
        return [f"in {self.path}, and without a submission: {listed(absent)}"] if absent else []

    # ------------------------------------------------------------------ in the ledger

    def documents(self, assignment: str = "") -> dict[str, dict[str, Any]]:
        """Its stored form, by the name of the document.

        Args:
            assignment: the one that is handed in so: who is in which group and what submissions
                are called is kept for it whatever later rosters say of others.
        """
        students = [asdict(student) for student in self.students.values()]
        documents: dict[str, dict[str, Any]] = {
            _DOCUMENT: {"path": str(self.path), "students": students}
        }
        if assignment:
            places = {each.id: [each.group, each.submission] for each in self.students.values()}
            documents[_of_assignment(assignment)] = {"students": places}
        return documents


def stored(ledger: Ledger, assignment: str = "", *, by_group: bool = False) -> Roster:
    """The roster that :meth:`Roster.documents` stored; an empty one where there is none.

    Everybody is called as the newest roster has it. Groups and submissions of an assignment are
    those of the roster that it was graded with: who is not in that one was in no group.
    """
    document = ledger.document(_DOCUMENT)
    if document is None:
        return Roster(by_group=by_group)
    students = [Student(**record) for record in document["students"]]
    own = ledger.document(_of_assignment(assignment)) if assignment else None
    if own is not None:
        students = [_placed(each, *own["students"].get(each.id, ("", ""))) for each in students]
    path = Path(document["path"])
    return Roster(path, {student.id: student for student in students}, by_group)


def _placed(student: Student, group: str, submission: str) -> Student:
    return replace(student, group=group, submission=submission)


def _of_assignment(assignment: str) -> str:
    """The name of the document that says how one assignment was handed in."""
    return f"{_DOCUMENT}/{assignment}"


def read(path: Path, *, by_group: bool = False, complete: bool = True) -> Roster:
    """A roster from a CSV file with the columns ``id`` and ``pseudonym``.

    ``name``, ``group``, ``email`` and ``submission`` are read where there are such columns; others
    are ignored, and may be called alike.

    Args:
        by_group: whether those of one group hand in together.
        complete: whether submissions are marked by it: everybody has a pseudonym then, and every
            submission one owner. An import draws the former and says the latter anew.

    Raises:
        UsageError: the file cannot be read, a column is missing or one that is read stands in it
            twice, a row lacks a value, an id or a pseudonym stands in it twice, a group has the
            name of somebody who is not in it, or a submission is said to be somebody else's too.
    """
    required = ("id", "pseudonym") if complete else ("id",)
    rows = table.read(path, WHAT, required, _HEAD, ("pseudonym", *FURTHER), _REMEDIES)
    if by_group and "group" not in rows.columns:
        raise UsageError(
            f"{path}:1: the assignment is handed in by groups, and the roster has no column group"
        )
    students: dict[str, Student] = {}
    lines: dict[str, int] = {}
    shown: dict[str, int] = {}
    for row in rows.rows:
        student = _student(row)
        place = f"{path}:{row.line}"
        if student.id in students:
            raise UsageError(
                f"{place}: {student.id} stands twice in the roster, first in line "
                f"{lines[student.id]}; keep one row for each id"
            )
        if student.pseudonym and student.pseudonym in shown:
            raise UsageError(
                f"{place}: the pseudonym {student.pseudonym} stands twice in the roster, first in "
                f"line {shown[student.pseudonym]}; give one of them another"
            )
        students[student.id] = student
        lines[student.id] = shown[student.pseudonym] = row.line
    if by_group:
        _require_distinct(path, students)
    if complete:
        _require_owners(path, students, by_group=by_group)
    return Roster(path, students, by_group, rows.notices)


def _student(row: table.Row) -> Student:
    cells = {name: unicodedata.normalize("NFC", text) for name, text in row.cells.items()}
    fields = {name: cells.get(name, "") for name in ("name", "group", "email")}
    submission = table.unguarded(row.cells.get("submission", ""))
    pseudonym = cells.get("pseudonym", "")
    return Student(table.unguarded(row.cells["id"]), pseudonym, **fields, submission=submission)


def _require_owners(path: Path, students: Mapping[str, Student], *, by_group: bool) -> None:
    """A submission belongs to one student, or to those of one group.

    Raises:
        UsageError: one belongs to several, or has the id of somebody else.
    """
    owners: dict[str, Student] = {}
    for student in students.values():
        if not student.submission:
            continue
        others = (owners.setdefault(student.submission, student), students.get(student.submission))
        for other in others:
            if other is None or other is student:
                continue
            if not (by_group and student.group and student.group == other.group):
                raise UsageError(
                    f"{path}: {student.submission} is said to be the submission of {student.id}, "
                    f"and it is that of {other.id} too; those who hand in together need an "
                    "assignment with `groups: true` and one group in the roster"
                )


def _require_distinct(path: Path, students: Mapping[str, Student]) -> None:
    """A group must not be called like somebody outside of it, whose work would be taken for its.

    Raises:
        UsageError: one is.
    """
    for student in students.values():
        namesake = students.get(student.group)
        if namesake is not None and namesake.group != student.group:
            raise UsageError(
                f"{path}: {student.group} is the group of {student.id} and the id of somebody who "
                "is not in it; give the group another name"
            )


def listed(names: Sequence[str]) -> str:
    """The first names as messages show them, and how many more there are."""
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(display(name) for name in names[:_LISTED]) + more


def meant(names: Sequence[str], others: Sequence[str]) -> str:
    """A hint, where names that are nobody's are nearly those of others that nothing is known of.

    Ids that differ in a digit are different ids, and no hint.
    """
    by_plain: dict[str, str] = {_plain(name): name for name in others}
    pairs: list[str] = []
    for name in names[:_COMPARED]:
        near = get_close_matches(_plain(name), by_plain, n=5)
        alike = [each for each in near if _digits(each) == _digits(_plain(name))]
        if alike:
            other = by_plain[alike[0]]
            pairs.append(f"is {display(name)} {display(other)}?")
    if not pairs:
        return ""
    more = f" and {len(pairs) - _LISTED} more" if len(pairs) > _LISTED else ""
    return f" ({' '.join(pairs[:_LISTED])}{more} Names are compared to the letter)"


def _plain(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold().strip()


def _digits(name: str) -> list[str]:
    return re.findall(r"\d", name)


def lost_zeros(strangers: Sequence[str], absent: Sequence[str]) -> str:
    """A hint, where names differ in leading zeros alone: a spreadsheet took them for numbers."""
    lost = {name.lstrip("0"): name for name in absent}
    matching = [(name, lost[name.lstrip("0")]) for name in strangers if name.lstrip("0") in lost]
    if not matching:
        return ""
    name, expected = matching[0]
    count = f"{len(matching)} {'id' if len(matching) == 1 else 'ids'} would match"
    return (
        f" ({count} with leading zeros: a spreadsheet took {expected} for a number, is it {name}? "
        "Format the column as text)"
    )
