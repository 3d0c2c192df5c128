"""How long a run will take, from what is known before: stored training runs, and how many trials.

A trained check of honest work takes the seeds that its sequential test takes on average, each as
long as a stored run of the reference. Everything else is counted by trials, whose costs differ
little beside that of one training. What a program makes of its time is not known: one that breaks
at once takes less, one that learns badly takes more seeds, one that hangs takes its limits.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness import kinds, stored_runs
from harness.causes import Cause
from harness.kinds import seed_success
from harness.marking.round import Round, TaskState
from harness.spec.checks import CheckBase, ReturnsCheck, SeedSuccessCheck
from harness.spec.load import LoadedTask
from harness.statistics import sequential

#: Processor seconds of one trial that trains nothing, the grader's share included; and of the start
#: of a sandbox, which happens about twice a submission: for its trials and for its examples.
_TRIAL_S, _START_S, _STARTS = 0.12, 2.5, 2
#: Processor seconds of a training run where none is stored, and of one whole game.
_RUN_S, _GAME_S = 2.0, 2.5


@dataclass(frozen=True)
class Estimate:
    """What a run is expected to take if every program does what is asked of it.

    Attributes:
        cpu_s: processor seconds of all its processes.
        training_s: those of them that train or play.
        longest_s: those of the submission that takes most: a submission is run by one process.
    """

    cpu_s: float
    training_s: float
    longest_s: float

    def in_words(self, jobs: int) -> str:
        """The estimate as a line, for so many processes that have a core each."""
        wall = max(self.cpu_s / jobs, self.longest_s)
        return (
            f"estimate: {_rounded(wall)} ({self.cpu_s:.0f} processor seconds, of them "
            f"{self.training_s:.0f} to train) if every program is right; what learns badly takes "
            "longer"
        )


def of_round(current: Round) -> Estimate:
    """What the checks of a round that are not decided yet will take."""
    whole: dict[str, float] = {}
    training = 0.0
    tasks: dict[str, LoadedTask] = {}
    for subject, task in current.pairs:
        waiting = list(_waiting(task, current.state(subject, task)))
        if not waiting:
            continue
        name = subject.program.name
        tasks.setdefault(task.id, task)
        trained: dict[str, float] = {}
        for check in waiting:
            if kinds.of(check).trained:
                known = trained.get(check.measurement, 0.0)
                trained[check.measurement] = max(known, _training_s(task, check))
        training += sum(trained.values())
        trials = len({check.measurement for check in waiting}.difference(trained))
        spent = sum(trained.values()) + _TRIAL_S * trials
        whole[name] = whole.get(name, _STARTS * _START_S) + spent
    of_references = _TRIAL_S * sum(len(task.spec.measurements) for task in tasks.values())
    references = of_references + _STARTS * _START_S if tasks else 0.0
    cpu_s = math.fsum(whole.values()) + references
    return Estimate(cpu_s, training, max(whole.values(), default=0.0))


def _waiting(task: LoadedTask, state: TaskState) -> Iterator[CheckBase]:
    """The checks of a task that something must be run for."""
    waiting = {verdict.check for verdict in state.grade.verdicts if verdict.cause == Cause.NOT_RUN}
    return (check for check in task.checks if check.id in waiting)


def _training_s(task: LoadedTask, check: CheckBase) -> float:
    """Processor seconds until a trained check of honest work is decided."""
    if isinstance(check, ReturnsCheck):
        return check.episodes * _GAME_S
    if not isinstance(check, SeedSuccessCheck):
        return _RUN_S
    plan = seed_success.design(check)
    seeds = sequential.operating(plan, check.success_rate).expected_seeds
    seeds = max(seeds, check.leaderboard_seeds or 0)
    return seeds * _run_s(stored_runs.read(task, check.target))


def _run_s(runs: Sequence[stored_runs.StoredRuns]) -> float:
    """Processor seconds of one training run of the reference."""
    stored = next((each for each in runs if each.role == "reference" and each.count), None)
    return stored.cpu_s / stored.count if stored else _RUN_S


def _rounded(seconds: float) -> str:
    """A time as people say it."""
    return f"about {seconds:.0f} s" if seconds < 90 else f"about {math.ceil(seconds / 60)} min"
