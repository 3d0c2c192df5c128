"""What the processes of a sandbox print: drained for ever, so that a full pipe blocks nobody."""

from __future__ import annotations

import fcntl
import os
import select
import struct
import subprocess
import termios
import threading
import time

_OUTPUT_CAP = 64 * 1024  # bytes that are kept of a trial
_SETTLE_S = 1.0


class DrainedOutput:
    """Reads a process's output as long as it lives and keeps the beginning of every trial's.

    A thread of its own reads, so the methods may be called at any time.
    """

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        self._stream = process.stdout
        self._kept = bytearray()
        self._trial_start = 0
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._drain, daemon=True)
        self._thread.start()

    def mark(self) -> int:
        """Begins a new trial, kept up to a cap; gives the position for :meth:`since`."""
        with self._lock:
            self._trial_start = len(self._kept)
            return self._trial_start

    def since(self, mark: int) -> str:
        """What was printed since a position.

        Everything that was written before the call is included: it waits until the pipe is empty,
        one second at most.
        """
        deadline = time.monotonic() + _SETTLE_S
        while self._thread.is_alive() and time.monotonic() < deadline and self._unread():
            time.sleep(0.001)
        with self._lock:
            return bytes(self._kept[mark:]).decode("utf-8", "replace")

    def close(self) -> None:
        """Ends the reading, once the process has ended."""
        # A process that escaped could hold the pipe open; the thread is a daemon, so it may go on.
        self._thread.join(timeout=1.0)
        if not self._thread.is_alive():
            self._stream.close()

    def _drain(self) -> None:
        handle = self._stream.fileno()
        chunk = b"-"
        while chunk:
            select.select([handle], [], [])
            with self._lock:  # so that no bytes are between the pipe and the kept ones for a reader
                chunk = os.read(handle, 1 << 16)
                room = self._trial_start + _OUTPUT_CAP - len(self._kept)
                self._kept += chunk[: max(room, 0)]

    def _unread(self) -> bool:
        """Whether bytes wait in the pipe."""
        (size,) = struct.unpack(
            "i", fcntl.ioctl(self._stream.fileno(), termios.FIONREAD, struct.pack("i", 0))
        )
        return bool(size)
