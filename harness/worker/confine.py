"""What a worker's process gives up before it runs submitted code: all of it irrevocable.

The zygote, which runs nothing submitted, gives up dumps and privileges to gain; each fork then
gives up files, resources and system calls. Standard library and ctypes only, besides py-landlock
where the level asks for it. Nothing is silent: what cannot be given up raises, and nothing is run.
"""

from __future__ import annotations

import base64
import ctypes
import os
import resource
import signal
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_SECCOMP = 22
_PR_SET_CHILD_SUBREAPER = 36
_PR_SET_NO_NEW_PRIVS = 38
_SECCOMP_MODE_FILTER = 2

_MIB = 1 << 20
_FILES = 128
#: Stack of a worker's main thread. 10,000 levels of recursion by way of C take up to 25 MiB under
#: Python 3.11; the usual 8 end the process, which is no RecursionError.
_STACK_MIB = 64
_USUAL_STACK_MIB = 8
#: Processes of a worker, and how many of those that its user may have besides can be done without.
_PROCESSES, _SPARE_PROCESSES = 64, 192
#: The letter by which ``ulimit`` calls a limit.
_LETTERS = {
    resource.RLIMIT_AS: "v",
    resource.RLIMIT_CPU: "t",
    resource.RLIMIT_DATA: "d",
    resource.RLIMIT_FSIZE: "f",
    resource.RLIMIT_NOFILE: "n",
    resource.RLIMIT_NPROC: "u",
    resource.RLIMIT_STACK: "s",
}
_OOM_FIRST = "1000"

# what a program may know of the machine; its own /proc entry is added
_PROC_FILES = (
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/proc/filesystems",
    "/proc/sys/vm/overcommit_memory",
    "/proc/sys/kernel/pid_max",
    "/proc/sys/kernel/random",
    "/sys/devices/system",
)
_DEVICES = ("/dev/null", "/dev/zero", "/dev/urandom", "/dev/random", "/dev/full")


