"""The loop of a grading run: what is decided, what is still wanted, run it, and again; then marks.

::

    current = Round.first(tasks, subjects, view)       # marking: decided and still wanted
    while batch := plan.next_batch(current):           # marking: jobs for what is wanted
        run_batch(batch, ledger, executor, …)          # collect: observations into the ledger
        current = current.next()                       # marking: the ledger has changed
    report.write(gradebook(course, current, …))        # report: files and tables
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import closing
from functools import cache
from pathlib import Path

import harness
from harness.class_record import ClassRecord, RecordName
from harness.collect.execution import observations
from harness.course import Course
from harness.errors import PlanError
from harness.isolation import Isolation
from harness.ledger import Ledger
from harness.marking import plan
from harness.marking.gradebook import Gradebook, RunRecord
from harness.marking.jobs import Job
from harness.marking.round import Round
from harness.marking.views import View
from harness.records import Observation
from harness.seeds import Phase

Progress = Callable[[Sequence[Job], Observation | None], None]


def collect_all(
    course: Course,
    view: View,
    executor: Executor,
    progress: Progress,
    after_batch: Callable[[Round], object],
    isolation: Isolation,
) -> Round:
    """Runs every trial that a mark or an example still waits for; the round that needs no more.

    Raises:
        PlanError: a batch asked again for what it just got; nothing would ever end.
    """
    return collect(first_round(course, view), executor, progress, after_batch, isolation)


def collect(
    current: Round,
    executor: Executor,
    progress: Progress,
    after_batch: Callable[[Round], object],
    isolation: Isolation,
) -> Round:
    """The same from a round on that is known already."""
    requested: set[str] = set()
    while batch := plan.next_batch(current):
        digests = {planned.trial.digest for job in batch for planned in job.trials}
        if digests <= requested:
            raise PlanError(
                f"{len(digests)} trials were run and are requested again, which would never end; "
                "this is a fault of the grader, please report it"
            )
        requested |= digests
        run_batch(batch, current.view.ledger, executor, progress, isolation)
        current = current.next()
        after_batch(current)
    return current


def first_round(course: Course, view: View) -> Round:
    """What is decided and what is wanted before anything is run."""
    return Round.first(course.tasks, course.subjects, view, course.points)


def run_batch(
    batch: Sequence[Job],
    ledger: Ledger,
    executor: Executor,
    progress: Progress,
    isolation: Isolation,
) -> None:
    """Runs jobs and stores every observation as it arrives; see :func:`run_jobs`."""
    run_jobs(batch, ledger.put, executor, progress, isolation)


def run_jobs(
    batch: Sequence[Job],
    deliver: Callable[[Observation], object],
    executor: Executor,
    progress: Progress,
    isolation: Isolation,
) -> None:
    """Runs jobs under any executor and delivers every observation as it arrives.

    Both ``deliver`` and ``progress`` are called in the caller's thread.

    Raises:
        InfrastructureError: a process of the executor died.
    """
    progress(batch, None)
    with closing(observations(batch, executor, isolation)) as arriving:
        for observation in arriving:
            deliver(observation)
            progress(batch, observation)


def local_executor(jobs: int) -> Executor:
    """Threads that each drive one sandbox process; the trials themselves run in processes."""
    return ThreadPoolExecutor(max_workers=jobs, thread_name_prefix="sandbox")


def gradebook(course: Course, current: Round, phase: Phase, commit: str) -> Gradebook:
    """The marks of one round and of nothing else; pure."""
    name = RecordName(course.assignment, phase, current.view.key.commitment)
    return of_record(ClassRecord(name).updated(current), [task.id for task in course.tasks], commit)


def of_record(record: ClassRecord, order: Sequence[str], commit: str) -> Gradebook:
    """The marks of a class; pure.

    Args:
        order: the ids of the tasks in the order of their columns.
    """
    run = RunRecord(
        assignment=record.name.assignment,
        phase=record.name.phase,
        key_sha256=record.name.key_sha256,
        harness=harness.__version__,
        harness_sha256=harness_sha256(),
        commit=commit,
    )
    return Gradebook(run, record.rows(order))


@cache
def harness_sha256() -> str:
    """A digest of the harness' own source."""
    root = Path(harness.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()
