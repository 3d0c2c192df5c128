"""The system calls that the filter refuses, tried one by one, and ordinary work under it."""

from __future__ import annotations

import base64
import errno
import subprocess
import sys
from pathlib import Path

import pytest

from harness.isolation import filter as filters

ROOT = Path(__file__).parents[2]

PREAMBLE = """
import base64, ctypes, errno, fcntl, os, resource, signal, socket, sys, threading
sys.path.insert(0, {root!r})
from harness.worker import confine
confine.lock_zygote()
stream = open(__file__ if False else {root!r} + "/pyproject.toml", "rb")
confine._install(base64.b64decode({program!r}))
libc = ctypes.CDLL(None, use_errno=True)
def call(name, *args):
    if getattr(libc, name)(*args) < 0:
        raise OSError(ctypes.get_errno(), name)
def number(n, *args):
    if libc.syscall(n, *args) < 0:
        raise OSError(ctypes.get_errno(), str(n))
"""

REFUSED = {
    "flock": "fcntl.flock(stream, fcntl.LOCK_SH)",
    "fcntl lock": "fcntl.lockf(stream, fcntl.LOCK_SH)",
    "open-file lock": "fcntl.fcntl(stream, 37, bytes(32))",
    "lease": "fcntl.fcntl(stream, 1024, fcntl.F_RDLCK)",
    "mincore": "call('mincore', ctypes.c_void_p(id(0) & ~4095), 4096, bytes(8))",
    "preadv2": "os.preadv(stream.fileno(), [bytearray(8)], 0, 8)",
    "fadvise": "os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)",
    "cachestat": "number(451, stream.fileno(), 0, 0, 0)",
    "inotify": "call('inotify_init')",
    "memfd": "os.memfd_create('x')",
    "shmget": "call('shmget', 0, 4096, 0o1600)",
    "semget": "call('semget', 0, 1, 0o1600)",
    "msgget": "call('msgget', 0, 0o1600)",
    "keyring": "number(248, b'user', b'a', b'b', 1, -3)",
    "chmod": "os.chmod(stream.fileno(), 0o644)",
    "utime": "os.utime(stream.fileno())",
    "setxattr": "os.setxattr(stream.fileno(), 'user.x', b'1')",
    "unshare": "call('unshare', 0x10000000)",
    "clone newuser": "number(56, 0x10000000 | 17, 0, 0, 0, 0)",
    "clone newpid": "number(56, 0x20000000 | 17, 0, 0, 0, 0)",
    "mount": "call('mount', b'none', b'/', b'tmpfs', 0, None)",
    "chroot": "os.chroot('/')",
    "internet socket": "socket.socket(socket.AF_INET)",
    "ip6 socket": "socket.socket(socket.AF_INET6)",
    "local socket": "socket.socket(socket.AF_UNIX)",
    "pair for datagrams": "socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)",
    "pair for datagrams in disguise": "socket.socketpair(1, socket.SOCK_DGRAM | 0o4000)",
    "netlink socket": "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
    "ptrace": "call('ptrace', 0x4206, os.getppid(), 0, 0)",
    "other's limits": "resource.prlimit(os.getppid(), resource.RLIMIT_CPU)",
    "other's cores": "os.sched_setaffinity(os.getppid(), {0})",
    "io_uring": "number(425, 8, bytes(120))",
    "bpf": "number(321, 0, 0, 0)",
    "perf": "number(298, 0, 0, -1, -1, 0)",
    "userfaultfd": "number(323, 0)",
    "typing": "fcntl.ioctl(0, 0x5412, b'x')",
    "raw pair": "socket.socketpair(socket.AF_UNIX, socket.SOCK_RAW)",
    "pair of packets": "socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)",
    "pair of another family": "call('socketpair', 40, 1, 0, (ctypes.c_int * 2)())",
    "signal of a descriptor": "fcntl.fcntl(stream, fcntl.F_SETSIG, signal.SIGKILL)",
    "owner of a descriptor": "fcntl.fcntl(stream, fcntl.F_SETOWN, os.getppid())",
    "owner with a type": "fcntl.fcntl(stream, 15, bytes(8))",
    "owner by ioctl": "fcntl.ioctl(stream, 0x8901, bytes(4))",
    "group by ioctl": "fcntl.ioctl(stream, 0x8902, bytes(4))",
    "asynchronous": "fcntl.fcntl(stream, fcntl.F_SETFL, 0o20000)",
    "asynchronous by ioctl": "fcntl.ioctl(stream, 0x5452, (1).to_bytes(4, 'little'))",
    "without access times": "fcntl.fcntl(stream, fcntl.F_SETFL, os.O_NOATIME)",
    "size of a pipe": "fcntl.fcntl(os.pipe()[0], 1031, 8192)",
    "hint about a file": "fcntl.fcntl(stream, 1038, bytes(8))",
    "seals": "fcntl.fcntl(stream, 1034)",
    "a command in disguise": "number(72, stream.fileno(), (1 << 32) | 10, 9)",
    "out of band": "a, b = socket.socketpair(); a.send(b'x', socket.MSG_OOB)",
    "out of band in a message": "a, b = socket.socketpair(); a.sendmsg([b'x'], (), socket.MSG_OOB)",
    "other's session": "os.getsid(os.getppid())",
    "other's group": "os.getpgid(os.getppid())",
    "other's priority": "os.getpriority(os.PRIO_PROCESS, os.getppid())",
    "descriptor of a process": "os.pidfd_open(os.getppid())",
    "listening": "a, b = socket.socketpair(); a.listen()",
}

