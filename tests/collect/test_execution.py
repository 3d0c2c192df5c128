"""Jobs under threads and under processes: the same observations, and nothing is left running."""

from __future__ import annotations

import os
import pickle
import signal
import time
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from threading import Event, Timer

import pytest

from harness import grading, report
from harness.collect.execution import observations, run_as_value
from harness.course import Course, find_subjects
from harness.errors import InfrastructureError
from harness.ledger import Ledger
from harness.marking import plan
from harness.marking.jobs import Job
from harness.marking.views import View
from harness.results import Results
from harness.sandbox import choice
from harness.seeds import PUBLIC_KEY
from harness.spec.catalogue import load_all

COURSE = Path(__file__).parents[1] / "course"
TASKS = load_all(COURSE / "tasks", COURSE / "reference", ["square"])
SLOW = b"import time\ndef square(x):\n    time.sleep(60)\n    return x\n"
#: A job that raises as soon as it runs: there is nothing to iterate over.
BROKEN = Job("broken", PUBLIC_KEY, None)
EMPTY = Job("empty", PUBLIC_KEY, ())


@pytest.fixture(scope="module")
def submissions(tmp_path_factory):
    """A submission that makes a known mistake."""
    folder = tmp_path_factory.mktemp("submissions")
    (task,) = TASKS
    (folder / "wrong").mkdir()
    mutant = task.reference.mutants[0].program
    (folder / "wrong" / task.spec.file).write_bytes(mutant.files[task.spec.file])
    return folder


@pytest.fixture(scope="module")
def jobs(submissions):
    """The first jobs of a run: those of the reference and of the submission."""
    with Ledger(submissions / "jobs.sqlite", "jobs") as ledger:
        return plan.next_batch(grading.first_round(course(submissions), View(PUBLIC_KEY, ledger)))


def course(submissions):
    return Course(tuple(TASKS), find_subjects([submissions], TASKS, None), "", {})


def processes(count):
    return ProcessPoolExecutor(count, mp_context=get_context("spawn"))


class Remembering:
    """An executor that keeps the futures of what was submitted."""

    def submit(self, *args):
        self.futures = [*getattr(self, "futures", []), super().submit(*args)]
        return self.futures[-1]


class RememberingThreads(Remembering, ThreadPoolExecutor):
    pass


class RememberingProcesses(Remembering, ProcessPoolExecutor):
    pass


def grade(submissions: Path, results: Path, executor: Executor):
    """grades.csv, and the digest of every observation by that of its trial."""
    results.mkdir()
    digests = {}
    with Ledger(results / "ledger.sqlite", "run") as ledger, executor:

        def progress(batch, observation):
            if observation is not None:
                digests[observation.trial.digest] = observation.digest

        last = grading.collect_all(
            course(submissions),
            View(PUBLIC_KEY, ledger),
            executor,
            progress,
            lambda round_: None,
            choice.best(),
        )
        report.write(grading.gradebook(course(submissions), last, "feedback", ""), Results(results))
    return (results / "grades.csv").read_bytes(), digests


@pytest.fixture(scope="module")
def by_threads(submissions, tmp_path_factory):
    return grade(submissions, tmp_path_factory.mktemp("threads") / "run", ThreadPoolExecutor(2))


def test_threads_and_processes_give_the_same_marks_and_observations(
    by_threads, submissions, tmp_path
):
    grades, digests = by_threads
    assert b"FAIL" in grades
    assert len(digests) >= 4
    assert grade(submissions, tmp_path / "run", processes(2)) == (grades, digests)


def test_everything_that_crosses_is_a_value(jobs):
    isolation = choice.best()
    assert pickle.loads(pickle.dumps(isolation)) == isolation
    for job in jobs:
        copy = pickle.loads(pickle.dumps(job))
        assert (copy.label, copy.key) == (job.label, job.key)
        for ours, theirs in zip(job.trials, copy.trials, strict=True):
            assert (ours.trial, ours.files) == (theirs.trial, theirs.files)
            assert ours.task.protocol == theirs.task.protocol
            assert (ours.task.spec, ours.task.contract) == (theirs.task.spec, theirs.task.contract)
            assert ours.task.reference == theirs.task.reference


