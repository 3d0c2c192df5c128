"""Canaries: harmless attempts at what an attack would do, made inside a confined worker.

The grader lays baits (a secret file, listeners, a process to signal) and lets a worker, confined
exactly as one that runs submitted code, reach for them. What is recorded is what happened, not what
was configured.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import InfrastructureError
from harness.isolation import Isolation
from harness.sandbox import folders
from harness.sandbox.sandbox import Sandbox
from harness.sandbox.worker import Worker
from harness.sandbox.zygote import ZygoteLost
from harness.spec.models import Limits

#: Of one canary: whether it was stopped, and by what.
Outcome = tuple[bool, str]

#: Bytes of a socket's path (macOS allows the fewest, 104), and a folder whose path is short.
_LONGEST_PATH, SHORT = 100, "/tmp"
#: Bytes of the names of files that a worker is asked for at once; a request has room for more.
_PORTION = 32_000
_LIMITS = Limits(call_s=20, trial_s=30, memory_mib=256)


def release(isolation: Isolation) -> dict[str, Outcome]:
    """The outcome of every canary in a sandbox of this isolation, by the canary's name.

    Raises:
        InfrastructureError: the sandbox does not start, or a worker can't be confined.
    """

    with lay_baits() as baits, Sandbox(isolation, preload=False) as sandbox:
        program = sandbox.place("canary", {"shared": b"a file that every fork may read"})
        offered = {**baits.offered, "shared_file": str(program / "shared")}
        worker = _probe(sandbox, program, offered)
        # a copy: ending the worker closes its socket, and the daemon is listened to after that
        with worker.sock.dup() as sock:
            outcomes = _outcomes(_read_report(sock))
            outcomes["udp"] = _datagram_outcome(baits.udp, outcomes["udp"])
            worker.end(2.0)
            outcomes["daemon"] = _daemon_outcome(sock)
        outcomes["root-uid"] = (worker.uid != 0, f"kernel uid {worker.uid}")
    return outcomes


def files_read(isolation: Isolation, files: Sequence[Path]) -> list[Path]:
    """Those of some files that a worker in a sandbox of this isolation can read.

    Raises:
        InfrastructureError: the sandbox does not start, or a worker can't be confined.
    """
    names = [os.path.realpath(file) for file in files]
    report: dict[str, Any] = {}
    with Sandbox(isolation, preload=False) as sandbox:
        program = sandbox.place("canary", {})
        for portion in _portions(names):
            worker = _probe(sandbox, program, {"files": portion})
            report |= _read_report(worker.sock)
            worker.end(2.0)
    return [file for file, name in zip(files, names, strict=True) if not report[name]]


def _portions(names: Sequence[str]) -> Iterator[list[str]]:
    """The names in portions that fit into a request to the zygote; one portion at least."""
    portion: list[str] = []
    size = 0
    for name in names:
        more = len(json.dumps(name)) + 2
        if portion and size + more > _PORTION:
            yield portion
            portion, size = [], 0
        portion.append(name)
        size += more
    yield portion


def _probe(sandbox: Sandbox, program: Path, baits: Mapping[str, Any]) -> Worker:
    """A confined worker that reaches for these baits."""
    try:
        return sandbox.fork(program, _LIMITS, "probe", baits=baits)
    except ZygoteLost:
        printed = sandbox.output_since(0)[-500:]
        raise InfrastructureError(f"the sandbox was lost: {printed}") from None


@dataclass(frozen=True)
class _Baits:
    """What the worker is told about the baits, and the socket that its datagram would reach."""

    offered: Mapping[str, Any]
    udp: socket.socket


@contextlib.contextmanager
def lay_baits() -> Iterator[_Baits]:
    token = secrets.token_hex(16)
    with contextlib.ExitStack() as stack:
        owned = folders.make("canary-")
        stack.callback(owned.remove)
        folder = owned.path
        folder.chmod(0o777)  # open to every user, so that only isolation protects it
        secret = folder / "secret"
        secret.write_text(token, encoding="ascii")
        tcp = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        udp = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        udp.bind(("127.0.0.1", 0))
        abstract = f"fairmark-{secrets.token_hex(8)}"
        local = stack.enter_context(socket.socket(socket.AF_UNIX))
        local.bind("\0" + abstract)
        local.listen(8)
        named = stack.enter_context(socket.socket(socket.AF_UNIX))
        path = _bind(named, folder, stack)
        named.listen(8)
        os.chmod(path, 0o777)
        decoy = subprocess.Popen(
            [sys.executable, "-c", "import time; time.sleep(600)"],
            env={**os.environ, "FAIRMARK_CANARY": token},
            stdin=subprocess.DEVNULL,
        )
        stack.callback(decoy.wait)
        stack.callback(decoy.kill)
        offered = {
            "token": token,
            "folder": str(folder),
            "secret_file": str(secret),
            "tcp_port": tcp.getsockname()[1],
            "udp_port": udp.getsockname()[1],
            "abstract": abstract,
            "socket_path": path,
            "decoy_pid": decoy.pid,
        }
        yield _Baits(offered, udp)


def _bind(sock: socket.socket, folder: Path, stack: contextlib.ExitStack) -> str:
    """Binds a socket to a path in a folder, or elsewhere where that is too long for a socket's.

    Raises:
        InfrastructureError: no folder for temporary files has a path that is short enough.
    """
    path = str(folder / "socket")
    if len(os.fsencode(path)) > _LONGEST_PATH:
        try:
            owned = folders.make("canary-", below=SHORT)
        except OSError as error:
            raise InfrastructureError(
                f"{path} is too long for a socket, and {SHORT} cannot be written "
                f"({error.strerror}); name a folder with a shorter path with TMPDIR"
            ) from error
        stack.callback(owned.remove)
        owned.path.chmod(0o777)
        path = str(owned.path / "socket")
    sock.bind(path)
    return path


def _read_report(sock: socket.socket) -> Mapping[str, str]:
    """What the worker reports of each attempt; an empty text where nothing stopped it."""
    sock.settimeout(_LIMITS.call_s)
    received = bytearray()
    while b"\n" not in received:
        try:
            part = sock.recv(65536)
        except OSError as error:
            raise InfrastructureError(f"the canaries did not come back: {error}") from None
        if not part:
            raise InfrastructureError("the canaries did not come back: their process ended")
        received += part
    report: Mapping[str, str] = json.loads(received.partition(b"\n")[0])
    return report


def _outcomes(report: Mapping[str, str]) -> dict[str, Outcome]:
    return {name: (bool(stopped), stopped or "got through") for name, stopped in report.items()}


def _datagram_outcome(udp: socket.socket, reported: Outcome) -> Outcome:
    """A datagram got through only if it arrived; that it was sent proves nothing."""
    udp.setblocking(False)
    try:
        udp.recv(64)
    except BlockingIOError:
        return (True, reported[1] if reported[0] else "sent, and did not arrive")
    return (False, "arrived")


def _daemon_outcome(sock: socket.socket) -> Outcome:
    """Whether the daemon was killed: while it lives, it holds the other end of the socket open."""
    sock.settimeout(2.0)
    started = False
    try:
        while part := sock.recv(4096):
            started = started or b"daemon" in part
    except TimeoutError:
        return (False, "it goes on")
    except OSError:
        pass
    return (True, "killed with its trial" if started else "never started")
