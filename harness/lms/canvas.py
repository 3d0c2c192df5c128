"""Canvas's gradebook, as *Export* writes it and *Import* reads it.

::

    Student,ID,SIS User ID,SIS Login ID,Section,Homework 1 (4711),Final Score
        ,,,,,Manual Posting,
        Points Possible,,,,,10.00,(read only)
    "Doe, Jane",12345,00123,jdoe,Course 1,7.50,75.00

``LastName,FirstName`` may stand in place of ``Student``; the SIS columns, ``Integration ID`` and
``Root Account`` are not in every export. An assignment is a column with Canvas's number behind its
title. What is calculated is marked read only and ignored by Canvas when it is imported.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from harness.errors import UsageError
from harness.lms.layout import Layout, Person, columns, decimal_mark, number
from harness.lms.sheet import Row, Sheet
from harness.submissions import display

WHAT = "a gradebook of Canvas"
WHAT_GROUPS = "a roster of a group set of Canvas"
_SIS = ("SIS User ID", "Integration ID")
_LOGIN = "SIS Login ID"
_ASSIGNMENT = re.compile(r"(?P<title>.*\S) ?\((?P<id>\d+)\)", re.DOTALL)
_CALCULATED = re.compile(
    r"(?:Unposted )?(?:Current|Final) (?:Score|Points|Grade)|Override (?:Score|Grade|Status)"
)
_POSTING = re.compile(r"\s*(?:Muted|Manual Posting.*)?\s*", re.IGNORECASE | re.DOTALL)
#: What stands in place of a grade and must not be lost: excused, and not assigned to this student.
_KEPT = {"EX": "excused in Canvas", "N/A": "not assigned to them in Canvas"}


@dataclass(frozen=True)
class Assignment:
    """A column of an assignment."""

    index: int
    header: str
    title: str
    id: str


@dataclass(frozen=True)
class Gradebook:
    """The table, understood.

    Attributes:
        points: the row of the points that are possible; None where it is missing.
        unknown: the columns that are neither the students', nor assignments, nor calculated.
    """

    sheet: Sheet
    people: tuple[Person, ...]
    assignments: tuple[Assignment, ...]
    points: Row | None
    unknown: tuple[str, ...]

    def layout(self, column: str | None, titles: Sequence[str]) -> Layout:
        """The table with the grades of one assignment.

        Args:
            column: the header, the title or the number of the column, where it is named.
            titles: what the column may be called where it is not named.

        Raises:
            UsageError: no such column, or several.
        """
        chosen = self._chosen(column, titles)
        possible = number(self.points.cells[chosen.index]) if self.points else None
        rows = self.sheet.rows
        locked = {
            each.index: _KEPT[mark]
            for each in self.people
            if (mark := rows[each.index].cells[chosen.index].strip().upper()) in _KEPT
        }
        texts = [*(self.points.cells if self.points else ())]
        texts += [rows[each.index].cells[chosen.index] for each in self.people]
        notices = []
        if self.unknown:
            listed = ", ".join(display(name) or "(empty)" for name in self.unknown)
            notices.append(f"{self.sheet.path}: columns that stay as they are: {listed}")
        return Layout(
            "canvas",
            self.sheet,
            self.people,
            chosen.index,
            dict.fromkeys((each.index for each in self.people), possible),
            locked,
            decimal=decimal_mark(texts),
            notices=(*self.sheet.notices, *notices),
        )

    def _chosen(self, column: str | None, titles: Sequence[str]) -> Assignment:
        wanted = [column.strip()] if column is not None else list(titles)
        named = [
            each for each in self.assignments if {each.header, each.title, each.id} & set(wanted)
        ]
        if len(named) == 1:
            return named[0]
        listed = "; ".join(display(each.header) for each in self.assignments) or "none"
        if named:
            several = "; ".join(display(each.header) for each in named)
            raise UsageError(
                f"{self.sheet.path}: several assignments are called so: {several}; give the number "
                "of one with --column"
            )
        called = display(" or ".join(wanted))
        raise UsageError(
            f"{self.sheet.path}: no assignment of Canvas is called {called}; name one with "
            f"--column; there are: {listed}"
        )


def with_groups(people: Sequence[Person], sheet: Sheet) -> tuple[Person, ...]:
    """The people of a gradebook, each with the group of a group set.

    Args:
        sheet: what *People*, the group set, *Download Course Roster CSV* gives: ``name``,
            ``canvas_user_id``, ``user_id``, ``login_id``, ``sections``, ``group_name`` and others.

    Raises:
        UsageError: the columns are missing, or somebody stands in two groups.
    """
    first = columns(sheet, WHAT_GROUPS, ("canvas_user_id", "group_name"))
    groups: dict[str, str] = {}
    for row in sheet.rows[1:]:
        if row.is_empty:
            continue
        user, group = (row.cells[first[name]].strip() for name in ("canvas_user_id", "group_name"))
        if groups.setdefault(user, group) != group:
            raise UsageError(
                f"{sheet.path}:{row.line}: user {display(user)} is in {display(groups[user])} "
                "too; give the roster of the one group set that the assignment is for"
            )
    return tuple(
        replace(each, group=groups.get(each.number, ""), alone=groups.get(each.number) == "")
        for each in people
    )


def read(sheet: Sheet) -> Gradebook:
    """Canvas's gradebook.

    Raises:
        UsageError: a column is missing that Canvas always writes, or the rows are no students'.
    """
    first = columns(sheet, WHAT, ("ID", "Section"))
    named = ("Student",) if "student" in first else ("LastName", "FirstName")
    columns(sheet, WHAT, named)
    who = [first[name.casefold()] for name in named]
    columns(sheet, WHAT, [name for name in (*_SIS, _LOGIN) if name.casefold() in first])
    points = next((row for row in sheet.rows[1:] if _is_points(row)), None)
    people = []
    for index, row in enumerate(sheet.rows):
        if index == 0 or row.is_empty or _is_points(row) or _is_posting(row):
            continue
        cells = [cell.strip() for cell in row.cells]
        own = cells[first["id"]]
        if not own.isascii() or not own.isdigit():
            raise UsageError(
                f"{sheet.path}:{row.line}: the column ID of {WHAT} has Canvas's numbers, found "
                f"{own!r}; export it again"
            )
        ids = {name: cells[first[name.casefold()]] for name in _SIS if name.casefold() in first}
        login = cells[first[_LOGIN.casefold()]] if _LOGIN.casefold() in first else ""
        name = ", ".join(cells[column] for column in who if cells[column])
        email = login if "@" in login else ""
        person = Person(index, row.line, name, own, ids, {_LOGIN: login}, email)
        people.append(person)
    if not people:
        raise UsageError(f"{sheet.path}: {WHAT} has a row for every student; there is none")
    return Gradebook(sheet, tuple(people), *_understood(sheet, first, points))


def _understood(
    sheet: Sheet, first: Mapping[str, int], points: Row | None
) -> tuple[tuple[Assignment, ...], Row | None, tuple[str, ...]]:
    """The assignments, the row of points, and the columns that nothing is known of."""
    assignments: list[Assignment] = []
    unknown = []
    known = {"student", "lastname", "firstname", "id", "section", "root account"}
    known |= {name.casefold() for name in (*_SIS, _LOGIN)}
    for index, header in enumerate(sheet.header):
        if header.casefold() in known:
            continue
        read_only = points is not None and "(" in points.cells[index]
        match = _ASSIGNMENT.fullmatch(header)
        if _CALCULATED.search(header) or read_only:
            continue
        if match is None or index < first["section"]:
            unknown.append(header)
        else:
            assignments.append(Assignment(index, header, match["title"], match["id"]))
    return tuple(assignments), points, tuple(unknown)


def _is_points(row: Row) -> bool:
    return "Points Possible" in row.cells[0]


def _is_posting(row: Row) -> bool:
    return all(_POSTING.fullmatch(cell) for cell in row.cells)
