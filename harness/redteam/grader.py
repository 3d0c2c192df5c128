"""The grading run that an attack meets: the ordinary pipeline, in a process of its own.

A process of its own, because an attack that succeeds may kill it. Its environment and its memory
hold secrets, as a grader's do.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness import grading, report
from harness.course import Course, find_subjects, remember
from harness.ledger import Ledger
from harness.marking.gradebook import Gradebook
from harness.marking.trials import View
from harness.redteam.bait import Bait
from harness.redteam.model import Level
from harness.results import Results
from harness.sandbox import choice
from harness.seeds import PUBLIC_KEY
from harness.spec.load import LoadedTask

HONEST = "honest"
_PR_SET_CHILD_SUBREAPER = 36
_REAP_S = 2.0


def grade(
    tasks: Sequence[LoadedTask], submissions: Path, results: Results, level: Level
) -> Gradebook:
    """Marks what lies in a folder, and writes all reports."""
    course = Course(tuple(tasks), find_subjects([submissions], tasks, None), "", {})
    with Ledger(results.ledger, "redteam") as ledger:
        view = View(PUBLIC_KEY, ledger)
        remember(course.subjects, ledger)
        with grading.local_executor(1) as executor:
            last = grading.collect_all(
                course, view, executor, lambda *_: None, lambda _: None, choice.at(level)
            )
        gradebook = grading.gradebook(course, last, "feedback", "")
        report.write(gradebook, results)
        return gradebook


@dataclass(frozen=True)
class Started:
    """A grader that waits for its submission; ``go`` and ``said`` are our ends."""

    pid: int
    go: int
    said: Path


def start(tasks: Sequence[LoadedTask], bait: Bait, level: Level) -> Started:
    """Forks a grader, which waits for a byte before it looks at the submissions."""
    waits, go = os.pipe()
    said = bait.folder / "said.txt"
    pid = os.fork()
    if pid:
        os.close(waits)
        return Started(pid, go, said)
    status = 1
    try:  # whatever happens, this process must not return into its parent's code
        os.close(go)
        _become(said, bait)
        if os.read(waits, 1):
            gradebook = grade(tasks, bait.folder / "submissions", bait.results, level)
            document = report.document(gradebook)
            outcome = {"survivors": _survivors(), "document": document}
            (bait.folder / "outcome.json").write_text(json.dumps(outcome), encoding="ascii")
            status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(OSError):
            sys.stderr.flush()
        os._exit(status)


def outcome(bait: Bait) -> dict[str, Any]:
    """What the grader found: the report's document, and the processes that were left."""
    found: dict[str, Any] = json.loads((bait.folder / "outcome.json").read_text(encoding="ascii"))
    return found


def _become(said: Path, bait: Bait) -> None:
    """A session of its own, a secret in the environment, and every orphan's parent."""
    os.setsid()
    with said.open("wb") as stream:
        os.dup2(stream.fileno(), 1)
        os.dup2(stream.fileno(), 2)
    sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    adopt_orphans()
    os.environ["COURSE_TOKEN"] = bait.tokens["environ"]
    _note_folders(bait.made)


def _note_folders(made: Path) -> None:
    """Writes down every temporary folder that this process makes, to see whether it goes again."""
    make = tempfile.mkdtemp

    def noting(*args: Any, **named: Any) -> str:
        path: str = make(*args, **named)
        with made.open("a", encoding="utf-8") as stream:
            stream.write(f"{path}\n")
        return path

    tempfile.mkdtemp = noting  # type: ignore[assignment]


def adopt_orphans() -> None:
    """Orphans below this process come to it instead of to the first process of the machine."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def children(parent: int) -> list[int]:
    """The processes right below one, those that only wait to be reaped aside."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = path.read_bytes().rpartition(b")")[2].split()
            if fields[0] != b"Z" and int(fields[1]) == parent:
                found.append(int(path.parent.name))
    return found


def _survivors() -> list[str]:
    """The command lines of what still runs after every sandbox was closed; then kills it."""
    deadline = time.monotonic() + _REAP_S
    while (left := children(os.getpid())) and time.monotonic() < deadline:
        time.sleep(0.02)
    found = []
    for pid in left:
        with contextlib.suppress(OSError):
            found.append(Path(f"/proc/{pid}/cmdline").read_bytes().decode("ascii", "replace"))
    while left := children(os.getpid()):
        for pid in left:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)
    return found


def copy_ledger(source: Results, target: Results) -> None:
    """Copies a ledger, so that references and the honest submission are not run again."""
    shutil.copyfile(source.ledger, target.ledger)