ALLOWED = {
    "threads": "t = threading.Thread(target=int); t.start(); t.join()",
    "processes": "pid = os.fork()\nif pid == 0: os._exit(0)\nos.waitpid(pid, 0)",
    "programs": "import subprocess; subprocess.run(['true'], check=True)",
    "socket pairs": "a, b = socket.socketpair(); a.sendall(b'x'); assert b.recv(1) == b'x'",
    "own limits": "resource.setrlimit(resource.RLIMIT_NOFILE, (32, 32))",
    "own cores": "os.sched_setaffinity(0, os.sched_getaffinity(0))",
    "descriptor flags": "fcntl.fcntl(stream, fcntl.F_GETFL); os.dup(stream.fileno())",
    "non-blocking": (
        "a, b = socket.socketpair(); a.setblocking(False); os.set_blocking(b.fileno(), False); "
        "flags = fcntl.fcntl(stream, fcntl.F_GETFL); "
        "fcntl.fcntl(stream, fcntl.F_SETFL, flags | os.O_NONBLOCK | os.O_APPEND)"
    ),
    "inheriting": "[os.set_inheritable(stream.fileno(), inherited) for inherited in (True, False)]",
    "terminals": "stream.isatty(); os.isatty(0); import shutil; shutil.get_terminal_size()",
    "asyncio": "import asyncio; asyncio.run(asyncio.sleep(0))",
    "own session": "os.getsid(0), os.getpgid(0), os.getpriority(os.PRIO_PROCESS, 0)",
    "own signals": "signal.signal(signal.SIGUSR1, lambda *a: None); os.kill(os.getpid(), 10)",
    "memory": "import mmap; mmap.mmap(-1, 1 << 20)[:4] = b'abcd'",
}


def run(code, *, scoped=True):
    program = base64.b64encode(filters.build(scoped=scoped).program).decode()
    text = PREAMBLE.format(root=str(ROOT), program=program) + code
    return subprocess.run(
        [sys.executable, "-c", text],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        stdin=subprocess.DEVNULL,
    )


@pytest.fixture(scope="module", autouse=True)
def _a_filter_can_be_made():
    try:
        filters.build(scoped=True)
    except ImportError as error:
        pytest.skip(str(error))


def test_every_call_on_the_list_is_refused():
    lines = []
    for name, attempt in REFUSED.items():
        lines += ["try:", f"    {attempt}", f"    print({name!r}, 'got through')"]
        lines += ["except OSError as error:", f"    print({name!r}, error.errno)"]
    done = run("\n".join(lines))
    assert done.returncode == 0, done.stderr
    said = dict(line.rsplit(" ", 1) for line in done.stdout.splitlines())
    assert said == {name: str(errno.EPERM) for name in REFUSED}


@pytest.mark.parametrize("scoped", [True, False])
def test_no_command_of_a_descriptor_passes_that_is_not_listed(scoped):
    """Every number of a command, those of a future kernel among them."""
    code = (
        "passed = []\n"
        "for command in [*range(2100), *(1 << shift for shift in range(12, 32))]:\n"
        "    libc.syscall(72, stream.fileno(), command, 0)\n"
        "    if ctypes.get_errno() != errno.EPERM:\n"
        "        passed.append(command)\n"
        "    ctypes.set_errno(0)\n"
        "print(passed)\n"
    )
    assert run(code, scoped=scoped).stdout == "[0, 1, 2, 3, 4, 1030]\n"


@pytest.mark.parametrize("name", ALLOWED)
def test_ordinary_work_goes_on(name):
    done = run(ALLOWED[name])
    assert (done.returncode, done.stderr) == (0, "")


def test_without_scopes_no_signal_leaves():
    attempts = {
        "kill": "os.kill(os.getpid(), 0)",
        "thread signal": "number(234, os.getpid(), os.getpid(), 0)",
    }
    lines = []
    for name, attempt in attempts.items():
        lines += ["try:", f"    {attempt}", f"    print({name!r}, 'got through')"]
        lines += ["except OSError as error:", f"    print({name!r}, error.errno)"]
    done = run("\n".join(lines), scoped=False)
    assert done.stdout.splitlines() == [f"{name} 1" for name in attempts]
    assert run(ALLOWED["socket pairs"], scoped=False).returncode == 0


def test_the_filter_is_the_same_every_time():
    first, second = filters.build(scoped=True), filters.build(scoped=True)
    assert first == second
    assert first.sha256 != filters.build(scoped=False).sha256
    assert len(first.program) % 8 == 0


def test_a_call_that_the_library_does_not_know_goes_by_its_number(monkeypatch):
    """From 424 on the numbers are those of every architecture; an older library has none there."""
    pyseccomp = pytest.importorskip("pyseccomp")
    resolve, forgotten = pyseccomp.resolve_syscall, []

    def older(architecture, name):
        number = resolve(architecture, name)
        if number < 424:
            return number
        forgotten.append(name)
        return -1

    whole = filters.build(scoped=True)
    monkeypatch.setattr(pyseccomp, "resolve_syscall", older)
    assert filters.build(scoped=True) == whole
    assert {"clone3", "io_uring_setup", "fchmodat2"} <= set(forgotten)


def test_without_the_package_the_error_says_which(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyseccomp", None)
    with pytest.raises(ImportError, match="pyseccomp or libseccomp is not installed"):
        filters.build(scoped=True)
