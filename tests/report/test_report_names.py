"""Names in tables: safe, different, and nobody's but their owner's."""

from __future__ import annotations

import re
from typing import Any

import pytest

from harness.errors import UsageError
from harness.report.names import labels, refuse_duplicates, shown


def test_labels_are_display_names(build: Any) -> None:
    book = build.book(build.row("s1", display_name="Pseudonym"), build.row("s2"))
    assert labels(book) == {"s1": "Pseudonym", "s2": "s2"}


def test_nobody_takes_anothers_label(build: Any) -> None:
    rows = [build.row("bob"), build.row("bob\u200b"), build.row("other", display_name="\x1b[0mbob")]
    found = labels(build.book(*rows))
    assert found["bob"] == "bob"
    assert len(set(found.values())) == 3
    assert all(re.fullmatch(r"bob( \[[0-9a-f]{8}\])?", label) for label in found.values())


def test_a_name_without_anything_to_show_is_unnamed(build: Any) -> None:
    assert shown(build.row("\u202e \x00")) == "unnamed"


@pytest.mark.parametrize("function", [refuse_duplicates, labels])
def test_equal_names_are_refused(build: Any, function: Any) -> None:
    with pytest.raises(UsageError, match=r"called '\\x1bada'"):
        function(build.book(build.row("\x1bada"), build.row("\x1bada")))
