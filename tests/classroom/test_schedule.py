"""Dates and late rules of assignments: what is read, and which contradictions are refused."""

from __future__ import annotations

import copy
import pickle
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from harness.cli import main
from harness.errors import SpecError, UsageError
from harness.spec.catalogue import load_assignment
from harness.spec.models import Assignment
from harness.spec.schedule import days_later, moment_text, on_the_clocks_of, read_moment
from harness.spec.strict_yaml import load_text

COURSE = Path(__file__).parents[1] / "course"
DUE = "due: 2026-10-19 23:59 Europe/Berlin\n"
UNTIL = "late_until: 2026-10-22 23:59 Europe/Berlin\n"


def assignment(lines: str) -> Assignment:
    head = "id: hw\ntitle: A homework\ntasks: [{id: square}]\n"
    return load_text(head + lines, "hw.yaml", Assignment)


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-10-19 23:59 Europe/Berlin", "2026-10-19T21:59"),
        ("2026-12-19T23:59:30 Europe/Berlin", "2026-12-19T22:59:30"),
        ("2026-10-19 23:59+0200", "2026-10-19T21:59"),
        ("2026-10-19T23:59:00Z", "2026-10-19T23:59"),
        ("2026-10-19 23:59 -05:30", "2026-10-20T05:29"),
        ("2026-10-19 23:59 GMT", "2026-10-19T23:59"),
        ("2020-09-10 22:02:04.250000000 Z", "2020-09-10T22:02:04.250"),
    ],
)
def test_moments(text: str, utc: str) -> None:
    assert read_moment(text) == datetime.fromisoformat(utc).replace(tzinfo=UTC)


