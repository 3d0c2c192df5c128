"""A sandbox with one program at a time in it: for tests of the sandbox and of what uses it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from harness.collect.proxy import ProgramProxy
from harness.contract import read_contract
from harness.isolation import Isolation
from harness.sandbox import choice
from harness.sandbox.connection import WorkerConnection
from harness.sandbox.sandbox import Sandbox
from harness.sandbox.session import WorkerSession
from harness.spec.models import Limits

PROGRAMS = Path(__file__).parents[1] / "programs"
LIMITS = Limits(call_s=5, trial_s=20, memory_mib=512, result_mib=1)

#: For modules whose subject differs by level; the others take the strongest.
EVERY_LEVEL = pytest.mark.parametrize("lab", choice.candidates(), indirect=True, scope="module")


class Lab:
    """Trials of the programs of tests/programs under the contract of their starter."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.contract = read_contract(PROGRAMS / "starter.py")

    @contextlib.contextmanager
    def trial(
        self, name: str, *, source: str | None = None, record: bool = False, limits: Limits = LIMITS
    ) -> Iterator[ProgramProxy]:
        """A fresh worker with one program loaded."""
        with self.session(name, source=source, limits=limits) as session:
            with session.trial(limits):
                yield self.student(session, record=record)

    @contextlib.contextmanager
    def session(
        self, name: str, *, source: str | None = None, limits: Limits = LIMITS, trials: int = 1
    ) -> Iterator[WorkerSession]:
        """Any number of trials of one program; the processor time of so many."""
        text = source or (PROGRAMS / f"{name}.py").read_text()
        files = {
            "program.py": text.encode(),
            "given.py": (PROGRAMS / "given.py").read_bytes(),
            "data.bin": bytes(7),
        }
        folder = self.sandbox.place(f"{name} {hash(text)}", files)
        with self.sandbox.session(folder, limits, load, trials) as session:
            yield session

    def student(self, session: WorkerSession, *, record: bool = False) -> ProgramProxy:
        """The program of a session as a measurement calls it."""
        return ProgramProxy(session, self.contract, np.random.default_rng(1), record=record)


def load(connection: WorkerConnection) -> None:
    """Loads the program of a lab."""
    request = {"op": "load", "module": "program", "file": "program.py", "given": True}
    connection.request(request, [])


def isolation_at(level: str) -> Isolation:
    """The isolation of a level; the test is skipped where this machine does not reach it."""
    try:
        return choice.at(level)
    except choice.Unavailable as error:
        pytest.skip(f"{level}: {error}")


@pytest.fixture(scope="module")
def lab(request: pytest.FixtureRequest) -> Iterator[Lab]:
    """One warm sandbox a level for all tests of a module."""
    level = getattr(request, "param", None) or choice.best().level
    with Sandbox(isolation_at(level), dynamo=False) as sandbox:
        yield Lab(sandbox)
