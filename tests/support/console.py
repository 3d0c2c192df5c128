"""Pages whose console blocks are run: ``$ command`` and below it what it prints.

``python -m tests.classroom.test_walkthrough`` writes what the commands of docs/walkthrough.md
print now into it, to be read before it is committed.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from harness.cli import main

_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.DOTALL | re.MULTILINE)
#: Lines that are printed while something runs.
_PROGRESS = re.compile(r"(\[\d+/\d+\] .*|\d+ trials in \d+ sandboxes.*)")
#: A digest or its beginning, in which a short name may stand by chance.
_DIGEST = re.compile(r"\b[0-9a-f]{16,64}(…?)")
#: What differs from run to run, and what stands for it.
_VARYING = (
    (_DIGEST, "5eed…"),
    (re.compile(r"\b[0-9]+(\.[0-9]+)?( processor seconds| CPU s| s\b)"), r"…\2"),
    (re.compile(r"(?m)^(\S+/\S+ .*\S) +[0-9.e-]+$"), r"\1  …"),  # the last column of `summary`
    (re.compile(r"(?m) +cpu s$"), "  cpu s"),  # its header is as wide as the longest number
    (re.compile(r"\b(regraded|most for) [^\s:,]+(:[0-9:+]+(?=:))?"), r"\1 …"),
    (re.compile(r"\bL[0-9]U?(\+C)?(?= |;|$)"), "L3+C"),
    (re.compile(r"\b[0-9]+ files, [0-9.]+ MiB"), "… files"),
    (re.compile(r"[ \t]+$", re.MULTILINE), ""),
)


def settled(printed: str) -> str:
    """What a command printed, without what differs from run to run."""
    lines = [line for line in printed.splitlines() if not _PROGRESS.fullmatch(line)]
    text = "\n".join(lines)
    for pattern, instead in _VARYING:
        text = pattern.sub(instead, text)
    return text.strip("\n") + "\n" if text.strip() else ""


def without_digests(text: str) -> str:
    """A text in whose digests no name is found."""
    return _DIGEST.sub("5eed…", text)


def run(command: str) -> str:
    """What a command prints: ``fairmark …`` in this process, anything else in a shell."""
    verb, *words = shlex.split(command)
    if verb == "fairmark" and not {"|", ">"} & set(words):
        with contextlib.redirect_stdout(io.StringIO()) as stdout:
            with contextlib.redirect_stderr(io.StringIO()) as stderr:
                main(words)
        return stderr.getvalue() + stdout.getvalue()
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    environment = {**os.environ, "PATH": path}
    done = subprocess.run(
        command, shell=True, env=environment, text=True, capture_output=True, check=False
    )
    return done.stderr + done.stdout


def rewritten(page: str, play: Callable[[str], str]) -> str:
    """The page with what its commands print now."""

    def block(match: re.Match[str]) -> str:
        parts = []
        for part in re.split(r"^\$ ", match[1], flags=re.MULTILINE)[1:]:
            shown = re.match(r"(?:.*\\\n)*.*\n", part)
            assert shown is not None
            parts.append(f"$ {shown[0]}{settled(play(_one_line(shown[0])))}")
        return f"```console\n{''.join(parts)}```"

    return _BLOCK.sub(block, page)


def _one_line(shown: str) -> str:
    return re.sub(r" \\\n +", " ", shown).strip()


def played(page: Path, folder: Path, lay_out: Callable[[Path], None]) -> str:
    """The page as it reads when its commands are run in a folder that was laid out for it."""
    lay_out(folder)
    before = Path.cwd()
    os.chdir(folder)
    try:
        return rewritten(page.read_text(encoding="utf-8"), run)
    finally:
        os.chdir(before)
