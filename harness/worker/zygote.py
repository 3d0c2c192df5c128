"""The zygote: a process that has only imported, and forks a fresh worker for every group of trials.

It runs no submitted code itself. Its control socket is closed in every fork, so that a process left
over from one group cannot reach the next. It imports torch once, on one thread, and torch._dynamo
where a program may need it: otherwise the first optimiser of every worker would import it.
"""

from __future__ import annotations

import gc
import json
import os
import site
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness.worker import confine

_MOST_ARGUMENTS = 1000


def main(control_fd: int) -> None:
    """Serves the grader's requests on the socket ``control_fd`` until it closes."""
    control = socket.socket(fileno=control_fd)
    config = json.loads(control.recv(1 << 20))
    for entrance in config["entrances"]:
        os.write(entrance, b"0")
        os.close(entrance)
    site.setquit()  # defines exit() and quit(), which the interpreter's option -S leaves out
    if config["landlock"]:
        confine.warm_landlock()
    versions = _preload(dynamo=config["dynamo"]) if config["preload"] else {}
    sys.path.pop(0)
    confine.lock_zygote()
    _send(control, {"op": "ready", "versions": versions})
    while True:
        data, fds, _, _ = socket.recv_fds(control, 65536, 2)
        if not data:
            os._exit(0)
        request = json.loads(data)
        if request["op"] == "fork":
            _send(control, _fork(control, fds, config, request))
        elif request["op"] == "reap":
            _send(control, _reap(request["pid"], request["grace_s"], request["scratch"]))


def _preload(*, dynamo: bool) -> dict[str, str]:
    gc.disable()  # nothing of what is imported is ever freed, so collecting would be in vain
    import jaxtyping  # noqa: F401 - submissions import it, so it is loaded here once
    import numpy
    import torch
    import torch.distributions

    from harness.worker import shim  # noqa: F401

    if dynamo:
        import torch._dynamo

    torch.set_num_threads(1)
    gc.freeze()  # a collection in a fork would write to, and so copy, every page of the imports
    gc.enable()
    return {
        "python": sys.version.split()[0],
        "torch": torch.__version__,
        "numpy": numpy.__version__,
        "capability": torch.backends.cpu.get_cpu_capability(),
    }


def _fork(
    control: socket.socket, fds: list[int], config: dict[str, Any], request: dict[str, Any]
) -> dict[str, Any]:
    """Forks a worker; ``fds`` are its end of the call's socket, and of the pipe that it prints to.

    Both are its own alone, and so is what it reads: a file that is open in two workers has flags,
    owners and sizes by which one could tell the other something.
    """
    call_fd, prints = fds
    try:
        os.mkdir(request["scratch"], 0o700)
        pid = os.fork()
    except OSError as error:  # the machine's fault: the grader makes it an InfrastructureError
        _close(fds)
        return {"op": "forked", "pid": -1, "error": str(error)}
    if pid:
        _close(fds)
        return {"op": "forked", "pid": pid}
    status = 1
    try:
        control.close()
        _take_stdio(prints)
        call = socket.socket(fileno=call_fd)
        try:
            confine.lock_worker(config, request)
        except BaseException as error:  # not confined, so the program must not run
            call.sendall(b"!" + f"{type(error).__name__}: {error}".encode()[:500])
            os._exit(1)
        call.sendall(b".")
        _entry(request["entry"])(call, request)
        status = 0
    finally:
        os._exit(status)


def _take_stdio(prints: int) -> None:
    """Reads from a device opened anew and prints to this pipe, instead of what was inherited."""
    reads = os.open(os.devnull, os.O_RDONLY)
    for own, standard in ((reads, 0), (prints, 1), (prints, 2)):
        os.dup2(own, standard)
    _close([reads, prints])


def _close(fds: list[int]) -> None:
    for fd in fds:
        os.close(fd)


def _entry(name: str) -> Callable[[socket.socket, dict[str, Any]], None]:
    if name == "probe":
        from harness.worker import probe

        return probe.run
    from harness.worker import shim

    return shim.serve


def _reap(pid: int, grace_s: float, scratch: str) -> dict[str, Any]:
    """Waits ``grace_s`` for the worker, then kills it; kills and removes what it left behind."""
    deadline = time.monotonic() + grace_s
    killed = False
    while True:
        done, status, usage = os.wait4(pid, os.WNOHANG)
        if done:
            break
        if time.monotonic() >= deadline:
            os.kill(pid, 9)
            killed = True
            _, status, usage = os.wait4(pid, 0)
            break
        time.sleep(0.0005)
    leftover = _kill_descendants()
    _empty(Path(scratch).parent)
    return {
        "op": "reaped",
        "status": os.waitstatus_to_exitcode(status),
        "killed": killed,
        "cpu_s": usage.ru_utime + usage.ru_stime,
        "peak_mib": usage.ru_maxrss / 1024,
        "leftover": leftover,
    }


def _empty(parent: Path) -> None:
    """Removes all that lies in the parent of the workers' folders, which is their user's too.

    Where Landlock is missing, a worker could leave something there for the next. What cannot be
    removed here, the grader removes.
    """
    left = []
    for name in os.listdir(parent):
        try:
            os.rmdir(parent / name)
        except OSError:
            left.append(str(parent / name))
    if left:
        # by another process, since the folders may be nested deeper than Python's stack
        command = ["rm", "-rf", "--", *left[:_MOST_ARGUMENTS]]
        os.waitpid(os.posix_spawn("/bin/rm", command, {"PATH": "/bin"}), 0)


def _kill_descendants() -> int:
    """Kills all processes below this one; how many were alive.

    The zygote is a subreaper: it becomes the parent of a worker's orphans, so that a process that
    called setsid and forked twice is below it too.
    """
    killed: set[int] = set()
    for _ in range(100):
        if (
            not _has_children()
        ):  # orphans become children of this process, so nothing is left below it
            break
        alive = _descendants()
        if not alive:
            break
        killed |= alive
        for pid in alive:
            try:
                os.kill(pid, 9)
            except OSError:
                pass
        time.sleep(0.001)
    return len(killed)


def _has_children() -> bool:
    """Reaps the children that have ended; whether another one is left."""
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
