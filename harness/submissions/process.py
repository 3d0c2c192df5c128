"""A process that reads submitted bytes, as the grader sees it: asked, answered, ended.

What is read for one file may be slow, or end its reader, however careful that is. So it is read
elsewhere, with a limit on processor time, and what it says of itself is all that comes back.
"""

from __future__ import annotations

import contextlib
import json
import resource
import selectors
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, Protocol, Self

from harness.errors import InfrastructureError
from harness.submissions import reader

#: Seconds without an answer and without processor time, after which it does not run any more.
_STANDSTILL_S = 120.0
_BROKEN = (-signal.SIGSEGV, -signal.SIGABRT, -signal.SIGBUS)


class EndedError(Exception):
    """The process ended in place of an answer.

    Attributes:
        slow: it took more processor time than it was given.
        broken: what it read broke the interpreter. If neither, somebody else ended it.
    """

    def __init__(self, status: int | None) -> None:
        self.slow = status == -signal.SIGPROF
        self.broken = status in _BROKEN
        super().__init__(f"status {status}")


class Asked(Protocol):
    """What is asked: a process, or in tests the same without one."""

    def ask(
        self, request: Mapping[str, Any], content: bytes, cpu_s: float
    ) -> tuple[dict[str, Any], bytes]:
        """The fields of an answer and the bytes behind it; raises EndedError."""

    def end(self) -> None:
        """Ends it."""


class Asking:
    """What asks a process; a context manager, at whose end the process ends."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._asked.end()


class ReadingProcess:
    """A process that is started when it is first asked, and again after it ended.

    Args:
        name: the file beside this one that reads.
        what: the same for people, such as "submitted archives".
        memory_bytes: the address space that it may have.
    """

    def __init__(self, name: str, what: str, memory_bytes: int) -> None:
        self._name = name
        self._what = what
        self._memory_bytes = memory_bytes
        self._process: subprocess.Popen[bytes] | None = None

    def ask(
        self, request: Mapping[str, Any], content: bytes, cpu_s: float
    ) -> tuple[dict[str, Any], bytes]:
        """The fields of the answer and the bytes behind it.

        Raises:
            EndedError: there is none.
            InfrastructureError: the process could not be started.
        """
        process = self._started()
        assert process.stdin is not None
        assert process.stdout is not None
        head = json.dumps({**request, "bytes": len(content), "cpu_s": cpu_s}).encode()
        with contextlib.suppress(BrokenPipeError):  # how it ended is looked at below
            process.stdin.write(head + b"\n")
            process.stdin.write(content)
            process.stdin.flush()
        line = process.stdout.readline() if _answers(process, process.stdout) else b""
        if line.endswith(b"\n"):
            fields: dict[str, Any] = json.loads(line)
            body = process.stdout.read(fields["bytes"])
            if len(body) == fields["bytes"]:
                return fields, body
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(1)
        status = process.poll()
        self.end()
        raise EndedError(status)

    def end(self) -> None:
        """Ends it, if it runs."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            own = resource.getrlimit(resource.RLIMIT_AS)[1]
            if own != resource.RLIM_INFINITY and own < self._memory_bytes:
                raise InfrastructureError(
                    f"the process that reads {self._what} needs {self._memory_bytes >> 20} MiB of "
                    f"address space, and the limit here is {own >> 20} MiB; raise it (ulimit -v)"
                )
            command = [sys.executable, "-I", "-S", str(Path(reader.__file__))]
            try:
                self._process = subprocess.Popen(
                    [*command, self._name, str(self._memory_bytes)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    cwd="/",
                    env={},
                )
            except OSError as error:
                raise InfrastructureError(
                    f"the process that reads {self._what} did not start: {error}"
                ) from error
        return self._process


def _answers(process: subprocess.Popen[bytes], output: IO[bytes]) -> bool:
    """Waits for an answer or an end; false where the process neither answers nor computes."""
    used = ""
    with selectors.DefaultSelector() as waiting:
        waiting.register(output, selectors.EVENT_READ)
        while not waiting.select(_STANDSTILL_S):
            before, used = used, _processor_time(process.pid)
            if used == before:
                return False
    return True


def _processor_time(number: int) -> str:
    """The processor time of a process in ticks, user and system; empty where none is told."""
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{number}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return " ".join(fields[11:13])
    return ""
