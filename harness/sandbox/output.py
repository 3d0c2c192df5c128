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

#: Bytes that are kept of what a trial prints; the rest is read and dropped.
OUTPUT_CAP_BYTES = 64 * 1024
_SETTLE_S = 1.0


class DrainedOutput:
    """Reads what a process prints as long as it lives, and keeps the beginning of every trial's.

    Pipes of other processes can be added: each worker has one of its own, in which nothing of an
    earlier worker is left. A thread reads, so the methods may be called at any time.
    """

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        self._handles = {os.dup(process.stdout.fileno())}
        self._wake, self._waker = os.pipe()
        self._kept = bytearray()
        self._trial_start = 0
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._drain, daemon=True)
        process.stdout.close()
        self._thread.start()

    def add(self, handle: int) -> None:
        """Reads from this end of a pipe too, and closes it where the pipe ends."""
        with self._lock:
            self._handles.add(handle)
        os.write(self._waker, b"+")

    def mark(self) -> int:
        """Begins a new trial, kept up to a cap; gives the position for :meth:`since`."""
        with self._lock:
            self._trial_start = len(self._kept)
            return self._trial_start

    def since(self, mark: int) -> str:
        """What was printed since a position.

        Everything that was written before the call is included: it waits until the pipes are empty,
        one second at most.
        """
        deadline = time.monotonic() + _SETTLE_S
        while self._thread.is_alive() and time.monotonic() < deadline and self._unread():
            time.sleep(0.001)
        with self._lock:
            return bytes(self._kept[mark:]).decode("utf-8", "replace")

    def close(self) -> None:
        """Ends the reading, once the process has ended."""
        # A process that escaped could hold a pipe open; the thread is a daemon, so it may go on.
        self._thread.join(timeout=1.0)
        if not self._thread.is_alive():
            for handle in (*self._handles, self._wake, self._waker):
                os.close(handle)

    def _drain(self) -> None:
        while self._handles:
            waiting = select.poll()
            for handle in (*self._handles, self._wake):
                waiting.register(handle, select.POLLIN)
            ready = {handle for handle, _ in waiting.poll()}
            with self._lock:  # bytes are read and kept in one step, so that `since` misses none
                for handle in ready & self._handles:
                    self._read(handle)
                if self._wake in ready:
                    os.read(self._wake, 1 << 10)

    def _read(self, handle: int) -> None:
        chunk = os.read(handle, 1 << 16)
        room = self._trial_start + OUTPUT_CAP_BYTES - len(self._kept)
        self._kept += chunk[: max(room, 0)]
        if not chunk:
            self._handles.remove(handle)
            os.close(handle)

    def _unread(self) -> bool:
        """Whether bytes wait in a pipe."""
        with self._lock:
            return any(_waiting(handle) for handle in self._handles)


def _waiting(handle: int) -> int:
    """How many bytes wait in a pipe."""
    (size,) = struct.unpack("i", fcntl.ioctl(handle, termios.FIONREAD, struct.pack("i", 0)))
    return int(size)
