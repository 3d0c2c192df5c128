"""The grading run that an attack meets: the ordinary pipeline, in a process of its own.

It has its own process because an attack that succeeds may kill it. Its environment and its memory
hold secrets, as those of a real grader do.
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
from harness.class_documents import keep_files
from harness.course import Course, find_subjects
from harness.ledger import Ledger
from harness.marking.gradebook import Gradebook
from harness.marking.views import View
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
        keep_files(course.subjects, ledger)
        with grading.local_executor(1) as executor:
            last = grading.collect_all(
                course, view, executor, lambda *_: None, lambda _: None, choice.at(level)
            )
        gradebook = grading.gradebook(course, last, "feedback", "")
        report.write(gradebook, results)
        return gradebook


@dataclass(frozen=True)
class Started:
    """A grader that waits until its submission has been made.

    Attributes:
        go: a descriptor; a byte written to it starts the grading.
    """

    pid: int
    go: int


def start(tasks: Sequence[LoadedTask], bait: Bait, level: Level) -> Started:
    """Forks a grader, which waits for a byte before it looks at the submissions."""
    waits, go = os.pipe()
    pid = os.fork()
    if pid:
        os.close(waits)
        return Started(pid, go)
    status = 1
    try:  # whatever happens, the forked process must not return into its parent's code
        os.close(go)
        _prepare_process(bait)
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
    """The outcome of a grader: the document of its marks, and the processes that survived."""
    text = (bait.folder / "outcome.json").read_text(encoding="ascii")
    document: dict[str, Any] = json.loads(text)
    return document


def output(bait: Bait) -> str:
    """What a grader wrote to stdout and stderr."""
    return _output_file(bait).read_text("utf-8", "replace")


def _output_file(bait: Bait) -> Path:
    return bait.folder / "output.txt"


def _prepare_process(bait: Bait) -> None:
    """Gives this process a session, a secret in its environment, and all orphans below it."""
    os.setsid()
    with _output_file(bait).open("wb") as stream:
        os.dup2(stream.fileno(), 1)
        os.dup2(stream.fileno(), 2)
    sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    adopt_orphans()
    os.environ["COURSE_TOKEN"] = bait.tokens["environ"]
    _record_temporary_folders(bait.made)


def _record_temporary_folders(made: Path) -> None:
    """Records every temporary folder that this process makes, to check that each is removed."""
    make = tempfile.mkdtemp

    def recording(*args: Any, **named: Any) -> str:
        path: str = make(*args, **named)
        with made.open("a", encoding="utf-8") as stream:
            stream.write(f"{path}\n")
        return path

    tempfile.mkdtemp = recording  # type: ignore[assignment]


def adopt_orphans() -> None:
    """Makes this process the parent of orphans below it, in place of the machine's process 1."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def children(parent: int) -> list[int]:
    """The child processes of one, without those that have ended and wait to be reaped."""
    pids = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = path.read_bytes().rpartition(b")")[2].split()
            if fields[0] != b"Z" and int(fields[1]) == parent:
                pids.append(int(path.parent.name))
    return pids


def _survivors() -> list[str]:
    """Kills what still runs after every sandbox was closed, and returns the command lines."""
    deadline = time.monotonic() + _REAP_S
    while (left := children(os.getpid())) and time.monotonic() < deadline:
        time.sleep(0.02)
    commands = []
    for pid in left:
        with contextlib.suppress(OSError):
            commands.append(Path(f"/proc/{pid}/cmdline").read_bytes().decode("ascii", "replace"))
    while left := children(os.getpid()):
        for pid in left:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)
    return commands


def copy_ledger(source: Results, target: Results) -> None:
    """Copies a ledger, so that references and the honest submission are not run again."""
    shutil.copyfile(source.ledger, target.ledger)
