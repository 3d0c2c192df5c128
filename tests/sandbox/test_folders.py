"""Temporary folders: their owner's alone, and removed after an owner that was killed."""

import os
import signal
import stat
import subprocess
import sys
import tempfile

import pytest

from harness.sandbox import folders

KILLED = (
    "import os, signal, sys, tempfile\ntempfile.tempdir = sys.argv[1]\n"
    "from harness.sandbox import folders\nmade = folders.make(sys.argv[2])\n"
    "(made.path / 'deep').mkdir(mode=0)\n(made.path / 'file').write_text('x')\n"
    "made.path.chmod(0o500)\nprint(made.path, flush=True)\n"
    "os.kill(os.getpid(), signal.SIGKILL)\n"
)


@pytest.fixture(autouse=True)
def below(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_folders_are_removed_whatever_the_path_of_commands_is(below, monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")
    made = folders.make()
    (made.path / "deep").mkdir(mode=0)
    made.remove()
    assert list(below.iterdir()) == []


@pytest.mark.parametrize("kind", ["", "canary-"])
def test_what_a_killed_grader_left_is_removed_and_what_is_in_use_stays(below, kind):
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(below), kind], stdout=subprocess.PIPE, check=False
    )
    assert done.returncode == -signal.SIGKILL
    assert len(list(below.iterdir())) == 1
    used = folders.make(kind)
    folders.clear_leftovers()
    assert list(below.iterdir()) == [used.path]
    used.remove()
    assert list(below.iterdir()) == []


def test_what_is_no_folder_of_a_graders_stays(below):
    (below / "fairmark-users").mkdir()
    (below / "fairmark-file").write_text("owner")
    (below / "elsewhere").mkdir()
    (below / "elsewhere" / "owner").write_text("")
    (below / "fairmark-link").symlink_to("elsewhere")
    (below / "fairmark-lock").mkdir()
    (below / "fairmark-lock" / "owner").symlink_to(below / "fairmark-file")
    before = sorted(below.rglob("*"))
    folders.clear_leftovers()
    assert sorted(below.rglob("*")) == before


def test_a_folder_is_its_owners_alone_under_any_umask(below):
    for mask in (0o000, 0o022, 0o077, 0o777):
        before = os.umask(mask)
        try:
            made = folders.make()
        finally:
            os.umask(before)
        made.admit(None)
        assert made.path.stat().st_mode & 0o777 == 0o700
        made.remove()


def test_another_user_is_let_in_and_nobody_else(below):
    made = folders.make()
    if os.geteuid() == 0:
        made.admit(61_999)
        status = made.path.stat()
        assert (status.st_mode & 0o777, status.st_gid, status.st_uid) == (0o710, 61_999, 0)
    made.remove()


def test_the_folder_of_a_program_is_complete_and_read_only_under_any_umask(below):
    files = {"elbo.py": b"x = 1\n", "policy.safetensors": b"\0\1"}
    before = os.umask(0o077)
    try:
        folders.write_program(below / "program", files)
    finally:
        os.umask(before)
    written = list((below / "program").iterdir())
    assert {path.name: path.read_bytes() for path in written} == files
    modes = {stat.S_IMODE(path.stat().st_mode) for path in written}
    assert (modes, stat.S_IMODE((below / "program").stat().st_mode)) == ({0o444}, 0o555)
