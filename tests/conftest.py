"""What all tests share: one thread for sums, the quick subset, and the time that is left."""

import os
import time
from functools import cache
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import settings

from harness.process import ONE_THREAD

EVERY_S = 20.0
#: Folders and files of the quick subset, below tests/: no sandbox and no training.
QUICK = (
    "marking",
    "spec",
    "statistics/test_inputs.py",
    "statistics/test_laws.py",
    "statistics/test_outcome.py",
    "tasks/test_every_task.py",
    "test_private_names.py",
    "test_records.py",
    "test_repository.py",
    "test_reserved_names.py",
    "test_seeds.py",
    "test_walls.py",
)
#: Files that take minutes come first, so that no process is left alone with one at the end; folders
#: in which no test takes long come last, so that the time left is an upper bound.
FIRST = (
    *("redteam/test_redteam.py", "redteam", "proving", "test_grading.py", "test_bad_input.py"),
    *("sandbox", "tasks", "comparison", "test_class_record.py", "mutation", "training"),
)
LAST = ("report", "spec", "statistics")

# before torch is imported, here and in what is started: with a thread for every core in every
# process of tests, threads would wait for each other busily
os.environ.update(ONE_THREAD)
# other processes share the machine, so how long an example takes says nothing about the code
settings.register_profile("fairmark", deadline=None)
settings.load_profile("fairmark")


class TimeLeft:
    """A line every 20 seconds: tests done and the minutes left at the pace so far."""

    def __init__(self, reporter):
        self._reporter = reporter
        self._started = self._said = time.monotonic()
        self._done = self._total = 0

    def pytest_collection_finish(self, session):
        self._total = len(session.items)

    def pytest_runtest_logfinish(self):
        self._done += 1
        now = time.monotonic()
        if now - self._said < EVERY_S or self._done < self._total / 20:
            return  # the pace of the first few tests would say nothing
        self._said = now
        left = (now - self._started) / self._done * (self._total - self._done)
        self._reporter.write_line(f" [{self._done}/{self._total}] about {left / 60:.1f} min left")


@cache
def below(file, places):
    """Whether a file of tests, from the root of the project, is one of these or in one of them."""
    path = PurePosixPath(file)
    return any(path.is_relative_to(PurePosixPath("tests", place)) for place in places)


@cache
def place(file):
    """Where the tests of a file stand in the order of all."""
    chosen = [index for index, name in enumerate(FIRST) if below(file, (name,))]
    return chosen[0] if chosen else len(FIRST) + below(file, LAST)


def pytest_ignore_collect(collection_path, config):
    """With ``-m quick`` other files are not even imported: several take seconds, with torch."""
    if config.option.markexpr != "quick" or collection_path.is_dir():
        return None
    path = collection_path.relative_to(Path(__file__).parent)
    return None if any(path.is_relative_to(place) for place in QUICK) else True


@pytest.hookimpl(trylast=True)
def pytest_configure(config):
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    # with pytest-xdist the controller collects nothing, and its own lines tell the share done
    if reporter is not None and not getattr(config.option, "numprocesses", None):
        config.pluginmanager.register(TimeLeft(reporter), "time-left")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Marks the quick subset (before -m chooses), and puts what takes long first."""
    files = {item: item.nodeid.split("::")[0] for item in items}
    for item, file in files.items():
        if below(file, QUICK):
            item.add_marker("quick")
    items.sort(key=lambda item: place(files[item]))
