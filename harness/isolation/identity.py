"""A user of its own for every sandbox: an unused uid, where the grader may change users."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.errors import InfrastructureError

_FIRST, _COUNT = 61_400, 512  # within the range that systemd reserves for dynamic users
_CAP_SETGID, _CAP_SETUID = 6, 7
#: Folders that graders with different folders for temporary files have in common.
SHARED = ("/run", "/tmp")


def is_root() -> bool:
    """Whether this process is root, possibly of a user namespace only."""
    return sys.platform == "linux" and os.geteuid() == 0


def can_change_user() -> bool:
    """Whether processes can be started under another uid.

    That takes root with the capabilities SETUID and SETGID, in a namespace that maps the uids used
    here; root of a namespace that maps a single user cannot.
    """
    if not is_root():
        return False
    status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    effective = int(status.split("CapEff:")[1].split()[0], 16)
    if not (effective >> _CAP_SETUID) & (effective >> _CAP_SETGID) & 1:
        return False
    return maps_sandbox_users(Path("/proc/self/uid_map")) and maps_sandbox_users(
        Path("/proc/self/gid_map")
    )


def maps_sandbox_users(table: Path) -> bool:
    """Whether a ``uid_map`` or ``gid_map`` of /proc covers all ids that sandboxes are given."""
    rows = [list(map(int, line.split())) for line in table.read_text(encoding="ascii").splitlines()]
    return any(start <= _FIRST and _FIRST + _COUNT <= start + size for start, _, size in rows)


@contextmanager
def lease() -> Iterator[int]:
    """Reserves a uid that no process and no other grader of this machine uses, during the block.

    Raises:
        InfrastructureError: all are taken, or the folder of locks cannot be trusted.
    """
    folder = _folder()
    first = os.getpid() % _COUNT  # graders that don't see each other's locks rarely meet, too
    for uid in (_FIRST + (first + step) % _COUNT for step in range(_COUNT)):
        with open(folder / str(uid), "ab") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                if error.errno not in (errno.EAGAIN, errno.EACCES):
                    raise
                continue
            if not _in_use(uid):
                yield uid
                return
    raise InfrastructureError(
        f"all of the uids {_FIRST} to {_FIRST + _COUNT - 1} are taken; end what runs under them"
    )


def _shared() -> str:
    """A folder in which every grader of this machine looks for locks, whatever its TMPDIR is."""
    return next((each for each in SHARED if os.access(each, os.W_OK)), tempfile.gettempdir())


def _folder() -> Path:
    """The folder of locks; refused where it is a link or others than root can write to it."""
    folder = Path(_shared(), "fairmark-users")
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        status = folder.lstat()
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != 0 or status.st_mode & 0o022:
            raise InfrastructureError(
                f"{folder} is not a folder of root's alone; remove it"
            ) from None
    return folder


def _in_use(uid: int) -> bool:
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                if os.stat(f"/proc/{name}").st_uid == uid:
                    return True
            except OSError:
                continue
    return False
