"""One warm sandbox for all tests of a module, and trials in it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from harness.collect.proxy import ProgramProxy
from harness.collect.sandbox import Sandbox
from harness.contract import read_contract
from harness.spec.models import Limits

PROGRAMS = Path(__file__).parents[1] / "programs"
LIMITS = Limits(call_s=5, trial_s=20, memory_mib=512, result_mib=1)


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
        text = source or (PROGRAMS / f"{name}.py").read_text()
        files = {
            "program.py": text.encode(),
            "given.py": (PROGRAMS / "given.py").read_bytes(),
            "data.bin": bytes(7),
        }
        folder = self.sandbox.place(f"{name} {hash(text)}", files)
        with self.sandbox.trial(folder, limits) as link:
            rng = np.random.default_rng(1)
            student = ProgramProxy(link, self.contract, rng, record=record)
            student.start("program", "program.py", given=True)
            yield student


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Sandbox() as sandbox:
        yield Lab(sandbox)
