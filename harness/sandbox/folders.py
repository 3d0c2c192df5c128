"""The files of a sandbox: the worker's own modules, the programs, and how all of it is removed."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import harness


def copy_runtime(folder: Path) -> None:
    """Copies the modules that a worker needs, and no others of the harness, by their names."""
    source = Path(harness.__file__).parent
    names = ["__init__.py", "wire.py"]
    names += [f"worker/{path.name}" for path in sorted((source / "worker").glob("*.py"))]
    (folder / "harness" / "worker").mkdir(parents=True)
    for name in names:
        target = folder / "harness" / name
        target.write_bytes((source / name).read_bytes())
        target.chmod(0o444)
    for path in (folder / "harness" / "worker", folder / "harness", folder):
        path.chmod(0o555)


def write_program(folder: Path, files: Mapping[str, bytes]) -> None:
    """Makes a read-only folder with the files of one program."""
    folder.mkdir(mode=0o755)
    for name, content in files.items():
        (folder / name).write_bytes(content)
        (folder / name).chmod(0o444)
    folder.chmod(0o555)


def remove(folder: Path) -> None:
    """Removes a folder, whatever permissions were left in it and however deep it is."""
    if folder.exists():
        # By processes of their own: the folders may be nested deeper than Python's stack.
        for command in (["chmod", "-R", "u+rwx"], ["rm", "-rf"]):
            subprocess.run([*command, os.fspath(folder)], stderr=subprocess.DEVNULL, check=False)
