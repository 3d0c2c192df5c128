"""Every command that a page shows is one that the command line takes, option by option.

Those of docs/walkthrough.md are run, with what they print (tests/classroom/test_walkthrough.py),
and the cheap ones of other pages (tests/test_documented_runs.py).
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from harness.cli import _parser
from harness.verbs import VERBS

ROOT = Path(__file__).parents[1]
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "submissions/README.md")),
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "harness").glob("*/pages/README.txt")),
]
_CALLED = r"(?:(?:\.venv/bin/)?fairmark|python -m harness)"
_NOX = r"nox -s (?P<session>[\w-]+)(?: -- (?P<rest>.*))?"
_FENCE = re.compile(r"^ *```.*?^ *```", re.DOTALL | re.MULTILINE)
_CODE = re.compile(r"`([^`\n]+)`")
#: What stands for a value in a page -> one.
_VALUES = {"POINTS": "5", "N": "3", "K": "k", "LEVEL": "L2"}


def shown(text: str) -> list[str]:
    """The commands in a page: lines of blocks of code, and code within a sentence."""
    blocks = [block.replace("\\\n", " ") for block in _FENCE.findall(text)]
    lines = [line.strip().removeprefix("$ ") for block in blocks for line in block.splitlines()]
    lines = [part for line in lines for part in re.split(r" && |; ", line)]
    return [line.strip() for line in [*lines, *_CODE.findall(_FENCE.sub("", text))]]


def words(command: str) -> list[str] | None:
    """The words behind the program's name, placeholders filled in; None where it is another."""
    if found := re.fullmatch(_NOX, command):
        if found["session"] not in VERBS:
            return None
        command = f"{found['session']} {found['rest'] or ''}"
    elif found := re.match(rf"{_CALLED} (?=\S)", command):
        command = command[found.end() :]
    else:
        return None
    command = re.split(r" #|\s\d?>| \| (?!-)", command)[0]
    command = re.sub(r"\[([^\]|]*)(?:\|[^\]]*)?\]", r" \1 ", command.replace("[/CHECK]", "/CHECK"))
    command = re.sub(r"(?<=\w)…", "", command).replace("…", "ID")
    command = re.sub(r"[<{](\w+)[>}]", r"\1", command)
    return [_VALUES.get(word, word) for word in shlex.split(command)]


COMMANDS = [
    (page, command)
    for page in PAGES
    for command in dict.fromkeys(shown(page.read_text(encoding="utf-8")))
    if words(command) is not None
]


@pytest.mark.parametrize(
    ("page", "command"), COMMANDS, ids=[f"{page.name}: {command}" for page, command in COMMANDS]
)
def test_the_command_line_takes_it(page: Path, command: str, capsys) -> None:
    given = words(command)
    assert given
    if given[0] in ("VERB", "--version"):
        return
    assert given[0] in VERBS, f"{page.name}: no verb is called {given[0]}"
    if len(given) == 1:  # a verb that a sentence names
        return
    try:
        _parser(given).parse_args(given)
    except SystemExit:
        pytest.fail(f"{page.name}: {command}\n{capsys.readouterr().err}")


def test_commands_are_found_in_blocks_and_in_sentences() -> None:
    page = (
        "`nox -s grade -- PATH…` and\n```\n$ fairmark grade \\\n   a > b\nls\n```\n`fairmark term`"
    )
    assert [words(each) for each in shown(page) if words(each) is not None] == [
        ["grade", "a"],
        ["grade", "PATH"],
        ["term"],
    ]
    assert len({command for _, command in COMMANDS}) > 60


@pytest.mark.parametrize("command", ["grade --rooster r.csv", "override ada square"])
def test_what_it_does_not_take_is_seen(command: str) -> None:
    with pytest.raises(SystemExit):
        _parser(command.split()).parse_args(command.split())
