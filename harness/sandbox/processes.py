"""Processes of a sandbox as the kernel reports them from outside, and the means to end them.

Nothing inside a sandbox can change what is read here. ``statm`` and ``stat`` can be read even of a
process that forbids dumps, and cost microseconds.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import struct
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

_PAGE = os.sysconf("SC_PAGE_SIZE")
_TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Process:
    """One process.

    Attributes:
        state: the kernel's letter: Z has ended and waits to be reaped, T is stopped.
        resident: memory in bytes.
        cpu_s: processor time in seconds, that of its children that have ended included.
    """

    pid: int
    state: str
    resident: int
    cpu_s: float

    @property
    def alive(self) -> bool:
        """Whether it has not ended yet."""
        return self.state not in "ZX"


@dataclass(frozen=True)
class Sender:
    """Who sent a message over a socket, in the numbers of the process that reads it."""

    pid: int
    uid: int


def look(pid: int) -> Process | None:
    """The process, or None where it is gone (or where there is no /proc)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rsplit(b")", 1)[1].split()
        resident = int(Path(f"/proc/{pid}/statm").read_bytes().split()[1]) * _PAGE
    except (OSError, IndexError):
        return None
    ticks = sum(int(field) for field in fields[11:15])
    return Process(pid, fields[0].decode("ascii"), resident, ticks / _TICK)


def waited_s(pid: int) -> float:
    """Seconds in which the main thread of a process was ready to run and had no processor.

    Zero where the process is gone or the kernel does not count it.
    """
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_bytes().split()[1]) / 1e9
    except (OSError, IndexError, ValueError):
        return 0.0


def killed_for_memory() -> int:
    """How many processes of this machine the kernel has killed for want of memory."""
    try:
        counts = dict(line.split() for line in Path("/proc/vmstat").read_text().splitlines())
        return int(counts.get("oom_kill", 0))
    except (OSError, ValueError):
        return 0


def halted(pid: int) -> bool:
    """Whether a process has ended, is stopped, or has been sent a signal that it has yet to take.

    A signal counts from the moment it was sent. The receiver's state changes only once it is
    scheduled, which on a busy machine can be after its sender has gone on. Where there is no
    /proc, nothing of this can be seen, and the answer is no.

    Pending signals are read before the state. The kernel takes a stop out of the pending signals
    and changes the state under one lock, so a signal that is no longer seen as pending has shown
    in the state by the time that is read; the other way round it could be missed by both.
    """
    try:
        lines = Path(f"/proc/{pid}/status").read_bytes().splitlines()
    except OSError:
        return os.path.isdir("/proc/self")
    pending = [line.split()[1] for line in lines if line.startswith((b"SigPnd:", b"ShdPnd:"))]
    if any(int(mask, 16) for mask in pending):
        return True
    process = look(pid)
    return process is None or process.state in "ZXTt"


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
            process = look(child)
            if process is not None:
                yield process
                yield from below(child)


def of_user(uid: int | None) -> Iterator[int]:
    """The process ids of all processes of a user that are alive."""
    for name in os.listdir("/proc"):
        if name.isdigit():
            process = look(int(name))
            try:
                if process is not None and process.alive and os.stat(f"/proc/{name}").st_uid == uid:
                    yield process.pid
            except OSError:
                continue


def folder_size(path: Path, most_entries: int) -> tuple[int, int]:
    """Bytes and entries below a folder; counting ends beyond ``most_entries``."""
    size = entries = 0
    waiting = [os.fspath(path)]
    while waiting and entries <= most_entries:
        with contextlib.suppress(OSError), os.scandir(waiting.pop()) as listing:
            for entry in islice(listing, most_entries + 1 - entries):
                entries += 1
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                else:
                    size += entry.stat(follow_symlinks=False).st_size
    return size, entries


def kill_all(list_pids: Callable[[], Iterable[int]]) -> None:
    """Kills what ``list_pids`` lists until it lists nothing: processes may fork meanwhile."""
    for _ in range(200):
        pids = list(list_pids())
        if not pids:
            return
        for pid in pids:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.002)


def kill_group(pid: int) -> None:
    """Kills a process and every other one of its process group, where they still exist."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def wait_or_kill(process: subprocess.Popen[bytes], grace_s: float) -> float:
    """Waits for a process that was told to end and kills it after ``grace_s`` seconds.

    Returns:
        The processor seconds that it used; 0 if somebody has waited for it before.
    """
    if process.returncode is not None:
        return 0.0
    deadline = time.monotonic() + grace_s
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            process.returncode = os.waitstatus_to_exitcode(status)
            return usage.ru_utime + usage.ru_stime
        if time.monotonic() >= deadline:
            kill_group(process.pid)
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)
        time.sleep(0.001)


def request_sender(sock: socket.socket) -> None:
    """Asks the kernel to name the sender of every message on a socket; see :func:`sender`."""
    if hasattr(socket, "SO_PASSCRED"):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)


def sender(ancillary: list[tuple[int, int, bytes]]) -> Sender | None:
    """The sender of a message, from its ancillary data; None where the kernel did not name it."""
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == getattr(socket, "SCM_CREDENTIALS", None):
            pid, uid, _ = struct.unpack("3i", data)
            return Sender(pid, uid)
    return None
