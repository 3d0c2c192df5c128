"""Which runs are needed next: :mod:`harness.marking.score` says what every open mark waits for.

Cheap tiers come first, so that the first rows of a leaderboard stand early; displayed examples
come last, and only for what failed. Pure: it reads specs, programs and stored observations.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from harness.marking import feedback, score
from harness.marking.jobs import Job, Run
from harness.marking.trials import Subject, View
from harness.records import Role
from harness.spec.load import LoadedTask

_TRUSTED: tuple[Role, ...] = ("reference", "variant", "mutant", "starter", "constant")


def next_batch(
    tasks: Sequence[LoadedTask],
    subjects: Sequence[Subject],
    view: View,
    *,
    examples: bool = True,
) -> list[Job]:
    """The jobs to run before asking again; none when everything is decided.

    Runs of one submission share a job, and so a sandbox; trusted programs share another.
    """
    for training in (False, True):
        chosen = [task for task in tasks if (task.spec.tier == "training") == training]
        runs = list(_waiting(chosen, subjects, view))
        if runs:
            return group(runs, view)
    if not examples:
        return []
    return group(list(feedback.needed(tasks, subjects, view)), view)


def _waiting(tasks: Sequence[LoadedTask], subjects: Sequence[Subject], view: View) -> Iterable[Run]:
    for subject in subjects:
        for task in tasks:
            for decision in score.decide_task(task, subject, view).values():
                if isinstance(decision, score.Waiting):
                    yield from decision.runs


def group(runs: Sequence[Run], view: View, *, shards: int = 1) -> list[Job]:
    """One job for all trusted programs, one for each submission; the trusted one first.

    Examples are drawn under another key than marks, so they never share a job with them. The
    trusted programs are dealt out by task over ``shards`` jobs.
    """
    jobs: dict[tuple[str, str], dict[str, Run]] = {}
    order = {task: index for index, task in enumerate(sorted({run.trial.task for run in runs}))}
    for run in sorted(runs, key=lambda item: item.trial.role not in _TRUSTED):
        trial = run.trial
        shard = order[trial.task] % shards
        owner = f"reference {shard}" if trial.role in _TRUSTED else f"={trial.program}"
        phase = view.key_of(trial.step).commitment
        jobs.setdefault((owner, phase), {})[trial.key] = run
    return [
        Job(owner, view.key_of(next(iter(found.values())).trial.step), tuple(found.values()))
        for (owner, _), found in jobs.items()
    ]
