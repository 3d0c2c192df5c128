"""The loop of a grading run: plan, collect, and plan again until nothing is missing; then marks.

::

    while batch := plan.next_batch(tasks, subjects, view):
        collect
    gradebook = grades(course, view)
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor, as_completed
from functools import cache
from pathlib import Path

import harness
from harness import levels
from harness.collect.job import Stop, run_job
from harness.course import Course
from harness.errors import PlanError
from harness.isolation import Isolation
from harness.ledger import Ledger
from harness.marking import feedback, plan
from harness.marking.gradebook import Gradebook, Run, SubmissionGrade
from harness.marking.jobs import Job
from harness.marking.score import judge_task
from harness.marking.trials import Subject, View
from harness.records import Observation
from harness.seeds import Phase

Progress = Callable[[Sequence[Job], Observation | None], None]
Done = Callable[[], object]


def collect_all(
    course: Course,
    view: View,
    executor: Executor,
    progress: Progress,
    after_batch: Done,
    isolation: Isolation,
) -> None:
    """Runs every trial that a mark or an example still waits for.

    Raises:
        PlanError: a batch asked again for what it just got; nothing would ever end.
    """
    asked: set[str] = set()
    while batch := plan.next_batch(course.tasks, course.subjects, view):
        keys = {run.trial.key for job in batch for run in job.runs}
        if keys <= asked:
            raise PlanError(f"{len(keys)} trials were run and are asked for again")
        asked |= keys
        run_batch(batch, view.ledger, executor, progress, isolation)
        after_batch()


def run_batch(
    batch: Sequence[Job],
    ledger: Ledger,
    executor: Executor,
    progress: Progress,
    isolation: Isolation,
) -> None:
    """Runs jobs and stores every observation as it arrives."""
    run_jobs(batch, ledger.put, executor, progress, isolation)


def run_jobs(
    batch: Sequence[Job],
    deliver: Callable[[Observation], None],
    executor: Executor,
    progress: Progress,
    isolation: Isolation,
) -> None:
    """Runs jobs and hands on every observation as it arrives; takes every future's result."""
    progress(batch, None)

    def each(observation: Observation) -> None:
        deliver(observation)
        progress(batch, observation)

    stop = Stop()
    futures = [executor.submit(run_job, job, isolation, each, stop) for job in batch]
    try:
        for future in as_completed(futures):
            future.result()
    except BaseException:
        for future in futures:
            future.cancel()
        stop.request()
        raise


def local_executor(jobs: int) -> Executor:
    """Threads that each drive one sandbox process; the trials themselves run in processes."""
    return ThreadPoolExecutor(max_workers=jobs, thread_name_prefix="sandbox")


def grades(course: Course, view: View, phase: Phase, commit: str) -> Gradebook:
    """The gradebook of what is stored; pure."""
    run = Run(
        assignment=course.assignment,
        phase=phase,
        key_sha256=view.key.commitment,
        harness=harness.__version__,
        harness_sha256=harness_sha256(),
        commit=commit,
    )
    return Gradebook(run, tuple(_row(course, subject, view) for subject in course.subjects))


def _row(course: Course, subject: Subject, view: View) -> SubmissionGrade:
    tasks = tuple(
        feedback.explain(
            task, subject, view, judge_task(task, subject, view, course.points.get(task.id))
        )
        for task in course.tasks
    )
    whole = subject.problems.get("")
    return SubmissionGrade(
        name=subject.program.name,
        display_name=subject.display_name,
        sha256=subject.program.sha256,
        identity=subject.identity,
        isolation=_weakest(course, subject, view),
        tasks=tasks,
        problems=(whole[1],) if whole else (),
    )


def _weakest(course: Course, subject: Subject, view: View) -> str:
    found = {
        seen.circumstances["isolation"]
        for task in course.tasks
        for seen in view.seen(task, subject.program)
        if "isolation" in seen.circumstances
    }
    return levels.weakest(found)


@cache
def harness_sha256() -> str:
    """A digest of the harness' own source."""
    root = Path(harness.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()
