"""The grader's end of a worker's socket: sends requests and checks replies, all under deadlines."""

from __future__ import annotations

import secrets
import socket
import struct
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from harness import wire
from harness.causes import REPORTED_BY_WORKER
from harness.errors import ProgramError
from harness.sandbox.monitor import ResourceMonitor
from harness.spec.models import Limits

#: Answers a request that the worker makes during a call: (message, arrays) -> the reply's frame.
Answer = Callable[[Mapping[str, Any], tuple[wire.Array, ...]], wire.Frame]

T = TypeVar("T")


class ConnectionLost(Exception):
    """The worker's end of the socket is closed; its exit status, once reaped, tells why."""


class Overdue(ProgramError):
    """The worker did not answer in time; its cause is ``timeout``."""


#: Seconds until the first check of the worker's resources. The pause doubles up to the second.
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.05, 0.25
#: Seconds beyond which the time between two waits, or by which a wait ended late, is not the
#: program's: the grader stood still, or the whole machine did.
_STANDSTILL_S = 1.0
#: How many times the limit of a trial is added at most for waiting: a program may lower its own
#: priority, and must not hold up the class with it.
_PATIENCE = 20


class WorkerConnection:
    """The grader's end of one trial's socket; every wait ends at a deadline that the grader set.

    Deadlines are in seconds during which the program could run: they move by the time in which the
    grader computed something of its own (between two requests, or for a reply to the worker), in
    which it stood still (Ctrl-Z, a suspended machine), and in which the worker waited for a
    processor, so that no load of the machine makes an honest program too slow.

    Attributes:
        limits: what the trial may use.
        deadline: the end of the trial's time, in seconds of ``time.monotonic``.
    """

    def __init__(
        self,
        sock: socket.socket,
        limits: Limits,
        monitor: ResourceMonitor | None = None,
        deadline: float | None = None,
    ) -> None:
        # a byte that is sent out of band is read like any other, and not passed over
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE, 1)
        # waits end by a limit of the kernel's; Python's own would cost two calls more for each
        sock.settimeout(None)
        self._sock = sock
        self._waits_s: dict[int, float] = {}  # the limits that are set, by their option
        self._monitor = monitor
        self._pause_s, self._next_check = _FIRST_PAUSE_S, 0.0
        self._writer = wire.Writer()
        self._stream = wire.Stream(self._received)
        self._reader = wire.Reader(self._stream.read, limits.result_mib << 20)
        self._nonce = 0
        self.limits = limits
        self.deadline = time.monotonic() + limits.trial_s if deadline is None else deadline
        self._call_deadline = self.deadline
        self._seen = time.monotonic()
        self._patience_s = _PATIENCE * limits.trial_s
        self._excused_s = monitor.waited_s() if monitor is not None else 0.0

    def request(
        self, message: Mapping[str, Any], arrays: Sequence[wire.Array], answer: Answer | None = None
    ) -> wire.Frame:
        """Sends one request and waits for its reply.

        Requests that the worker makes meanwhile (steps of a served environment) go to ``answer``.

        Raises:
            ProgramError: the program refused, raised, exceeded a limit or broke the protocol.
            ConnectionLost: the worker closed its end.
        """
        self.resume()
        self.expect_silence()
        self._nonce = secrets.randbits(63)
        now = time.monotonic()
        self._call_deadline = min(now + self.limits.call_s, self.deadline)
        self._pause_s, self._next_check = _FIRST_PAUSE_S, now + _FIRST_PAUSE_S
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
            self.resume()
            self._send(reply.message, reply.arrays)
        return self._checked(frame)

    def resume(self) -> None:
        """Moves the deadlines by what passed since the last wait: the grader's own time."""
        self._notice(allowed_s=0.0)

    def expect_silence(self) -> None:
        """Checks that the worker has sent nothing besides its replies.

        Raises:
            ProgramError: there is more to read.
            ConnectionLost: the worker closed its end.
        """
        try:
            data = self._sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return
        except OSError:
            raise ConnectionLost from None
        if not data:
            raise ConnectionLost
        raise _unasked()

    def _checked(self, frame: wire.Frame) -> wire.Frame:
        """The frame, if it is the reply to the last request; raises the error that it reports."""
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
        left = self._writer.encode(message, arrays)
        try:
            while left:
                sent = self._wait(_LONGEST_PAUSE_S, socket.SO_SNDTIMEO, self._sock.sendmsg, left)
                left = wire.unsent(left, sent or 0)
        except OSError:
            raise ConnectionLost from None

    def _wait(
        self, pause_s: float, option: int, act: Callable[[Any], T], argument: Any
    ) -> T | None:
        """Sends or receives within the deadline, a pause at most; None where the pause is over.

        Raises:
            ProgramError: the deadline is past.
            OSError: the connection is lost.
        """
        self._notice()
        try:
            self._limit(option, min(self._remaining(), pause_s))
            done = act(argument)
        except (TimeoutError, BlockingIOError):
            self._notice(pause_s)
            if self._is_over():
                raise self._timeout() from None
            return None
        self._notice(pause_s)
        return done

    def _limit(self, option: int, seconds: float) -> None:
        """Sets for how long the kernel lets one sending or receiving wait."""
        if self._waits_s.get(option) != seconds:
            whole, part = divmod(max(int(seconds * 1e6), 1), 1_000_000)
            self._sock.setsockopt(socket.SOL_SOCKET, option, struct.pack("ll", whole, part))
            self._waits_s[option] = seconds

    def _receive(self) -> wire.Frame:
        """One frame, and nothing behind it: the worker has to wait for what comes of it."""
        try:
            frame = self._reader.decode()
        except wire.WireError as error:
            raise ProgramError("protocol", f"what came back is not an answer: {error}") from None
        if self._stream.rest:
            raise _unasked()
        return frame

    def _received(self, view: memoryview) -> int:
        """Receives some bytes; while it waits for them, the worker's resources are checked."""
        while True:
            if time.monotonic() >= self._next_check and self._monitor is not None:
                self._monitor.check(self.limits)
                self._pause_s = min(2 * self._pause_s, _LONGEST_PAUSE_S)
                self._next_check = time.monotonic() + self._pause_s
            try:
                received = self._wait(self._pause_s, socket.SO_RCVTIMEO, self._sock.recv_into, view)
            except OSError:
                raise ConnectionLost from None
            if received:
                return received
            if received is not None:
                raise ConnectionLost

    def _remaining(self) -> float:
        """Seconds until the deadline of the call; raises TimeoutError once it is past."""
        remaining = self._call_deadline - time.monotonic()
        if remaining <= 0:
            raise TimeoutError
        return remaining

    def _is_over(self) -> bool:
        """Whether the deadline is past; what the worker waited for a processor is added to it."""
        if time.monotonic() < self._call_deadline:
            return False
        waited_s = self._monitor.waited_s() if self._monitor is not None else 0.0
        more_s = min(waited_s - self._excused_s, self._patience_s)
        self._excused_s = max(self._excused_s, waited_s)
        self._patience_s -= max(more_s, 0.0)
        self._move(more_s)
        return time.monotonic() >= self._call_deadline

    def _notice(self, expected_s: float = 0.0, allowed_s: float = _STANDSTILL_S) -> None:
        """Moves the deadlines by what passed since the last call beyond what was expected to.

        Not more than ``allowed_s`` of it is the program's time.
        """
        now = time.monotonic()
        late_s = now - self._seen - expected_s
        self._seen = now
        if late_s > allowed_s:
            self._move(late_s)

    def _move(self, seconds: float) -> None:
        if seconds > 0:
            self.deadline += seconds
            self._call_deadline += seconds

    def _timeout(self) -> ProgramError:
        if self._call_deadline >= self.deadline:
            return Overdue("timeout", f"not finished within {self.limits.trial_s:g} s in all")
        return Overdue("timeout", f"no answer within {self.limits.call_s:g} s")


def _unasked() -> ProgramError:
    return ProgramError("protocol", "the worker sent more than the answer to what was asked")
