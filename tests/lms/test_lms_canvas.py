"""Canvas's gradebook: people, assignments, what is kept, and what is not one."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.lms import canvas, sheet
from harness.lms.layout import decimal_mark, number, slug
from tests.support.platforms import CANVAS


def gradebook(folder: Path, text: str = CANVAS) -> canvas.Gradebook:
    path = folder / "grades.csv"
    path.write_text(text, encoding="utf-8")
    return canvas.read(sheet.read(path, canvas.WHAT))


def test_people_are_the_rows_that_are_students(tmp_path: Path) -> None:
    found = gradebook(tmp_path).people
    assert [(each.number, each.name, each.line) for each in found] == [
        ("12345", "Doe, Jane", 4),
        ("54321", "Röe-Smith, Rïchard", 5),
        ("777", "Poe, Ann", 6),
        ("778", "Noe, Ann", 7),
        ("999", "Student, Test", 8),
    ]
    assert (found[0].ids, found[0].logins) == ({"SIS User ID": "00123"}, {"SIS Login ID": "jdoe"})
    assert found[1].is_called("röesmithrïchard")
    assert not found[1].is_called("röesmith")


def test_a_login_that_is_an_address_is_one(tmp_path: Path) -> None:
    found = gradebook(tmp_path, CANVAS.replace("jdoe", "Doe@example.org")).people
    assert [each.email for each in found[:2]] == ["Doe@example.org", ""]


def test_last_and_first_names_and_no_sis_columns(tmp_path: Path) -> None:
    text = "LastName,FirstName,ID,Section,Squares (1)\n    Points Possible,,,,7\nDoe,Jane,5,C,\n"
    (person,) = gradebook(tmp_path, text).people
    assert (person.name, person.number, person.ids) == ("Doe, Jane", "5", {})
    assert person.is_called("doejane")


def test_assignments_are_the_columns_with_a_number_that_can_be_changed(tmp_path: Path) -> None:
    found = gradebook(tmp_path)
    assert [(each.title, each.id) for each in found.assignments] == [
        ("Squares", "4711"),
        ("Other", "4712"),
    ]
    assert found.unknown == ("Notes",)
    (notice,) = found.layout("4711", []).notices
    assert notice.endswith("columns that stay as they are: Notes")


def test_calculated_columns_of_a_grading_period_are_no_assignments(tmp_path: Path) -> None:
    text = CANVAS.replace("Final Score", "Final Score (2026)")
    assert len(gradebook(tmp_path, text).assignments) == 2


@pytest.mark.parametrize(
    ("column", "titles"),
    [("4711", []), ("Squares", ["x"]), ("Squares (4711)", []), (None, ["Squares", "hw"])],
)
def test_the_column_of_an_assignment(tmp_path: Path, column: str | None, titles: list[str]) -> None:
    layout = gradebook(tmp_path).layout(column, titles)
    assert layout.grade == 6
    assert set(layout.worth.values()) == {7.0}
    assert layout.locked == {5: "excused in Canvas"}


def test_what_is_not_assigned_is_kept(tmp_path: Path) -> None:
    locked = gradebook(tmp_path).layout("Other", []).locked
    assert locked == {4: "not assigned to them in Canvas"}


def test_a_column_that_cannot_be_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        gradebook(tmp_path).layout(None, ["Homework", "hw1"])
    assert str(caught.value).endswith(
        "no assignment of Canvas is called Homework or hw1; name one with --column; there are: "
        "Squares (4711); Other (4712)"
    )
    twice = gradebook(tmp_path, CANVAS.replace("Other (", "Squares ("))
    with pytest.raises(UsageError, match=r"several .* so: Squares \(4711\); Squares \(4712\)"):
        twice.layout("Squares", [])
    assert twice.layout("4712", []).grade == 7


def test_without_points_nothing_says_what_it_is_worth(tmp_path: Path) -> None:
    text = "".join(line for line in CANVAS.splitlines(True) if "Possible" not in line)
    assert set(gradebook(tmp_path, text).layout("Squares", []).worth.values()) == {None}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Name,Mark\nx,1\n", r"csv:1: a gradebook of Canvas has no column ID; found Name, Mark"),
        (CANVAS.replace("Section", "Sektion"), "has no column Section; found Student, ID, SIS"),
        (CANVAS.replace("Student,ID", "Who,ID"), "has no column LastName; found Who"),
        (CANVAS.replace("Notes", "ID"), "has 2 columns ID"),
        (CANVAS.replace("Notes", "SIS User ID"), "has 2 columns SIS User ID"),
        (CANVAS.replace("12345", "12E4"), "csv:4: the column ID .* Canvas's numbers, found '12E4'"),
        (CANVAS.replace("12345", ""), "csv:4: the column ID"),
        ("".join(CANVAS.splitlines(True)[:3]), "has a row for every student; there is none"),
    ],
)
def test_what_is_no_gradebook(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        gradebook(tmp_path, text)


def test_numbers_with_points_and_commas() -> None:
    assert [number(text) for text in ("7,00", " 7.5 ", "-", "", "1e5", "EX")] == [
        *(7.0, 7.5),
        *(None,) * 4,
    ]
    assert (decimal_mark(["7.00", ""]), decimal_mark(["", "7,00"])) == (".", ",")


def test_what_names_have_in_common() -> None:
    assert slug("Röe-Smith, Rïchard J.") == "röesmithrïchardj"
