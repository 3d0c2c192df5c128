"""Marks in a platform's table: what is written, what is not, and nothing else that changes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.lms import canvas, moodle, sheet
from harness.lms.filling import Wishes, comment, fill
from harness.lms.layout import Layout
from harness.lms.matching import Matches, Mine, match
from harness.marking.gradebook import Lateness, Override, SubmissionGrade, TaskGrade
from harness.records import Verdict
from tests.support.platforms import CANVAS, MOODLE, MOODLE_GERMAN


def row(name: str, points: float | None, worth: float = 7.0, **more: object) -> SubmissionGrade:
    status = "UNGRADABLE" if points is None else "FAIL"
    verdict = Verdict(name, "square", "value", status, "", points, worth, "visible")
    task = TaskGrade("square", "Squares", "exact", worth, (verdict,))
    made = SubmissionGrade(name, name, "ab", "roster", "L3", (task,))
    return replace(made, **more)  # type: ignore[arg-type]


def late(penalty: float) -> Lateness:
    return Lateness("then", "before", 2, 0, penalty)


def in_canvas(folder: Path, text: str = CANVAS) -> Layout:
    path = folder / "grades.csv"
    path.write_text(text, encoding="utf-8")
    return canvas.read(sheet.read(path, canvas.WHAT)).layout("Squares", [])


def in_moodle(folder: Path, text: str = MOODLE, headers: dict[str, str] | None = None) -> Layout:
    path = folder / "Grades.csv"
    path.write_bytes(text.encode())
    return moodle.read(sheet.read(path, moodle.WHAT), headers).layout()


def found(layout: Layout, rows: list[SubmissionGrade]) -> Matches:
    return match([Mine(each.name) for each in rows], layout.people)


def test_only_grades_change_in_canvas(tmp_path: Path) -> None:
    layout = in_canvas(tmp_path)
    rows = [row("00123", 5.7143), row("00124", 6.0, late=late(1.4)), row("nobody", 1.0)]
    filled = fill(layout, rows, found(layout, rows), Wishes())
    assert filled.content.decode() == CANVAS.replace('y""",,', 'y""",5.7143,').replace(
        'Course 2",,3.00', 'Course 2",,4.6'
    )
    assert filled.written == {"00123": "5.7143", "00124": "4.6"}
    assert filled.replaced == {"00124": "3.00"}
    assert filled.left == {}


def test_only_grades_change_in_moodle(tmp_path: Path) -> None:
    layout = in_moodle(tmp_path)
    rows = [row("00123", 0.0), row("00124", 3.0), row("00125", 0.0)]
    filled = fill(layout, rows, found(layout, rows), Wishes())
    assert filled.content.decode() == MOODLE.replace("grading - ,,", "grading - ,0,").replace(
        "late,3.00", "late,3"
    )
    assert filled.replaced == {}, "3 is the same as 3.00"
    assert filled.left == {"00125": "Moodle says that the grade cannot be changed"}


def test_a_decimal_comma_where_the_table_has_them(tmp_path: Path) -> None:
    headers = dict(word.split("=", 1) for word in ("Identifier=ID", "Full name=Vollständiger Name"))
    headers |= {"Grade": "Bewertung", "Maximum grade": "Bestwertung"}
    headers |= {"Last modified (grade)": "Zuletzt geändert (Bewertung)"}
    layout = in_moodle(tmp_path, MOODLE_GERMAN, headers)
    rows = [row("Jane Doe_901", 5.5)]
    filled = fill(layout, rows, found(layout, rows), Wishes())
    assert filled.content.decode() == MOODLE_GERMAN.replace("abgegeben;;", "abgegeben;5,5;")


def test_excused_students_keep_that(tmp_path: Path) -> None:
    layout = in_canvas(tmp_path)
    rows = [row("00125", 7.0)]
    filled = fill(layout, rows, found(layout, rows), Wishes())
    assert filled.content.decode() == CANVAS
    assert filled.left == {"00125": "excused in Canvas"}


def test_a_mark_that_lacks_a_check_waits(tmp_path: Path) -> None:
    layout = in_canvas(tmp_path)
    rows = [row("00123", None)]
    filled = fill(layout, rows, found(layout, rows), Wishes())
    assert filled.content.decode() == CANVAS
    assert "--provisional" in filled.left["00123"]
    filled = fill(layout, rows, found(layout, rows), Wishes(provisional=True))
    assert filled.written == {"00123": "0"}


def test_other_points_than_the_platforms_are_refused_until_it_is_said_what_to_do(
    tmp_path: Path,
) -> None:
    layout = in_canvas(tmp_path)
    rows = [row("00123", 5.0, worth=10.0)]
    matches = found(layout, rows)
    with pytest.raises(UsageError, match=r"is worth 7 points in Canvas, and 10 here .*00123"):
        fill(layout, rows, matches, Wishes())
    assert fill(layout, rows, matches, Wishes("as-is")).written == {"00123": "5"}
    assert fill(layout, rows, matches, Wishes("scaled")).written == {"00123": "3.5"}


def test_unknown_points(tmp_path: Path) -> None:
    layout = in_canvas(tmp_path, CANVAS.replace("7.00,10.00", ",10.00"))
    rows = [row("00123", 5.0)]
    matches = found(layout, rows)
    with pytest.raises(UsageError, match="is worth an unknown number of points in Canvas"):
        fill(layout, rows, matches, Wishes())
    with pytest.raises(UsageError, match="nothing says what the assignment is worth in Canvas"):
        fill(layout, rows, matches, Wishes("scaled"))
    assert fill(layout, rows, matches, Wishes("as-is")).written == {"00123": "5"}


def test_moodle_would_drop_what_is_above_its_maximum(tmp_path: Path) -> None:
    layout = in_moodle(tmp_path)
    rows = [row("00123", 8.0, worth=10.0)]
    filled = fill(layout, rows, found(layout, rows), Wishes("as-is"))
    assert filled.left == {"00123": "8 is above Moodle's maximum of 7"}
    assert filled.content.decode() == MOODLE


def test_comments_are_numbers_and_never_replace_one(tmp_path: Path) -> None:
    layout = in_moodle(tmp_path)
    rows = [row("00123", 6.0, late=late(1.4)), row("00124", 4.0)]
    filled = fill(layout, rows, found(layout, rows), Wishes(comments=True))
    again = tmp_path / "again.csv"
    again.write_bytes(filled.content)
    cells = [each.cells[10] for each in sheet.read(again, "it").rows]
    assert cells[1] == "4.6 of 7 points, computed 6, 1.4 less for 2 days late"
    assert cells[2] == 'Hello,\nsee "x".'
    with pytest.raises(UsageError, match="has no column of comments"):
        fill(in_canvas(tmp_path), rows, found(layout, rows), Wishes(comments=True))


def test_what_somebody_typed_is_in_no_comment() -> None:
    override = Override("square", "", 7.0, 3.0, "=HYPERLINK()", "<b>", "now")
    made = row("00123", 3.0, overrides=(override,), late=Lateness("a", "b", 1, 1, 0.0))
    assert comment(made) == "7 of 7 points, computed 3, 4 more by override, 0 less for 1 day late"