def test_differences_are_real_time_where_the_clocks_change() -> None:
    before, after = (read_moment(f"2026-10-{day} 12:00 Europe/Berlin") for day in (24, 25))
    assert after - before == timedelta(hours=25)
    assert moment_text(after) == "2026-10-25 12:00 +01:00"


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("due: 2026-10-19 23:59", r"hw.yaml:4:6: due: .* has no time zone; write 2026-10-19 23:59"),
        ("due: 2026-10-19", "is no date with time and zone"),
        (
            "due: 2026-13-19 23:59 Z",
            "there is no month 13, they go from 01 to 12; write 2026-10-19",
        ),
        (
            "due: 2026-02-30 23:59 Z",
            "02-30 23:59 Z: there is no day 30, this month has 28 days; write",
        ),
        ("due: 2026-10-00 23:59 Z", "there is no day 00, this month has 31 days; write 2026-10-19"),
        ("due: 2026-10-19 25:00 Z", "there is no hour 25, they go from 00 to 23; write 2026-10-19"),
        ("due: 2026-10-19 24:00 Z", "there is no hour 24, they go from 00 to 23; write 2026-10-19"),
        ("due: 2026-10-19 23:60 Z", "no clock shows 23:60, minutes and seconds go from 00 to 59"),
        ("due: 2026-10-19 23:59:60 Z", "no clock shows 23:59:60, minutes and seconds go from 00"),
        (DUE + "late: {per_day: 0%}", "hw.yaml:5:8: late: `per_day` is 0%, so that lateness would"),
        (
            DUE + UNTIL + "late: {per_day: 0 points}",
            "`per_day` is 0 points, so that lateness would",
        ),
        (
            "max_submissions: 1001",
            "max_submissions is 1001, but should be less than or equal to 10",
        ),
        (f"max_submissions: 1{23 * '0'}", "max_submissions is 10+, but should be less than or equ"),
        ("beta: 1.0e-300", "beta is 1e-300, but should be greater than or equal to 0.000001"),
        ("alpha: 1.0e-300", "alpha is 1e-300, but should be greater than or equal to 0.0000000"),
        ("late: 10%", r"late is '10%', but should be a mapping \(write {per_day: 10%}\)"),
        (
            "tiers: {final: exact}",
            r"tiers.final is 'exact', but should be a list \(write \[exact\]\)",
        ),
        ('"\\x1b[31m": 1', r"the field '\\x1b\[31m' is not known"),
        ("due: 0001-01-01 00:00 Europe/Berlin", "years from 1970 to 2999"),
        ("due: 9999-12-31 23:59 America/Lima", "years from 1970 to 2999"),
        ("due: 2026-10-19 23:59 Europe/Berlinn", "no time zone called 'Europe/Berlinn'"),
        ("due: 2026-10-19 23:59 CEST/X", "no time zone called"),
        ("due: 2026-10-25 02:30 Europe/Berlin", "show 2026-10-25 02:30 twice; write the offset"),
        ("due: 2026-03-29 02:30 Europe/Berlin", "show 2026-03-29 02:30 never"),
        (DUE + "release: 2026-10-20 09:00 Z", "`due` .* must come after `release`"),
        (DUE + "late_until: 2026-10-19 21:59 Z\nlate: {per_day: 10%}", "must come after `due`"),
        (UNTIL + "late: {per_day: 10%}", "need `due`"),
        (DUE + UNTIL, "`late_until` needs `late`: say what a late day costs"),
        (DUE + "late: {per_day: 10%, cap: 3 points}", "must both be percentages or both be points"),
        (DUE + "late: {per_day: 10%, cap: 5%}", "below what one day costs"),
        (DUE + UNTIL + "late: {per_day: 10%, cap: 40%}", "never reached: .* 3 days at 10%"),
        (DUE + UNTIL + "late: {per_day: 10%, grace: 3 days}", "nothing would ever be late"),
        (DUE + UNTIL + "late: {per_day: 10%, late_days: 4}", "can never all be used"),
        (DUE + "late: {per_day: 5}", "5 does not say what is lost; write 10% or 2 points"),
        (DUE + "late: {per_day: 110%}", "more than everything"),
        (DUE + "late: {per_day: 5%, grace: soon}", "'soon' is no length of time"),
        (DUE + "late: {cap: 5%}", "late.per_day is missing"),
        (DUE + "late: {per_day: 0%, late_days: 2}", "`late_days` could never matter: .* costs 0%"),
        (DUE + "late: {per_day: 0 points, cap: 1 points}", "`cap` could never matter"),
        ("due: 2026-10-19 23:59 CET", "CET is no zone that tells one moment; write 2026-10-19"),
        ("due: 2026-10-19 23:59 UTC+2", r"UTC\+2 is no zone that tells one moment"),
        ("due: 2026-10-19 11:59 pm", "'2026-10-19 11:59 pm' is no date with time and zone"),
        # a contradiction is shown where a field of it stands
        (DUE + "release: 2026-10-20 09:00 Z", "hw.yaml:4:1: `due`"),
        (DUE + UNTIL + "late: {per_day: 10%, cap: 40%}", "hw.yaml:6:22: `late.cap`"),
        (DUE + "late: {per_day: 10%, cap: 5%}", "hw.yaml:5:22: late: `cap`"),
        ("counts: best", "hw.yaml:4:1: `counts: best` needs"),
        ("counts: newest", "counts is 'newest', not one of last, first, best"),
        ("counts: best", "`counts: best` needs `max_submissions`, at least 2"),
        ("tiers: {final: []}", "at least 1 item"),
        ("tells: {feedback: everything}", "not one of examples, hints, marks"),
    ],
)
def test_what_contradicts_itself_is_refused(lines: str, words: str) -> None:
    with pytest.raises(SpecError, match=words):
        assignment(lines)


WHOLE = {
    "id": "hw",
    "title": "A homework",
    "tasks": "[{id: square, points: 7}]",
    "release": "2026-10-05 09:00 Europe/Berlin",
    "due": "2026-10-19 23:59 Europe/Berlin",
    "late_until": "2026-10-22 23:59 Europe/Berlin",
    "late": "{per_day: 10%, cap: 20%}",
    "groups": "true",
    "max_submissions": "3",
    "counts": "last",
    "tiers": "{feedback: [exact]}",
    "tells": "{final: hints}",
    "alpha": "1.0e-4",
    "beta": "0.05",
}
ODD = ["[1, 2]", "{a: 1}", "-1", "0", "yes", '"x y"', "null", "1.5", ".nan", "1e400"]
#: What is odd and no mistake: no value where none is needed, and a text that is a title.
FINE = {
    *(("title", each) for each in ("yes", '"x y"')),
    *((key, "null") for key in ("release", "late_until", "max_submissions")),
    ("id", "yes"),  # the name of another file, which is refused when it is looked up
}


