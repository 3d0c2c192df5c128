"""The table for people, with and without a terminal, wide and narrow."""

from __future__ import annotations

import io
import subprocess
import sys
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console

from harness.records import WITHHELD
from harness.report.terminal import plain, summary_lines, table


def printed(gradebook: Any, width: int) -> list[str]:
    console = Console(width=width, file=io.StringIO(), force_terminal=False)
    console.print(table(gradebook, width))
    assert isinstance(console.file, io.StringIO)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


@pytest.fixture
def many(build: Any) -> Any:
    def row(name: str, points: float) -> Any:
        tasks = [
            build.task(build.verdict(points=points), id=f"a-long-task-id-{i}") for i in range(43)
        ]
        return build.row(name, *tasks)

    return build.book(*(row(f"student-number-{place}", place / 16) for place in range(20)))


def test_plain(build: Any) -> None:
    book = build.book(build.every_status("ada"), build.scored("bob", 2), build.scored("cleo", 2))
    assert plain(book).splitlines() == [
        "rank  submission  points   kl       nll    isolation",
        "   1  ada         5.5/16*  3.5 EFI  2 FSU  L3",
        "   2  bob            2/2   2 ✓      -      L3",
        "   2  cleo           2/2   2 ✓      -      L3",
        "",
        "✓ pass  F fail  I inconclusive  E error  S skipped  U ungradable  - no file",
        "* provisional: some checks have no mark yet, through no fault of the program",
    ]


def test_all_pass_needs_no_legend(build: Any) -> None:
    assert plain(build.book(build.row())).splitlines() == [
        "rank  submission  points  kl   isolation",
        "   1  ada         2/2     2 ✓  L3",
    ]


def test_both_show_the_same(build: Any, many: Any) -> None:
    for book in (many, build.book(build.every_status()), build.book()):
        for width in (80, 120):
            assert [line for line in printed(book, width) if line] == [
                line for line in plain(book, width).splitlines() if line
            ]


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_many_tasks_stay_within_the_width(many: Any, width: int) -> None:
    lines = plain(many, width).splitlines()
    assert max(map(cell_len, lines)) <= width
    for task in range(43):
        assert any(line.startswith(f"a-long-task-id-{task} ") for line in lines)
    assert max(map(cell_len, printed(many, width))) <= width


def test_an_empty_run(build: Any) -> None:
    assert plain(build.book()) == "rank  submission  points  isolation\n"
    assert plain(build.book(), width=5).count("\n") == 1


def test_a_tiny_width_still_shows_everything(build: Any) -> None:
    text = plain(build.book(build.every_status("ada"), build.every_status("bob")), width=1)
    assert text.count("kl ") == 2


def test_markup_and_wide_characters_are_text(build: Any) -> None:
    book = build.book(build.row("[red]x[/red]"), build.row("漢字" * 20), build.row("\x1b[2Jq"))
    lines = printed(book, 80)
    assert any("[red]x[/red]" in line for line in lines)
    assert "\x1b" not in "".join(lines)
    starts = {cell_len(line.split("2/2")[0]) for line in lines if "2/2" in line}
    assert len(starts) == 1


def test_hostile_names_keep_one_line_each(build: Any, hostile: tuple[str, ...]) -> None:
    rows = [build.row(f"{i}{text}", display_name=text) for i, text in enumerate(hostile)]
    lines = plain(build.book(*rows)).splitlines()
    assert len(lines) == len(hostile) + 1
    assert all(line.isprintable() for line in lines)


def test_summary_lines(build: Any) -> None:
    assert summary_lines(build.every_status()) == [
        "  kl/fails      FAIL  wrong: Look at the sign.",
        "  kl/undecided  INCONCLUSIVE  "
        "The runs allowed for this check did not decide it either way.",
        "  kl/raises     ERROR  exception: It raised ValueError.",
        "  nll/skipped   SKIPPED  A check that this one builds on did not pass.",
        "  nll/ours      UNGRADABLE  The sandbox did not start.",
        "  nll/secret    FAIL  The check decided against the program.",
    ]
    assert summary_lines(build.row()) == []


def test_a_task_without_a_file_is_a_dash_and_no_line(build: Any) -> None:
    gone = {"cause": "missing-file", "message": "kl.py was not submitted"}
    task = build.task(build.verdict("value", "ERROR", **gone), build.verdict("sum", "SKIPPED"))
    row = build.row("ada", task)
    assert summary_lines(row) == []
    assert "-" in plain(build.book(row)).splitlines()[1].split()
    partly = build.row("ada", build.task(*task.verdicts, build.verdict("other", "FAIL")))
    assert len(summary_lines(partly)) == 3
    assert "EFS" in plain(build.book(partly)).splitlines()[1].split()


