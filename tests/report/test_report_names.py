"""Names in tables and on disk: safe, different, and nobody's but their owner's."""

from __future__ import annotations

import hashlib
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import UsageError
from harness.report.names import folder_name, folders, labels, shown


@pytest.mark.parametrize("name", ["ada", "Ada_Lovelace-2", "x", "007", "_x", "a" * 48])
def test_ordinary_names_stay(name: str) -> None:
    assert folder_name(name) == name


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("", "submission"),
        (".", "submission"),
        ("..", "submission"),
        ("../../etc/passwd", "etc-passwd"),
        ("/abs", "abs"),
        ("a\\b", "a-b"),
        ("grades.csv", "grades-csv"),
        ("Jürgen Müller", "Jurgen-Muller"),
        ("漢", "submission"),
        ("a\ud800", "a"),
        ("a\x00b", "a-b"),
        ("-rf", "rf"),
        ("site", "site"),
        ("Site", "Site"),
        ("b" * 60, "b" * 48),
        ("bob-0123abcd", "bob-0123abcd"),
    ],
)
def test_other_names_get_a_slug_and_a_digest(name: str, slug: str) -> None:
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
    assert folder_name(name) == f"{slug}-{digest[:8]}"


@given(st.text(st.characters() | st.sampled_from("./\\-a\ud800\x00")))
def test_a_folder_name_never_escapes(name: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,60}", folder_name(name))
    assert folder_name(name) == folder_name(name)


@given(st.lists(st.text(max_size=4), unique=True, max_size=20))
def test_different_names_get_different_folders(names: list[str]) -> None:
    assert len({folder_name(name) for name in names}) == len(names)


def test_nobody_takes_the_folder_of_an_altered_name() -> None:
    victim = folder_name("bob!")
    assert folder_name(victim) != victim


def test_folders_that_a_file_system_would_merge_get_the_whole_digest(build: Any) -> None:
    chosen = folders(build.book(build.row("Ada"), build.row("ada"), build.row("bob")))
    assert chosen["bob"] == "bob"
    assert re.fullmatch(r"Ada-[0-9a-f]{64}", chosen["Ada"])
    assert re.fullmatch(r"ada-[0-9a-f]{64}", chosen["ada"])


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


@pytest.mark.parametrize("function", [folders, labels])
def test_equal_names_are_refused(build: Any, function: Any) -> None:
    with pytest.raises(UsageError, match=r"called '\\x1bada'"):
        function(build.book(build.row("\x1bada"), build.row("\x1bada")))
