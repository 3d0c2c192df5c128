"""A control group for every sandbox, where this process may make one: memory and processes exactly.

Both versions of the interface are used. Where neither can be, nothing is lost but exactness: the
limits of every process and the watch remain.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_MIB = 1 << 20
_V1 = {"memory": "memory.limit_in_bytes", "pids": "pids.max", "events": "memory.oom_control"}
_V2 = {"memory": "memory.max", "pids": "pids.max", "events": "memory.events"}
_CONTROLLERS = ("memory", "pids")
#: Tasks in a group: the worker's, and the zygote.
_TASKS = 72


@dataclass(frozen=True)
class Group:
    """One control group, made of one folder (version 2) or one a controller (version 1)."""

    folders: dict[str, Path]
    names: dict[str, str]

    def limit_memory(self, mib: int) -> None:
        """From now on all processes of the group hold at most so much, page cache included."""
        (self.folders["memory"] / self.names["memory"]).write_text(str(mib * _MIB))

    def killed_for_memory(self) -> int:
        """How many of its processes the kernel killed, since all together held too much."""
        text = (self.folders["memory"] / self.names["events"]).read_text(encoding="ascii")
        counts = dict(line.split() for line in text.splitlines())
        return int(counts.get("oom_kill", 0))

    def members(self) -> set[int]:
        """The processes in it, by their ids here."""
        found = (self.folders["memory"] / "cgroup.procs").read_text(encoding="ascii")
        return {int(line) for line in found.split()}


@contextlib.contextmanager
def group() -> Iterator[tuple[Group, list[int]]]:
    """A new group, and handles by which a process enters it (it writes ``0`` to each).

    Raises:
        OSError: there is no interface, or this process may make no group.
    """
    name = f"fairmark-{secrets.token_hex(6)}"
    with contextlib.ExitStack() as stack:
        parents, names = _interface()
        made = sorted({parent / name for parent in parents.values()})
        for folder in made:
            folder.mkdir()
            stack.callback(_remove, folder)
        found = Group({kind: parent / name for kind, parent in parents.items()}, names)
        (found.folders["pids"] / names["pids"]).write_text(str(_TASKS))
        if not (found.folders["memory"] / names["memory"]).exists():
            raise FileNotFoundError("the memory controller is not handed down")
        handles = []
        for folder in made:
            handle = os.open(folder / "cgroup.procs", os.O_WRONLY | os.O_CLOEXEC)
            stack.callback(os.close, handle)
            handles.append(handle)
        yield found, handles


def available() -> bool:
    """Whether a group with limits can be made here."""
    try:
        with group() as (found, _):
            found.limit_memory(64)
    except (OSError, StopIteration):
        return False
    return True


def _interface() -> tuple[dict[str, Path], dict[str, str]]:
    """This process's own groups, where new ones are made, and the names of the limits."""
    if sys.platform != "linux":
        raise FileNotFoundError("control groups are Linux's")
    mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    own: dict[str, str] = {}
    for line in Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines():
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
    for _ in range(200):  # the kernel takes a moment to let go of the last process
        try:
            folder.rmdir()
            return
        except FileNotFoundError:
            return
        except OSError:
            time.sleep(0.005)