@pytest.mark.parametrize("value", ODD)
@pytest.mark.parametrize("key", WHOLE)
def test_what_is_no_value_of_a_field_is_refused_in_its_line(key: str, value: str) -> None:
    """With a remedy, and at the field: or where another is, that makes no sense without it."""
    assert WHOLE.keys() == Assignment.model_fields.keys()
    lines = {**WHOLE, key: value}
    text = "".join(f"{name}: {given}\n" for name, given in lines.items())
    if (key, value) in FINE:
        assert load_text(text, "hw.yaml", Assignment)
        return
    with pytest.raises(SpecError) as caught:
        load_text(text, "hw.yaml", Assignment)
    at = [problem.line for problem in caught.value.problems]
    assert all(problem.remedy and problem.file == "hw.yaml" for problem in caught.value.problems)
    assert 1 + list(WHOLE).index(key) in at or (key, value) in (("due", "null"), ("late", "null"))
    assert min(at) > 1 or key == "id"


def test_a_key_twice_and_one_that_nobody_knows_are_refused_in_their_lines() -> None:
    text = "".join(f"{name}: {given}\n" for name, given in WHOLE.items())
    for key, value in WHOLE.items():
        for more, words in (
            (f"{key}: {value}", f"the key {key!r} stands twice, first in line"),
            (f"{key}x: 1", f"the field {key}x is not known .did you mean {key}"),
        ):
            with pytest.raises(SpecError, match=rf"hw.yaml:{len(WHOLE) + 1}:1: {words}"):
                load_text(f"{text}{more}\n", "hw.yaml", Assignment)


def test_a_whole_rule_is_read() -> None:
    lines = "late: {per_day: 2 points, cap: 5 points, grace: 15 min, late_days: 2}\n"
    declared = assignment(DUE + UNTIL + lines)
    assert declared.late is not None and declared.closes == declared.late_until
    assert (declared.late.per_day.of(30), declared.late.grace) == (2.0, timedelta(minutes=15))
    assert assignment(DUE).closes == declared.due, "without a rule nothing late counts"


@pytest.fixture
def tasks(tmp_path: Path) -> Path:
    """The tasks of the fixture course, with an assignment hw1 that draws on a budget."""
    shutil.copytree(COURSE / "tasks", tmp_path / "tasks")
    text = (
        f"id: hw1\ntitle: One\ntasks: [{{id: square}}]\n{DUE}late: {{per_day: 10%, late_days: 3}}\n"
    )
    (tmp_path / "tasks" / "assignments" / "hw1.yaml").write_text(text)
    return tmp_path / "tasks"


def test_a_budget_needs_a_term_that_has_it(tasks: Path) -> None:
    with pytest.raises(SpecError, match=r"hw1.yaml:5:33: .* none is declared .*write .*term.yaml"):
        load_assignment(tasks, "hw1", ["square"])
    (tasks / "term.yaml").write_text("late_days: 2\n")
    with pytest.raises(SpecError, match="late_days is 3, and the term has 2"):
        load_assignment(tasks, "hw1", ["square"])
    (tasks / "term.yaml").write_text("late_days: 3\n")
    assert load_assignment(tasks, "hw1", ["square"]).id == "hw1"


def test_an_unknown_assignment_is_answered_with_a_path(tasks: Path) -> None:
    with pytest.raises(UsageError, match=r"did you mean 'homework' \(.*assignments/homework.yaml"):
        load_assignment(tasks, "homwork", ["square", "noise"])
    for given in ("homework.yaml", str(tasks / "assignments" / "homework.yaml")):
        with pytest.raises(UsageError, match=r"did you mean 'homework' \("):
            load_assignment(tasks, given, ["square", "noise"])
    with pytest.raises(UsageError, match="`all` is every check of every task, and has no file"):
        load_assignment(tasks, "all", ["square", "noise"])
    (tasks / "assignments" / "hw3.yml").write_text("id: hw3\n")
    with pytest.raises(UsageError, match=r"rename .*hw3.yml to hw3.yaml"):
        load_assignment(tasks, "hw3", ["square", "noise"])
    (tasks / "assignments" / "hw1.yaml").rename(tasks / "assignments" / "hw2.yaml")
    with pytest.raises(SpecError, match=r"hw2.yaml has the id 'hw1' \(write id: hw2\)"):
        load_assignment(tasks, "hw2", ["square"])


