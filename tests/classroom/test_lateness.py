"""Times of submissions, which attempt counts, and what lateness costs."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from harness.classroom import attempts as known_attempts
from harness.classroom import lateness, times
from harness.classroom.attempts import History
from harness.classroom.book import Book, dated
from harness.classroom.handing_in import Arrangements, sorted_out
from harness.classroom.lateness import Dated
from harness.classroom.roster import Roster, Student
from harness.classroom.times import Attempt, Times
from harness.errors import UsageError
from harness.marking.gradebook import Gradebook, RunRecord, SubmissionGrade, TaskGrade
from harness.records import Verdict
from harness.spec.models import Assignment
from harness.spec.schedule import moment_texts, read_moment
from harness.spec.strict_yaml import load_text


def assignment(more: str = "", name: str = "hw1", due: str = "2026-10-19 23:59") -> Assignment:
    text = f"id: {name}\ntitle: T\ntasks: [{{id: square}}]\ndue: {due} Z\n{more}"
    return load_text(text, "hw.yaml", Assignment)


LATE = assignment("late: {per_day: 10%, grace: 15 min, cap: 25%, late_days: 2}\n")


def at(text: str):
    return read_moment(f"2026-10-{text} Z")


def read(tmp_path: Path, text: str, name: str = "times.csv") -> Times:
    (tmp_path / name).write_text(text)
    return times.read(tmp_path / name)


# times


def test_a_table_of_times(tmp_path: Path) -> None:
    text = "id;time;submission\nada;2026-10-19 12:00 Z;ada-1\nada;2026-10-20 12:00 Z;ada-2\n"
    found = read(tmp_path, text).attempts
    assert [(each.student, each.at, each.submission) for each in found] == [
        ("ada", at("19 12:00"), "ada-1"),
        ("ada", at("20 12:00"), "ada-2"),
    ]
    last = read(tmp_path, "id,time\nada,2026-10-20 12:00 Z\nada,2026-10-19 12:00 Z\n").attempts
    assert [each.submission for each in last] == ["ada", ""], "the files are those of the last"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("id,time\nada,2026-10-19 12:00\n", "times.csv:2: .* has no time zone"),
        ("id,when\nada,x\n", "1: the table of times has one column time, found id, when"),
        ("id,time\nada,\n", "2: a row needs id and time"),
        (
            "id,time\nada,2026-10-19 12:00 Z\nada,2026-10-19 14:00 +02:00\n",
            r"3: ada has two attempts at .*, the other at .*:2; nobody can tell which came first",
        ),
        (
            "id,time,submission\nada,2026-10-19 12:00 Z,x\nbob,2026-10-19 12:00 Z,x\n",
            "3: the submission x has two times",
        ),
    ],
)
def test_tables_of_times_that_are_refused(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        read(tmp_path, text)


def test_the_metadata_of_gradescope(tmp_path: Path) -> None:
    text = (
        "submission_7:\n  :submitters:\n  - :name: Ada\n    :sid: '1'\n"
        "  :created_at: 2026-10-20 05:00:00.250000000 -07:00\n"
        "  :history:\n  - :id: 5\n    :created_at: 2026-10-19 12:00:00.000000000 Z\n"
        "submission_8:\n  :created_at: !ruby/object:ActiveSupport::TimeWithZone\n"
        "    utc: 2026-10-19 12:00:00.000000000 Z\n    time: x\n"
    )
    found = read(tmp_path, text, times.GRADESCOPE).attempts
    assert [(each.student, each.text, each.submission) for each in found] == [
        ("submission_7", "2026-10-19 12:00 +00:00", ""),
        ("submission_7", "2026-10-20 05:00 -07:00", "submission_7"),
        ("submission_8", "2026-10-19 12:00 +00:00", "submission_8"),
    ]
    assert times.beside([tmp_path]) == Times()  # nobody's work lies beside it
    (tmp_path / "submission_7").mkdir()
    assert times.beside([tmp_path]).attempts == found[:2]
    (tmp_path / "submission_8").mkdir()
    assert times.beside([tmp_path]).attempts == found
    assert times.beside([tmp_path / "class"]) == Times()
    for name in (times.GRADESCOPE, "deep.json"):
        (tmp_path / name).write_text("[" * 3000)
        with pytest.raises(UsageError, match=f"{name} is no metadata of Gradescope"):
            times.read(tmp_path / name)


def test_the_metadata_of_one_submission(tmp_path: Path) -> None:
    text = (
        '{"created_at": "2026-10-20T14:22:32.365935-07:00", "previous_submissions":'
        ' [{"submission_time": "2026-10-19T14:22:32.365935-07:00"}]}'
    )
    found = read(tmp_path, text, "submission_metadata.json")
    handed_in = sorted_out(seen("mine"), Arrangements(assignment=LATE, times=found))
    assert handed_in.at["mine"] == read_moment("2026-10-20 21:22:32.365935 Z")
    assert len(handed_in.history.attempts["mine"]) == 2
    with pytest.raises(UsageError, match="is about one submission, and 2 were found"):
        sorted_out(seen("mine", "yours"), Arrangements(assignment=LATE, times=found))


@pytest.mark.parametrize("text", ["[]", "a: [", "submission_1: {}", "submission_1: x"])
def test_metadata_of_another_kind(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError, match="metadata"):
        read(tmp_path, text, times.GRADESCOPE)


# attempts


def seen(*names):
    """Submissions of these names, each with something of its own in it."""
    return {name: f"digest of {name}" for name in names}


def history(*moments: str, name: str = "ada") -> History:
    return History().with_([Attempt(name, at(moment), f"{name}-{moment}") for moment in moments])


@pytest.mark.parametrize(
    ("rule", "moments", "chosen"),
    [
        ("", ["18 12:00", "19 12:00"], "19 12:00"),
        ("counts: first", ["18 12:00", "19 12:00"], "18 12:00"),
        ("max_submissions: 2", ["17 12:00", "18 12:00", "19 12:00"], "18 12:00"),
        ("", ["18 12:00", "21 12:00"], "18 12:00"),
        ("late: {per_day: 10%}", ["18 12:00", "21 12:00"], "21 12:00"),
        ("", ["21 12:00"], None),
    ],
)
def test_which_attempt_counts(rule: str, moments: list[str], chosen: str | None) -> None:
    choice = history(*moments).choose("ada", assignment(rule))
    assert (choice.attempt.at if choice.attempt else None) == (at(chosen) if chosen else None)
    is_last = chosen == moments[-1] or rule == "counts: first"
    assert bool(choice.refused) is not is_last


def test_what_comes_before_the_release_is_refused() -> None:
    declared = assignment("release: 2026-10-18 12:00 Z")
    with pytest.raises(UsageError, match=r"before the release .* is the zone of the time right"):
        history("18 11:00").choose("ada", declared)


def test_attempts_of_several_runs_are_one_history() -> None:
    merged = history("18 12:00", "19 12:00").with_([Attempt("ada", at("18 12:00"), "")])
    assert [each.submission for each in merged.attempts["ada"]] == ["ada-18 12:00", "ada-19 12:00"]
    (document,) = merged.documents("hw1").values()
    again = known_attempts.stored(document)
    assert again.counting(assignment()) == {"ada": at("19 12:00")}


def arrangements(*given: Attempt, **more: object) -> Arrangements:
    return Arrangements(assignment=LATE, times=Times(given), **more)


PAIR = {name: Student(name, name.upper(), group="g1") for name in ("ada", "bob")}
GROUPS = Roster(Path("roster.csv"), PAIR, by_group=True)


def test_members_of_a_group_hand_in_together() -> None:
    given = (Attempt("ada", at("18 12:00"), "ada"), Attempt("bob", at("19 12:00"), "bob"))
    found = sorted_out(seen("ada", "bob"), arrangements(*given, roster=GROUPS))
    assert (found.counted, found.at) == ({"g1": "bob"}, {"g1": at("19 12:00")})
    assert sorted_out(seen("ada"), Arrangements(roster=GROUPS)).counted == {"g1": "ada"}
    assert sorted_out(seen("g1"), Arrangements(roster=GROUPS)).counted == {"g1": "g1"}


def test_two_submissions_of_a_group_need_their_times() -> None:
    with pytest.raises(UsageError, match="g1 handed in 2 times: ada, bob; give the times of all"):
        sorted_out(seen("ada", "bob"), arrangements(roster=GROUPS))
    same = tuple(Attempt(name, at("18 12:00"), name) for name in ("ada", "bob"))
    with pytest.raises(UsageError, match="two attempts at"):
        sorted_out(seen("ada", "bob"), arrangements(*same, roster=GROUPS))


def test_an_older_attempt_than_the_one_that_counts_is_not_graded() -> None:
    old = Attempt("ada", at("18 12:00"), "ada")
    found = sorted_out(seen("ada"), arrangements(old, history=history("19 12:00")))
    assert (found.counted, found.elsewhere) == ({}, {"ada": at("19 12:00")})


# lateness


@pytest.mark.parametrize(
    ("moment", "days"),
    [
        ("19 23:59", 0),
        ("20 00:14", 0),
        ("20 00:15", 1),
        ("20 23:59", 1),
        ("21 00:00", 2),
    ],
)
def test_days_late(moment: str, days: int) -> None:
    assert lateness.days_late(at(moment), LATE) == days


@pytest.mark.parametrize(
    ("days", "points", "lost"), [(0, 20, 0), (1, 20, 2), (2, 20, 4), (3, 20, 5), (3, 1.5, 1.5)]
)
def test_what_late_days_cost(days: int, points: float, lost: float) -> None:
    assert LATE.late is not None
    assert lateness.penalty(LATE.late, days, max_points=20, points=points) == lost


def test_late_days_of_the_term_are_spent_in_the_order_of_the_due_dates() -> None:
    rule = "late: {per_day: 10%, late_days: 2}\n"
    first = Dated(assignment(rule, "first", "2026-10-05 12:00"), {"ada": at("07 11:00")})
    second = Dated(assignment(rule, "second", "2026-10-12 12:00"), {"ada": at("14 11:00")})
    third = Dated(assignment(rule, "third", "2026-10-19 12:00"), {"ada": at("20 11:00")})
    every = [first, second, third]
    free = [
        lateness.free_days("ada", here, [each for each in every if each is not here], 3)
        for here in every
    ]
    assert free == [2, 1, 0]
    assert lateness.free_days("bob", third, [first, second], 3) == 0
    assert lateness.free_days("ada", third, [], 3) == 1
    assert lateness.free_days("ada", third, [], None) == 0


# the gradebook


def row(name: str, moment: str = "", points: float = 10.0) -> SubmissionGrade:
    verdict = Verdict(
        name, "square", "value", "FAIL", "wrong", points, 20.0, "visible",
        message="It is off.", hint="Look at the sign.", example={"call": "f(1)"},
    )  # fmt: skip
    task = TaskGrade("square", "Squares", "exact", 20.0, (verdict,))
    submitted = at(moment).isoformat() if moment else ""
    return SubmissionGrade(name, name, "ab", "unverified", "L3", (task,), submitted=submitted)


def gradebook(*rows: SubmissionGrade) -> Gradebook:
    return Gradebook(RunRecord("hw1", "final", "c" * 64, "0", "d" * 64, ""), rows)


def test_a_late_submission_keeps_its_points_and_loses_a_penalty_beside() -> None:
    (late,) = Book(assignment=LATE).finished(gradebook(row("ada", "21 12:00"))).submissions
    assert (late.points, late.penalty, late.mark) == (10.0, 4.0, 6.0)
    assert late.late is not None and (late.late.days, late.late.free_days) == (2, 0)
    (paid,) = (
        Book(assignment=LATE, budget=1).finished(gradebook(row("ada", "21 12:00"))).submissions
    )
    assert (paid.penalty, paid.late and paid.late.free_days) == (2.0, 1)
    (unknown,) = Book(assignment=LATE).finished(gradebook(row("ada"))).submissions
    assert (unknown.late, unknown.mark) == (None, 10.0)


def test_every_member_of_a_group_gets_its_row_and_the_board_shows_pseudonyms() -> None:
    book = Book(GROUPS, LATE)
    rows = book.finished(gradebook(row("g1", "20 12:00"), row("s123"), row("s124"))).submissions
    assert [(each.name, each.display_name, each.mark) for each in rows] == [
        ("ada", "ADA", 8.0),
        ("bob", "BOB", 8.0),
        ("s123", "not in the roster (1)", 10.0),
        ("s124", "not in the roster (2)", 10.0),
    ]
    assert book.names(["g1", "s123"]) == ["ada", "bob", "s123"]


def test_a_members_own_late_days_count_in_the_work_of_the_group() -> None:
    alone = assignment("late: {per_day: 10%, late_days: 2}\n", "hw0", "2026-10-05 12:00")
    before = dated(alone, history("06 12:00"), GROUPS)
    book = Book(GROUPS, LATE, (before,), budget=2)
    rows = book.finished(gradebook(row("g1", "21 12:00"))).submissions
    assert [each.late and each.late.free_days for each in rows] == [1, 2]


@pytest.mark.parametrize(
    ("told", "hint", "example", "message"),
    [
        ("examples", "Look at the sign.", True, "It is off."),
        ("hints", "Look at the sign.", False, "It is off."),
        ("marks", "", False, ""),
    ],
)
def test_what_students_are_told(told: str, hint: str, example: bool, message: str) -> None:
    declared = assignment(f"tells: {{final: {told}}}")
    (found,) = Book(assignment=declared).finished(gradebook(row("ada"))).submissions
    verdict = found.tasks[0].verdicts[0]
    assert (verdict.hint, verdict.example is not None, verdict.message) == (hint, example, message)
    feedback = replace(gradebook(row("ada")), run=RunRecord("hw1", "feedback", "c", "0", "d", ""))
    assert Book(assignment=declared).finished(feedback).submissions[0].tasks[0].verdicts[0].hint


def test_a_time_is_known_again_where_nothing_was_changed():
    """Also of work that came too late to count, and of attempts that are no longer the last."""
    told = (Attempt("ada", at("18 12:00"), "ada-1"), Attempt("ada", at("19 12:00"), "ada-2"))
    first = sorted_out(seen("ada-1", "ada-2"), arrangements(*told))
    kept = known_attempts.stored(
        json.loads(json.dumps(first.history.documents("hw")))["attempts/hw"]
    )
    again = sorted_out(seen("ada-1", "ada-2"), arrangements(history=kept))
    assert (again.counted, again.at) == (first.counted, first.at) == ({"ada": "ada-2"}, again.at)
    assert sorted_out({"ada-2": "another digest"}, arrangements(history=kept)).at == {}


def test_a_time_that_is_told_anew_replaces_what_was_known():
    before = sorted_out(seen("ada"), arrangements(Attempt("ada", at("18 12:00"), "ada"))).history
    told = Attempt("ada", at("18 13:00"), "ada")
    found = sorted_out(seen("ada"), arrangements(told, history=before))
    assert found.at == {"ada": at("18 13:00")}


def test_the_same_files_later_are_an_attempt_with_its_own_time():
    """Whatever is told of the former: a platform's table has the last time alone."""
    before = sorted_out(seen("ada"), arrangements(Attempt("ada", at("18 12:00"), "ada"))).history
    later = Attempt("ada", at("21 12:00"), "ada")
    found = sorted_out(seen("ada"), arrangements(later, history=before))
    assert [each.at for each in found.history.attempts["ada"]] == [at("18 12:00"), at("21 12:00")]
    assert found.at == {"ada": at("21 12:00")}, "the last one counts, and is two days late"
    assert found.notices == (
        "ada handed in the same files at 2026-10-18 12:00 +00:00 and at 2026-10-21 12:00 +00:00: "
        "each time is an attempt; where the former was wrong, give --replace-times",
    )
    for told in (later, Attempt("ada", at("18 12:00"), "ada")):
        again = sorted_out(seen("ada"), arrangements(told, history=found.history))
        assert (again.history, again.notices) == (found.history, ()), "nothing new is told"
        assert again.at == {"ada": at("21 12:00")}, "whichever download is graded again"


