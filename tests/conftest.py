"""A tiny course, the programs that are run against it, ways to grade it, and the time left."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from harness import cli
from harness.spec.load import LoadedTask, load_all

TESTS = Path(__file__).parent
COURSE = TESTS / "course"
PROGRAMS = TESTS / "programs"

# other processes share the machine, so how long an example takes says nothing about the code
settings.register_profile("fairmark", deadline=None)
settings.load_profile("fairmark")

EVERY_S = 20.0


@dataclass(frozen=True)
class Result:
    """What a run of the command line gave."""

    code: int
    out: str
    err: str
    results: Path

    @property
    def document(self) -> dict[str, Any]:
        """The one JSON document of ``--json``."""
        return json.loads(self.out)

    def check(self, submission: str, task: str, check: str) -> dict[str, Any]:
        """One verdict of the document."""
        (row,) = [row for row in self.document["submissions"] if row["name"] == submission]
        (found,) = [found for found in row["tasks"] if found["id"] == task]
        return next(item for item in found["checks"] if item["id"] == check)

    def rows(self) -> list[dict[str, str]]:
        """grades.csv."""
        with (self.results / "grades.csv").open(encoding="utf-8", newline="") as stream:
            return list(csv.DictReader(stream))

    def grades(self) -> bytes:
        """grades.csv, byte for byte."""
        return (self.results / "grades.csv").read_bytes()


@dataclass(frozen=True)
class Course:
    """The folders of a course, and its command line."""

    tasks: Path
    reference: Path

    def load(self, *wanted: str) -> list[LoadedTask]:
        return load_all(self.tasks, self.reference, wanted)

    def command(self, verb: str, *arguments: object) -> list[str]:
        folders = ["--tasks", str(self.tasks), "--reference", str(self.reference)]
        return [verb, *map(str, arguments), *folders]

    def run(self, verb: str, results: Path, *arguments: object) -> Result:
        """One verb in this process."""
        where = [results] if verb == "replay" else ["--results", results]
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = cli.main(self.command(verb, *where, *arguments))
        return Result(code, out.getvalue(), err.getvalue(), results)

    def grade(self, results: Path, *arguments: object) -> Result:
        """``grade --json`` in this process."""
        return self.run("grade", results, "--json", *arguments)

    def start(self, verb: str, *arguments: object, prelude: str = "") -> subprocess.Popen[str]:
        """One verb in a process of its own, in a process group of its own."""
        code = f"import sys; {prelude}from harness.cli import main; sys.exit(main(sys.argv[1:]))"
        return subprocess.Popen(
            [sys.executable, "-c", code, *self.command(verb, *arguments)],
            cwd=TESTS.parent,
            env={**os.environ, "PYTHONPATH": str(TESTS.parent)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )


@pytest.fixture(scope="session")
def course() -> Course:
    """The fixture course: one exact, one estimator and one training task."""
    return Course(COURSE / "tasks", COURSE / "reference")


@pytest.fixture(scope="session")
def solutions() -> Mapping[str, bytes]:
    """File name -> reference solution of every task of the fixture course."""
    return {
        f"{folder.name}.py": (folder / "solution.py").read_bytes()
        for folder in (COURSE / "reference").iterdir()
    }


@pytest.fixture(scope="session")
def program() -> Any:
    """The source of a program of tests/programs by its name."""
    return lambda name: (PROGRAMS / f"{name}.py").read_bytes()


class Submit:
    """Writes submissions into a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)

    def __call__(self, name: str, files: Mapping[str, bytes | str]) -> Path:
        path = self.folder / name
        path.mkdir()
        for file, content in files.items():
            data = content.encode() if isinstance(content, str) else content
            (path / file).write_bytes(data)
        return path


@pytest.fixture
def submit(tmp_path: Path) -> Submit:
    return Submit(tmp_path / "submissions")


@pytest.fixture(scope="session")
def sandboxed() -> Any:
    """A way to count processes by the name that a program gave itself."""
    return _named


def _named(name: str) -> Sequence[int]:
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and (entry / "comm").read_text().strip() == name:
                found.append(int(entry.name))
    return found


class TimeLeft:
    """A line every 20 seconds: tests done and the minutes left at the pace so far."""

    def __init__(self, reporter):
        self._reporter = reporter
        self._started = self._said = time.monotonic()
        self._done = 0

    def pytest_runtest_logfinish(self):
        self._done += 1
        now = time.monotonic()
        total = self._reporter._session.testscollected
        if now - self._said < EVERY_S or self._done < total / 20:
            return  # the pace of the first few tests would say nothing
        self._said = now
        left = (now - self._started) / self._done * (total - self._done)
        self._reporter.write_line(f" [{self._done}/{total}] about {left / 60:.1f} min left")


@pytest.hookimpl(trylast=True)
def pytest_configure(config):
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None:
        config.pluginmanager.register(TimeLeft(reporter), "time-left")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    """Slow modules first, so that the time left is an upper bound rather than a surprise."""
    last = {"tests/statistics", "tests/report", "tests/spec"}
    items.sort(key=lambda item: any(folder in item.nodeid for folder in last))
