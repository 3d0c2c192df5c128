"""Runs ``grade`` on one submission, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

#: How often what was written so far is looked at.
_EVERY_S = 1.0
PUBLIC = ("--phase", "public")
#: How much of what the grader said is kept, in characters.
_KEPT = 4000


@dataclass(frozen=True)
class Ended:
    """How grading ended.

    Attributes:
        delivered: whether there are marks of all that could be marked.
        stderr: the end of what the grader wrote on stderr; for the course.
        elapsed_s: wall-clock seconds.
    """

    delivered: bool
    stderr: str
    elapsed_s: float


def grade(
    source: Path,
    words: Sequence[str],
    results: Path,
    meanwhile: Callable[[], object],
    phase: Sequence[str] = PUBLIC,
) -> Ended:
    """Marks with one sandbox at a time, into a results folder.

    Args:
        source: the folder that holds tasks/ (and reference/, where it has one).
        words: the submission, and further options of ``grade``.
        meanwhile: called about once a second, and once at the end.
        phase: the options that say under which key.
    """
    command = [sys.executable, "-m", "harness", "grade", *words, *phase]
    command += ["--single", "--jobs", "1", "--results", str(results)]
    started = time.monotonic()
    log = results.with_suffix(".log")
    with log.open("wb") as stream:
        process = subprocess.Popen(command, cwd=source, stdout=stream, stderr=stream)
        while True:
            try:
                code = process.wait(_EVERY_S)
            except subprocess.TimeoutExpired:
                meanwhile()
                continue
            break
    meanwhile()
    printed = log.read_text(encoding="utf-8", errors="replace")[-_KEPT:]
    # 0 and 1 are marks, of a program that passed all and of one that did not
    return Ended(code in (0, 1), printed, time.monotonic() - started)
