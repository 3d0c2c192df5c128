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
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.collect.link import Died, Link
from harness.errors import InfrastructureError, ProgramError
from harness.spec.models import Limits

LEVEL = "L1"
LEVELS = ("L0", "L1", "L2", "L2U", "L3")

_START_S = 180.0
_GRACE_S = 0.5
_ANSWER_S = 20.0  # a zygote that takes longer to fork or to reap was stopped
_OUTPUT_CAP = 64 * 1024
_ROOT = Path(__file__).resolve().parents[2]
# -I would also ignore PYTHONHASHSEED, and the order of a set would differ from run to run; the
# environment is written here from nothing, so -P -s leave nothing else of it to be ignored.
_PYTHON = (sys.executable, "-P", "-s", "-c")
_BOOT = (
    "import sys; sys.path.insert(0, sys.argv[1]); from harness.worker import zygote, shim; "
    "sys.path.pop(0); zygote.main(int(sys.argv[2]))"
)

# after one of these nothing is assumed about the zygote: the next trial gets a new one
_ANOMALIES = frozenset({"timeout", "protocol", "signal", "worker-died", "leftover-process"})


@dataclass
class Usage:
    """What a trial used: seconds of processor time, peak memory, its output for people."""

    cpu_s: float = 0.0
    peak_mib: float = 0.0
    output: str = ""


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
        _remove(self._folder)

    def kill(self) -> None:
        """Ends whatever runs, from any thread; the trial under way gets no observation."""
        process = self._process
        if process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)

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
        if answer["pid"] < 0:
            raise InfrastructureError("no process could be forked: the machine has none left")
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
            "PYTHONUNBUFFERED": "1",  # a worker ends without flushing
            **threads,
        }

    def _ask(self, request: Mapping[str, Any], fds: list[int]) -> dict[str, Any]:
        try:
            self._control.settimeout(_ANSWER_S)
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
    """Removes a folder, whatever permissions were left below it."""
    for path, names, _ in os.walk(folder):
        for name in names:
            below = os.path.join(path, name)
            if not os.path.islink(below):
                with contextlib.suppress(OSError):
                    os.chmod(below, 0o700)
    shutil.rmtree(folder, ignore_errors=True)
