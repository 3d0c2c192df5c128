"""Gradescope's metadata: who handed in which folder."""

from __future__ import annotations

import pytest

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
