"""Runs a job: the trials that share one sandbox, one worker a group, one observation a trial."""

from __future__ import annotations

import platform
import re
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from harness import kinds
from harness.causes import Cause
from harness.collect import drawing
from harness.collect.arguments import Served
from harness.collect.proxy import ProgramProxy
from harness.collect.task_code import module_of
from harness.errors import FairmarkError, InfrastructureError, MeasurementError, ProgramError
from harness.isolation import Isolation
from harness.kinds import training_curve
from harness.marking.jobs import Job, PlannedTrial, groups
from harness.packing import digest_array
from harness.records import EXAMPLE, SHOW, Array, Observation, Trial
from harness.sandbox.connection import WorkerConnection
from harness.sandbox.sandbox import Sandbox
from harness.sandbox.session import WorkerSession
from harness.seeds import Key, SeedName
from harness.spec.load import LoadedTask
from harness.spec.models import joint_limits

# kinds of dtype that can be stored by their bytes: truth values, numbers, texts of fixed length
_STORED = frozenset("biufU")
# words without which no source gets torch to import torch._dynamo: torch.optim, torch.compile,
# torch.func and checkpoints do
_NEEDS_DYNAMO = re.compile(rb"optim|compile|dynamo|functorch|\bfunc\b|checkpoint")

Deliver = Callable[[Observation], None]


class Stop:
    """Ends jobs early, from another thread: no trial is begun, those under way are dropped.

    Attributes:
        requested: whether the jobs are to end.
        sandboxes: those of the jobs under this stop, closed ones included.
    """

    def __init__(self) -> None:
        self.requested = False
        self.sandboxes: list[Sandbox] = []

    def add(self, sandbox: Sandbox) -> None:
        """Puts a sandbox under this stop."""
        self.sandboxes.append(sandbox)
        if self.requested:
            sandbox.kill()

    def request(self) -> None:
        """Kills all sandboxes; observations that were delivered before stay."""
        self.requested = True
        for sandbox in self.sandboxes:
            sandbox.kill()


def run_job(
    job: Job, isolation: Isolation, deliver: Deliver | None = None, stop: Stop | None = None
) -> list[Observation]:
    """Runs every trial of a job; the observations of a group are delivered together.

    Never raises for anything that a program does. What goes wrong on our side becomes an
    observation of outcome ``infrastructure``.
    """
    stop = stop or Stop()
    observations: list[Observation] = []
    with Sandbox(isolation, dynamo=needs_dynamo(job.trials)) as sandbox:
        stop.add(sandbox)
        for group in groups(job.trials):
            of_group = _observe_group(sandbox, group, job.key, stop)
            if stop.requested:
                break
            observations += of_group
            for observation in of_group:
                if deliver is not None:
                    deliver(observation)
    return observations


def needs_dynamo(trials: Sequence[PlannedTrial]) -> bool:
    """Whether a program may get torch to import torch._dynamo, by the words of its files.

    Where this is wrong, nothing but time changes: the zygote imports it in vain, or the program
    does in its own time.
    """
    return any(
        _NEEDS_DYNAMO.search(source)
        for planned in trials
        for source in (*planned.files.values(), planned.task.given or b"")
    )


def load_request(task: LoadedTask) -> dict[str, Any]:
    """The request by which a worker loads a program of a task."""
    return {
        "op": "load",
        "module": task.spec.module,
        "file": task.spec.file,
        "given": task.given is not None,
    }


def _observe_group(
    sandbox: Sandbox, group: Sequence[PlannedTrial], key: Key, stop: Stop
) -> list[Observation]:
    first = group[0]
    spec = first.task.spec
    files = dict(first.files)
    if first.task.given is not None:
        files["given.py"] = first.task.given
    try:
        program = sandbox.place(f"{spec.id}:{first.trial.role}:{first.trial.program}", files)
    except InfrastructureError as error:
        return [_of_ours(planned, error) for planned in group]
    request = load_request(first.task)

    def load(connection: WorkerConnection) -> None:
        connection.request(request, [])

    limits = joint_limits(each.task.limits_of(each.trial.measurement) for each in group)
    observations = []
    # twice as many as there are, since a trial may be tried again
    with sandbox.session(program, limits, load, 2 * len(group)) as session:
        for planned in group:
            if stop.requested:
                break
            observations.append(_observe(sandbox, session, planned, key, stop))
    return observations


def _observe(
    sandbox: Sandbox, session: WorkerSession, planned: PlannedTrial, key: Key, stop: Stop
) -> Observation:
    started, before = time.monotonic(), sandbox.starting_s
    try:
        observation = _attempt(session, planned, key)
        if _may_be_of_others(observation) and not stop.requested:
            # retried once: something else than this program may have ended zygote or worker
            observation = _attempt(session, planned, key)
    except Exception as error:  # the boundary: whatever else happens here is our fault
        observation = _of_ours(planned, error)
    circumstances = {
        "wall_s": round(time.monotonic() - started, 4),
        "start_s": round(sandbox.starting_s - before, 4),  # part of wall_s; mostly 0
        "cpu_s": round(sandbox.usage.cpu_s, 4),
        "peak_mib": round(sandbox.usage.peak_mib, 1),
        "isolation": sandbox.isolation.label,
        "isolation_record": sandbox.isolation.stored,
        "machine": platform.machine(),
        "versions": sandbox.versions,
        "output": sandbox.usage.output[-2000:],
    }
    return replace(observation, circumstances=circumstances)


