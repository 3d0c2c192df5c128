"""One warm sandbox a level for all tests of a module, and trials in it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from harness.collect.proxy import ProgramProxy
from harness.contract import read_contract
from harness.sandbox import choice
from harness.sandbox.connection import Link
from harness.sandbox.zygote import Sandbox
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
        with self.sandbox.seat(folder, limits, load) as seat:
            student = ProgramProxy(seat, self.contract, np.random.default_rng(1), record=record)
            with seat.trial(limits):
                yield student


def load(link: Link) -> None:
    link.request({"op": "load", "module": "program", "file": "program.py", "given": True}, [])


#: For modules whose subject differs by level; the others take the strongest.
EVERY_LEVEL = pytest.mark.parametrize("lab", choice.candidates(), indirect=True, scope="module")


@pytest.fixture(scope="module")
def lab(request: pytest.FixtureRequest) -> Iterator[Lab]:
    level = getattr(request, "param", None) or choice.best().level
    try:
        found = choice.at(level)
    except choice.Unavailable as error:
        pytest.skip(f"{level}: {error}")
    with Sandbox(found) as sandbox:
        yield Lab(sandbox)
