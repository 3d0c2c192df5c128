"""Every report under every hostile text at every place that a student's words can reach."""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from markdown_it import MarkdownIt
from rich.console import Console

from harness.marking.gradebook import Gradebook
from harness.report import terminal, write
from harness.results import Results
from tests.support.gradescope_format import validate

SECRET = "seen-by-the-program 3.25 line 17"
RUN_STATUSES = ("FAIL", "INCONCLUSIVE", "ERROR", "SKIPPED", "UNGRADABLE")
# 22 checks of 9 texts of 2,000 characters, every one six bytes long as JSON escapes it
LARGEST = 22 * 9 * 2_100 * 6


def book_of(build: Any, text: str) -> Gradebook:
    """A gradebook with the text wherever something from outside can stand, beside an honest row."""
    fields = {
        "message": text, "hint": text, "evidence": {"word": text, text: [text]},
        "example": {"call": text, "got": text, "wanted": text, "note": text},
    }  # fmt: skip
    visible = [build.verdict(f"c{status}", status, **fields) for status in RUN_STATUSES]
    hidden = [
        build.verdict(f"h{status}", status, visibility="hidden", **fields)
        for status in RUN_STATUSES
    ]
    task = build.task(*visible, *hidden, build.verdict(text, "ERROR", **fields), title=text)
    row = build.row(text, task, problems=(text,), isolation=text, identity=text)
    return build.book(row, build.row("honest", build.task(*visible)))


def plain(gradebook: Gradebook) -> str:
    return terminal.plain(gradebook)


def coloured(gradebook: Gradebook) -> str:
    """What a rich console prints, without the codes of its own."""
    stream = io.StringIO()
    Console(file=stream, width=120, color_system=None, force_terminal=False).print(
        terminal.table(gradebook, 120)
    )
    return stream.getvalue()


def summary(gradebook: Gradebook) -> str:
    return "\n".join(line for row in gradebook.submissions for line in terminal.summary_lines(row))


SCREENS: dict[str, Callable[[Gradebook], str]] = {
    "plain": plain, "coloured": coloured, "summary": summary,
}  # fmt: skip
FILES = (
    *("grades.json", "grades.csv", "leaderboard.csv", "junit.xml"),
    *("gradescope.json", "feedback.md"),
)


def obeyed(text: str) -> list[str]:
    """The characters that some reader obeys: controls, directions, lone surrogates."""
    return [
        character
        for character in set(text) - {"\n", "\t"}
        if unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp")
        or unicodedata.bidirectional(character)
        in ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
        or character in "\u200e\u200f\u061c\u200b\ufeff\u00ad"
    ]


