"""An ordinary user's view of this machine: an interpreter that everybody may read, and no rights.

The suite may be run by root, whose interpreter can lie where nobody else looks. The levels that an
ordinary user gets are tried by a process that really is one.
"""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import harness
from harness.isolation import identity, interpreter

_UID = 65_000  # outside the range that sandboxes take theirs from
_LEFT_OUT = shutil.ignore_patterns("__pycache__", "include", "test", "tests", "idlelib")

Run = Callable[..., object]


@pytest.fixture(scope="session")
def as_ordinary_user() -> Iterator[Run]:
    """Runs Python code as a user who is not root and gives what it prints as JSON."""
    if not identity.is_root():
        yield lambda code, **env: _run([sys.executable, "-c", code], env)
        return
    if not identity.can_change_user():
        pytest.skip("root that may not change its user cannot become an ordinary one")
    folder = Path(tempfile.mkdtemp(prefix="everybody-"))
    try:
        command, base = _readable_by_everybody(folder)
        user = {"user": _UID, "group": _UID, "extra_groups": []}
        yield lambda code, **env: _run([*command, code], {**base, **env}, **user)
    finally:
        shutil.rmtree(folder)


def _readable_by_everybody(folder: Path) -> tuple[list[str], dict[str, str]]:
    """The interpreter, its packages and the harness, linked to where everybody may look."""
    found = interpreter.current()
    folder.chmod(0o755)
    library = f"lib/python{sys.version_info.major}.{sys.version_info.minor}"
    home = folder / "home"
    (home / "bin").mkdir(parents=True)
    _link(Path(found.executable).resolve(), home / found.binary)
    ignore = shutil.ignore_patterns("site-packages", "dist-packages", *("test", "__pycache__"))
    shutil.copytree(f"{found.home}/{library}", home / library, copy_function=_link, ignore=ignore)
    packages = folder / "site-packages"
    for source in found.packages:
        shutil.copytree(source, packages, copy_function=_link, ignore=_LEFT_OUT, dirs_exist_ok=True)
    project = folder / "project"
    shutil.copytree(Path(harness.__file__).parent, project / "harness", ignore=_LEFT_OUT)
    (folder / "tmp").mkdir(mode=0o777)
    (folder / "tmp").chmod(0o777)
    for path in folder.rglob("*"):
        if path.is_dir():
            path.chmod(path.stat().st_mode | stat.S_IRGRP | stat.S_IXGRP | 0o005)
    environment = {
        "PYTHONHOME": str(home),
        "PYTHONPATH": f"{packages}:{project}",
        "TMPDIR": str(folder / "tmp"),
        "PATH": os.environ["PATH"],
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }
    return [str(home / found.binary), "-B", "-c"], environment


def _link(source: str | Path, target: str | Path) -> None:
    try:
        os.link(source, target, follow_symlinks=True)
    except OSError:  # another file system
        shutil.copy(source, target)


def _run(command: list[str], env: dict[str, str], **user: object) -> object:
    env = env if "PYTHONHOME" in env else {**os.environ, **env}
    done = subprocess.run(
        command, env=env, cwd="/", capture_output=True, text=True, timeout=120, check=False, **user
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
