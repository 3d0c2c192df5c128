"""Progress on stderr with the time left: one live line on a terminal, else a line every 5 s."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Sequence
from typing import TextIO

from harness.marking.jobs import Job
from harness.records import Observation

_PLAIN_EVERY_S = 5.0


class ProgressLine:
    """Counts the observations of a batch and extrapolates the time that its other trials take."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._live = self._stream.isatty()
        self._lock = threading.Lock()
        self._started = time.monotonic()
        self._begin = self._started
        self._total = 0
        self._done = 0
        self._printed = 0.0
        self._broken = False

    def __call__(self, batch: Sequence[Job], observation: Observation | None) -> None:
        with self._lock:
            if observation is None:
                self._total = sum(len(job.trials) for job in batch)
                self._done, self._begin = 0, time.monotonic()
                self._print(f"{self._total} trials in {len(batch)} sandboxes", final=True)
                return
            self._done += 1
            trial = observation.trial
            text = f"[{self._done}/{self._total}] {self._left()}  {trial.program}: {trial.task}"
            self._print(text, final=self._done == self._total)

    def _left(self) -> str:
        spent = time.monotonic() - self._begin
        left = spent / self._done * (self._total - self._done)
        return f"{left:.0f} s left" if left < 90 else f"{left / 60:.1f} min left"

    def _print(self, text: str, *, final: bool) -> None:
        if self._broken:
            return
        try:
            self._write(text, final=final)
        except (OSError, ValueError):  # a terminal that is gone must not end the run
            self._broken = True

    def _write(self, text: str, *, final: bool) -> None:
        clean = "".join(char if char.isprintable() else "\ufffd" for char in text)[:100]
        if self._live:
            self._stream.write("\r\x1b[K" + clean + ("\n" if final else ""))
        elif final or time.monotonic() - self._printed >= _PLAIN_EVERY_S:
            self._stream.write(clean + "\n")
            self._printed = time.monotonic()
        self._stream.flush()

    @property
    def elapsed_s(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self._started
