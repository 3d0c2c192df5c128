"""Watches the resources of a worker while it computes: memory, processor time, processes, files.

The kernel's limits bound a single process; the monitor bounds all processes of a trial together. It
looks from outside: first after a short time, then every quarter of a second.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.errors import ProgramError
from harness.isolation.launch import SCRATCH_MIB
from harness.isolation.parts import PROCESSES
from harness.sandbox import processes
from harness.sandbox.processes import Process
from harness.spec.models import Limits

#: Files and folders that a working folder may hold; with more the trial fails for memory.
MAX_FILES = 10_000
_MIB = 1 << 20
#: Processor seconds allowed for each wall second of a trial's limit.
CPU_SHARE = 2


@dataclass(frozen=True)
class Spent:
    """What a worker has used since its trial began.

    Attributes:
        cpu_s: processor seconds.
        peak: the most memory that was measured, in bytes.
    """

    cpu_s: float
    peak: int


@dataclass
class ResourceMonitor:
    """Watches one worker.

    Attributes:
        zygote, worker: their process ids as the grader sees them.
        baseline: resident bytes of the worker before it ran anything: all of it is shared with the
            zygote, and with whatever the worker forks.
        scratch: the folder that the worker may write to, where it can be read from here.
        cpu_before: processor seconds that the worker had used when the trial began.
        peak: the most resident bytes that the trial's processes had at any look.
    """

    zygote: int
    worker: int
    baseline: int
    scratch: Path
    cpu_before: float = 0.0
    peak: int = 0

    def all_processes(self) -> Iterator[Process]:
        """Every process of the trial, orphans that the zygote adopted among them."""
        return processes.below(self.zygote)

    def begin(self) -> None:
        """Begins a trial: processor time and peak memory count from here."""
        process = processes.look(self.worker)
        self.cpu_before, self.peak = (process.cpu_s if process is not None else 0.0), 0

    def spent(self) -> Spent:
        """What the worker has used since the trial began."""
        process = processes.look(self.worker)
        if process is None:
            return Spent(0.0, self.peak)
        return Spent(process.cpu_s - self.cpu_before, max(self.peak, process.resident))

    def waited_s(self) -> float:
        """Seconds since its start in which the worker could have run and waited for a processor."""
        return processes.waited_s(self.worker)

    def check(self, limits: Limits) -> None:
        """Looks once.

        Raises:
            ProgramError: the trial uses more than it may.
        """
        alive = [process for process in self.all_processes() if process.alive]
        used = sum(max(0, process.resident - self.baseline) for process in alive)
        self.peak = max(self.peak, used + self.baseline)
        if used > limits.memory_mib * _MIB:
            raise ProgramError("memory", f"used more than {limits.memory_mib} MiB of memory")
        cpu_s = sum(process.cpu_s for process in alive) - self.cpu_before
        if cpu_s > limits.trial_s * CPU_SHARE:
            raise ProgramError(
                "timeout", f"used more than {limits.trial_s * CPU_SHARE:g} s of processor time"
            )
        if len(alive) > PROCESSES:
            raise ProgramError("memory", f"had more than {PROCESSES} processes")
        size, entries = processes.folder_size(self.scratch, MAX_FILES)
        if size > SCRATCH_MIB * _MIB or entries > MAX_FILES:
            raise ProgramError(
                "memory", f"wrote more than {SCRATCH_MIB} MiB or {MAX_FILES} files to the disk"
            )

    def leftovers(self, grace_s: float) -> int:
        """The number of processes alive besides the worker, once they had ``grace_s`` to end."""
        deadline = time.monotonic() + grace_s
        while True:
            others = [
                process
                for process in self.all_processes()
                if process.alive and process.pid != self.worker
            ]
            if not others or time.monotonic() >= deadline:
                return len(others)
            time.sleep(0.005)
