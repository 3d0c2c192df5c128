"""The zygote: a process that has only imported, and forks a fresh worker for every trial.

It runs no submitted code itself. Its control socket is closed in the children, so that a leftover
of one trial can't reach the next. Imports torch and torch._dynamo once (the first optimiser of a
process would import the latter otherwise), on one thread.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import resource
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_MIB = 1 << 20


def main(control_fd: int) -> None:
    """Serves the grader's requests on ``control_fd`` until it closes."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    control = socket.socket(fileno=control_fd)
    started = time.process_time()
    versions = _preload()
    _send(control, {"op": "ready", "versions": versions, "cpu_s": time.process_time() - started})
    while True:
        data, fds, _, _ = socket.recv_fds(control, 65536, 1)
        if not data:
            os._exit(0)
        request = json.loads(data)
        if request["op"] == "fork":
            _send(control, {"op": "forked", "pid": _fork(control, fds[0], request)})
        elif request["op"] == "reap":
            _send(control, {"op": "reaped", **_reap(request["pid"], request["grace_s"])})


def _preload() -> dict[str, str]:
    import jaxtyping  # noqa: F401 - what submissions import themselves, paid for once
    import numpy
    import torch
    import torch._dynamo
    import torch.distributions

    torch.set_num_threads(1)
    gc.collect()
    gc.freeze()  # a collection in a fork would touch, and so copy, every page of the imports
    return {
        "python": sys.version.split()[0],
        "torch": torch.__version__,
        "numpy": numpy.__version__,
        "capability": torch.backends.cpu.get_cpu_capability(),
    }


def _fork(control: socket.socket, call_fd: int, request: dict[str, Any]) -> int:
    try:
        pid = os.fork()
    except OSError:  # no process or memory left: the machine's fault, and the grader is told so
        pid = -1
    if pid:
        os.close(call_fd)
        return pid
    status = 1
    try:
        control.close()
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        _confine(request)
        from harness.worker import shim

        shim.serve(socket.socket(fileno=call_fd), request)
        status = 0
    finally:
        os._exit(status)


def _confine(request: dict[str, Any]) -> None:
    """Limits of one trial; the address space is counted from what the imports already use."""
    if sys.platform == "linux":
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        space = pages * resource.getpagesize() + request["memory_mib"] * _MIB
        resource.setrlimit(resource.RLIMIT_AS, (space, space))
    cpu = int(request["cpu_s"]) + 1
    # where both limits are equal the kernel sends SIGKILL, which says nothing about time
    resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu + 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (64 * _MIB, 64 * _MIB))
    resource.setrlimit(resource.RLIMIT_NOFILE, (128, 128))
    os.chdir(request["scratch"])


def _reap(pid: int, grace_s: float) -> dict[str, Any]:
    """Waits ``grace_s`` for the worker, then kills it; kills whatever it left behind."""
    deadline = time.monotonic() + grace_s
    killed = False
    while True:
        done, status, usage = os.wait4(pid, os.WNOHANG)
        if done:
            break
        if time.monotonic() >= deadline:
            os.kill(pid, signal.SIGKILL)
            killed = True
            _, status, usage = os.wait4(pid, 0)
            break
        time.sleep(0.0005)
    return {
        "status": os.waitstatus_to_exitcode(status),
        "killed": killed,
        "cpu_s": usage.ru_utime + usage.ru_stime,
        "peak_mib": usage.ru_maxrss / 1024,
        "leftover": _kill_descendants(),
    }


def _kill_descendants() -> int:
    """Kills all processes below this one; the number that was found alive.

    Orphans of a worker come to the zygote, which is a subreaper, so a process that called setsid
    and forked twice is found too.
    """
    found: set[int] = set()
    for _ in range(100):
        if not _has_children():  # orphans come to the zygote, so nobody is left below it
            break
        alive = _descendants()
        if not alive:
            break
        found |= alive
        for pid in alive:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        time.sleep(0.001)
    return len(found)


def _has_children() -> bool:
    """Reaps what has ended; whether any child is left."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return False
    return True


def _descendants() -> set[int]:
    if sys.platform != "linux":
        return set()
    parents: dict[int, int] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                fields = Path("/proc", entry, "stat").read_bytes().rsplit(b")", 1)[1].split()
            except OSError:
                continue
            if fields[0] != b"Z":
                parents[int(entry)] = int(fields[1])
    below, frontier = set[int](), {os.getpid()}
    while frontier:
        frontier = {pid for pid, parent in parents.items() if parent in frontier} - below
        below |= frontier
    return below


def _send(control: socket.socket, message: dict[str, Any]) -> None:
    control.send(json.dumps(message).encode())


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)