@pytest.mark.parametrize(
    ("first", "second", "shown"),
    [
        (":00", ":30", ("23:50 +00:00", "23:50:30 +00:00")),
        (":00", ":00.5", ("23:50:00 +00:00", "23:50:00.500000 +00:00")),
        (":07.2", ":07.25", ("23:50:07.200000 +00:00", "23:50:07.250000 +00:00")),
    ],
)
def test_times_that_nearly_agree_are_shown_so_that_they_differ(first, second, shown):
    days = [read_moment(f"2026-10-18 23:50{each} Z") for each in (first, second)]
    before = sorted_out(seen("ada"), arrangements(Attempt("ada", days[0], "ada"))).history
    later = Attempt("ada", days[1], "ada")
    (notice,) = sorted_out(seen("ada"), arrangements(later, history=before)).notices
    earlier, now = (f"2026-10-18 {each}" for each in shown)
    assert notice.startswith(f"ada handed in the same files at {earlier} and at {now}: each time")


def test_what_is_late_by_less_than_a_second_is_shown_to_be():
    at, due = (read_moment(f"2026-10-19 23:59:00{part} Z") for part in (".4", ""))
    assert moment_texts(at, due) == (
        "2026-10-19 23:59:00.400000 +00:00",
        "2026-10-19 23:59:00 +00:00",
    )
    assert moment_texts(due, due) == ("2026-10-19 23:59 +00:00",) * 2