def test_an_observation_that_crossed_is_the_same(jobs):
    with ThreadPoolExecutor(1) as executor:
        made = list(observations(jobs[:1], executor, choice.best()))
    assert made
    for observation in made:
        copy = pickle.loads(pickle.dumps(observation))
        assert copy.to_json() == observation.to_json()
        assert copy.digest == observation.digest


def test_a_process_protects_itself_before_it_runs_a_job():
    dumpable = "__import__('ctypes').CDLL(None).prctl(3, 0, 0, 0, 0)"
    with processes(1) as executor:
        assert executor.submit(eval, dumpable).result() == 1
        assert executor.submit(run_as_value, EMPTY, choice.best()).result() == []
        assert executor.submit(eval, dumpable).result() == 0


def slow(job):
    """The job with a program that takes longer than any test may."""
    first = job.trials[0]
    limits = first.task.spec.limits.model_copy(update={"call_s": 90.0, "trial_s": 90.0})
    spec = first.task.spec.model_copy(update={"limits": limits})
    trial = replace(first.trial, program="slow")
    files = {first.task.spec.file: SLOW}
    return replace(first, trial=trial, files=files, task=replace(first.task, spec=spec))


def test_threads_hand_on_what_is_observed_before_the_job_ends(jobs):
    """And an iterator that is closed kills the sandbox in which the job goes on."""
    job = replace(jobs[0], trials=(jobs[0].trials[0], slow(jobs[0])))
    with RememberingThreads(1) as executor:
        with closing(observations([job, EMPTY], executor, choice.best())) as arriving:
            first = next(arriving)
            assert first.trial == job.trials[0].trial
            assert executor.futures[0].running()
            closed = time.monotonic()
    assert time.monotonic() - closed < 40
    assert executor.futures[1].cancelled()


class BreaksWhenTold:
    """Trials of a job that raise once they are told to."""

    def __init__(self):
        self.told = Event()

    def __iter__(self):
        self.told.wait(60)
        raise TypeError("these trials are not iterable")


def test_an_exception_kills_what_runs_and_cancels_what_waits(jobs):
    """The sandbox is warm by then: one that is killed while it starts may take its limits' time."""
    job = replace(jobs[0], trials=(jobs[0].trials[0], slow(jobs[0])))
    breaks = BreaksWhenTold()
    with RememberingThreads(2) as executor:
        broken = replace(EMPTY, trials=breaks)
        arriving = observations([job, broken, *[EMPTY] * 3], executor, choice.best())
        assert next(arriving).trial == job.trials[0].trial
        breaks.told.set()
        told = time.monotonic()
        with pytest.raises(TypeError, match="not iterable"):
            list(arriving)
    assert time.monotonic() - told < 40
    (kept,) = executor.futures[0].result()  # of the trial that was killed there is no observation
    assert kept.trial == job.trials[0].trial


@pytest.fixture
def interruptible():
    """SIGINT raises KeyboardInterrupt, also where the test runner ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_an_interrupt_kills_what_runs(jobs, interruptible):
    job = replace(jobs[0], trials=(jobs[0].trials[0], slow(jobs[0])))
    with RememberingThreads(1) as executor, pytest.raises(KeyboardInterrupt):
        with closing(observations([job, EMPTY], executor, choice.best())) as arriving:
            next(arriving)
            interrupted = time.monotonic()
            Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
            list(arriving)
    assert time.monotonic() - interrupted < 40
    assert executor.futures[1].cancelled()


def test_an_exception_in_a_process_cancels_what_waits():
    with RememberingProcesses(1, mp_context=get_context("spawn")) as executor:
        with pytest.raises(TypeError, match="not iterable"):
            list(observations([BROKEN, *[EMPTY] * 20], executor, choice.best()))
    assert all(future.done() for future in executor.futures)
    assert executor.futures[-1].cancelled()


def test_a_process_that_dies_is_our_fault_and_said_so():
    with processes(1) as executor:
        os.kill(executor.submit(os.getpid).result(), signal.SIGKILL)
        for _ in range(2):  # while it dies, and when it is known to have died
            with pytest.raises(InfrastructureError, match="a process that runs jobs died"):
                list(observations([EMPTY] * 3, executor, choice.best()))