def test_a_file_that_could_not_be_loaded_is_one_block(build: Any) -> None:
    broken = {"cause": "syntax", "message": "kl.py, line 1: invalid syntax"}
    task = build.task(
        build.verdict("value", "ERROR", **broken),
        build.verdict("sum", "ERROR", **broken),
        build.verdict("slope", "SKIPPED"),
        build.verdict("secret", "ERROR", visibility="hidden", cause="syntax"),
    )
    other = build.task(build.verdict("value", "FAIL", task="nll", message="m"), id="nll")
    assert summary_lines(build.row("ada", task, other)) == [
        "  kl: the file could not be loaded; none of its 4 checks was run (8 points)",
        "    ERROR  syntax: kl.py, line 1: invalid syntax",
        "  nll/value  FAIL  m",
    ]


@pytest.mark.parametrize(
    "other",
    [
        {"status": "FAIL"},
        {"status": "PASS"},
        {"status": "ERROR", "cause": "exception", "message": "another line"},
        {"status": "ERROR", "cause": "timeout", "message": "m"},
        {"status": "ERROR", "cause": "exception", "message": "m", "evidence": {WITHHELD: "x"}},
    ],
    ids=["fails", "passes", "another message", "another cause", "broke on an instance"],
)
def test_a_program_that_was_loaded_has_a_line_a_check(build: Any, other: dict[str, Any]) -> None:
    task = build.task(
        build.verdict("value", "ERROR", cause="exception", message="m"),
        build.verdict("sum", **other),
    )
    lines = summary_lines(build.row("ada", task))
    assert lines[0].startswith("  kl/value  ERROR") and "could not be loaded" not in lines[0]


def test_a_program_that_does_not_repeat_was_loaded(build: Any) -> None:
    said = {"cause": "not-reproducible", "message": "m"}
    task = build.task(build.verdict("a", "ERROR", **said), build.verdict("b", "ERROR", **said))
    assert len(summary_lines(build.row("ada", task))) == 2
    assert "could not be loaded" not in "".join(summary_lines(build.row("ada", task)))


def unfilled(line: int, file: str = "kl.py") -> dict[str, Any]:
    message = f"NotImplementedError:  (line {line} of {file})"
    return {"cause": "exception", "message": message, "evidence": {WITHHELD: "withheld"}}


def test_a_starter_that_is_not_filled_in_is_one_block(build: Any) -> None:
    task = build.task(
        build.verdict("value", "ERROR", **unfilled(12)),
        build.verdict("sum", "ERROR", **unfilled(20)),
        build.verdict("again", "ERROR", **unfilled(12)),
        build.verdict("slope", "SKIPPED"),
        build.verdict("secret", "ERROR", visibility="hidden", cause="exception"),
    )
    cells = unfilled(3, "code cell 2 of hw.ipynb")
    other = build.task(build.verdict("value", "ERROR", task="nll", **cells), id="nll")
    assert summary_lines(build.row("ada", task, other)) == [
        "  kl: what its checks call is not filled in; none of its 5 checks was passed (10 points)",
        "    ERROR  exception: NotImplementedError: lines 12, 20 of kl.py",
        "  nll: what its checks call is not filled in; its one check was not passed (2 points)",
        "    ERROR  exception: NotImplementedError: line 3 of code cell 2 of hw.ipynb",
    ]


@pytest.mark.parametrize(
    "other",
    [
        {"status": "PASS"},
        {"status": "FAIL", "message": "m"},
        {"status": "ERROR", "cause": "exception", "message": "ValueError: no (line 3 of kl.py)"},
        {"status": "ERROR", "cause": "timeout", "visibility": "hidden"},
        {
            "status": "ERROR",
            "cause": "exception",
            "message": 'NotImplementedError: Module [N] is missing "forward" (line 3 of kl.py)',
        },
        {"status": "UNGRADABLE", "message": "m"},
    ],
    ids=["passes", "fails", "another", "hidden timeout", "torch's own", "ours"],
)
def test_a_program_that_did_anything_else_has_a_line_a_check(
    build: Any, other: dict[str, Any]
) -> None:
    task = build.task(build.verdict("a", "ERROR", **unfilled(12)), build.verdict("b", **other))
    lines = summary_lines(build.row("ada", task))
    assert lines[0].startswith("  kl/a  ERROR  exception: NotImplementedError:")


def test_where_nothing_may_be_told_nothing_is_said_of_the_starter(build: Any) -> None:
    silent = build.verdict("a", "ERROR", **{**unfilled(12), "message": ""})
    (line,) = summary_lines(build.row("ada", build.task(silent)))
    assert "filled in" not in line


def test_a_summary_prefers_the_hint_and_then_the_message(build: Any) -> None:
    example = {"got": "1", "note": "noted"}
    for fields, said in (({"hint": "h"}, "h"), ({"hint": ""}, "m")):
        verdict = build.verdict(status="FAIL", message="m", example=example, **fields)
        (line,) = summary_lines(build.row("ada", build.task(verdict)))
        assert line == f"  kl/value  FAIL  {said}"


def test_rich_pandas_and_jinja_are_imported_when_needed_only() -> None:
    code = (
        "import sys, harness.report, harness.report.terminal as t\n"
        "print(sorted({'rich', 'pandas', 'jinja2', 'scipy', 'torch'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
