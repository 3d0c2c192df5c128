"""How messages and arrays travel between a worker and the grader."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from harness import wire


class Transport(Protocol):
    """The worker's end of a connection: a socket, or calls in the same process."""

    def receive(self) -> wire.Frame: ...

    def send(self, message: Mapping[str, Any], arrays: Sequence[wire.Array]) -> None: ...


class SocketTransport:
    """Frames over the worker's socket; the process ends where the grader has closed its end."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._buffer = bytearray()  # of what is read; as large as the largest piece so far

    def receive(self) -> wire.Frame:
        """The next frame."""
        return wire.decode(self._read, 1 << 40)

    def send(self, message: Mapping[str, Any], arrays: Sequence[wire.Array]) -> None:
        """Sends one frame.

        Raises:
            wire.WireError: it cannot be encoded; nothing was sent.
        """
        for buffer in wire.encode(message, arrays):
            self._sock.sendall(buffer)

    def _read(self, size: int) -> memoryview:
        """Exactly ``size`` bytes, valid until the next call."""
        if size > len(self._buffer):
            self._buffer = bytearray(size)
        whole = memoryview(self._buffer)[:size]
        left = whole
        while left:
            received = self._sock.recv_into(left)
            if not received:
                os._exit(0)
            left = left[received:]
        return whole
