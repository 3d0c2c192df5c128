"""Other dates for single students: the table, what it does to lateness, and where it is shown."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest

from harness.classroom import extensions, gradescope
from harness.classroom.attempts import History
from harness.classroom.book import Book, dated
from harness.classroom.extensions import Extensions
from harness.classroom.handing_in import Arrangements, sorted_out
from harness.classroom.roster import Roster, Student
from harness.classroom.times import Attempt, Times
from harness.cli import main
from harness.errors import UsageError
from harness.marking.gradebook import Gradebook, RunRecord, SubmissionGrade, TaskGrade
from harness.records import Verdict
from harness.spec.models import Assignment
from harness.spec.schedule import moment_text, read_moment
from harness.spec.strict_yaml import load_text
from tests.support.made_up import COURSE

HEAD = "id: homework\ntitle: T\ntasks: [{id: square, points: 7}]\n"
DUE = "due: 2026-10-19 23:59 Z\n"
LATE = DUE + "late_until: 2026-10-22 23:59 Z\nlate: {per_day: 10%}\n"
CLASS = Roster(
    Path("roster.csv"),
    {
        name: Student(name, name.upper(), group="g1" * (name != "dan"))
        for name in ("ada", "bob", "dan")
    },
)


def declared(more: str = LATE) -> Assignment:
    return load_text(HEAD + more, "hw.yaml", Assignment)


def read(folder: Path, rows: str, more: str = LATE, head: str = "id,assignment,days,reason"):
    path = folder / "extensions.csv"
    path.write_text(f"{head}\n{rows}", encoding="utf-8")

    def load(name: str) -> Assignment:
        if name != "homework":
            raise UsageError(f"no assignment is called {name!r}; did you mean 'homework'?")
        return declared(more)

    return extensions.read(path, load, CLASS)


@pytest.mark.parametrize(
    ("head", "row", "due", "until"),
    [
        ("id,assignment,days,reason", "ada,homework,2,ill", "21 23:59", "24 23:59"),
        ("id,assignment,days,reason", "ada,homework,36 h,ill", "21 11:59", "24 11:59"),
        ("id,assignment,due,reason", "ada,homework,2026-10-21 12:00 Z,ill", "21 12:00", "24 12:00"),
        (
            "id,assignment,late_until,reason",
            "ada,homework,2026-10-29 12:00 Z,x",
            *("19 23:59", "29 12:00"),
        ),
        (
            "id;assignment;due;late_until;reason",
            "'ada;homework;2026-10-21 12:00 Z;2026-10-22 23:59 Z;x",
            *("21 12:00", "22 23:59"),
        ),
    ],
)  # fmt: skip
def test_what_a_row_says(tmp_path: Path, head: str, row: str, due: str, until: str) -> None:
    (found,) = read(tmp_path, row, head=head).entries
    dates = found.of(declared())
    assert moment_text(dates.due) == f"2026-10-{due} +00:00"
    assert moment_text(dates.late_until) == f"2026-10-{until} +00:00"


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("eve,homework,2,ill", "2: nobody in roster.csv has the id 'eve'"),
        ("ad,homework,2,ill", "'ad'; did you mean 'ada'"),
        ("ada,homewrk,2,ill", "2: no assignment is called 'homewrk'; did you mean 'homework'"),
        ("ada,homework,2,", "a row needs id and assignment and reason"),
        ("ada,homework,,ill", "says days, due or late_until"),
        ("ada,homework,two,ill", "'two' is no length of time"),
        ("ada,homework,0,ill", "an extension of 0 days is none"),
        ("ada,homework,-1,ill", "'-1' is no length of time"),
        (
            "ada,homework,2,ill\nada,homework,3,ill",
            "3: ada has two extensions of homework, .*csv:2",
        ),
    ],
)
def test_rows_that_are_refused(tmp_path: Path, rows: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        read(tmp_path, rows)


@pytest.mark.parametrize(
    ("cells", "more", "words"),
    [
        (("", "2026-10-21 12:00", ""), LATE, "has no time zone"),
        (("", "2026-10-18 12:00 Z", ""), LATE, "not later than 2026-10-19 23:59"),
        (("2", "2026-10-21 12:00 Z", ""), LATE, "either days or dates, not both"),
        (("", "", "2026-10-29 12:00 Z"), DUE, "has no late_until"),
        (("", "2026-10-21 12:00 Z", "2026-10-20 12:00 Z"), LATE, "must come after the due date"),
        (("", "2026-10-20 12:00 Z", "2026-10-21 12:00 Z"), LATE, "is before that of everybody"),
        (("2", "", ""), "", "has no due date, so there is nothing to extend"),
    ],
)
def test_dates_that_are_refused(tmp_path: Path, cells, more: str, words: str) -> None:
    row = ",".join(("ada", "homework", *cells, "ill"))
    with pytest.raises(UsageError, match=f"extensions.csv:2: .*{words}"):
        read(tmp_path, row, more, "id,assignment,days,due,late_until,reason")


def handed_in(moment: str, given: Extensions, *, by_group: bool = False) -> object:
    roster = Roster(CLASS.path, CLASS.students, by_group)
    times = Times((Attempt("ada", read_moment(f"2026-10-{moment} Z"), "ada"),))
    dates = {name: each.assignment for name, each in given.granted(declared(), roster).items()}
    return sorted_out({"ada": "x"}, Arrangements(roster, declared(), times, extended=dates))


def test_what_came_too_late_for_everybody_counts_for_who_has_longer(tmp_path: Path) -> None:
    given = read(tmp_path, "ada,homework,2,ill")
    assert "after the assignment closed" in handed_in("23 12:00", Extensions()).refused["ada"]
    assert handed_in("23 12:00", given).counted == {"ada": "ada"}
    assert "closed at 2026-10-24 23:59" in handed_in("25 12:00", given).refused["ada"]


def test_an_extension_of_one_is_that_of_the_group(tmp_path: Path) -> None:
    given = read(tmp_path, "ada,homework,1,ill\nbob,homework,3,ill\ndan,homework,1,ill")
    grouped = Roster(CLASS.path, CLASS.students, by_group=True)
    found = given.granted(declared(), grouped)
    due = {name: each.assignment.due.day for name, each in found.items()}
    assert due == {"g1": 22, "ada": 22, "bob": 22, "dan": 20}, "the longest of the group's"
    assert given.granted(declared(), CLASS)["ada"].assignment.due.day == 20


def test_the_longest_extension_of_a_group_is_the_later_moment(tmp_path: Path) -> None:
    """Dates with other offsets from UTC are not compared as they are written."""
    rows = "ada,homework,2026-10-21 12:00 +14:00,ill\nbob,homework,2026-10-21 08:00 -10:00,ill"
    given = read(tmp_path, rows, head="id,assignment,due,reason")
    grouped = Roster(CLASS.path, CLASS.students, by_group=True)
    due = given.granted(declared(), grouped)["g1"].assignment.due
    assert due == read_moment("2026-10-21 18:00 Z")


def row(name: str, moment: str) -> SubmissionGrade:
    verdict = Verdict(name, "square", "value", "FAIL", "wrong", 10.0, 20.0, "visible")
    task = TaskGrade("square", "Squares", "exact", 20.0, (verdict,))
    submitted = read_moment(f"2026-10-{moment} Z").isoformat() if moment else ""
    return SubmissionGrade(name, name, "ab", "unverified", "L3", (task,), submitted=submitted)


def test_the_penalty_is_computed_from_the_later_date(tmp_path: Path) -> None:
    granted = read(tmp_path, "ada,homework,1,a cold").granted(declared(), CLASS)
    run = RunRecord("homework", "final", "c" * 64, "0", "d" * 64, "")
    rows = (row("ada", "21 12:00"), row("bob", "21 12:00"), row("dan", ""))
    book = Book(CLASS, declared(), granted=granted)
    ada, bob, dan = book.finished(Gradebook(run, rows)).submissions
    assert (ada.late.days, ada.penalty, bob.late.days, bob.penalty) == (1, 2.0, 2, 4.0)
    assert ada.late.due == "2026-10-20 23:59 +00:00"
    assert ada.extension == "due 2026-10-20 23:59 +00:00 instead of 2026-10-19 23:59 +00:00, " + (
        "counts until 2026-10-23 23:59 +00:00: a cold"
    )
    assert (bob.extension, dan.extension) == ("", "")


def test_late_days_of_the_term_are_spent_from_the_later_date(tmp_path: Path) -> None:
    with_days = LATE.replace("10%", "10%, late_days: 2")
    given = read(tmp_path, "ada,homework,1,ill", with_days)
    known = History().with_([Attempt("ada", read_moment("2026-10-21 12:00 Z"), "ada")])
    before = dated(declared(with_days), known, CLASS, given)
    later = load_text(
        HEAD.replace("homework", "next") + with_days.replace("2026-10", "2026-11"), "n", Assignment
    )
    rows = (row("ada", "21 12:00"),)
    rows = tuple(
        SubmissionGrade(**{**vars(each), "submitted": "2026-11-21T12:00:00+00:00"}) for each in rows
    )
    run = RunRecord("next", "final", "c" * 64, "0", "d" * 64, "")
    (found,) = Book(CLASS, later, (before,), budget=2).finished(Gradebook(run, rows)).submissions
    assert (found.late.days, found.late.free_days) == (2, 1), "the other day was spent before"


def test_an_assignment_that_was_put_off_for_everybody_beats_a_shorter_extension(tmp_path) -> None:
    (found,) = read(tmp_path, "ada,homework,1,ill").entries
    later = declared(LATE.replace("10-19", "10-25").replace("10-22", "10-28"))
    assert found.of(later) == later


def test_a_column_that_is_read_stands_once(tmp_path: Path) -> None:
    """Of two columns `days` one would be taken without a word."""
    with pytest.raises(UsageError, match="has 2 columns days, and nothing says which is meant"):
        read(tmp_path, "ada,homework,1,2,ill", head="id,assignment,days,days,reason")


@pytest.mark.parametrize(
    ("due", "late_due", "more", "dates"),
    [
        ("21", None, LATE, ("21 12:00", "24 12:00")),
        ("21", "29", LATE, ("21 12:00", "29 12:00")),
        (None, "29", LATE, ("19 23:59", "29 12:00")),
        ("21", "29", DUE, ("21 12:00", "")),
        ("18", "20", LATE, None),
        (None, None, LATE, None),
        ("21", None, "", None),
    ],
)
def test_what_gradescope_grants_is_a_row_that_is_taken(
    tmp_path: Path, due: str | None, late_due: str | None, more: str, dates: tuple[str, str] | None
) -> None:
    given = [each and read_moment(f"2026-10-{each} 12:00 Z") for each in (due, late_due)]
    row = extensions.on_gradescope(gradescope.Granted(*given), declared(more), "ada")
    if row is None:
        assert dates is None
        return
    (found,) = read(tmp_path, ",".join(row), more, ",".join(extensions.COLUMNS)).entries
    new = found.of(declared(more))
    shown = tuple(f"{each:%d %H:%M}" if each else "" for each in (new.due, new.late_until))
    assert shown == dates


def test_a_table_of_extensions_on_the_command_line(tmp_path: Path, capsys) -> None:
    """It is kept in the results folder, shown everywhere, and a new one replaces it."""
    shutil.copytree(COURSE, tmp_path / "course", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "course" / "tasks" / "assignments" / "homework.yaml").write_text(HEAD + LATE)
    for name in ("ada", "bob"):
        (tmp_path / "class" / name).mkdir(parents=True)
        (tmp_path / "class" / name / "square.py").write_text("def (")
    (tmp_path / "times.csv").write_text("id,time\nada,2026-10-23 12:00 Z\nbob,2026-10-23 12:00 Z\n")
    (tmp_path / "roster.csv").write_text("id,pseudonym\nada,Falcon\nbob,Heron\n")
    table = tmp_path / "extensions.csv"
    table.write_text("id,assignment,days,reason\nada,homework,2,a cold\n")
    places = ["--tasks", str(tmp_path / "course" / "tasks"), "--results", str(tmp_path / "results")]
    places += ["--reference", str(tmp_path / "course" / "reference")]

    def run(*words: str) -> str:
        main([*words, *places])
        told = capsys.readouterr()
        return told.out + told.err

    def marks() -> dict[str, dict[str, str]]:
        with (tmp_path / "results" / "gradebook.csv").open(encoding="utf-8") as stream:
            return {row["id"]: row for row in csv.DictReader(stream)}

    place = ("grade", str(tmp_path / "class"), "--assignment", "homework", "--jobs", "1")
    given = ("--times", str(tmp_path / "times.csv"), "--roster", str(tmp_path / "roster.csv"))
    said = run(*place, *given, "--extensions", str(table))
    assert "bob: handed in at 2026-10-23 12:00 +00:00, after the assignment closed" in said
    assert "ada: handed in" not in said
    assert marks()["ada"]["extension"].endswith(": a cold") and marks()["ada"]["late"] == "2"
    assert marks()["bob"]["extension"] == ""
    assert "a cold" not in (tmp_path / "results" / "leaderboard.csv").read_text()
    page = (tmp_path / "results" / "submissions" / "ada" / "feedback.md").read_text()
    assert "Extension" in page and "a cold" in page
    assert "  extension: due 2026-10-21 23:59" in run("explain", "ada", "square")
    summary = json.loads(run("summary", "--json"))
    assert summary["extensions"] == [{"student": "ada", "words": marks()["ada"]["extension"]}]
    assert "extensions: 1\n  ada: due 2026-10-21 23:59" in run("summary")
    again = run(*place)
    assert "ada: handed in" not in again and "marks that change" not in again
    table.write_text("id,assignment,days,reason\n")
    assert "ada: handed in at" in run(*place, "--extensions", str(table)), "withdrawn"
    table.write_text("id,assignment,days,reason\nadda,homework,2,a cold\n")
    assert "did you mean 'ada'?" in run(*place, "--extensions", str(table))
