"""The watch over a worker while it computes: memory, processor time, processes, files.

Limits of the kernel hold a single process; this holds all that belong to a trial together. It looks
from outside, seldom at first and then every quarter of a second.
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

_ENTRIES = 10_000
_MIB = 1 << 20
#: Processor seconds allowed for each wall second of a trial's limit.
CPU_SHARE = 2


@dataclass
class Watch:
    """Looks after one worker.

    Attributes:
        zygote, worker: their process ids as the grader sees them.
        baseline: resident bytes of the worker before it ran anything: all of it is shared with the
            zygote, and with whatever the worker forks.
        scratch: what the worker may write to, where that can be seen from here.
    """

    zygote: int
    worker: int
    baseline: int
    scratch: Path
    cpu_before: float = 0.0
    peak: int = 0

    def everyone(self) -> Iterator[Process]:
        """Every process of the trial, orphans that the zygote adopted among them."""
        return processes.below(self.zygote)

    def begin(self) -> None:
        """A trial begins: processor time and peak memory count from here."""
        found = processes.look(self.worker)
        self.cpu_before, self.peak = (found.cpu_s if found is not None else 0.0), 0

    def spent(self) -> tuple[float, int]:
        """Processor seconds since the trial began, and the most memory in bytes that was seen."""
        found = processes.look(self.worker)
        if found is None:
            return 0.0, self.peak
        return found.cpu_s - self.cpu_before, max(self.peak, found.resident)

    def check(self, limits: Limits) -> None:
        """One look.

        Raises:
            ProgramError: the trial uses more than it may.
        """
        alive = [process for process in self.everyone() if process.alive]
        used = sum(max(0, process.resident - self.baseline) for process in alive)
        self.peak = max(self.peak, used + self.baseline)
        if used > limits.memory_mib * _MIB:
            raise ProgramError("memory", f"used more than {limits.memory_mib} MiB of memory")
        spent = sum(process.cpu_s for process in alive) - self.cpu_before
        if spent > limits.trial_s * CPU_SHARE:
            raise ProgramError(
                "timeout", f"used more than {limits.trial_s * CPU_SHARE:g} s of processor time"
            )
        if len(alive) > PROCESSES:
            raise ProgramError("memory", f"had more than {PROCESSES} processes")
        size, entries = processes.folder_size(self.scratch, _ENTRIES)
        if size > SCRATCH_MIB * _MIB or entries > _ENTRIES:
            raise ProgramError(
                "memory", f"wrote more than {SCRATCH_MIB} MiB or {_ENTRIES} files to the disk"
            )

    def leftovers(self, grace_s: float) -> int:
        """Processes alive besides the worker, once they had ``grace_s`` to end."""
        deadline = time.monotonic() + grace_s
        while True:
            left = [found for found in self.everyone() if found.alive and found.pid != self.worker]
            if not left or time.monotonic() >= deadline:
                return len(left)
            time.sleep(0.005)
