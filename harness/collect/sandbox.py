"""One sandbox: a warm zygote in a process of its own, and a fresh fork of it for every trial.

What is in force here is level L1: a separate process and session, a scrubbed environment, resource
limits, deadlines held by the grader, and everything left behind killed. It stops forging, because
only arrays come back; it does not hide files or the network. The level is stored with every
observation.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness import wire
from harness.errors import InfrastructureError, ProgramError
from harness.spec.models import Limits

LEVEL = "L1"
LEVELS = ("L0", "L1", "L2", "L2U", "L3")

_START_S = 180.0
_GRACE_S = 0.5
_OUTPUT_CAP = 64 * 1024
_ROOT = Path(__file__).resolve().parents[2]
# -I would also ignore PYTHONHASHSEED, and the order of a set would differ from run to run; the
# environment is written here from nothing, so -P -s leave nothing else of it to be ignored.
_PYTHON = (sys.executable, "-P", "-s", "-c")
_BOOT = (
    "import sys; sys.path.insert(0, sys.argv[1]); from harness.worker import zygote, shim; "
    "sys.path.pop(0); zygote.main(int(sys.argv[2]))"
)

Answer = Callable[[Mapping[str, Any], tuple[wire.Array, ...]], wire.Frame]


@dataclass
class Usage:
    """What a trial used: seconds of processor time, peak memory, its output for people."""

    cpu_s: float = 0.0
    peak_mib: float = 0.0
    output: str = ""


class Link:
    """The grader's end of one trial's socket; every wait ends at a deadline of the grader's."""

    def __init__(self, sock: socket.socket, limits: Limits) -> None:
        self._sock = sock
        self._limits = limits
        self._trial_deadline = time.monotonic() + limits.trial_s
        self._deadline = self._trial_deadline
        self._nonce = 0

    def request(
        self, message: Mapping[str, Any], arrays: Sequence[wire.Array], answer: Answer | None = None
    ) -> wire.Frame:
        """Sends one request and waits for its reply.

        Requests that the worker makes meanwhile (steps of a served environment) go to ``answer``.

        Raises:
            ProgramError: the program refused, raised, hung, died or broke the protocol.
        """
        self._nonce += 1
        self._deadline = min(time.monotonic() + self._limits.call_s, self._trial_deadline)
        self._send({**message, "nonce": self._nonce}, arrays)
        while True:
            frame = self._receive()
            if frame.message.get("op") != "environment":
                break
            if answer is None:
                raise ProgramError(
                    "protocol", "the worker asked for an environment it was not given"
                )
            reply = answer(frame.message, frame.arrays)
            self._send(reply.message, reply.arrays)
        return self._checked(frame)

    def _checked(self, frame: wire.Frame) -> wire.Frame:
        message = frame.message
        if message.get("nonce") != self._nonce or type(message.get("ok")) is not bool:
            raise ProgramError("protocol", "the worker answered something that was not asked")
        if not message["ok"]:
            cause, text = message.get("cause"), message.get("message")
            if cause not in _WORKER_CAUSES or not isinstance(text, str):
                raise ProgramError("protocol", "the worker reported an error that does not exist")
            raise ProgramError(cause, text[:1000])
        return frame

    def _send(self, message: Mapping[str, Any], arrays: Sequence[wire.Array]) -> None:
        try:
            for buffer in wire.encode(message, arrays):
                self._sock.settimeout(self._left())
                self._sock.sendall(buffer)
        except TimeoutError:
            raise self._timeout() from None
        except OSError:
            raise Died from None

    def _receive(self) -> wire.Frame:
        try:
            return wire.decode(self._read, self._limits.result_mib << 20)
        except wire.WireError as error:
            raise ProgramError("protocol", f"what came back is not an answer: {error}") from None

    def _read(self, size: int) -> bytes:
        parts = bytearray()
        while len(parts) < size:
            try:
                self._sock.settimeout(self._left())
                part = self._sock.recv(min(size - len(parts), 1 << 20))
            except TimeoutError:
                raise self._timeout() from None
            except OSError:
                raise Died from None
            if not part:
                raise Died
            parts += part
        return bytes(parts)

    def _left(self) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def _timeout(self) -> ProgramError:
        if self._deadline >= self._trial_deadline:
            return ProgramError("timeout", f"not finished within {self._limits.trial_s:g} s in all")
        return ProgramError("timeout", f"no answer within {self._limits.call_s:g} s")


_WORKER_CAUSES = frozenset(
    {
        "missing-file",
        "missing-name",
        "signature",
        "syntax",
        "exception",
        "exit",
        "memory",
        "bad-output",
    }
)

# after one of these nothing is assumed about the zygote: the next trial gets a new one
_ANOMALIES = frozenset({"timeout", "protocol", "signal", "worker-died", "leftover-process"})


class Died(Exception):
    """The worker's end of the socket closed; why is known once it is reaped."""


class ZygoteLost(Exception):
    """The zygote itself is gone."""