def texts(value: Any, *leaving_out: str) -> Iterator[str]:
    """Every text in a JSON value, keys included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from texts(item, *leaving_out)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            if key not in leaving_out:
                yield from texts(item, *leaving_out)


def written(gradebook: Gradebook, folder: Path, name: str) -> list[str]:
    paths = [path for path in write(gradebook, Results(folder)) if path.name == name]
    assert paths
    assert all(folder in path.resolve().parents for path in paths)
    return [path.read_bytes().decode("utf-8") for path in paths]


@pytest.mark.parametrize("name", FILES)
def test_files_hold_nothing_that_is_obeyed(
    build: Any, tmp_path: Path, nasty: str, name: str
) -> None:
    found = written(book_of(build, nasty), tmp_path, name)
    for text in found:
        # the name of a submission in grades.json stays as found: its escapes are JSON's
        assert obeyed(text) == []
        assert len(text) < LARGEST + (12 * len(nasty) if name == "grades.json" else 0)


@pytest.mark.parametrize("name", SCREENS)
def test_screens_hold_nothing_that_is_obeyed(build: Any, nasty: str, name: str) -> None:
    said = SCREENS[name](book_of(build, nasty))
    assert obeyed(said) == []
    assert len(said) < LARGEST


def test_a_text_adds_no_line_to_a_screen(build: Any, nasty: str) -> None:
    def lines(show: Callable[[Gradebook], str], text: str) -> int:
        book = book_of(build, text)
        rows = tuple(replace(row, isolation="L3") for row in book.submissions)  # a wide one wraps
        return show(replace(book, submissions=rows)).count("\n")

    for show in SCREENS.values():
        assert lines(show, nasty) == lines(show, "x")


@pytest.mark.parametrize("name", ["grades.json", "gradescope.json"])
def test_json_is_ascii_and_its_texts_are_clean(
    build: Any, tmp_path: Path, nasty: str, name: str
) -> None:
    for text in written(book_of(build, nasty), tmp_path, name):
        document = json.loads(text, parse_constant=pytest.fail)
        assert text.isascii()
        assert all(obeyed(item) == [] for item in texts(document, "name"))
        if name == "gradescope.json":
            assert validate(document) == []


@pytest.mark.parametrize("name", ["grades.csv", "leaderboard.csv"])
def test_tables_keep_their_rows_and_hold_no_formula(
    build: Any, tmp_path: Path, nasty: str, name: str
) -> None:
    (text,) = written(book_of(build, nasty), tmp_path, name)
    rows = list(csv.reader(io.StringIO(text)))
    assert len(rows) == 1 + (16 if name == "grades.csv" else 2)
    for row in rows:
        assert len(row) == len(rows[0])
        for cell in row:
            is_number = re.fullmatch(r"-?[0-9.]+(e-?[0-9]+)?", cell)
            assert is_number or not re.match(r"\s*[=+\-@＝＋－＠]|[\t\r\n]", cell)
            assert not re.search(r';[\s"]*[=+\-@]', cell)


def test_xml_keeps_its_cases(build: Any, tmp_path: Path, nasty: str) -> None:
    (text,) = written(book_of(build, nasty), tmp_path, "junit.xml")
    root = ET.fromstring(text)
    assert len(root.findall("testsuite")) == 2
    assert len(root.findall("testsuite/testcase")) == 16
    assert {child.tag for child in root.iter("testcase") for child in child} <= {
        *("failure", "error", "skipped"),
    }


def test_the_page_has_the_headings_of_its_own_and_no_html(
    build: Any, tmp_path: Path, nasty: str
) -> None:
    def shape(page: str) -> list[str]:
        parsed = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(page)
        inline = {kid.type for block in parsed for kid in block.children or ()}
        assert inline <= {"text", "softbreak", "hardbreak", "strong_open", "strong_close"}
        return [block.tag for block in parsed if "heading" in block.type or "html" in block.type]

    pages = [
        sorted(map(shape, written(book_of(build, text), tmp_path / folder, "feedback.md")))
        for folder, text in (("1", nasty), ("2", "x"))
    ]
    assert pages[0] == pages[1]


@pytest.mark.parametrize("status", RUN_STATUSES)
@pytest.mark.parametrize("cause", ["exception", "exit", "bad-output", "harness-error", "wrong"])
def test_no_report_tells_what_a_run_said_of_a_hidden_check(
    build: Any, tmp_path: Path, status: Any, cause: str
) -> None:
    fields = {"message": SECRET, "hint": SECRET, "example": {"got": SECRET}}
    verdict = build.verdict("h", status, cause=cause, visibility="hidden", **fields)
    book = build.book(build.row("ada", build.task(build.verdict(), verdict)))
    for path in write(book, Results(tmp_path)):
        assert SECRET not in path.read_text(encoding="utf-8"), path.name
    for show in SCREENS.values():
        assert SECRET not in show(book)


def test_every_report_tells_what_a_run_said_of_a_visible_check(build: Any, tmp_path: Path) -> None:
    verdict = build.verdict("v", "ERROR", cause="exception", message=SECRET)
    book = build.book(build.row("ada", build.task(verdict)))
    told = {
        path.name for path in write(book, Results(tmp_path)) if SECRET in path.read_text("utf-8")
    }
    assert told == {*FILES} - {"leaderboard.csv"}
    assert SECRET in summary(book)


def test_our_own_faults_are_told_to_the_instructor_alone(build: Any, tmp_path: Path) -> None:
    verdict = build.verdict("v", "UNGRADABLE", cause="harness-error", message=SECRET)
    book = build.book(build.row("ada", build.task(verdict)))
    told = {
        path.name for path in write(book, Results(tmp_path)) if SECRET in path.read_text("utf-8")
    }
    assert told == {"grades.csv", "grades.json"}


def test_an_honest_row_is_the_same_beside_any_other(build: Any, tmp_path: Path, nasty: str) -> None:
    book = book_of(build, nasty)
    honest = tuple(row for row in book.submissions if row.name == "honest")
    alone = replace(book, submissions=honest)
    write(book, Results(tmp_path / "1"))
    write(alone, Results(tmp_path / "2"))
    for name in ("gradescope.json", "feedback.md"):
        first, second = (tmp_path / folder / "submissions" / "honest" / name for folder in "12")
        assert first.read_bytes() == second.read_bytes()
