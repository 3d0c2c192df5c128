"""Names in tables: safe, different, and nobody's but their owner's."""

from __future__ import annotations

import re
from typing import Any

import pytest

from harness.errors import UsageError
from harness.report.names import labels, refuse_duplicates, shown
from harness.submissions import display


def test_labels_are_display_names(build: Any) -> None:
    book = build.book(build.row("s1", display_name="Pseudonym"), build.row("s2"))
    assert labels(book) == {"s1": "Pseudonym", "s2": "s2"}


def test_nobody_takes_anothers_label(build: Any) -> None:
    rows = [build.row("bob"), build.row("bob\u200b"), build.row("other", display_name="\x1b[0mbob")]
    found = labels(build.book(*rows))
    assert found["bob"] == "bob"
    assert len(set(found.values())) == 3
    assert all(re.fullmatch(r"bob( \[[0-9a-f]{8}\])?", label) for label in found.values())


ALIKE = {
    "joiner": "alice\u200d",
    "filler": "alice\u3164",
    "half-width filler": "alice\uffa0",
    "variation": "alice\ufe0f",
    "variation 17": "ali\U000e0100ce",
    "grapheme joiner": "a\u034flice",
    "tag": "alice\U000e0061",
    "soft hyphen": "ali\xadce",
    "blank pattern": "alice\u2800",
    "width": "\uff41lice",
    "mathematical": "\U0001d41alice",
    "Cyrillic": "\u0430lice",
    "Greek": "al\u03b9ce",
    "digit": "a1ice",
    "capital": "aIice",
    "space": " alice",
    "no-break space": "alice\u00a0",
}


@pytest.mark.parametrize("kind", ALIKE)
def test_names_that_look_alike_are_told_apart(build: Any, kind: str) -> None:
    name = ALIKE[kind]
    for display_name in (name, display(name)):
        found = labels(build.book(build.row("alice"), build.row(name, display_name=display_name)))
        assert re.search(r" \[[0-9a-f]{8}\]$", found[name])
        assert found["alice"] == "alice" or kind in (
            "digit",
            "capital",
        )  # both are plain, so both are marked


@pytest.mark.parametrize("kind", ["joiner", "filler", "variation", "tag", "blank pattern"])
def test_what_shows_nothing_is_marked_where_it_stands(kind: str) -> None:
    assert "\ufffd" in display(ALIKE[kind])


def test_encodings_of_an_accent_are_told_apart(build: Any) -> None:
    found = labels(build.book(build.row("zo\xe9"), build.row("zoe\u0301")))
    assert all(re.search(r" \[[0-9a-f]{8}\]$", label) for label in found.values())


def test_names_that_differ_need_no_mark(build: Any) -> None:
    names = [
        "utf8",
        "UTF8",
        "ada",
        "Ada",
        "adam",
        "00123456",
        "00123457",
        "Jane Doe_12",
        "Jane Doe_13",
        "é",
        "e",
    ]
    found = labels(build.book(*map(build.row, names)))
    assert found == {name: name for name in names}


def test_a_name_without_anything_to_show_is_unnamed(build: Any) -> None:
    assert shown(build.row("\u202e \x00")) == "unnamed"


@pytest.mark.parametrize("function", [refuse_duplicates, labels])
def test_equal_names_are_refused(build: Any, function: Any) -> None:
    with pytest.raises(UsageError, match=r"called '\\x1bada'"):
        function(build.book(build.row("\x1bada"), build.row("\x1bada")))
