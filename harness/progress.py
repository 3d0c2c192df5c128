"""Progress on stderr with the time left: one live line on a terminal, else a line every 5 s.

The time left comes from what trials of each measurement cost before, in this run and in former ones
(:mod:`harness.marking.costs`), not from how many trials are done: one training takes as long as
thousands of others.
"""

from __future__ import annotations

import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from typing import TextIO

from harness.marking import estimate
from harness.marking.costs import Costs
from harness.marking.estimate import Estimate, in_words
from harness.marking.jobs import Job
from harness.marking.round import Round
from harness.records import Observation, Trial
from harness.spec.load import LoadedTask

_PLAIN_EVERY_S, _LIVE_EVERY_S = 5.0, 0.1
_WIDTH = 100


class ProgressLine:
    """Counts the trials of a batch by submission, and says how long the rest will take.

    Attributes:
        costs: what trials take; learns from every observation.
    """

    def __init__(
        self, stream: TextIO | None = None, *, costs: Costs | None = None, jobs: int = 1
    ) -> None:
        """
        Args:
            jobs: how many sandboxes run at once.
        """
        self.costs = costs or Costs()
        self._stream = stream or sys.stderr
        self._live = self._stream.isatty()
        self._lock = threading.Lock()
        self._started = time.monotonic()
        self._printed = 0.0
        self._broken = False
        self._jobs = jobs
        self._run_s = 0.0
        self._class = ""
        self._batch = _Batch((), self.costs)

    def expect(self, current: Round) -> Estimate:
        """Takes note, before a batch, of all that a round still wants; returns what that takes."""
        expected = estimate.of_round(current, self.costs)
        marked: dict[str, bool] = {}
        for subject, task in current.pairs:
            name = subject.program.name
            marked[name] = marked.get(name, True) and current.state(subject, task).complete
        with self._lock:
            self._run_s = expected.work_s
            self._class = f"; {sum(marked.values())} of {len(marked)} submissions are marked"
        return expected

    def __call__(self, batch: Sequence[Job], observation: Observation | None) -> None:
        with self._lock:
            if observation is None:
                self._batch = _Batch(batch, self.costs)
                self._batch.later_s = max(0.0, self._run_s - self._batch.left_s())
                total, left = self._batch.total, in_words(self._left_s())
                text = f"{total} trials in {len(batch)} sandboxes, {left}{self._class}"
                if total:
                    self._print(text, final=True)
                return
            self.costs.learn(observation)
            self._batch.ended(observation.trial)
            done, total = self._batch.done, self._batch.total
            if done == total or self._due():
                self._print(self._text(observation.trial), final=done == total)

    def _text(self, trial: Trial) -> str:
        batch = self._batch
        own = f"{trial.program}: {trial.task} ({batch.progress_of(trial)})"
        whose = own if trial.role == "submission" else f"{trial.role} of {trial.task}"
        return (
            f"[{batch.done}/{batch.total}] {in_words(self._left_s())} left; submissions "
            f"{batch.submissions_done}/{batch.submissions}; {whose}"
        )

    def _left_s(self) -> float:
        """Seconds until the run ends, as far as its trials are known."""
        batch = self._batch
        at_once = max(1, min(self._jobs, batch.unfinished))
        return max(batch.left_s() / at_once, batch.longest_s()) + batch.later_s / self._jobs

    def _due(self) -> bool:
        every = _LIVE_EVERY_S if self._live else _PLAIN_EVERY_S
        return time.monotonic() - self._printed >= every

    def _print(self, text: str, *, final: bool) -> None:
        if self._broken:
            return
        try:
            self._write(text, final=final)
        except (OSError, ValueError):  # a terminal that is gone must not end the run
            self._broken = True

    def _write(self, text: str, *, final: bool) -> None:
        clean = "".join(char if char.isprintable() else "\ufffd" for char in text)[:_WIDTH]
        self._stream.write(
            "\r\x1b[K" + clean + ("\n" if final else "") if self._live else clean + "\n"
        )
        self._printed = time.monotonic()
        self._stream.flush()

    @property
    def elapsed_s(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self._started


class _Batch:
    """The trials of some jobs, and which of them are still to be run.

    Attributes:
        later_s: seconds of work that will be wanted after this batch.
    """

    def __init__(self, jobs: Sequence[Job], costs: Costs) -> None:
        self._costs = costs
        self.later_s = 0.0
        self.total = sum(len(job.trials) for job in jobs)
        self.done = 0
        self._waiting: Counter[tuple[LoadedTask, str]] = Counter()
        self._place: dict[tuple[str, str], int] = {}
        self._tasks: dict[str, LoadedTask] = {}
        self._trials = [len(job.trials) for job in jobs]
        self._left = list(self._trials)
        self._left_s: list[float] = []
        for index, job in enumerate(jobs):
            seconds = 0.0
            for planned in job.trials:
                trial = planned.trial
                self._tasks[trial.task] = planned.task
                self._waiting[planned.task, trial.measurement] += 1
                self._place[trial.program, trial.digest] = index
                seconds += costs.trial_s(planned.task, trial.measurement)
            self._left_s.append(seconds)
        self._own = [
            index
            for index, job in enumerate(jobs)
            if any(planned.trial.role == "submission" for planned in job.trials)
        ]

    def ended(self, trial: Trial) -> None:
        """Takes a trial off those that are to be run."""
        self.done += 1
        index = self._place.get((trial.program, trial.digest))
        if index is None:
            return
        task = self._tasks[trial.task]
        self._waiting[task, trial.measurement] -= 1
        self._left[index] -= 1
        self._left_s[index] -= self._costs.trial_s(task, trial.measurement)

    @property
    def unfinished(self) -> int:
        """How many jobs have not ended."""
        return sum(1 for left in self._left if left)

    @property
    def submissions(self) -> int:
        """How many jobs are submissions'."""
        return len(self._own)

    @property
    def submissions_done(self) -> int:
        """How many of these have ended."""
        return sum(1 for index in self._own if not self._left[index])

    def progress_of(self, trial: Trial) -> str:
        """How many trials of the same job are done, of how many."""
        index = self._place.get((trial.program, trial.digest))
        if index is None:
            return "?"
        return f"{self._trials[index] - self._left[index]}/{self._trials[index]}"

    def left_s(self) -> float:
        """Seconds of work that are left of this batch, each of one process."""
        begun = [left < all_ for left, all_ in zip(self._left, self._trials, strict=True)]
        starts = begun.count(False) * self._costs.start_s
        trials = sum(
            count * self._costs.trial_s(task, measurement)
            for (task, measurement), count in self._waiting.items()
        )
        return starts + trials

    def longest_s(self) -> float:
        """Seconds that the longest job will still take: it is run by one process."""
        return max(self._left_s, default=0.0)
