"""Worker sessions: trials of one program that follow each other in one worker."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from harness.errors import InfrastructureError, ProgramError
from harness.sandbox import processes, whereabouts
from harness.sandbox.connection import Answer, ConnectionLost, Overdue, WorkerConnection
from harness.sandbox.worker import GRACE_S, Worker
from harness.sandbox.zygote import ZygoteLost, no_memory_left
from harness.spec.models import Limits
from harness.wire import Array, Frame

#: What is done with the connection of every new worker before its first trial.
Prepare = Callable[[WorkerConnection], object]

_MIB = 1 << 20

# after one of these nothing is assumed about the zygote: the next worker gets a new one
_ANOMALIES = frozenset({"timeout", "protocol", "signal", "worker-died", "leftover-process"})
# after one of these the worker goes on: it reported itself, by the protocol, what went wrong
_IN_ORDER = frozenset(
    {"exception", "bad-output", "changed-argument", "budget"}
    | {"missing-file", "missing-name", "signature", "syntax"}
)


@dataclass
class Usage:
    """What a trial used: seconds of processor time, peak memory in MiB, its output for people."""

    cpu_s: float = 0.0
    peak_mib: float = 0.0
    output: str = ""


class WorkerSource(Protocol):
    """The sandbox as a session sees it; see :class:`harness.sandbox.sandbox.Sandbox`."""

    usage: Usage
    unloadable: dict[Path, ProgramError]

    def files(self, program: Path) -> Mapping[str, bytes]:
        """The files that lie in the folder of a program."""
        ...

    def fork(self, program: Path, limits: Limits, *, trials: int = 1) -> Worker:
        """A fresh worker for so many trials, with nothing of the program loaded yet."""
        ...

    def stop(self) -> None:
        """Ends the zygote and all its workers; the next worker gets a new one."""
        ...

    def output_mark(self) -> int:
        """The present position in the output."""
        ...

    def output_since(self, mark: int) -> str:
        """What was printed since a position."""
        ...


class WorkerSession:
    """Trials of one program, one after the other; each finds a worker that is in order.

    Between two trials the worker must be quiet: nothing unread on its socket, no process besides
    it. Whatever else goes wrong ends it, and the next trial gets another. ``prepare`` is run with
    the connection of every new worker: it loads the program. One that could not be loaded is not
    tried again: every further trial of it in the same sandbox ends with the same error at once.
    """

    def __init__(
        self,
        sandbox: WorkerSource,
        program: Path,
        limits: Limits,
        prepare: Prepare,
        trials: int = 1,
    ) -> None:
        self._sandbox = sandbox
        self._program = program
        self._limits = limits
        self._trials = trials
        self._prepare = prepare
        self._worker: Worker | None = None
        self._connection: WorkerConnection | None = None

    @property
    def worker_pid(self) -> int | None:
        """The worker's process id as the grader sees it; None while there is no worker."""
        return self._worker.monitor.worker if self._worker is not None else None

    @property
    def deadline(self) -> float:
        """When the trial under way ends, in seconds of ``time.monotonic``."""
        assert self._connection is not None
        return self._connection.deadline

    @contextlib.contextmanager
    def trial(self, limits: Limits) -> Iterator[WorkerSession]:
        """One trial, in which requests may be made.

        Raises:
            ProgramError: also where the worker died or left a process behind.
            InfrastructureError: no zygote could be started, or it was lost before it had made a
                worker, twice.
        """
        usage = self._sandbox.usage = Usage()
        mark = self._sandbox.output_mark()
        try:
            try:
                self._connect(limits)
                yield self
                self._expect_quiet()
            except ConnectionLost:
                assert self._worker is not None
                raise self._worker.death() from None
            finally:
                self._account(usage)
                usage.output = self._sandbox.output_since(mark)
        except ZygoteLost:
            worker = self._worker
            short = worker.zygote.short_of_memory() if worker is not None else ""
            self._abandon()
            if short == "machine":
                raise no_memory_left() from None
            raise ProgramError("worker-died", "your code ended the process that ran it") from None
        except ProgramError as error:
            if error.cause not in _IN_ORDER:
                self._end_worker(0.0)
            if error.cause in _ANOMALIES:
                self._sandbox.stop()
            raise
        except BaseException:
            self._abandon()
            raise

    def request(
        self, message: Mapping[str, Any], arrays: Sequence[Array], answer: Answer | None = None
    ) -> Frame:
        """See :meth:`harness.sandbox.connection.WorkerConnection.request`.

        The error of a program that takes too long says in which line it was.
        """
        assert self._connection is not None
        try:
            return self._connection.request(message, arrays, answer)
        except Overdue as error:
            where = self._whereabouts()
            text = f"{error.message}; your code was {where}" if where else error.message
            raise ProgramError(error.cause, text) from None

    def renew(self, *, sandbox: bool = False) -> None:
        """Ends the worker with everything that it left, and goes on with a new one.

        With ``sandbox`` nothing of the sandbox survives either. The time that this takes does not
        count as the program's.

        Raises:
            ProgramError: the worker left a process behind.
        """
        old = self._connection
        assert old is not None
        old.resume()
        started = time.monotonic()
        self._expect_quiet()
        self._account(self._sandbox.usage)
        self._end_worker(GRACE_S)
        if sandbox:
            self._sandbox.stop()
        self._fork(old.limits, old.deadline - started)

    def close(self) -> None:
        """Ends the worker, if there is one."""
        self._end_worker(GRACE_S)

    def _connect(self, limits: Limits) -> None:
        """Begins a trial in the worker that is there, or in a new one."""
        if self._worker is None:
            self._fork(limits, limits.trial_s)
        else:
            self._worker.monitor.begin()
            self._connection = WorkerConnection(self._worker.sock, limits, self._worker.monitor)

    def _fork(self, limits: Limits, left_s: float) -> None:
        """Makes a new worker; ``left_s``, the time left to the trial, begins once it is there."""
        if (known := self._sandbox.unloadable.get(self._program)) is not None:
            raise ProgramError(known.cause, known.message, while_loading=True)
        worker = self._worker = self._made()
        deadline = time.monotonic() + left_s
        self._connection = WorkerConnection(worker.sock, limits, worker.monitor, deadline)
        try:
            self._prepare(self._connection)
        except (ProgramError, ConnectionLost) as error:
            problem = worker.death() if isinstance(error, ConnectionLost) else error
            if isinstance(error, Overdue):
                where = self._whereabouts()
                message = f"your file was still being loaded after {min(limits.call_s, left_s):g} s"
                problem = ProgramError(error.cause, f"{message}, {where}" if where else message)
            self._sandbox.unloadable[self._program] = problem
            self._end_worker(0.0)
            problem.while_loading = True
            raise problem from None

    def _made(self) -> Worker:
        """A new worker; where the zygote is lost before there is one, that of another zygote.

        No submitted code has run in it by then, so it is no fault of the program's.
        """
        for _ in range(2):
            try:
                return self._sandbox.fork(self._program, self._limits, trials=self._trials)
            except ZygoteLost:
                self._sandbox.stop()
        raise InfrastructureError(
            "the process that workers are forked from was lost twice before there was a worker; "
            "something else ended it, or this machine is too busy: run it again"
        )

    def _whereabouts(self) -> str:
        """The line that the present worker is in, in words; empty where it does not say."""
        assert self._worker is not None
        files = self._sandbox.files(self._program)
        place = whereabouts.ask(self._worker.sock, self._worker.monitor.worker, files)
        return "" if place is None else str(place)

    def _expect_quiet(self) -> None:
        """Checks that nothing goes on in the worker and that the zygote can answer."""
        assert self._connection is not None and self._worker is not None
        self._connection.expect_silence()
        if processes.halted(self._worker.monitor.zygote):
            raise ZygoteLost
        if left := self._worker.monitor.leftovers(GRACE_S):
            raise ProgramError("leftover-process", f"your code left {left} process(es) running")

    def _end_worker(self, grace_s: float) -> None:
        worker, self._worker = self._worker, None
        if worker is not None:
            try:
                worker.end(grace_s)
            except ZygoteLost:
                self._sandbox.stop()

    def _account(self, usage: Usage) -> None:
        """Adds what the present worker has used since the trial, or the worker, began."""
        worker = self._worker
        if worker is not None:
            spent = worker.spent()
            usage.cpu_s += spent.cpu_s
            usage.peak_mib = max(usage.peak_mib, spent.peak / _MIB)

    def _abandon(self) -> None:
        """Gives up the worker together with its zygote."""
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.sock.close()
        self._sandbox.stop()
