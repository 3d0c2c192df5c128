"""Gradescope's metadata: who handed in which folder."""

from __future__ import annotations

import pytest

from harness.classroom import gradescope
from harness.classroom.gradescope import LARGEST, Submitter, read
from harness.errors import UsageError
from tests.support.platforms import GRADESCOPE


def test_submitters_times_and_earlier_times() -> None:
    first, second = read(GRADESCOPE.encode(), "it")
    assert first.submitters == (Submitter("Jane Doe", "00123", "jane@example.org"),)
    assert [at.isoformat() for at in (first.at, *first.earlier)] == [
        "2026-10-19T23:50:00.250000+02:00",
        "2026-10-18T12:00:00+00:00",
    ]
    assert [each.sid for each in second.submitters] == ["00124", "00125"]
    assert second.earlier == ()


def test_what_gradescope_does_not_know_is_empty() -> None:
    text = GRADESCOPE.replace("'00123'", "null").replace("jane@example.org", "")
    assert read(text.encode(), "it")[0].submitters == (Submitter("Jane Doe", "", ""),)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\xff", "it is no metadata of Gradescope"),
        (b"a: [", "it is no metadata of Gradescope"),
        (b"- a", "it is not laid out as Gradescope's metadata: AttributeError"),
        (b"a: {}", "KeyError at ':created_at'; give a table of times"),
        (b"a: {':created_at': 2026-10-19 23:50}", "it, a: .* has no time zone"),
        (b"x" * (LARGEST + 1), "it is larger than 64 MiB"),
    ],
)
def test_what_is_no_metadata(content: bytes, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        read(content, "it")


ALL = {"due_date": "2026-10-19T23:59:00-07:00", "late_due_date": "2026-10-22T23:59:00-07:00"}


def student(**dates: str | None) -> dict[str, object]:
    return {"id": 1, "assignment": {**ALL, **dates}}


@pytest.mark.parametrize(
    ("users", "due", "late_due"),
    [
        ([student()], None, None),
        ([student(due_date="2026-10-21T23:59:00-07:00")], "21", None),
        ([student(), student(late_due_date="2026-10-29T23:59:00-07:00")], None, "29"),
        ([student(due_date="2026-10-18T23:59:00-07:00")], None, None),
        ([student(due_date=None, late_due_date=None)], None, None),
        ([{"id": 1}], None, None),
        (None, None, None),
    ],
    ids=["the same", "due", "one of a group", "earlier", "without", "as documented", "nobody"],
)
def test_dates_of_a_student_beside_those_of_everybody(
    users: object, due: str | None, late_due: str | None
) -> None:
    found = gradescope.granted({"assignment": ALL, "users": users}, "m.json")
    dates = [each and f"{each:%d}" for each in (found.due, found.late_due)]
    assert dates == [due, late_due]


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ({"assignment": ALL, "users": "x"}, "AttributeError"),
        ({"assignment": [1], "users": []}, "AttributeError"),
        ({"users": [student(due_date="2026-10-21 23:59")]}, "has no time zone"),
    ],
)
def test_dates_that_cannot_be_read(record: dict[str, object], words: str) -> None:
    with pytest.raises(UsageError, match=rf"m.json.*{words}"):
        gradescope.granted(record, "m.json")
