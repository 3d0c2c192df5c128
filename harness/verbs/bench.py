"""``bench``: what grading one submission costs, beside the bare cost of the same measurements.

``--task`` chooses the tasks; records of other sets stay in ``bench.json``. ``marking_cpu_s`` is the
whole without the start of a sandbox, whose greater part is the import of torch; observations of the
reference are taken as stored.

With ``--statistics``: what it decides, beside other published grading schemes on the same programs
(:mod:`harness.comparison`).

Both sides run in this one call, in turn, and count processor seconds of everything they start, one
import of torch and torch._dynamo included on each; the ratio of medians is what is reported. A
ratio holds on a noisy machine where a time does not.
"""

from __future__ import annotations

import argparse
import gc
import json
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

from harness.collect.job import Stop, run_job
from harness.course import find_subjects
from harness.errors import InfrastructureError, UsageError
from harness.files import write_text
from harness.isolation import Isolation
from harness.levels import GRADING_LEVELS
from harness.marking.jobs import Job, PlannedTrial
from harness.marking.trials import Subject, name_trial
from harness.records import COMMON
from harness.results import Results
from harness.sandbox import choice
from harness.sandbox.connection import WorkerConnection
from harness.sandbox.sandbox import Sandbox
from harness.seeds import PUBLIC_KEY
from harness.spec.load import LoadedTask, load_all
from harness.verbs import options, output

_TIERS = ("exact", "estimator")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the verb's options."""
    options.common(parser)
    parser.add_argument("--level", choices=GRADING_LEVELS, help="isolation; the best by default")
    parser.add_argument("--repeat", type=options.positive, default=3, metavar="N")
    options.results(parser)
    parser.add_argument(
        "--statistics", action="store_true", help="error rates, beside other published schemes"
    )
    parser.add_argument("--task", action="append", default=[], metavar="ID")
    parser.add_argument("--gradings", type=options.positive, default=200, metavar="R")
    parser.add_argument("--seed", type=int, default=0, metavar="N")


def run(args: argparse.Namespace) -> int:
    return _side_by_side(args) if args.statistics else _cost(args)


def _side_by_side(args: argparse.Namespace) -> int:
    from harness.comparison import run as comparison

    tasks = load_all(args.tasks, args.reference, args.task)
    submissions = Path("submissions")
    found = comparison.run(tasks, args.reference, submissions, args.gradings, args.seed)
    results = Results(args.results)
    results.make_figures()
    document = {**found.to_json(), "gradings": args.gradings, "seed": args.seed}
    text = json.dumps({**output.head(), **document}, indent=1) + "\n"
    written = [
        write_text(results.figure("side-by-side.json"), text),
        write_text(results.figure("side-by-side.md"), f"# Side by side\n\n{found.markdown}"),
    ]
    if args.json:
        output.emit({**document, "written": [str(path) for path in written]})
    else:
        print(found.markdown)
    return 0


def _cost(args: argparse.Namespace) -> int:
    tasks = _chosen(args.tasks, args.reference, args.task)
    if not tasks:
        raise UsageError(f"none of these tasks is of the tiers {' and '.join(_TIERS)}")
    subject = _complete(tasks)
    chosen = choice.at(args.level) if args.level else choice.best()
    graded, plain, tuned, idle, peak = [], [], [], [], 0.0
    for turn in range(args.repeat):
        graded.append(_cpu_s(_runs(tasks, subject), chosen))
        idle.append(_started(tasks[0], subject, chosen, 1))
        peak = max(peak, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)
        plain.append(_bare(args, "plain"))
        tuned.append(_bare(args, "tuned"))
        print(
            f"turn {turn + 1} of {args.repeat}: graded {graded[-1][0]:.2f} CPU s, "
            f"bare {plain[-1]:.2f}, with the zygote's imports {tuned[-1]:.2f}",
            file=sys.stderr,
        )
    cpu = statistics.median(found[0] for found in graded)
    record = {
        "n": args.repeat,
        "isolation": chosen.label,
        "set": _set(tasks, args.task),
        "submissions_per_minute": round(60 / statistics.median(found[1] for found in graded), 2),
        "cpu_s_per_submission": round(cpu, 3),
        "marking_cpu_s": round(cpu - statistics.median(idle), 3),
        "ratio_to_bare": round(cpu / statistics.median(plain), 3),
        "ratio_to_bare_same_imports": round(cpu / statistics.median(tuned), 3),
        "start_cpu_s": round(_per_start(tasks[0], subject, chosen), 4),
        "slope": round(_per_task(tasks, subject, chosen), 4),
        "peak_rss_mib": round(peak, 1),
    }
    results = Results(args.results)
    results.make_figures()
    path = results.figure("bench.json")
    document: dict[str, Any] = {"runs": [*_others(path, record["set"]), record], "peers": []}
    text = json.dumps({**output.head(), **document}, indent=2) + "\n"
    write_text(path, text)
    if args.json:
        output.emit(document)
    else:
        print("\n".join(f"{name}: {value}" for name, value in record.items()))
    return 0