def _of_ours(planned: PlannedTrial, error: Exception) -> Observation:
    """What is observed of a trial that a fault of ours kept from being made."""
    text = str(error) if isinstance(error, FairmarkError) else _place(error)
    return Observation(planned.trial, "infrastructure", cause=Cause.HARNESS_ERROR, message=text)


def _may_be_of_others(observation: Observation) -> bool:
    """Whether something else may have ended the process: a watchdog of the machine, an operator."""
    killed = observation.cause == Cause.SIGNAL and "SIGKILL" in observation.message
    return killed or observation.cause == Cause.WORKER_DIED


def _attempt(session: WorkerSession, planned: PlannedTrial, key: Key) -> Observation:
    trial, task = planned.trial, planned.task
    spec = task.spec
    name = SeedName(
        spec.id, spec.draw, trial.measurement, trial.stage, trial.replicate, trial.subject
    )
    rng = name.generator(key)
    calls = rng.spawn(1)[0]
    student = ProgramProxy(
        session,
        task.contract,
        calls,
        record=trial.stage == EXAMPLE.stage and trial.measurement != SHOW,
        material=task.material,
    )
    try:
        with session.trial(task.limits_of(trial.measurement)):
            if trial.measurement == SHOW:
                return Observation(trial, "ok", drawing.drawn(task, student, rng))
            metrics = measure(task, trial.measurement, student, rng)
            statistics = stored(task, trial, reduce(task, trial.measurement, metrics))
            digests = {name: digest_array(metrics[name]) for name in sorted(metrics)}
    except ProgramError as error:
        transcript = tuple(student.transcript)
        return Observation(
            trial,
            "error",
            cause=error.cause,
            message=error.message,
            message_is_public=error.while_loading or trial.stage == EXAMPLE.stage,
            transcript=transcript,
        )
    transcript = tuple(student.transcript)
    return Observation(
        trial, "ok", statistics, digests, message=student.notice, transcript=transcript
    )


def measure(
    task: LoadedTask,
    measurement: str,
    student: ProgramProxy,
    rng: np.random.Generator,
    draws: int | None = None,
) -> dict[str, Array]:
    """The metrics of one measurement of one program, whole.

    ``draws`` are the spec's, unless a simulation asks for another number.

    Raises:
        ProgramError: the program did not deliver.
        MeasurementError: the measurement did not return named arrays.
    """
    function = getattr(module_of(task, "measure.py", task.measure), measurement)
    draws = draws or task.spec.measurements[measurement].draws
    with np.errstate(all="ignore"):  # a program may return anything; kinds look at what is finite
        metrics = function(student, rng) if draws is None else function(student, rng, draws)
    if not isinstance(metrics, dict):
        raise MeasurementError(f"{measurement} returned a {type(metrics).__name__}, not a dict")
    if any(training_curve.declared(check) for check in task.spec.checks_of(measurement)):
        metrics = metrics | _episodes(student.served)
    arrays = {name: np.asarray(value) for name, value in metrics.items()}
    for name, array in arrays.items():
        if array.dtype.kind not in _STORED:
            raise MeasurementError(f"{measurement}: {name} is of dtype {array.dtype}, not numbers")
    return arrays


def _episodes(served: Sequence[Served]) -> dict[str, Any]:
    """What :mod:`harness.kinds.training_curve` reads: the episodes of a training that ended.

    One that a reset broke off is left out: how long it would have lasted is not known.

    Raises:
        MeasurementError: not one environment was served, so that it is open which one is meant.
    """
    if len(served) != 1:
        raise MeasurementError(
            f"`solved` is declared, and {len(served)} environments were served",
            "serve the one that is trained on, or leave `solved` out",
        )
    (env,) = served
    whole = [episode for episode in env.episodes if episode.end != "reset"]
    return {
        training_curve.ENDS: np.array([episode.ended_at for episode in whole], dtype=np.int64),
        training_curve.LENGTHS: np.array([episode.steps for episode in whole], dtype=np.int64),
        training_curve.BUDGET: np.asarray(env.max_steps),
    }


def reduce(
    task: LoadedTask, measurement: str, metrics: Mapping[str, Array]
) -> dict[str, dict[str, Array]]:
    """What a measurement's metrics come to: the statistics of each of its checks, by check id.

    Raises:
        MeasurementError: the metrics are not what a check can use.
    """
    return {
        check.id: dict(kinds.reduce(check, metrics)) for check in task.spec.checks_of(measurement)
    }


def stored(
    task: LoadedTask, trial: Trial, statistics: Mapping[str, Mapping[str, Array]]
) -> dict[str, dict[str, Array]]:
    """The statistics that the observation of a trial keeps.

    Of every program but the reference that is what marks are computed from: tolerances come from
    the reference's own scales, and those of a submission would fill half of the ledger.
    """
    if trial.role == "reference":
        return {check: dict(arrays) for check, arrays in statistics.items()}
    return {
        check: kinds.of(task.spec.check(check)).judged(arrays)
        for check, arrays in statistics.items()
    }


def _place(error: Exception) -> str:
    """An unforeseen error of ours with the line that raised it."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" at {frames[-1].filename}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}: {error}{where}"