def test_a_title_is_shown_without_what_a_terminal_obeys(
    tasks: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    title = r'"\x1b[31mHome\x9bwork\u202e \a1\n2"'
    text = f"id: hw1\ntitle: {title}\ntasks: [{{id: square}}]\n"
    (tasks / "assignments" / "hw1.yaml").write_text(text)
    spec = (tasks / "square" / "task.yaml").read_text()
    (tasks / "square" / "task.yaml").write_text(spec.replace("title: Squares", f"title: {title}"))
    places = ["--tasks", str(tasks), "--reference", str(COURSE / "reference")]
    for words in (["assignments"], ["assignments", "hw1"], ["list"]):
        assert main([*words, *places]) == 0
        out = capsys.readouterr().out
        assert "Home" in out and " 1 2" in out
        assert not set(out) & set("\x1b\x9b\u202e\a")
    folder = tmp_path / "handout"
    assert main(["handout", str(folder), "--assignment", "hw1", *places]) == 0
    readme = (folder / "README.md").read_text("utf-8")
    assert readme.count("Home") == 2
    assert not set(readme) & set("\x1b\x9b\u202e\a")


def test_the_verb_lists_them_and_shows_one(tasks: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tasks / "term.yaml").write_text("late_days: 3\n")
    places = ["--tasks", str(tasks), "--reference", str(COURSE / "reference")]
    assert main(["assignments", *places]) == 0
    out = capsys.readouterr().out
    assert "due 2026-10-19 23:59 +02:00" in out and "no due date  Two of three" in out
    assert "late days of the term: 3 a student, to be used on hw1" in out
    assert main(["assignments", "hw1", *places]) == 0
    out = capsys.readouterr().out
    assert "late without end: 10% a day; up to 3 days from the budget of the term" in out
    (tasks / "assignments" / "hw1.yaml").write_text("id: hw1\n")
    assert main(["assignments", *places]) == 2
    captured = capsys.readouterr()
    assert "homework" in captured.out and "hw1.yaml:1:1: title is missing" in captured.err


@pytest.mark.parametrize(
    ("moment", "days", "later"),
    [
        ("2026-10-24 23:59 Europe/Berlin", 2, "2026-10-26 23:59 +01:00"),
        ("2026-03-28 23:59 Europe/Berlin", 1, "2026-03-29 23:59 +02:00"),
        ("2026-10-24 02:30 Europe/Berlin", 1, "2026-10-25 02:30 +01:00"),  # shown twice: the later
        ("2026-03-28 02:30 Europe/Berlin", 1, "2026-03-29 03:30 +02:00"),  # never shown
        ("2026-10-24 23:59 +02:00", 2, "2026-10-26 23:59 +02:00"),  # no zone, no change
        ("2026-10-31 23:59 America/New_York", 1, "2026-11-01 23:59 -05:00"),
    ],
)
def test_a_later_day_is_told_by_the_clocks_of_the_zone(moment: str, days: int, later: str) -> None:
    assert moment_text(days_later(read_moment(moment), days)) == later


def test_a_named_zone_is_kept_beside_the_fixed_offset() -> None:
    due = read_moment("2026-10-24 23:59 Europe/Berlin")
    at = read_moment("2026-10-26 22:30 Z")
    assert moment_text(on_the_clocks_of(at, due)) == "2026-10-26 23:30 +01:00"
    assert on_the_clocks_of(at, due) == at
    assert on_the_clocks_of(at, due) - due == timedelta(days=2, minutes=31)
    for copied in (pickle.loads(pickle.dumps(due)), copy.deepcopy(due)):
        assert copied == due
        assert moment_text(on_the_clocks_of(at, copied)) == "2026-10-26 23:30 +01:00"