def _chosen(tasks: Path, reference: Path, names: Sequence[str]) -> list[LoadedTask]:
    found = load_all(tasks, reference, names)
    return [task for task in found if task.spec.tier in _TIERS]


def _set(tasks: Sequence[LoadedTask], names: Sequence[str]) -> str:
    if not names:
        return "complete, all tasks of the tiers exact and estimator"
    return f"complete, {' '.join(task.id for task in tasks)}"


def _others(path: Path, set_: str) -> list[dict[str, Any]]:
    """The stored records of other sets."""
    if not path.is_file():
        return []
    runs: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["runs"]
    return [run for run in runs if run["set"] != set_]


def _complete(tasks: Sequence[LoadedTask]) -> Subject:
    path = Path("submissions/complete")
    if not path.is_dir():
        raise UsageError("bench grades submissions/complete; run it from the repository")
    (subject,) = find_subjects([path], tasks, None)
    return subject


def _runs(tasks: Sequence[LoadedTask], subject: Subject) -> tuple[PlannedTrial, ...]:
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
    one = _started(task, subject, chosen, 1)
    return max(0.0, (_started(task, subject, chosen, 41) - one) / 40)


def _started(task: LoadedTask, subject: Subject, chosen: Isolation, starts: int) -> float:
    """CPU seconds of a sandbox in which a file is loaded so many times and nothing called."""
    request = {"op": "load", "module": task.spec.module, "file": task.spec.file, "given": False}
    files = {name: subject.program.files[name] for name in task.spec.wanted_files}
    limits = task.spec.limits

    def load(connection: WorkerConnection) -> None:
        connection.request(request, [])

    before = time.process_time()
    with Sandbox(chosen) as sandbox:
        program = sandbox.place("bench", files)
        for _ in range(starts):
            with sandbox.session(program, limits, load) as session:
                with session.trial(limits):
                    pass
    return time.process_time() - before + sandbox.cpu_s


def _per_task(tasks: Sequence[LoadedTask], subject: Subject, chosen: Isolation) -> float:
    """CPU seconds that a further task adds: a worker of its own and the smallest measurement."""
    (first, *_) = _runs(tasks[:1], subject)
    # another subject is another group, and so another worker
    runs = [replace(first, trial=replace(first.trial, subject=f"{i}")) for i in range(21)]
    one = _cpu_s(tuple(runs[:1]), chosen)[0]
    many = _cpu_s(tuple(runs), chosen)[0]
    return max(0.0, (many - one) / 20)


def _bare(args: argparse.Namespace, imports: str) -> float:
    """CPU seconds of the same measurements in one fresh process, its import of torch included.

    ``imports`` are ``plain``, or ``tuned`` as the zygote's are: without the garbage collector.
    """
    code = "import sys; from harness.verbs.bench import bare; bare(*sys.argv[1:])"
    done = subprocess.run(
        [sys.executable, "-c", code, str(args.tasks), str(args.reference), imports, *args.task],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(output.__file__).resolve().parents[2])},
    )
    return float(done.stdout.split()[-1])


def bare(tasks: str, reference: str, imports: str, *names: str) -> None:
    """The measurements of the complete submission without a sandbox; prints its CPU seconds.

    Specs and the harness are loaded before the clock starts, as they are in the grader.
    """
    loaded = _chosen(Path(tasks), Path(reference), names)
    subject = _complete(loaded)
    from harness.collect.bare import BareProgram

    started = time.process_time()
    if imports == "tuned":
        gc.disable()
    import torch
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
