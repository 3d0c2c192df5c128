"""The interpreter that workers run, and how its folders are reached."""

from __future__ import annotations

import os
import subprocess
import sys

from harness.isolation import interpreter


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
