"""Marks that can be added up, ranks and words."""

from __future__ import annotations

import math
from typing import Any

import pytest

from harness.causes import Cause
from harness.report.explain import explain, notes
from harness.report.marks import (
    failing,
    number,
    points_text,
    ranked,
    task_ids,
)


@pytest.mark.parametrize("points", [math.nan, math.inf, -math.inf, None])
def test_a_mark_that_is_no_number_does_not_spread(build: Any, points: float | None) -> None:
    row = build.row("ada", build.task(build.verdict(points=points), build.verdict("other")))
    (marked,) = build.book(row).submissions
    bad, good = marked.tasks[0].verdicts
    assert (bad.status, bad.points, bad.cause) == ("UNGRADABLE", None, Cause.MARK_UNUSABLE)
    assert good == row.tasks[0].verdicts[1]
    assert (marked.points, marked.provisional) == (2.0, True)


@pytest.mark.parametrize("cause", [cause for cause in Cause if cause.before_running])
def test_a_file_that_cannot_be_tried_is_told_of_hidden_checks_too(build: Any, cause: Cause) -> None:
    fields = {"message": "kl.py, line 3: invalid syntax", "hint": "unseen", "cause": cause}
    told = build.verdict(status="ERROR", visibility="hidden", before_running=True, **fields)
    silent = build.verdict(status="ERROR", visibility="hidden", **fields)
    assert "invalid syntax" in " ".join(map(str, explain(told)))
    assert "unseen" not in " ".join(map(str, explain(told)))
    assert "invalid syntax" not in " ".join(map(str, explain(silent)))


def test_what_went_wrong_on_our_side_is_told_without_its_place(build: Any) -> None:
    told = "ValueError: 3.25 at measure.py:7"
    verdict = build.verdict(status="UNGRADABLE", cause="harness-error", message=told)
    assert told not in " ".join(map(str, explain(verdict)))


def test_ranks_share_the_best_place(build: Any) -> None:
    rows = [
        build.scored(name, points) for name, points in zip("abcde", (1, 2, 1, 0.5, 1), strict=True)
    ]
    places = [(place.rank, place.row.name) for place in ranked(build.book(*rows))]
    assert places == [(1, "b"), (2, "a"), (2, "c"), (2, "e"), (5, "d")]


def test_tasks_come_in_the_order_of_the_fullest_row(build: Any) -> None:
    one, two, three = (build.task(build.verdict(), id=id) for id in ("z", "m", "a"))
    book = build.book(build.row("a", three), build.row("b", one, two, three), build.row("c", two))
    assert task_ids(book) == ["z", "m", "a"]


def test_numbers_and_points_in_words() -> None:
    assert math.copysign(1, number(-0.0)) == 1
    assert isinstance(number(2), float)
    texts = [points_text(points) for points in (2.0, 2.5, 0.3333, 10.0, 0.0, None)]
    assert texts == ["2", "2.5", "0.3333", "10", "0", "–"]


def test_failing_statuses(build: Any) -> None:
    verdicts = [build.verdict(status=status) for status in ("PASS", "SKIPPED", "FAIL", "FAIL")]
    assert failing(verdicts) == ["FAIL", "SKIPPED"]


def test_a_failed_visible_check_is_explained_in_full(build: Any) -> None:
    fails = build.every_status().tasks[0].verdicts[1]
    assert [str(line) for line in explain(fails)] == [
        "Result: It is off by one.",
        "Call: f(x)",
        "Came back: 1.0",
        "Wanted: 2.0",
        "Note: in nats",
        "Hint: Look at the sign.",
    ]


def test_several_lines_start_below_their_label(build: Any) -> None:
    verdict = build.verdict(status="FAIL", example={"got": "\n[[1.]\r\n [2.]]\n"})
    assert str(explain(verdict)[1]) == "Came back:\n[[1.]\n [2.]]"


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("FAIL", "against the program"),
        ("INCONCLUSIVE", "either way"),
        ("ERROR", "did not deliver"),
        ("SKIPPED", "builds on"),
        ("UNGRADABLE", "could not run"),
    ],
)
def test_every_status_says_something_without_a_message(build: Any, status: Any, words: str) -> None:
    assert words in explain(build.verdict(status=status, visibility="hidden"))[-1].text


def test_a_pass_says_what_is_to_be_known_all_the_same(build: Any) -> None:
    (line,) = explain(build.verdict(message="A budget was used up."))
    assert (line.label, line.text) == ("Note", "A budget was used up.")
    assert explain(build.verdict(message="A budget was used up.", visibility="hidden")) == ()


def test_a_pass_needs_no_words(build: Any) -> None:
    assert explain(build.verdict(example={"got": "1"})) == ()


def test_an_example_may_lack_parts_or_hold_other_things(build: Any) -> None:
    lines = explain(build.verdict(status="FAIL", example={"got": 3, "note": "", "other": "x"}))
    assert [line.label for line in lines] == ["Result", "Came back"]


def test_a_hidden_check_says_one_fixed_sentence_for_its_status(build: Any) -> None:
    hidden = {"visibility": "hidden", "hint": "unseen", "example": {"got": "unseen"}}
    (line,) = explain(build.verdict(status="ERROR", message="It raised.", **hidden))
    assert line.text == "The program did not deliver a result."


def test_notes(build: Any) -> None:
    row = build.every_status()
    said = " ".join(notes(row, build.book(row, phase="feedback").run))
    assert "L3" in said
    assert "feedback phase are provisional" in said
    assert "1 of the checks" in said
    bare = build.row("ada", isolation="", identity="unverified", problems=("Late\x1b[0m.",))
    said = " ".join(notes(bare, build.book(bare).run))
    assert "none, as no program was run" in said
    assert "identity is unverified" in said
    assert said.endswith("Late.")
    assert "provisional" not in said
