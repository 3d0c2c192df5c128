"""The line that a worker's code was in when its time was over.

A worker registers Python's fault handler for :data:`SIGNAL` before it loads anything: the signal
makes it write the stack of its main thread to its socket, even while it computes in C. The program
can prevent that, or write something else, so the answer is a place to look at and nothing more.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass

SIGNAL = signal.SIGUSR2

_WAIT_S = 0.5
_CAP = 1 << 16
_FRAME = re.compile(rb'File "[^"\n]*?([^/"\n]{1,200})", line ([0-9]{1,7}) in ')
_SHOWN = 80


@dataclass(frozen=True)
class Place:
    """A line of a program's file, as people read it.

    Attributes:
        file: the name of the file.
        line: its number, from 1.
        text: what stands in the line, shortened.
    """

    file: str
    line: int
    text: str

    def __str__(self) -> str:
        colon = f": {self.text}" if self.text else ""
        return f"in line {self.line} of {self.file}{colon}"


def ask(sock: socket.socket, pid: int, files: Mapping[str, bytes]) -> Place | None:
    """The innermost line of a program's files that a worker is in; None where it does not say.

    Whatever waits on the socket is read and lost, so nothing can be asked of the worker afterwards.

    Args:
        sock: the grader's end of the worker's socket.
        pid: the worker's process id as the grader sees it; it must not have been reaped.
        files: the content of the program's files by their names.
    """
    received = bytearray()
    with contextlib.suppress(OSError):
        os.kill(pid, SIGNAL)
        deadline = time.monotonic() + _WAIT_S
        while len(received) < _CAP and (left := deadline - time.monotonic()) > 0:
            sock.settimeout(left)
            part = sock.recv(_CAP)
            received += part
            if not part or _innermost(bytes(received), files) is not None:
                break
    return _innermost(bytes(received), files)


def _innermost(stack: bytes, files: Mapping[str, bytes]) -> Place | None:
    """The first line of a stack, most recent call first, that lies in one of the files."""
    for name, number in _FRAME.findall(stack):
        file, line = name.decode("ascii", "replace"), int(number)
        lines = files.get(file, b"").decode("utf-8", "replace").splitlines()
        if 0 < line <= len(lines):
            return Place(file, line, lines[line - 1].strip()[:_SHOWN])
    return None
