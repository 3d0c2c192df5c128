"""Which trials to run next, and in which jobs.

A first look at what doesn't train comes first, so that the first rows of a leaderboard stand early.
What trains runs beside further looks, since a batch of few trials leaves processors idle. Displayed
examples come last, and only for what failed.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.marking import at_home
from harness.marking.jobs import Job, PlannedTrial
from harness.marking.round import Round
from harness.marking.views import View
from harness.records import COMMON, Role

_TRUSTED: tuple[Role, ...] = ("reference", "variant", "mutant", "starter", "constant")


def next_batch(current: Round) -> list[Job]:
    """The jobs to run before the next round; none when everything is decided and explained."""
    quick, training = _wanted(current, train=False), _wanted(current, train=True)
    first_look = any(planned.trial.step == COMMON for planned in quick)
    if trials := quick if first_look else [*quick, *training]:
        return group([*trials, *_examples_at_once(current)], current.view)
    examples = [trial for state in current.states.values() for trial in state.examples]
    return group(examples, current.view)


def _wanted(current: Round, *, train: bool) -> list[PlannedTrial]:
    """What decisions wait for, of tasks that train or of the others."""
    return [
        trial
        for subject, task in current.pairs
        if (task.spec.tier == "training") == train
        for trial in current.state(subject, task).trials
    ]


def _examples_at_once(current: Round) -> list[PlannedTrial]:
    """The examples of tasks without reference, so that the one sandbox of the trials runs them.

    Most of their checks ask for one whatever comes of them, and on a student's own machine the
    start of a second sandbox takes longer than all examples.
    """
    return [
        trial
        for subject, task in current.pairs
        if at_home.all_at_once(task)
        for trial in current.state(subject, task).examples
    ]


def group(trials: Sequence[PlannedTrial], view: View, *, shards: int = 1) -> list[Job]:
    """One job for all trusted programs, one for each submission; the trusted one first.

    Examples are drawn under another key than marks, so they never share a job with them.

    Args:
        shards: over how many jobs the trusted programs are dealt, by task.
    """
    jobs: dict[tuple[str, str], dict[str, PlannedTrial]] = {}
    order = {task: index for index, task in enumerate(sorted({one.trial.task for one in trials}))}
    for planned in sorted(trials, key=lambda one: one.trial.role not in _TRUSTED):
        trial = planned.trial
        shard = order[trial.task] % shards
        owner = f"reference {shard}" if trial.role in _TRUSTED else f"={trial.program}"
        commitment = view.key_of(trial.step).commitment
        jobs.setdefault((owner, commitment), {})[trial.digest] = planned
    return [
        Job(owner, view.key_of(next(iter(chosen.values())).trial.step), tuple(chosen.values()))
        for (owner, _), chosen in jobs.items()
    ]
