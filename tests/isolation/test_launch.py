"""The start of a sandbox: its command, its environment and what it inherits."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from harness.errors import InfrastructureError
from harness.isolation import launch


def test_nothing_of_the_graders_environment_is_passed_on(monkeypatch, tmp_path):
    monkeypatch.setenv("COURSE_SECRET", "not to be told")
    folders = launch.Folders(tmp_path)
    with launch.plain(folders, ("-c", "pass"), own_user=False) as started:
        assert "not to be told" not in str(started.env)
        assert set(started.env) >= {"PATH", "HOME", "PYTHONHASHSEED", "OMP_NUM_THREADS"}
        assert all(str(tmp_path) in started.env[name] for name in ("HOME", "TMPDIR"))


def test_a_tree_without_bubblewrap_is_not_started(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(launch.shutil, "which", lambda name, path=None: None)
    with pytest.raises(InfrastructureError, match="bwrap is not installed"):
        with launch.bubblewrapped(launch.Folders(tmp_path), ("-c", "pass"), as_root=False):
            pass


def test_bubblewraps_options_do_not_show_in_its_command_line(tmp_path):
    try:
        context = launch.bubblewrapped(launch.Folders(tmp_path), ("-c", "pass"), as_root=False)
        with context as started:
            options = os.read(started.handles[0], 1 << 16).split(b"\0")
    except InfrastructureError as error:
        pytest.skip(str(error))
    assert started.argv[1:3] == ("--args", str(started.handles[0]))
    assert str(tmp_path) not in " ".join(started.argv)
    assert b"--unshare-user" in options
    assert b"--disable-userns" in options
    bound = [options[i + 2] for i, word in enumerate(options) if word == b"--ro-bind"]
    assert os.fsencode(tmp_path / "programs") in bound
    project = os.fsencode(Path(launch.__file__).parents[2])
    assert project not in bound  # reference solutions lie there
