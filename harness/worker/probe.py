"""The canaries' side in the worker: makes every attempt and reports what happened.

Runs in a fork that is confined exactly as one that runs submitted code, and reaches for the baits
that the grader laid (:mod:`harness.sandbox.canaries`). Trusted, harmless, standard library only.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import socket
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

_PTRACE_SEIZE, _PTRACE_DETACH = 0x4206, 17
_CLONE_NEWUSER = 0x10000000
_IPC_PRIVATE, _IPC_RMID = 0, 0
_FORKS = 300

Baits = Mapping[str, Any]


def run(sock: socket.socket, request: Mapping[str, Any]) -> None:
    """Makes every attempt, sends a JSON object of their outcomes, leaves a daemon and ends.

    An outcome says what stopped the attempt; it is empty where nothing did. With ``files`` among
    the baits nothing is attempted but to read a byte of each.
    """
    baits = request["baits"]
    if "files" in baits:
        outcomes = {path: _reading(path) for path in baits["files"]}
        sock.sendall(json.dumps(outcomes).encode() + b"\n")
        return
    outcomes = {}
    for name, attempt in _ATTEMPTS.items():
        try:
            outcomes[name] = attempt(baits) or ""
        except Exception as error:
            outcomes[name] = f"{type(error).__name__}: {error}"
    sock.sendall(json.dumps(outcomes).encode() + b"\n")
    _leave_a_daemon(sock)


def _reading(path: str) -> str:
    """What stopped a file from being read; empty where nothing did."""
    try:
        with open(path, "rb") as stream:
            stream.read(1)
    except OSError as error:
        return str(error)
    return ""


def _own_environ(baits: Baits) -> str | None:
    return None if baits["token"] in os.environ.values() else "not in the environment"


def _secret_file(baits: Baits) -> str | None:
    held = baits["token"] in Path(baits["secret_file"]).read_text(encoding="ascii")
    return None if held else "the file does not hold it"


def _write_outside(baits: Baits) -> None:
    Path(baits["folder"], "written").write_text("by the worker", encoding="ascii")


def _tcp(baits: Baits) -> None:
    with socket.create_connection(("127.0.0.1", baits["tcp_port"]), timeout=2):
        pass


def _udp(baits: Baits) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.sendto(baits["token"].encode(), ("127.0.0.1", baits["udp_port"]))


def _abstract_socket(baits: Baits) -> None:
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(2)
        sock.connect("\0" + baits["abstract"])


def _unix_socket(baits: Baits) -> None:
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(2)
        sock.connect(baits["socket_path"])


def _kill(baits: Baits) -> None:
    os.kill(baits["decoy_pid"], 0)


def _ptrace(baits: Baits) -> str | None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.ptrace(_PTRACE_SEIZE, baits["decoy_pid"], None, None) == 0:
        libc.ptrace(_PTRACE_DETACH, baits["decoy_pid"], None, None)
        return None
    reason = os.strerror(ctypes.get_errno())
    with open(f"/proc/{baits['decoy_pid']}/mem", "rb"):
        return None
    return reason


def _grader_environ(baits: Baits) -> str | None:
    environ = Path(f"/proc/{baits['decoy_pid']}/environ").read_bytes()
    return None if baits["token"].encode() in environ else "another process's environment"


def _user_namespace(baits: Baits) -> str | None:
    del baits
    if (pid := os.fork()) == 0:
        libc = ctypes.CDLL(None, use_errno=True)
        os._exit(0 if libc.unshare(_CLONE_NEWUSER) == 0 else ctypes.get_errno() or 255)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return None if code == 0 else os.strerror(code)


def _fork_limit(baits: Baits) -> str | None:
    del baits
    made: list[int] = []
    stopped = None
    reader, writer = os.pipe()
    try:
        for _ in range(_FORKS):
            if (pid := os.fork()) == 0:
                os.close(writer)
                os.read(reader, 1)  # until the parent closes the other end
                os._exit(0)
            made.append(pid)
    except OSError as error:
        stopped = f"after {len(made)}: {error}"
    os.close(writer)
    for pid in made:
        os.waitpid(pid, 0)
    os.close(reader)
    return stopped


def _file_lock(baits: Baits) -> None:
    with open(baits["shared_file"], "rb") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _shared_memory(baits: Baits) -> str | None:
    del baits
    libc = ctypes.CDLL(None, use_errno=True)
    segment = libc.shmget(_IPC_PRIVATE, 4096, 0o1600)
    if segment < 0:
        return os.strerror(ctypes.get_errno())
    libc.shmctl(segment, _IPC_RMID, None)
    return None


_ATTEMPTS: Mapping[str, Callable[[Baits], str | None]] = {
    "own-environ": _own_environ,
    "secret-file": _secret_file,
    "write-outside": _write_outside,
    "tcp": _tcp,
    "udp": _udp,
    "abstract-socket": _abstract_socket,
    "unix-socket": _unix_socket,
    "kill-grader": _kill,
    "ptrace-grader": _ptrace,
    "grader-environ": _grader_environ,
    "user-namespace": _user_namespace,
    "fork-limit": _fork_limit,
    "file-lock": _file_lock,
    "shared-memory": _shared_memory,
}


def _leave_a_daemon(sock: socket.socket) -> None:
    """Leaves a process in a session of its own, forked twice, that holds the socket while alive."""
    try:
        pid = os.fork()
    except OSError:
        return
    if pid:
        os.waitpid(pid, 0)
        return
    os.setsid()
    if os.fork():
        os._exit(0)
    sock.sendall(b"daemon\n")
    time.sleep(60)
    os._exit(0)
