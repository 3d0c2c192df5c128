"""Users of their own, the interpreter's folders, the start of a sandbox."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.errors import InfrastructureError
from harness.isolation import identity, interpreter, launch


@pytest.fixture
def as_root():
    if not identity.can_change_user():
        pytest.skip("only root can give every sandbox a user of its own")


def test_two_sandboxes_never_share_a_user(as_root):
    with identity.lease() as first, identity.lease() as second:
        assert first != second
        with identity.lease() as third:
            assert third not in (first, second)
    with identity.lease() as again:
        assert again == first


def test_a_user_with_a_process_is_passed_over(as_root):
    with identity.lease() as uid:
        taken = uid
    busy = subprocess.Popen(["sleep", "60"], user=taken, group=taken, extra_groups=[])
    try:
        with identity.lease() as uid:
            assert uid != taken
    finally:
        busy.kill()
        busy.wait()


def test_locks_in_a_folder_that_others_can_write_are_refused(as_root, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / "fairmark-users").mkdir(mode=0o777)
    (tmp_path / "fairmark-users").chmod(0o777)
    with pytest.raises(InfrastructureError, match="not a folder of root's alone"):
        with identity.lease():
            pass


def test_a_map_of_one_user_gives_no_others(tmp_path):
    table = tmp_path / "uid_map"
    table.write_text("         0       1000          1\n")
    assert not identity._mapped(table)
    table.write_text("         0          0 4294967295\n")
    assert identity._mapped(table)


def test_an_interpreter_below_a_private_folder_is_reached_by_its_handles(as_root, tmp_path):
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    (private / "packages").mkdir()
    (private / "packages" / "told.py").write_text("WORD = 'reached'\n")
    home = interpreter.current()
    found = interpreter.Interpreter(home.home, home.binary, (str(private / "packages"),))
    code = "import told, os; print(told.WORD, os.getuid())"
    user = {"user": 65_001, "group": 65_001, "extra_groups": []}
    with found.by_handle() as (opened, handles):
        done = subprocess.run(
            [opened.executable, "-s", "-S", "-c", code],
            env=opened.environment(),
            pass_fds=handles,
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
            **user,
        )
    assert (done.stdout, done.stderr) == ("reached 65001\n", "")
    shut = subprocess.run(["ls", private], stderr=subprocess.DEVNULL, check=False, **user)
    assert shut.returncode


def test_the_interpreter_is_this_one():
    found = interpreter.current()
    code = "import sys, numpy; print(sys.version_info[:3], numpy.__version__)"
    said = [
        subprocess.run(
            [executable, "-c", code], env=env, capture_output=True, text=True, check=True
        ).stdout
        for executable, env in (
            (sys.executable, dict(os.environ)),
            (found.executable, found.environment()),
        )
    ]
    assert said[0] == said[1]


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
