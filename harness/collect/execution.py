"""Runs jobs under an executor and yields their observations.

A job and an observation are values: under an executor of processes, or one of another machine, a
job crosses as it is and its observations come back as the value of its future. Nothing else
crosses, so the ledger and the display of progress stay with whoever reads the observations.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from concurrent.futures import (
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    ThreadPoolExecutor,
    as_completed,
)
from queue import SimpleQueue

from harness.collect.job import Stop, run_job
from harness.errors import InfrastructureError
from harness.isolation import Isolation
from harness.marking.jobs import Job
from harness.records import Observation
from harness.sandbox.choice import protect_this_process


def observations(
    jobs: Sequence[Job], executor: Executor, isolation: Isolation
) -> Generator[Observation, None, None]:
    """Runs jobs and yields every observation; the result of every future is taken.

    Under a ThreadPoolExecutor each observation is yielded as soon as its group of trials ends, so a
    grader that stores it at once and is killed later loses nothing. Under any other executor the
    observations of a job are yielded together, once the job has ended. There ``isolation`` must
    hold where the jobs run: it was tried on this machine and is not tried again.

    On any exception, KeyboardInterrupt included, and where the caller closes the iterator before
    its end, jobs that have not begun are cancelled and the running sandboxes of this process are
    killed at once. A caller that may stop reading early uses :func:`contextlib.closing`.

    Raises:
        InfrastructureError: a process of the executor died, or a job was cancelled.
    """
    if isinstance(executor, ThreadPoolExecutor):
        return _from_threads(jobs, executor, isolation)
    return _from_values(jobs, executor, isolation)


def run_as_value(job: Job, isolation: Isolation) -> list[Observation]:
    """Runs a job in a process that an executor owns; its observations are the value.

    The process holds the course's key and references from here on, so it protects itself as the
    grader does before it starts a sandbox.
    """
    protect_this_process()
    return run_job(job, isolation)


def _from_threads(
    jobs: Sequence[Job], executor: ThreadPoolExecutor, isolation: Isolation
) -> Generator[Observation, None, None]:
    stop = Stop()
    # holds observations, and the future of a job after the last of its observations
    events: SimpleQueue[Observation | Future[list[Observation]]] = SimpleQueue()
    futures: list[Future[list[Observation]]] = []
    try:
        for job in jobs:
            future = executor.submit(run_job, job, isolation, events.put, stop)
            futures.append(future)
            future.add_done_callback(events.put)
        unfinished = len(futures)
        while unfinished:
            event = events.get()
            if isinstance(event, Observation):
                yield event
            else:
                unfinished -= 1
                _result(event)
    except BaseException:
        _cancel(futures)
        stop.request()
        raise


def _from_values(
    jobs: Sequence[Job], executor: Executor, isolation: Isolation
) -> Generator[Observation, None, None]:
    futures: list[Future[list[Observation]]] = []
    try:
        for job in jobs:
            futures.append(_submit(executor, job, isolation))
        for future in as_completed(futures):
            yield from _result(future)
    except BaseException:
        _cancel(futures)
        raise


def _submit(executor: Executor, job: Job, isolation: Isolation) -> Future[list[Observation]]:
    try:
        return executor.submit(run_as_value, job, isolation)
    except BrokenExecutor as error:
        raise _broken(error) from error


def _result(future: Future[list[Observation]]) -> list[Observation]:
    try:
        return future.result()
    except BrokenExecutor as error:
        raise _broken(error) from error
    except CancelledError as error:
        raise InfrastructureError("a job was cancelled by somebody else; run it again") from error


def _broken(error: BrokenExecutor) -> InfrastructureError:
    return InfrastructureError(
        f"a process that runs jobs died ({error}); the observations of its jobs are lost and no "
        "mark came of them. See that the machine has memory left and run it again: what was stored "
        "before is not run again"
    )


def _cancel(futures: Sequence[Future[list[Observation]]]) -> None:
    for future in futures:
        future.cancel()
