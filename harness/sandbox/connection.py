"""The grader's end of a worker's socket: requests out, checked replies in, all under deadlines."""

from __future__ import annotations

import secrets
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from harness import wire
from harness.causes import REPORTED_BY_WORKER
from harness.errors import ProgramError
from harness.sandbox.monitor import ResourceMonitor
from harness.spec.models import Limits

#: Answers a request that the worker makes during a call: its message and arrays -> a reply.
Answer = Callable[[Mapping[str, Any], tuple[wire.Array, ...]], wire.Frame]


class ConnectionLost(Exception):
    """The worker's end of the socket is closed; why is known once the worker is reaped."""


# seconds before the monitor looks for the first time, and at most between two looks
_FIRST_LOOK_S, _LAST_LOOK_S = 0.05, 0.25


class WorkerConnection:
    """The grader's end of one trial's socket; every wait ends at a deadline that the grader set.

    Attributes:
        limits: what the trial may use.
        deadline: when the trial ends, in seconds of ``time.monotonic``.
    """

    def __init__(
        self,
        sock: socket.socket,
        limits: Limits,
        monitor: ResourceMonitor | None = None,
        deadline: float | None = None,
    ) -> None:
        self._sock = sock
        self._monitor = monitor
        self._nonce = 0
        self.limits = limits
        self.deadline = time.monotonic() + limits.trial_s if deadline is None else deadline
        self._call_deadline = self.deadline

    def request(
        self, message: Mapping[str, Any], arrays: Sequence[wire.Array], answer: Answer | None = None
    ) -> wire.Frame:
        """Sends one request and waits for its reply.

        Requests that the worker makes meanwhile (steps of a served environment) go to ``answer``.

        Raises:
            ProgramError: the program refused, raised, hung or broke the protocol.
            ConnectionLost: the worker closed its end.
        """
        self.expect_silence()
        self._nonce = secrets.randbits(63)
        self._call_deadline = min(time.monotonic() + self.limits.call_s, self.deadline)
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

    def expect_silence(self) -> None:
        """Checks that the worker sent nothing but the answers to what it was asked.

        Raises:
            ProgramError: something else waits to be read.
            ConnectionLost: the worker closed its end.
        """
        try:
            self._sock.settimeout(0)
            data = self._sock.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return
        except OSError:
            raise ConnectionLost from None
        if not data:
            raise ConnectionLost
        raise ProgramError("protocol", "the worker sent more than the answer to what was asked")

    def _checked(self, frame: wire.Frame) -> wire.Frame:
        message = frame.message
        if message.get("nonce") != self._nonce or type(message.get("ok")) is not bool:
            raise ProgramError("protocol", "the worker answered something that was not asked")
        if not message["ok"]:
            cause, text = message.get("cause"), message.get("message")
            are_texts = isinstance(cause, str) and isinstance(text, str)
            if not are_texts or cause not in REPORTED_BY_WORKER:
                raise ProgramError("protocol", "the worker reported an error that does not exist")
            raise ProgramError(str(cause), str(text)[:1000])
        return frame

    def _send(self, message: Mapping[str, Any], arrays: Sequence[wire.Array]) -> None:
        try:
            for buffer in wire.encode(message, arrays):
                self._sock.settimeout(self._left())
                self._sock.sendall(buffer)
        except TimeoutError:
            raise self._timeout() from None
        except OSError:
            raise ConnectionLost from None

    def _receive(self) -> wire.Frame:
        try:
            return wire.decode(self._read, self.limits.result_mib << 20)
        except wire.WireError as error:
            raise ProgramError("protocol", f"what came back is not an answer: {error}") from None

    def _read(self, size: int) -> bytes:
        parts = bytearray()
        pause = _FIRST_LOOK_S
        next_look = time.monotonic() + pause
        while len(parts) < size:
            if time.monotonic() >= next_look and self._monitor is not None:
                self._monitor.check(self.limits)
                pause = min(2 * pause, _LAST_LOOK_S)
                next_look = time.monotonic() + pause
            try:
                self._sock.settimeout(min(self._left(), pause))
                part = self._sock.recv(min(size - len(parts), 1 << 20))
            except TimeoutError:
                if time.monotonic() >= self._call_deadline:
                    raise self._timeout() from None
                continue
            except OSError:
                raise ConnectionLost from None
            if not part:
                raise ConnectionLost
            parts += part
        return bytes(parts)

    def _left(self) -> float:
        left = self._call_deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def _timeout(self) -> ProgramError:
        if self._call_deadline >= self.deadline:
            return ProgramError("timeout", f"not finished within {self.limits.trial_s:g} s in all")
        return ProgramError("timeout", f"no answer within {self.limits.call_s:g} s")
