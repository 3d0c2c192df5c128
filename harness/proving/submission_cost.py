"""What marking one submission costs, beside the bare cost of the same measurements.

``marking_cpu_s`` is the whole without the start of a sandbox, whose greater part is the import of
torch; observations of the reference are taken as stored. Both sides run in this one call, in turn,
and count processor seconds of everything they start, one import of torch included on each, and of
torch._dynamo where the zygote imports it; the ratio of medians is what is reported. A ratio holds
on a noisy machine where a time does not.
"""

from __future__ import annotations

import gc
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.collect.bare import BareProgram
from harness.collect.job import Stop, needs_dynamo, run_job
from harness.course import find_subjects
from harness.errors import InfrastructureError, UsageError
from harness.isolation import Isolation
from harness.marking.jobs import Job, PlannedTrial
from harness.marking.subjects import Subject
from harness.marking.trials import name_trial
from harness.records import COMMON
from harness.sandbox.connection import WorkerConnection
from harness.sandbox.sandbox import Sandbox
from harness.seeds import PUBLIC_KEY
from harness.spec.catalogue import load_all
from harness.spec.load import LoadedTask

_TIERS = ("exact", "estimator")

Folders = tuple[Path, Path]


def measure(
    folders: Folders, names: Sequence[str], repeat: int, isolation: Isolation
) -> dict[str, Any]:
    """The record of one set of tasks.

    Args:
        folders: tasks and reference.
        names: ids of tasks; all of the tiers exact and estimator where empty.
        repeat: turns, of which the median counts.

    Raises:
        UsageError: there are no such tasks, or no complete sample here.
    """
    tasks = _chosen(*folders, names)
    if not tasks:
        raise UsageError(
            f"none of these tasks is of the tiers {' and '.join(_TIERS)}; name others with --task"
        )
    subject = _complete(tasks)
    graded, plain, tuned, idle, peak = [], [], [], [], 0.0
    for turn in range(repeat):
        graded.append(_cpu_s(_trials(tasks, subject), isolation))
        idle.append(_started(tasks, subject, isolation, 1))
        peak = max(peak, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)
        plain.append(_bare(folders, names, "plain"))
        tuned.append(_bare(folders, names, "tuned"))
        print(
            f"turn {turn + 1} of {repeat}: graded {graded[-1][0]:.2f} CPU s, "
            f"bare {plain[-1]:.2f}, with the zygote's imports {tuned[-1]:.2f}",
            file=sys.stderr,
        )
    cpu_s = statistics.median(spent for spent, _ in graded)
    return {
        "n": repeat,
        "isolation": isolation.label,
        "set": _set(tasks, names),
        "submissions_per_minute": round(60 / statistics.median(wall for _, wall in graded), 2),
        "cpu_s_per_submission": round(cpu_s, 3),
        "marking_cpu_s": round(cpu_s - statistics.median(idle), 3),
        "ratio_to_bare": round(cpu_s / statistics.median(plain), 3),
        "ratio_to_bare_same_imports": round(cpu_s / statistics.median(tuned), 3),
        "start_cpu_s": round(_per_start(tasks[0], subject, isolation), 4),
        "slope": round(_per_task(tasks, subject, isolation), 4),
        "peak_rss_mib": round(peak, 1),
    }


def _chosen(tasks: Path, reference: Path, names: Sequence[str]) -> list[LoadedTask]:
    loaded = load_all(tasks, reference, names)
    return [task for task in loaded if task.spec.tier in _TIERS]


def _set(tasks: Sequence[LoadedTask], names: Sequence[str]) -> str:
    if not names:
        return "complete, all tasks of the tiers exact and estimator"
    return f"complete, {' '.join(task.id for task in tasks)}"


def _complete(tasks: Sequence[LoadedTask]) -> Subject:
    path = Path("submissions/complete")
    if not path.is_dir():
        raise UsageError("bench marks submissions/complete; run it from the repository")
    (subject,) = find_subjects([path], tasks, None)
    return subject