def lock_zygote() -> None:
    """For good, and for every fork: no dump, no privileges to gain, orphans adopted.

    Raises:
        OSError: the kernel refuses one of them.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        _prctl(_PR_SET_CHILD_SUBREAPER, 1)
        _prctl(_PR_SET_NO_NEW_PRIVS, 1)
        _prctl(_PR_SET_DUMPABLE, 0)


def warm_landlock() -> None:
    """Imports py-landlock and lets it find the C library, which costs a process: once, not a fork.

    Raises:
        py_landlock.LandlockError: the kernel has none.
    """
    import py_landlock.flags
    import py_landlock.landlock_sys

    py_landlock.landlock_sys.get_abi_version()


def lock_worker(config: Mapping[str, Any], request: Mapping[str, Any]) -> None:
    """For one worker: its limits, its folder, no other files, no system calls that are refused.

    The address space is counted from what the imports already use.

    Raises:
        OSError: the kernel refuses one of them.
        RuntimeError: a thread is alive that would stay free, or the grader runs under a limit that
            gives the program less than its task allows.
    """
    if sys.platform == "linux":
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        pages = Path("/proc/self/statm").read_text(encoding="ascii").split()
        page, more = resource.getpagesize(), request["memory_mib"] * _MIB
        _limit(resource.RLIMIT_AS, int(pages[0]) * page + more)
        _lift(resource.RLIMIT_DATA, int(pages[5]) * page + more)
        _prctl(_PR_SET_DUMPABLE, 1)  # without, its own entries in /proc belong to root
        Path("/proc/self/oom_score_adj").write_text(_OOM_FIRST, encoding="ascii")
        _prctl(_PR_SET_DUMPABLE, 0)
    cpu = int(request["cpu_s"]) + 1
    _allowed(resource.RLIMIT_CPU, cpu + 1)
    # where both limits are equal the kernel sends SIGKILL, which says nothing about time
    resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu + 1))
    _limit(resource.RLIMIT_FSIZE, config["file_mib"] * _MIB)
    _limit(resource.RLIMIT_NOFILE, _FILES)
    if config["processes"]:
        least = max(_PROCESSES, config["processes"] - _SPARE_PROCESSES)
        _limit(resource.RLIMIT_NPROC, config["processes"], least)
    _lift(resource.RLIMIT_STACK, _USUAL_STACK_MIB * _MIB, _STACK_MIB * _MIB)
    scratch = request["scratch"]
    os.environ.update(HOME=scratch, TMPDIR=scratch)
    os.environ.update(TORCHINDUCTOR_CACHE_DIR=f"{scratch}/inductor")
    tempfile.tempdir = None  # what the imports found is the folder above, which is not the worker's
    os.chdir(scratch)
    if config["landlock"] or config["filter"]:
        _alone()
    if config["landlock"]:
        _landlock(config, [*config["readable"], request["program"]], scratch)
    if config["filter"]:
        _install(base64.b64decode(config["filter"]))


def _alone() -> None:
    """What follows binds only the thread that does it, so there must be one."""
    threads = os.listdir("/proc/self/task")
    if len(threads) != 1:
        raise RuntimeError(f"{len(threads)} threads run in a process that must have one")


def _landlock(config: Mapping[str, Any], readable: Sequence[str], scratch: str) -> None:
    from py_landlock.flags import AccessFs, AccessNet, Scope
    from py_landlock.landlock_sys import (
        PathBeneathAttr,
        RulesetAttr,
        add_rule,
        create_ruleset,
        restrict_self,
    )

    abi = config["landlock"]
    files = AccessFs.EXECUTE | AccessFs.READ_FILE | AccessFs.READ_DIR | AccessFs.WRITE_FILE
    files |= AccessFs.REMOVE_DIR | AccessFs.REMOVE_FILE | AccessFs.MAKE_CHAR | AccessFs.MAKE_DIR
    files |= AccessFs.MAKE_REG | AccessFs.MAKE_SOCK | AccessFs.MAKE_FIFO | AccessFs.MAKE_BLOCK
    files |= AccessFs.MAKE_SYM
    files |= AccessFs.REFER if abi >= 2 else AccessFs(0)
    files |= AccessFs.TRUNCATE if abi >= 3 else AccessFs(0)
    files |= AccessFs.IOCTL_DEV if abi >= 5 else AccessFs(0)
    net = AccessNet.BIND_TCP | AccessNet.CONNECT_TCP if abi >= 4 else AccessNet(0)
    scope = Scope.ABSTRACT_UNIX_SOCKET | Scope.SIGNAL if abi >= 6 else Scope(0)
    ruleset = create_ruleset(RulesetAttr(int(files), int(net), int(scope)))
    read = AccessFs.EXECUTE | AccessFs.READ_FILE | AccessFs.READ_DIR
    own = files & ~(AccessFs.MAKE_CHAR | AccessFs.MAKE_BLOCK)
    device = (AccessFs.READ_FILE | AccessFs.WRITE_FILE) & files
    on_file = AccessFs.EXECUTE | AccessFs.READ_FILE | AccessFs.WRITE_FILE
    rules = [(path, read) for path in (*readable, *_PROC_FILES, f"/proc/{os.getpid()}")]
    rules += [(path, device) for path in _DEVICES]
    for path, access in [*rules, (scratch, own)]:
        try:
            handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except FileNotFoundError:
            continue
        try:
            granted = access if os.path.isdir(path) else access & on_file
            add_rule(ruleset, PathBeneathAttr(int(granted), handle))
        finally:
            os.close(handle)
    restrict_self(ruleset, None)
    os.close(ruleset)


class _Program(ctypes.Structure):
    """struct sock_fprog: the number of eight-byte instructions and where they lie."""

    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def _install(program: bytes) -> None:
    found = _Program(len(program) // 8, program)
    _prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.addressof(found))


def _limit(which: int, value: int, least: int | None = None) -> None:
    """Sets a limit; ``least`` (or else the value itself) where the grader may not have more.

    Raises:
        RuntimeError: see :func:`_allowed`.
    """
    value = min(value, _allowed(which, value if least is None else least))
    resource.setrlimit(which, (value, value))


def _allowed(which: int, least: int) -> int:
    """What may be set of a limit: as much as the grader, which hands its own on, may have itself.

    Raises:
        RuntimeError: it is not even the least that is needed. A program would get less than its
            task allows and fail by that.
    """
    hard = resource.getrlimit(which)[1]
    if hard == resource.RLIM_INFINITY:
        return sys.maxsize
    if hard < least:
        raise RuntimeError(
            f"the grader itself is limited to {hard} (`ulimit -H{_LETTERS[which]}`), and a program "
            f"may use {least}; start it with a higher limit"
        )
    return hard


def _lift(which: int, least: int, most: int | None = None) -> None:
    """Sets what a worker inherits of a limit to ``most``, or to as much as it may be.

    Raises:
        RuntimeError: see :func:`_allowed`.
    """
    allowed, hard = _allowed(which, least), resource.getrlimit(which)[1]
    soft = hard if most is None else min(most, allowed)
    resource.setrlimit(which, (soft, hard))


def _prctl(option: int, value: int, third: int = 0) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    arguments = [ctypes.c_ulong(int(item)) for item in (value, third, 0, 0)]
    if libc.prctl(option, *arguments):
        number = ctypes.get_errno()
        raise OSError(number, f"prctl {option}: {os.strerror(number)}")
