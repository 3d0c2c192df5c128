"""How long a run will take, from what its trials cost before (:mod:`harness.marking.costs`).

A trained check of honest work takes the seeds that its sequential test takes on average; any other
one the trials that it asks for. What a program makes of its time is not known: one that breaks at
once takes less, one that learns badly takes more seeds, one that hangs takes its limits.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from harness import kinds
from harness.causes import Cause
from harness.kinds import seed_success
from harness.marking import shown
from harness.marking.costs import Costs
from harness.marking.jobs import PlannedTrial
from harness.marking.round import Round, TaskState
from harness.records import SHOW
from harness.spec.checks import CheckBase, SeedSuccessCheck
from harness.spec.load import LoadedTask
from harness.statistics import sequential

#: How many sandboxes a submission needs: one for its trials, one for its examples.
_STARTS = 2


@dataclass(frozen=True)
class Estimate:
    """What a run is expected to take if every program does what is asked of it.

    Attributes:
        work_s: seconds of work, each of one process.
        training_s: those of them that train or play.
        longest_s: those of the submission that takes most: a submission is run by one process.
    """

    work_s: float
    training_s: float
    longest_s: float

    def wall_s(self, jobs: int) -> float:
        """Seconds until it has ended, with so many processes that have a core each."""
        return max(self.work_s / jobs, self.longest_s)

    def in_words(self, jobs: int) -> str:
        """The estimate as a line, for so many processes."""
        return (
            f"estimate: {in_words(self.wall_s(jobs))} ({self.work_s:.0f} s of work, of them "
            f"{self.training_s:.0f} s to train) if every program is right; what learns badly takes "
            "longer"
        )


def of_round(current: Round, costs: Costs) -> Estimate:
    """What the checks of a round that are not decided yet will take."""
    whole: dict[str, float] = {}
    training = 0.0
    trusted: dict[str, PlannedTrial] = {}
    for subject, task in current.pairs:
        state = current.state(subject, task)
        waiting = list(_waiting(task, state))
        if not waiting:
            continue
        own: dict[str, list[PlannedTrial]] = {}
        for planned in state.trials:
            if planned.trial.role == "submission":
                own.setdefault(planned.trial.measurement, []).append(planned)
            else:
                trusted[planned.trial.digest] = planned
        name = subject.program.name
        spent = whole.get(name, _STARTS * costs.start_s)
        for measurement in {check.measurement for check in waiting}:
            checks = [check for check in waiting if check.measurement == measurement]
            count = max(_trials(check, own.get(measurement, ())) for check in checks)
            seconds = count * costs.trial_s(task, measurement)
            spent += seconds
            if any(kinds.of(check).trained for check in checks):
                training += seconds
        if any(shown.goes_with(task, check) for check in waiting):
            seconds = costs.trial_s(task, SHOW)
            spent += seconds
            training += seconds if task.spec.tier == "training" else 0.0
        whole[name] = spent
    references = [
        costs.trial_s(planned.task, planned.trial.measurement) for planned in trusted.values()
    ]
    starts = _STARTS * costs.start_s if whole else 0.0
    work_s = math.fsum(whole.values()) + math.fsum(references) + starts
    return Estimate(work_s, training, max(whole.values(), default=0.0))


def _waiting(task: LoadedTask, state: TaskState) -> Iterator[CheckBase]:
    """The checks of a task that something must be run for."""
    waiting = {verdict.check for verdict in state.grade.verdicts if verdict.cause == Cause.NOT_RUN}
    return (check for check in task.checks if check.id in waiting)


def _trials(check: CheckBase, planned: list[PlannedTrial] | tuple[()]) -> float:
    """How many trials of honest work a check will take from now on, those planned included."""
    if not isinstance(check, SeedSuccessCheck):
        return len(planned) or 1
    seeds = sequential.operating(seed_success.design(check), check.success_rate).expected_seeds
    done = min((each.trial.replicate for each in planned), default=0)
    return max(len(planned), max(seeds, check.leaderboard_seeds or 0) - done)


def in_words(seconds: float) -> str:
    """A time as people say it."""
    return f"about {seconds:.0f} s" if seconds < 90 else f"about {math.ceil(seconds / 60)} min"
