"""What the kernel says of a sandbox's processes, read from outside: nobody inside can change it.

``statm`` and ``stat`` can be read even of a process that forbids dumps, and cost microseconds.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_PAGE = os.sysconf("SC_PAGE_SIZE")
_TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Process:
    """One process: memory in bytes, processor time in seconds, its ended children's included.

    ``state`` is the kernel's letter: Z has ended and waits to be reaped, T is stopped.
    """

    pid: int
    state: str
    resident: int
    cpu_s: float

    @property
    def alive(self) -> bool:
        return self.state not in "ZX"

    @property
    def runs(self) -> bool:
        """Alive and not stopped by a signal."""
        return self.state not in "ZXTt"


def look(pid: int) -> Process | None:
    """The process, or None where it has gone (or where there is no /proc)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rsplit(b")", 1)[1].split()
        resident = int(Path(f"/proc/{pid}/statm").read_bytes().split()[1]) * _PAGE
    except (OSError, IndexError):
        return None
    ticks = sum(int(field) for field in fields[11:15])
    return Process(pid, fields[0].decode("ascii"), resident, ticks / _TICK)


def below(pid: int) -> Iterator[Process]:
    """All descendants of a process, those that have ended and wait to be reaped included."""
    try:
        threads = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return
    for thread in threads:
        try:
            children = Path(f"/proc/{pid}/task/{thread}/children").read_bytes().split()
        except OSError:
            continue
        for child in map(int, children):
            found = look(child)
            if found is not None:
                yield found
                yield from below(child)


def of_user(uid: int | None) -> Iterator[int]:
    """The processes alive of a user."""
    for name in os.listdir("/proc"):
        if name.isdigit():
            found = look(int(name))
            try:
                if found is not None and found.alive and os.stat(f"/proc/{name}").st_uid == uid:
                    yield found.pid
            except OSError:
                continue


def folder_size(path: Path, most_entries: int) -> tuple[int, int]:
    """Bytes and entries below a folder; counting ends beyond ``most_entries``."""
    size = entries = 0
    waiting = [os.fspath(path)]
    while waiting and entries <= most_entries:
        try:
            with os.scandir(waiting.pop()) as found:
                for entry in found:
                    entries += 1
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    else:
                        size += entry.stat(follow_symlinks=False).st_size
                    if entries > most_entries:
                        break
        except OSError:
            continue
    return size, entries
