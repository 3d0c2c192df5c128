"""The grader's hold on one worker: a fork of a zygote that runs one program."""

from __future__ import annotations

import signal
import socket
from dataclasses import dataclass
from typing import Any

from harness.errors import ProgramError
from harness.sandbox.monitor import ResourceMonitor, Spent
from harness.sandbox.zygote import Zygote, no_memory_left

#: Seconds that a worker, and processes that it started, get to end by themselves.
GRACE_S = 0.5
_MIB = 1 << 20


@dataclass
class Worker:
    """One fork of a zygote: its socket, its process, what is known of its end.

    Attributes:
        zygote: the one that it is a fork of, and that reaps it.
        sock: the grader's end of its socket.
        pid: its process id as the zygote sees it; :attr:`ResourceMonitor.worker` is the grader's.
        uid: its user as the grader sees it.
        scratch: the only folder that it may write to.
        report: what the zygote reported of its end; None while it is not reaped.
    """

    zygote: Zygote
    sock: socket.socket
    pid: int
    uid: int
    monitor: ResourceMonitor
    scratch: str
    report: dict[str, Any] | None = None

    def spent(self) -> Spent:
        """What it has used since the trial began."""
        if self.report is not None:
            cpu_s = float(self.report["cpu_s"]) - self.monitor.cpu_before
            return Spent(max(0.0, cpu_s), int(self.report["peak_mib"] * _MIB))
        return self.monitor.spent()

    def end(self, grace_s: float) -> dict[str, Any]:
        """Closes the socket, and has the worker reaped after ``grace_s`` seconds at most.

        Returns:
            What the zygote reports of its end; nothing of the worker is left.

        Raises:
            ZygoteLost: nobody is there to reap it.
        """
        self.sock.close()
        if self.report is None:
            request = {"op": "reap", "pid": self.pid, "grace_s": grace_s, "scratch": self.scratch}
            self.report = self.zygote.ask(request, [])
        return self.report

    def death(self) -> ProgramError:
        """Why a worker that closed its end of the socket did so.

        Raises:
            InfrastructureError: the kernel killed it because the machine has too little memory.
        """
        code = self.end(GRACE_S)["status"]
        if code >= 0:
            return ProgramError("exit", f"your code ended the process with status {code}")
        if -code == signal.SIGXCPU:
            return ProgramError("timeout", "your code used more processor time than is allowed")
        if -code == signal.SIGKILL:
            short = self.zygote.short_of_memory()
            if short == "program":
                return ProgramError("memory", "used more memory than is allowed")
            if short == "machine":
                raise no_memory_left()
        name = signal.Signals(-code).name if -code in signal.valid_signals() else str(-code)
        remedy = "; the grader keeps the time: remove signal.alarm" if name == "SIGALRM" else ""
        return ProgramError("signal", f"your code ended the process with {name}{remedy}")
