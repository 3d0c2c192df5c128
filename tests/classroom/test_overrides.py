"""Points that a person gave: kept beside the computed ones, checked, and withdrawn."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.classroom import overrides
from harness.classroom.book import Book
from harness.classroom.overrides import Entry, Log
from harness.errors import UsageError
from harness.marking.gradebook import Gradebook, RunRecord, SubmissionGrade, TaskGrade
from harness.records import Verdict
from harness.report.adjustments import adjustments, sum_text
from harness.report.feedback import render
from harness.report.grade_lines import grade_rows
from harness.report.gradescope import document


def verdict(check: str, points: float) -> Verdict:
    status = "PASS" if points == 5 else "FAIL"
    cause = "" if points == 5 else "wrong"
    return Verdict("ada", "square", check, status, cause, points, 5.0, "visible")


def row(value: float = 0.0, sum_: float = 5.0) -> SubmissionGrade:
    task = TaskGrade(
        "square", "Squares", "exact", 10.0, (verdict("value", value), verdict("sum", sum_))
    )
    return SubmissionGrade("ada", "Falcon", "ab", "roster", "L3", (task,))


def entry(place: str, points: float | None) -> Entry:
    task, _, check = place.partition("/")
    return Entry("ada", task, check, points, "ambiguous statement", "Turing", "2026-11-29T12:00")


def finished(log: Log, one: SubmissionGrade) -> Gradebook:
    run = RunRecord("hw1", "final", "c" * 64, "0", "d" * 64, "")
    return Book(overrides=log.in_force).finished(Gradebook(run, (one,)))


@pytest.mark.parametrize(
    ("place", "points", "words"),
    [
        ("cube", 1, "no marks of a task 'cube'"),
        ("square/valu", 1, "no check 'valu'; did you mean 'value'"),
        ("square/value", 6, "is worth 5 points, and 6 were given; give 0 to 5"),
        ("square", -1, "is worth 10 points, and -1 were given"),
        ("square/value", None, "no override of square/value to withdraw"),
    ],
)
def test_overrides_that_are_refused(place: str, points: float | None, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        Log().with_(entry(place, points), row())


@pytest.mark.parametrize(("first", "second"), [("square", "square/sum"), ("square/sum", "square")])
def test_a_task_and_its_check_are_not_both_overridden(first: str, second: str) -> None:
    log = Log().with_(entry(first, 3), row())
    with pytest.raises(UsageError, match=r"count the same points twice; withdraw that one first"):
        log.with_(entry(second, 3), row())
    assert log.with_(entry(first, 4), row()).in_force == (entry(first, 4),)
    withdrawn = log.with_(entry(first, None), row())
    assert withdrawn.in_force == ()
    assert len(withdrawn.entries) == 2, "what was withdrawn stays in the list"
    assert withdrawn.with_(entry(second, 3), row()).in_force == (entry(second, 3),)


def test_an_override_stands_beside_the_computed_points_and_survives_a_regrade() -> None:
    log = Log().with_(entry("square/value", 4), row())
    (found,) = finished(log, row()).submissions
    assert (found.points, found.mark) == (5.0, 9.0)
    assert found.tasks[0].verdicts[0].points == 0.0
    (regraded,) = finished(log, row(value=5.0)).submissions
    assert (regraded.points, regraded.mark) == (10.0, 9.0)
    assert [(each.points, each.computed) for each in regraded.overrides] == [(4, 5.0)]


def test_no_more_counts_than_a_place_is_worth_now() -> None:
    """An assignment may be changed after a decision, so that its task or check is worth less."""
    log = Log().with_(entry("square/value", 4), row())
    one = row()
    less = replace(one.tasks[0].verdicts[0], max_points=1.0)
    task = replace(one.tasks[0], max_points=6.0, verdicts=(less, *one.tasks[0].verdicts[1:]))
    changed = replace(one, tasks=(task,))
    (found,) = finished(log, changed).submissions
    assert (found.mark, found.max_points) == (6.0, 6.0)
    assert [each.points for each in found.overrides] == [1.0]
    (words,) = overrides.changed_by({"ada": changed}, log.in_force)
    assert words.startswith("the override of ada, square/value (4 points, Turing) counts 1:")
    assert list(overrides.changed_by({"ada": one}, log.in_force)) == []


def test_what_was_overridden_and_is_no_more_counts_nothing_and_can_be_withdrawn() -> None:
    one = row()
    task = replace(one.tasks[0], max_points=5.0, verdicts=one.tasks[0].verdicts[1:])
    without_check, without_task = replace(one, tasks=(task,)), replace(one, tasks=())
    for place, changed, kind in (
        ("square/value", without_check, "check"),
        ("square/value", without_task, "check"),
        ("square", without_task, "task"),
    ):
        log = Log().with_(entry(place, 4), one)
        (found,) = finished(log, changed).submissions
        assert found.overrides == () and found.mark == changed.points
        (words,) = overrides.changed_by({"ada": changed}, log.in_force)
        assert f"is without effect: there is no such {kind} now; --withdraw ends it" in words
        assert log.with_(entry(place, None), changed).in_force == ()


def test_every_report_shows_it_as_an_override() -> None:
    book = finished(Log().with_(entry("square/value", 4), row()), row())
    (found,) = book.submissions
    (line,) = adjustments(found)
    words = "square/value: 4 points instead of the computed 0, given by Turing: ambiguous statement"
    assert (line.kind, line.points, line.text) == ("OVERRIDE", 4.0, words)
    assert sum_text(found) == "9 = 5 computed + 4 by override"
    assert "**Mark: 9**" in render(found, book) and "given by Turing" in render(found, book)
    exported = document(found, book)
    assert exported["score"] == sum(test["score"] for test in exported["tests"]) == 9.0
    lines = grade_rows(book)
    assert [each["status"] for each in lines] == ["FAIL", "PASS", "OVERRIDE"]
    assert sum(float(each["points"] or 0) for each in lines) == 9.0


def test_what_is_stored_is_read_back() -> None:
    log = Log().with_(entry("square", 3), row()).with_(entry("square", None), row())
    (stored,) = log.documents("class/x/").values()
    assert overrides.stored(stored) == log
    assert overrides.stored(None) == Log()