@dataclass
class Sandbox:
    """A warm zygote and the folder that its programs are copied to.

    Use as a context manager; nothing of it survives the block.
    """

    usage: Usage = field(default_factory=Usage)

    def __enter__(self) -> Sandbox:
        self._folder = Path(tempfile.mkdtemp(prefix="fairmark-"))
        self._programs: dict[str, Path] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._reports: dict[int, dict[str, Any]] = {}
        self.versions: dict[str, str] = {}
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def place(self, label: str, files: Mapping[str, bytes]) -> Path:
        """The read-only folder of one program's files for one task, made on first use."""
        if label not in self._programs:
            folder = self._folder / f"program-{len(self._programs)}"
            folder.mkdir(mode=0o755)
            for name, content in files.items():
                (folder / name).write_bytes(content)
                (folder / name).chmod(0o444)
            folder.chmod(0o555)
            self._programs[label] = folder
        return self._programs[label]

    @contextlib.contextmanager
    def trial(self, program: Path, limits: Limits) -> Iterator[Link]:
        """A fresh worker, forked for one trial; reaped, with all it left, at the end.

        Raises:
            ProgramError: also where the worker died or left a process behind.
            InfrastructureError: no zygote could be started.
        """
        self._ensure_started()
        output_from = self._output.mark()
        scratch = Path(tempfile.mkdtemp(prefix="scratch-", dir=self._folder))
        ours, theirs = socket.socketpair()
        failed = True
        try:
            pid = self._fork(theirs, program, scratch, limits)
            try:
                yield Link(ours, limits)
                failed = False
            except Died:
                raise self._death(ours, pid) from None
            finally:
                ours.close()
                self._end(pid, grace_s=0.0 if failed else _GRACE_S, failed=failed)
        except ZygoteLost:
            self._stop()
            raise ProgramError("worker-died", "your code ended the process that ran it") from None
        except ProgramError as error:
            if error.cause in _ANOMALIES:
                self._stop()
            raise
        finally:
            ours.close()
            theirs.close()
            self.usage.output = self._output.since(output_from)
            _remove(scratch)

    def _fork(self, theirs: socket.socket, program: Path, scratch: Path, limits: Limits) -> int:
        request = {
            "op": "fork",
            "program": str(program),
            "scratch": str(scratch),
            "memory_mib": limits.memory_mib,
            "cpu_s": limits.trial_s * 2,
            "result_bytes": limits.result_mib << 20,
        }
        answer = self._ask(request, [theirs.fileno()])
        theirs.close()
        return int(answer["pid"])

    def _death(self, ours: socket.socket, pid: int) -> ProgramError:
        ours.close()
        report = self._ask({"op": "reap", "pid": pid, "grace_s": _GRACE_S}, [])
        self._reports[pid] = report
        code = report["status"]
        if code >= 0:
            return ProgramError("exit", f"your code ended the process with status {code}")
        if -code == signal.SIGXCPU:
            return ProgramError("timeout", "your code used more processor time than is allowed")
        name = signal.Signals(-code).name if -code in signal.valid_signals() else str(-code)
        return ProgramError("signal", f"your code ended the process with {name}")

    def _end(self, pid: int, *, grace_s: float, failed: bool) -> None:
        report = self._reports.pop(pid, None)
        if report is None:
            report = self._ask({"op": "reap", "pid": pid, "grace_s": grace_s}, [])
        self.usage.cpu_s = report["cpu_s"]
        self.usage.peak_mib = report["peak_mib"]
        if report["leftover"] and not failed:
            raise ProgramError(
                "leftover-process", f"your code left {report['leftover']} process(es) running"
            )

    def _ensure_started(self) -> None:
        if self._process is not None and self._process.poll() is None:
            return
        self._stop()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            self._process = subprocess.Popen(
                [*_PYTHON, _BOOT, str(_ROOT), str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=self._environment(),
                cwd=self._folder,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        except OSError as error:
            ours.close()
            raise InfrastructureError(f"the sandbox did not start: {error}") from error
        finally:
            theirs.close()
        self._control = ours
        self._output = _Drain(self._process)
        self._control.settimeout(_START_S)
        try:
            self.versions = self._receive()["versions"]
        except ZygoteLost:
            said = self._output.since(0)[-2000:]
            self._stop()
            raise InfrastructureError(f"the sandbox did not start; it said: {said}") from None

    def _environment(self) -> dict[str, str]:
        threads = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "NUMEXPR")}
        return {
            "PATH": "/usr/bin:/bin",
            "HOME": str(self._folder),
            "TMPDIR": str(self._folder),
            "LANG": "C.UTF-8",
            "PYTHONHASHSEED": "0",
            "PYTHONDONTWRITEBYTECODE": "1",
            **threads,
        }

    def _ask(self, request: Mapping[str, Any], fds: list[int]) -> dict[str, Any]:
        try:
            self._control.settimeout(60.0)
            socket.send_fds(self._control, [json.dumps(request).encode()], fds)
        except OSError:
            raise ZygoteLost from None
        return self._receive()

    def _receive(self) -> dict[str, Any]:
        try:
            data = self._control.recv(65536)
            answer = json.loads(data) if data else None
        except (OSError, ValueError):
            answer = None
        if not isinstance(answer, dict):
            raise ZygoteLost
        return answer

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        self._control.close()
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.kill()
        process.wait()
        self._output.close()


class _Drain:
    """Reads a process's output for ever, so that it never blocks, and keeps the beginning."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        self._stream = process.stdout
        self._kept = bytearray()
        self._from = 0
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while chunk := os.read(self._stream.fileno(), 1 << 16):
            room = self._from + _OUTPUT_CAP - len(self._kept)
            self._kept += chunk[: max(room, 0)]

    def mark(self) -> int:
        """A new trial begins: at most the cap is kept from here."""
        self._from = len(self._kept)
        return self._from

    def since(self, mark: int) -> str:
        return bytes(self._kept[mark:]).decode("utf-8", "replace")

    def close(self) -> None:
        # a process that escaped could hold the pipe open; the thread is a daemon and is left to it
        self._thread.join(timeout=1.0)
        if not self._thread.is_alive():
            self._stream.close()


def _remove(folder: Path) -> None:
    """Removes a scratch folder, whatever permissions were left on it."""
    for path, names, _ in os.walk(folder):
        for name in names:
            below = os.path.join(path, name)
            if not os.path.islink(below):
                with contextlib.suppress(OSError):
                    os.chmod(below, 0o700)
    shutil.rmtree(folder, ignore_errors=True)
