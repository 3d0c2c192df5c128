"""Calls functions in forks of this process, under limits, and says how each ended.

What runs is ours, so this guards against accidents and not against attacks: a change that loops for
ever, allocates without end, starts processes or prints costs nothing but itself. A fork goes on
with the next function after one that returned or raised; after any other end there is a new one.
"""

from __future__ import annotations

import contextlib
import errno
import faulthandler
import os
import pickle
import resource
import select
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from harness.process import die_with_parent

#: Functions of one fork: a new one costs what some functions do, since it copies what it touches.
_IN_ONE_FORK = 50
_WRITTEN_MOST_MIB = 16
_MIB = 1 << 20
_WALL = 20  # seconds of wall-clock time for each second of processor time
_STARTS_PROCESSES = frozenset(
    {"os.fork", "os.forkpty", "os.exec", "os.posix_spawn", "os.system", "subprocess.Popen"}
)
Function = Callable[[], Any]


@dataclass(frozen=True)
class Bounds:
    """What a call may use: seconds of processor time, and memory beyond that of its process."""

    cpu_s: float
    memory_mib: int = 1024


@dataclass(frozen=True)
class Ended:
    """How a call ended.

    Attributes:
        value: what it returned; None where it did not.
        fault: why it did not return, in words; empty where it did.
        cpu_s: processor seconds.
        printed: bytes that it wrote to its output and its errors, which nobody reads.
    """

    value: Any
    fault: str = ""
    cpu_s: float = 0.0
    printed: int = 0


class _Refused(BaseException):
    """The function wanted to start a process."""


def settle() -> None:
    """Makes this process fit to be forked: one thread, and no accelerator.

    Autograd works in a fork only where no accelerator was started before.
    """
    for name in ("CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES"):
        os.environ[name] = ""
    sys.dont_write_bytecode = True
    import torch  # imported here since it takes seconds

    torch.set_num_threads(1)


def call(function: Function, bounds: Bounds) -> Ended:
    """The end of one call, in a fork of its own; what it returns has to be picklable."""
    (ended,) = call_each([function], bounds)
    return ended


def call_each(functions: Sequence[Function], bounds: Bounds) -> Iterator[Ended]:
    """The ends of some calls, in their order, each under the bounds.

    A fork and whatever it started are gone when the last of its calls has been told.
    """
    done = 0
    while done < len(functions):
        batch = functions[done : done + _IN_ONE_FORK]
        for ended in _in_one_fork(batch, bounds):
            done += 1
            yield ended


def _in_one_fork(functions: Sequence[Function], bounds: Bounds) -> Iterator[Ended]:
    """The ends of the first calls: of all, or up to one that took the fork with it."""
    output = os.memfd_create("output")
    reading, writing = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        _child(functions, bounds, output, writing)
    os.close(writing)
    told = 0
    ended = None
    try:
        while told < len(functions):
            ended = _read(reading, time.monotonic() + _WALL * bounds.cpu_s)
            if ended is None:
                break
            told += 1
            yield ended
    finally:
        os.close(reading)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        _, status, usage = os.wait4(pid, 0)
        written = os.fstat(output).st_size
        os.close(output)
    if ended is None:
        fault = _of_status(status, bounds)
        yield Ended(None, fault, usage.ru_utime + usage.ru_stime, written)


def _of_status(status: int, bounds: Bounds) -> str:
    """Why a fork ended that did not say so."""
    number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
    if number in (signal.SIGPROF, signal.SIGXCPU):
        return f"hangs: more than {bounds.cpu_s:g} s of processor time"
    if number == signal.SIGKILL:
        return f"hangs: still waiting after {_WALL * bounds.cpu_s:g} s"
    if number:
        return f"is ended by {signal.Signals(number).name}"
    return "ends its process"


def _read(descriptor: int, deadline: float) -> Ended | None:
    """The next end that a fork tells; None where it tells none, or not by the deadline."""
    head = _exactly(descriptor, 8, deadline)
    data = _exactly(descriptor, int.from_bytes(head, "little"), deadline) if head else b""
    if not data:
        return None
    ended: Ended = pickle.loads(data)
    return ended


def _exactly(descriptor: int, size: int, deadline: float) -> bytes:
    """So many bytes; none where fewer come."""
    data = b""
    while len(data) < size:
        ready, _, _ = select.select([descriptor], [], [], max(deadline - time.monotonic(), 0))
        part = os.read(descriptor, size - len(data)) if ready else b""
        if not part:
            return b""
        data += part
    return data


def _child(functions: Sequence[Function], bounds: Bounds, output: int, writing: int) -> NoReturn:
    code = 1
    try:
        refused = _confine(output)
        for function in functions:
            data = _sendable(_ended(function, bounds, output, refused))
            view = memoryview(len(data).to_bytes(8, "little") + data)
            while view:
                view = view[os.write(writing, view) :]
        code = 0
    finally:
        os._exit(code)


def _sendable(ended: Ended) -> bytes:
    try:
        return pickle.dumps(ended)
    except (pickle.PicklingError, AttributeError, TypeError):
        fault = "gives what cannot be sent"
        return pickle.dumps(Ended(None, fault, ended.cpu_s, ended.printed))


def _ended(function: Function, bounds: Bounds, output: int, refused: list[str]) -> Ended:
    """Calls a function in this process, under the bounds."""
    refused.clear()
    os.ftruncate(output, 0)  # what the last call printed, so that each may print as much
    os.lseek(output, 0, os.SEEK_SET)
    started = time.process_time()
    _limit(bounds)
    try:
        value, fault = function(), ""
    except BaseException as error:
        value, fault = None, f"raises {type(error).__name__}: {error}"
        if isinstance(error, MemoryError) or "can't allocate memory" in str(error):
            fault = f"asks for more than {bounds.memory_mib} MiB of memory"
        elif isinstance(error, OSError) and error.errno == errno.EFBIG:
            fault = f"writes more than {_WRITTEN_MOST_MIB} MiB"
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    if refused:  # also where the program caught the refusal and went on
        value, fault = None, f"starts a process ({refused[0]})"
    printed = os.fstat(output).st_size
    return Ended(value, fault, time.process_time() - started, printed)


def _limit(bounds: Bounds) -> None:
    signal.setitimer(signal.ITIMER_PROF, bounds.cpu_s)
    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (size + bounds.memory_mib * _MIB, hard))


def _confine(output: int) -> list[str]:
    """Cuts this process off from others; attempts to start some are put into the list."""
    die_with_parent()
    os.setsid()
    faulthandler.disable()
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(source, target)
    sys.stdout, sys.stderr = (os.fdopen(number, "w", closefd=False) for number in (1, 2))
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPROF):
        signal.signal(number, signal.SIG_DFL)
    most = _WRITTEN_MOST_MIB * _MIB
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    refused: list[str] = []

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if event in _STARTS_PROCESSES:
            refused.append(event)
            raise _Refused(event)

    sys.addaudithook(watch)
    return refused
