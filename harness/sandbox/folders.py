"""The files of a sandbox: the worker's own modules, the programs, and how all of it is removed.

A folder is its owner's alone, and a lock in it says that the owner is alive. The kernel gives up
the lock of a grader that was killed, so that the next one can tell what was left behind, whatever
process numbers mean where either of them runs.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import harness

_PREFIX = "fairmark-"
_LOCK = "owner"
#: Where ``chmod`` and ``rm`` are, whatever the grader's own PATH is.
_TOOLS = {"PATH": "/usr/bin:/bin"}


@dataclass(frozen=True)
class OwnedFolder:
    """A temporary folder that nobody else may enter, and the lock that says who made it is alive.

    Attributes:
        path: the folder.
        lock: the open file that holds the lock.
    """

    path: Path
    lock: int

    def admit(self, uid: int | None) -> None:
        """Lets a user enter, and nobody but this user; None for nobody else than the grader's."""
        if uid is not None:
            os.chown(self.path, -1, uid)
        self.path.chmod(0o700 if uid is None else 0o710)

    def remove(self) -> None:
        """Removes the folder with all that is in it."""
        remove(self.path)
        os.close(self.lock)


def make(kind: str = "", below: str | None = None) -> OwnedFolder:
    """A new folder, in the machine's folder for temporary files unless ``below`` names another.

    Raises:
        OSError: it cannot be made.
    """
    path = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{kind}", dir=below))
    path.chmod(0o700)  # whatever the umask is
    unlocked = path / f"{_LOCK}.new"
    lock = os.open(unlocked, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with contextlib.suppress(OSError):  # a file system without locks: then nobody can clear it
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    # it gets the name that others look for once it is locked, so that nobody finds it open
    unlocked.rename(path / _LOCK)
    return OwnedFolder(path, lock)


def clear_leftovers() -> None:
    """Removes the folders of this user's graders that were killed; those in use stay."""
    for path in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError), _abandoned(path):
            remove(path)


@contextlib.contextmanager
def _abandoned(path: Path) -> Iterator[None]:
    """Holds the lock of a folder that nobody owns any more.

    Raises:
        OSError: it is in use, not this user's, or no folder of a grader's.
    """
    status = path.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
        raise PermissionError(f"{path} is not a folder of this user's")
    lock = os.open(path / _LOCK, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(lock)


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
            words = [*command, os.fspath(folder)]
            subprocess.run(words, stderr=subprocess.DEVNULL, check=False, env=_TOOLS)
