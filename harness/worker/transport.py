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
        self._writer = wire.Writer()
        self._reader = wire.Reader(wire.Stream(self._received).read, 1 << 40)

    def receive(self) -> wire.Frame:
        """The next frame."""
        return self._reader.decode()

    def send(self, message: Mapping[str, Any], arrays: Sequence[wire.Array]) -> None:
        """Sends one frame.

        Raises:
            wire.WireError: it cannot be encoded; nothing was sent.
        """
        buffers = self._writer.encode(message, arrays)
        sent = self._sock.sendmsg(buffers)
        while buffers := wire.unsent(buffers, sent):
            sent = self._sock.sendmsg(buffers)

    def _received(self, view: memoryview) -> int:
        received = self._sock.recv_into(view)
        if not received:
            os._exit(0)
        return received