def _trials(tasks: Sequence[LoadedTask], subject: Subject) -> tuple[PlannedTrial, ...]:
    return tuple(
        PlannedTrial(
            name_trial(task, subject.program, measurement, COMMON, "", PUBLIC_KEY),
            task,
            {name: subject.program.files[name] for name in task.spec.wanted_files},
        )
        for task in tasks
        for measurement in task.spec.measurements
    )


def _per_start(task: LoadedTask, subject: Subject, chosen: Isolation) -> float:
    """CPU seconds to start a further task: a worker forked, confined, its file loaded, reaped."""
    one = _started([task], subject, chosen, 1)
    return max(0.0, (_started([task], subject, chosen, 41) - one) / 40)


def _started(
    tasks: Sequence[LoadedTask], subject: Subject, chosen: Isolation, starts: int
) -> float:
    """CPU seconds of a sandbox in which the first file is loaded so many times, nothing called."""
    task = tasks[0]
    request = {"op": "load", "module": task.spec.module, "file": task.spec.file, "given": False}
    files = {name: subject.program.files[name] for name in task.spec.wanted_files}
    limits = task.spec.limits

    def load(connection: WorkerConnection) -> None:
        connection.request(request, [])

    before = time.process_time()
    with Sandbox(chosen, dynamo=needs_dynamo(_trials(tasks, subject))) as sandbox:
        program = sandbox.place("bench", files)
        for _ in range(starts):
            with sandbox.session(program, limits, load) as session:
                with session.trial(limits):
                    pass
    return time.process_time() - before + sandbox.cpu_s


def _per_task(tasks: Sequence[LoadedTask], subject: Subject, chosen: Isolation) -> float:
    """CPU seconds that a further task adds: a worker of its own and the smallest measurement."""
    (first, *_) = _trials(tasks[:1], subject)
    # another subject is another group, and so another worker
    runs = [replace(first, trial=replace(first.trial, subject=f"{i}")) for i in range(21)]
    one = _cpu_s(tuple(runs[:1]), chosen)[0]
    many = _cpu_s(tuple(runs), chosen)[0]
    return max(0.0, (many - one) / 20)


def _bare(folders: Folders, names: Sequence[str], imports: str) -> float:
    """CPU seconds of the same measurements in one fresh process, its import of torch included.

    ``imports`` are ``plain``, or ``tuned`` as the zygote's are: without the garbage collector.
    """
    code = "import sys; from harness.proving.submission_cost import bare; bare(*sys.argv[1:])"
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, folders), imports, *names],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])},
    )
    return float(done.stdout.split()[-1])


def bare(tasks: str, reference: str, imports: str, *names: str) -> None:
    """The measurements of the complete submission without a sandbox; prints its CPU seconds.

    Specs and the harness are loaded before the clock starts, as they are in the grader.
    """
    loaded = _chosen(Path(tasks), Path(reference), names)
    subject = _complete(loaded)

    started = time.process_time()
    if imports == "tuned":
        gc.disable()
    import torch

    if needs_dynamo(_trials(loaded, subject)):
        import torch._dynamo

    if imports == "tuned":
        gc.freeze()
        gc.enable()
    torch.set_num_threads(1)
    for task in loaded:
        with BareProgram(task, subject.program) as program:
            for measurement in task.spec.measurements:
                program.statistics(measurement, COMMON, PUBLIC_KEY)
    print(time.process_time() - started)


def _cpu_s(runs: tuple[PlannedTrial, ...], chosen: Isolation) -> tuple[float, float]:
    """Processor and wall seconds of a job: the grader's own and those of its sandbox."""
    before, started, stop = time.process_time(), time.monotonic(), Stop()
    for observation in run_job(Job("bench", PUBLIC_KEY, runs), chosen, stop=stop):
        if observation.outcome != "ok":
            raise InfrastructureError(f"{observation.trial.task}: {observation.message}")
    spent = time.process_time() - before + sum(sandbox.cpu_s for sandbox in stop.sandboxes)
    return spent, time.monotonic() - started
