"""What all tests share: no deadline for an example, and the time that is left."""

import time

import pytest
from hypothesis import settings

EVERY_S = 20.0

# other processes share the machine, so how long an example takes says nothing about the code
settings.register_profile("fairmark", deadline=None)
settings.load_profile("fairmark")


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
