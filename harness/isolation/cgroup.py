"""A control group for every sandbox, where this process may make one.

A group limits the memory and the number of all its processes together, exactly. Both versions of
the kernel's interface are supported. Without either, the limits of each process and the resource
monitor remain, which are less exact.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_MIB = 1 << 20
_V1 = {"memory": "memory.limit_in_bytes", "pids": "pids.max", "events": "memory.oom_control"}
_V1["reached"] = "memory.failcnt"
_V2 = {"memory": "memory.max", "pids": "pids.max", "events": "memory.events"}
_CONTROLLERS = ("memory", "pids")
_PREFIX = "fairmark-"
#: Seconds within which a group that was just made is locked.
SETTLED_S = 10.0
#: The most tasks (processes and threads) in a group: the worker's, and some for the zygote.
MAX_TASKS = 72


@dataclass(frozen=True)
class Group:
    """One control group: a folder of the kernel's, or one for each controller in version 1.

    Attributes:
        folders: the folder of a controller, ``memory`` or ``pids``.
        names: the file names of the limits, which differ between the versions.
    """

    folders: dict[str, Path]
    names: dict[str, str]

    def limit_memory(self, mib: int) -> None:
        """Limits the memory of all processes of the group together, page cache included."""
        (self.folders["memory"] / self.names["memory"]).write_text(str(mib * _MIB))

    def killed_for_memory(self) -> int:
        """How many of its processes the kernel has killed because they held too much together."""
        text = (self.folders["memory"] / self.names["events"]).read_text(encoding="ascii")
        counts = dict(line.split() for line in text.splitlines())
        return int(counts.get("oom_kill", 0))

    def times_at_limit(self) -> int:
        """How often its own limit was in the way of its processes, not one of the machine."""
        if "reached" in self.names:
            return int((self.folders["memory"] / self.names["reached"]).read_text())
        text = (self.folders["memory"] / self.names["events"]).read_text(encoding="ascii")
        return int(dict(line.split() for line in text.splitlines()).get("oom", 0))

    def members(self) -> set[int]:
        """The ids of its processes, as this process sees them."""
        text = (self.folders["memory"] / "cgroup.procs").read_text(encoding="ascii")
        return {int(line) for line in text.split()}


@contextlib.contextmanager
def group() -> Iterator[tuple[Group, list[int]]]:
    """A new group, and file descriptors by which a process enters it: it writes ``0`` to each.

    Raises:
        OSError: the kernel has no control groups, or this process may not make one.
    """
    name = f"{_PREFIX}{secrets.token_hex(6)}"
    with contextlib.ExitStack() as stack:
        parents, names = interface()
        made = sorted({parent / name for parent in parents.values()})
        for folder in made:
            folder.mkdir()
            stack.callback(_remove, folder)
            stack.callback(os.close, _locked(folder))
        made_group = Group({kind: parent / name for kind, parent in parents.items()}, names)
        (made_group.folders["pids"] / names["pids"]).write_text(str(MAX_TASKS))
        if not (made_group.folders["memory"] / names["memory"]).exists():
            raise FileNotFoundError("the parent group does not hand down the memory controller")
        handles = []
        for folder in made:
            handle = os.open(folder / "cgroup.procs", os.O_WRONLY | os.O_CLOEXEC)
            stack.callback(os.close, handle)
            handles.append(handle)
        yield made_group, handles


def clear_leftovers(settled_s: float = SETTLED_S) -> None:
    """Removes the empty groups of graders that were killed; those in use stay.

    It looks below this process's own group and those beside it, since another session of the same
    user has another one.

    Args:
        settled_s: groups made within so many seconds stay, too: they may not be locked yet.
    """
    with contextlib.suppress(OSError):
        parents = set(interface()[0].values())
        places = [(parent, f"{_PREFIX}*") for parent in parents]
        places += [(parent.parent, f"*/{_PREFIX}*") for parent in parents]
        for folder in {path for place, pattern in places for path in place.glob(pattern)}:
            with contextlib.suppress(OSError):
                if time.time() - folder.stat().st_ctime > settled_s:
                    _remove_unlocked(folder)


def _remove_unlocked(folder: Path) -> None:
    """Removes a group whose maker is gone.

    Raises:
        OSError: the maker is alive, or a process is in the group.
    """
    handle = _locked(folder)
    try:
        folder.rmdir()
    finally:
        os.close(handle)


def _locked(folder: Path) -> int:
    """An open handle that holds the lock of a group's folder: the group's maker is alive.

    Raises:
        OSError: somebody else holds it.
    """
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        raise
    return handle


def available() -> bool:
    """Whether this process can make a group with limits."""
    try:
        with group() as (tried, _):
            tried.limit_memory(64)
    except (OSError, StopIteration):
        return False
    return True


def interface(proc: Path = Path("/proc")) -> tuple[dict[str, Path], dict[str, str]]:
    """Where this process can make groups, and what the files of their limits are called.

    Args:
        proc: the folder of the kernel's tables.

    Returns:
        for ``memory`` and ``pids`` the folder of this process's own group; for ``memory``,
        ``pids``, ``events`` and, in version 1, ``reached`` the name of a file in a group's folder.

    Raises:
        FileNotFoundError: the kernel has no control groups, or none are mounted.
    """
    if sys.platform != "linux":
        raise FileNotFoundError("only Linux has control groups")
    mounts = [line.split() for line in (proc / "mounts").read_text(encoding="utf-8").splitlines()]
    own: dict[str, str] = {}
    for line in (proc / "self" / "cgroup").read_text(encoding="utf-8").splitlines():
        _, controllers, path = line.split(":", 2)
        for controller in controllers.split(","):
            own[controller] = path
    parents = {
        kind: Path(mount[1] + own[kind].rstrip("/"))
        for kind in _CONTROLLERS
        for mount in mounts
        if mount[2] == "cgroup" and kind in mount[3].split(",") and kind in own
    }
    if len(parents) == len(_CONTROLLERS):
        return parents, _V1
    for mount in mounts:
        if mount[2] == "cgroup2" and "" in own:
            folder = Path(mount[1] + own[""].rstrip("/"))
            return dict.fromkeys(_CONTROLLERS, folder), _V2
    raise FileNotFoundError("no control groups are mounted")


def _remove(folder: Path) -> None:
    for _ in range(200):  # busy for a moment after the last process has ended
        try:
            folder.rmdir()
            return
        except FileNotFoundError:
            return
        except OSError:
            time.sleep(0.005)
