"""Every call by which submissions are read fails once: no work loses a point by it."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest

from harness.errors import UsageError
from harness.submissions import disk, find_all
from tests.support.archives import zipped

WANTED = frozenset({"elbo.py", "score_grad.py", "policy.safetensors"})
MAIN, HELPER = b"import helper\n", b"x = 1\n"
CELL = {"cell_type": "code", "metadata": {}, "source": "# fairmark: elbo\nx = 1"}
NOTEBOOK = json.dumps({"cells": [CELL], "metadata": {}, "nbformat": 4}).encode()
NUMBERS = (errno.ENOENT, errno.EMFILE, errno.EIO, errno.ESTALE, errno.ENOMEM)
CALLS = ("open", "scandir", "stat", "fstat")


WORK = {"elbo.py": MAIN, "helper.py": HELPER}
CLASS = {
    **{f"folder/hw/{name}": content for name, content in WORK.items()},
    "folder/policy.safetensors": b"numbers",
    "zip.zip": zipped({f"hw/{name}": content for name, content in WORK.items()}),
    "mixed/elbo.py": b"x = 1\n",
    "mixed/rest/rest.zip": zipped({"score_grad.py": HELPER, "in.zip": zipped({"a.txt": b""})}),
    "notebook/hw.ipynb": NOTEBOOK,
}


class Failing:
    """The module ``os``, one of whose calls fails, the first of them being number 0."""

    def __init__(self, which: int, number: int) -> None:
        self.called = 0
        self._which = which
        self._number = number

    def __getattr__(self, name: str) -> Any:
        plain = getattr(os, name)
        if name not in CALLS:
            return plain

        def call(*arguments: Any, **more: Any) -> Any:
            self.called += 1
            if self.called == self._which + 1:
                raise OSError(self._number, os.strerror(self._number))
            return plain(*arguments, **more)

        return call


def read(path: Path, failing: Failing, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any] | None:
    """The submissions by name; None where the run ended in words."""
    with monkeypatch.context() as patch:
        patch.setattr(disk, "os", failing)
        try:
            found = find_all([path], WANTED)
        except UsageError as error:
            assert "cannot be listed" in str(error)
            return None
    return {each.name: each for each in found.submissions}


def test_no_call_that_fails_costs_a_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, content in CLASS.items():
        (tmp_path / "class" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "class" / name).write_bytes(content)
    whole = Failing(-1, errno.EIO)
    right = read(tmp_path / "class", whole, monkeypatch)
    assert right is not None
    assert {name: sorted(each.contents) for name, each in right.items()} == {
        "folder": ["elbo.py", "elbo/helper.py", "policy.safetensors"],
        "zip": ["elbo.py", "elbo/helper.py"],
        "mixed": ["elbo.py", "score_grad.py"],
        "notebook": ["elbo.py"],
    }
    assert whole.called > 30
    ended = 0
    for which in range(whole.called):
        failing = Failing(which, NUMBERS[which % len(NUMBERS)])
        found = read(tmp_path / "class", failing, monkeypatch)
        if found is None:
            ended += 1
            continue
        assert found.keys() == right.keys()
        for name, each in found.items():
            ours = [problem for problem in each.problems if problem.cause == "harness-error"]
            assert len(ours) == len(each.problems), (which, name, each.problems)
            lost = right[name].contents.keys() - each.contents.keys()
            told = {problem.file for problem in ours}
            tasks = {file.split("/")[0].removesuffix(".py") + ".py" for file in lost}
            tasks = {"policy.safetensors" if "policy" in task else task for task in tasks}
            assert None in told or tasks <= told, (which, name, lost, told)
    assert ended <= 3
