"""Limits that the grader itself runs under: what it hands on is never less than a task allows."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

from harness.errors import InfrastructureError
from harness.isolation import Isolation
from harness.sandbox import choice, zygote
from harness.sandbox.sandbox import Sandbox
from tests.sandbox.lab import Lab

ROOT = Path(__file__).parents[2]

TRACEBACK = "Traceback (most recent call last):\n  File 'a'\n"
FORK = """
import resource, sys
from harness.errors import InfrastructureError
from harness.isolation import Isolation, identity
from harness.sandbox.sandbox import Sandbox
from harness.spec.models import Limits

which, own = getattr(resource, sys.argv[1]), int(sys.argv[2])
resource.setrlimit(which, (own, own))
isolation = Isolation("L1", own_user=identity.can_change_user())
with Sandbox(isolation, preload=False) as sandbox:
    folder = sandbox.place("probe", {"program.py": b""})
    try:
        sandbox.fork(folder, Limits(), "probe", baits={})
    except InfrastructureError as error:
        print(error)
"""


@pytest.mark.parametrize(
    ("which", "own", "letter"),
    [
        ("RLIMIT_AS", 2 << 30, "v"),
        ("RLIMIT_CPU", 20, "t"),
        ("RLIMIT_DATA", 2 << 30, "d"),
        ("RLIMIT_FSIZE", 8 << 20, "f"),
        ("RLIMIT_NOFILE", 60, "n"),
        ("RLIMIT_NPROC", 63, "u"),
        ("RLIMIT_STACK", 1 << 20, "s"),
    ],
)
def test_a_limit_of_the_graders_own_is_never_the_programs_error(which, own, letter):
    """With less than a task allows an honest program fails: so it is not run, and we say why."""
    command = [sys.executable, "-c", FORK, which, str(own)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert f"limited to {own} (`ulimit -H{letter}`)" in done.stdout


@pytest.mark.parametrize("mask", [0o027, 0o077])
def test_the_best_level_holds_under_a_strict_umask_in_a_private_folder(tmp_path, monkeypatch, mask):
    """A worker of another user has to get in, and what the umask leaves out is ours to add."""
    level = choice.best().level
    tmp_path.chmod(0o700)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = os.umask(mask)
    try:
        with Sandbox(choice.at(level), dynamo=False) as sandbox:
            with Lab(sandbox).trial("honest") as student:
                np.testing.assert_array_equal(student.square(np.full((1, 2), 3.0)), 9.0)
    finally:
        os.umask(before)
    assert {path.name for path in tmp_path.iterdir()} <= {"fairmark-users"}


def test_a_temporary_folder_that_takes_nothing_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    with pytest.raises(InfrastructureError, match=r"/gone cannot be written .*TMPDIR"):
        with Sandbox(Isolation("L1"), preload=False):
            pass


def test_a_program_that_cannot_be_written_is_no_error_of_the_program(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with Sandbox(Isolation("L1"), preload=False) as sandbox:
        sandbox.folders.programs.rmdir()
        with pytest.raises(InfrastructureError, match=r"program-0 cannot be written"):
            sandbox.place("probe", {"program.py": b""})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("printed", "said"),
    [
        ("bwrap: no permission\n", "bwrap: no permission"),
        (f"warning: x\n{TRACEBACK}    f()\nE: no libc\n", "E: no libc"),
        (TRACEBACK, TRACEBACK.strip()),
        ("", ""),
    ],
)
def test_of_a_sandbox_that_does_not_start_no_traceback_is_shown(printed, said):
    assert zygote.last_words(printed) == said
