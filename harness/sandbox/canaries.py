"""Canaries: harmless attempts at what an attack would do, made inside a worker as it will be.

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
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import InfrastructureError
from harness.isolation import Isolation
from harness.sandbox.zygote import Sandbox, ZygoteLost
from harness.spec.models import Limits

#: Of one canary: whether it was stopped, and by what.
Outcome = tuple[bool, str]

_LIMITS = Limits(call_s=20, trial_s=30, memory_mib=256)


def release(isolation: Isolation) -> dict[str, Outcome]:
    """Every canary's outcome in a sandbox of this kind.

    Raises:
        InfrastructureError: the sandbox does not start, or a worker can't be confined.
    """

    with _baits() as baits, Sandbox(isolation, preload=False) as sandbox:
        program = sandbox.place("canary", {"shared": b"a file that every fork may read"})
        offered = {**baits.offered, "shared_file": str(program / "shared")}
        try:
            worker = sandbox.fork(program, _LIMITS, "probe", baits=offered)
        except ZygoteLost:
            said = sandbox.output_since(0)[-500:]
            raise InfrastructureError(f"the sandbox was lost: {said}") from None
        heard = worker.sock.dup()
        with heard:
            found = _outcomes(_report(heard))
            found["udp"] = _heard(baits.udp, found["udp"])
            worker.end(2.0)
            found["daemon"] = _gone(heard)
        found["root-uid"] = (worker.uid != 0, f"kernel uid {worker.uid}")
    return found


@dataclass(frozen=True)
class _Baits:
    offered: Mapping[str, Any]
    udp: socket.socket


@contextlib.contextmanager
def _baits() -> Iterator[_Baits]:
    token = secrets.token_hex(16)
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fairmark-canary-")))
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
        path = str(folder / "socket")
        named = stack.enter_context(socket.socket(socket.AF_UNIX))
        named.bind(path)
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


def _report(sock: socket.socket) -> Mapping[str, str]:
    sock.settimeout(_LIMITS.call_s)
    said = bytearray()
    while b"\n" not in said:
        try:
            part = sock.recv(65536)
        except OSError as error:
            raise InfrastructureError(f"the canaries did not come back: {error}") from None
        if not part:
            raise InfrastructureError("the canaries did not come back: their process ended")
        said += part
    found: Mapping[str, str] = json.loads(said.partition(b"\n")[0])
    return found


def _outcomes(report: Mapping[str, str]) -> dict[str, Outcome]:
    return {name: (bool(stopped), stopped or "got through") for name, stopped in report.items()}


def _heard(udp: socket.socket, said: Outcome) -> Outcome:
    """A datagram that was sent is through only if it arrives."""
    udp.setblocking(False)
    try:
        udp.recv(64)
    except BlockingIOError:
        return (True, said[1] if said[0] else "sent, and did not arrive")
    return (False, "arrived")


def _gone(sock: socket.socket) -> Outcome:
    """Whether the daemon is: it holds the other end of the socket while it lives."""
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