def test_the_first_of_two_attempts_with_the_same_files_counts_with_its_time():
    """Under `counts: first` and under a limit of one nothing is late by handing in again."""
    for rule in ("counts: first", "max_submissions: 1"):
        declared = assignment(rule + "\nlate: {per_day: 10%}")
        known = Arrangements(
            assignment=declared, times=Times((Attempt("ada", at("18 12:00"), "a"),))
        )
        before = sorted_out(seen("a"), known).history
        told = Times((Attempt("ada", at("21 12:00"), "a"),))
        found = sorted_out(seen("a"), replace(known, times=told, history=before))
        for each in (found, sorted_out(seen("a"), replace(known, history=found.history))):
            assert (each.counted, each.at) == ({"ada": "a"}, {"ada": at("18 12:00")}), rule
            assert each.elsewhere == {}, "its files are here: they are the same"


def test_copies_that_came_in_again_are_said_in_one_line():
    """A whole class whose zone was wrong must not be a page of notes."""
    names = ("ada", "bob", "cleo")
    given = [Attempt(name, at("18 12:00"), name) for name in names]
    before = sorted_out(seen(*names), arrangements(*given)).history
    later = [replace(each, at=at("18 14:00")) for each in given]
    (notice,) = sorted_out(seen(*names), arrangements(*later, history=before)).notices
    assert notice.startswith("ada handed in the same files at 2026-10-18 12:00 +00:00 and at 2026-")
    assert ", and 2 more likewise: each time is an attempt" in notice


