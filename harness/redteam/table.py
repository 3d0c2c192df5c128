"""The red team's results for people (attack by level) and for programs."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, TextIO

from harness.redteam.model import Attack
from harness.redteam.outcome import Result, Round

_TITLE_CELLS = 34


def word(result: Result) -> str:
    """One result in a cell: ``ok``, the expected leaks, or that something was not as expected."""
    if result.complaints:
        return f"UNEXPECTED {result.status.lower()}".strip()
    if result.not_run:
        return result.not_run
    if result.effects:
        return f"leak: {', '.join(result.effects)}"
    return "ok"


def show(rounds: Sequence[Round], attacks: Sequence[Attack], stream: TextIO) -> None:
    """Prints the table, then every complaint, then a summary of every level."""
    played = [each for each in rounds if not each.unavailable]
    cells = [["attack", *(each.level for each in played)]]
    by_place = {
        (result.attack.label, each.level): result for each in played for result in each.results
    }
    for attack in attacks:
        results = (by_place[attack.label, each.level] for each in played)
        cells.append([attack.label[:_TITLE_CELLS], *map(word, results)])
    if stream.isatty():
        _show_rich(cells, stream)
    else:
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        for row in cells:
            line = "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True))
            print(line.rstrip(), file=stream)
    for line in _complaints(rounds):
        print(line, file=stream)
    for each in rounds:
        print(_summary(each), file=stream)


def _complaints(rounds: Sequence[Round]) -> list[str]:
    lines = []
    for each in rounds:
        lines += [f"! {each.level}: {text}" for text in each.complaints]
        for result in each.results:
            lines += [f"! {each.level} {result.attack.label}: {text}" for text in result.complaints]
    return lines


def _summary(each: Round) -> str:
    if each.unavailable:
        return f"{each.level}: unavailable: {each.unavailable}"
    ran = [result for result in each.results if not result.not_run]
    leaks = sum(bool(result.effects) and not result.complaints for result in ran)
    unexpected = sum(bool(result.complaints) for result in ran)
    not_run = len(each.results) - len(ran)
    opened = [name for name, state in each.canaries.items() if state == "open"]
    return (
        f"{each.level}: {len(ran)} attacks, {len(ran) - leaks - unexpected} stopped, {leaks} leak "
        f"as is said of this level, {unexpected} unexpected, {not_run} not run; "
        f"canaries open: {', '.join(opened) or 'none'}"
    )


def document(rounds: Sequence[Round]) -> dict[str, Any]:
    """What redteam.json and ``--json`` hold below ``redteam``."""
    return {"levels": [each.to_json() for each in rounds]}


def progress(result: Result) -> None:
    """One line on stderr for every attack that ended."""
    line = f"{result.level} {result.attack.label}: {word(result)} ({result.seconds:.1f} s)"
    print(line, file=sys.stderr, flush=True)


def _show_rich(cells: Sequence[Sequence[str]], stream: TextIO) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in cells[0]:
        table.add_column(Text(name))
    for row in cells[1:]:
        table.add_row(*(Text(text, style=_style(text)) for text in row))
    Console(file=stream).print(table)


def _style(text: str) -> str:
    if text.startswith("UNEXPECTED"):
        return "bold red"
    return "yellow" if text.startswith("leak") else "green" if text == "ok" else ""