def test_a_time_that_was_wrong_is_no_attempt():
    """An earlier time, too, takes the place of what was told of the same files."""
    before = sorted_out(seen("ada"), arrangements(Attempt("ada", at("20 12:00"), "ada"))).history
    now = Attempt("ada", at("19 12:00"), "ada")
    found = sorted_out(seen("ada"), arrangements(now, history=before))
    assert found.at == {"ada": at("19 12:00")}
    assert [each.at for each in found.history.attempts["ada"]] == [at("19 12:00")]
    (notice,) = found.notices
    assert notice == (
        "ada: these files had the time 2026-10-20 12:00 +00:00, and now have "
        "2026-10-19 12:00 +00:00; the former is no attempt any more"
    )


def test_the_same_files_handed_in_again_are_two_attempts_where_both_times_are_told():
    first = Attempt("ada", at("18 12:00"), "ada")
    before = sorted_out(seen("ada"), arrangements(first)).history
    told = (replace(first, submission=""), Attempt("ada", at("19 12:00"), "ada"))
    found = sorted_out(seen("ada"), arrangements(*told, history=before))
    assert [each.at for each in found.history.attempts["ada"]] == [at("18 12:00"), at("19 12:00")]
    assert found.notices == ()


def test_files_that_turn_out_to_be_somebody_elses_are_theirs_in_later_runs_too():
    before = sorted_out(seen("dl_1"), arrangements(Attempt("bob", at("18 12:00"), "dl_1"))).history
    found = sorted_out(
        seen("dl_1"), arrangements(Attempt("ada", at("18 12:00"), "dl_1"), history=before)
    )
    assert (found.counted, set(found.history.attempts)) == ({"ada": "dl_1"}, {"ada"})
    assert found.notices == (
        "dl_1 was bob's, and is now ada's; the attempt of 2026-10-18 12:00 +00:00 is none of "
        "bob's any more",
    )
    later = sorted_out(seen("dl_1"), arrangements(history=found.history))
    assert later.counted == {"ada": "dl_1"}


def test_a_roster_and_times_that_disagree_are_pointed_out():
    roster = Roster(Path("roster.csv"), {"ada": Student("ada", "P-A", submission="dl_1")})
    told = Attempt("bob", at("18 12:00"), "dl_1", "times.csv:2")
    found = sorted_out(seen("dl_1"), arrangements(told, roster=roster))
    assert found.notices == (
        "dl_1 is ada's by the roster, and bob's by times.csv:2; the times count: put right "
        "whichever is wrong",
    )
    agreed = replace(told, student="ada")
    assert sorted_out(seen("dl_1"), arrangements(agreed, roster=roster)).notices == ()
