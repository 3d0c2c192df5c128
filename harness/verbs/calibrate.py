"""``calibrate``: measure the error rates that the specs declare, on every honest program.

Work that was done before, under the same programs, measurements and declarations, is taken from
``calibration.jsonl`` beside the tables, so an interrupted run goes on where it was. After
``--minutes`` the tables are written from the counts so far, in which all programs have advanced
equally.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, as_completed
from functools import cache
from pathlib import Path

from harness.collect.pool import fresh
from harness.proving import calibration, calibration_page, certificate
from harness.proving.calibration import Counted, Unit
from harness.records import Program
from harness.results import Results
from harness.spec.load import LoadedTask
from harness.syllabus import load_tasks
from harness.verbs import options, output

_SUBMISSIONS = Path("submissions")
_PROGRESS_EVERY_S = 20.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the verb's options."""
    options.common(parser)
    options.task_names(parser)
    parser.add_argument("--gradings", type=options.positive, default=10_000, metavar="R")
    parser.add_argument("--mistaken", type=options.positive, default=200, metavar="R")
    parser.add_argument("--minutes", type=float, default=60.0, metavar="M")
    options.jobs(parser)
    options.results(parser)


def run(args: argparse.Namespace) -> int:
    """Counts gradings and writes the tables; returns the exit code."""
    tasks, _ = load_tasks(args.tasks, args.reference, None, args.task)
    folders = (args.tasks, args.reference)
    results = Results(args.results)
    results.make_figures()
    counts = results.figure("calibration.jsonl")
    started = time.monotonic()
    with fresh(args.jobs) as pool:
        cheap = _cheap(pool, folders, tasks, _stored(counts))
        todo: list[Unit] = []
        for task in tasks:
            honest = calibration.honest(task, _SUBMISSIONS)
            todo += calibration.plan(task, honest, args.gradings, args.mistaken, cheap[task.id])
        counted = list(_counted(args, pool, folders, tasks, todo))
    certified = certificate.of(tasks, counted)
    written = calibration_page.write(certified, results, output.commit())
    minutes = (time.monotonic() - started) / 60
    print(f"{len(counted)} of {len(todo)} units in {minutes:.1f} min", file=sys.stderr)
    if args.json:
        output.emit({**certified.to_json(), "written": [str(path) for path in written]})
    else:
        print(calibration_page.text(certified))
    return 1 if certified.refuted else 0


def _cheap(
    pool: Executor,
    folders: tuple[Path, Path],
    tasks: Sequence[LoadedTask],
    stored: Iterable[Counted],
) -> dict[str, set[str]]:
    """For every task the measurements that are quick enough for every grading to run them anew.

    The reference's time decides. A measurement that an earlier run counted in this way stays so,
    however long it takes today.
    """
    cheap: dict[str, set[str]] = {task.id: set() for task in tasks}
    for unit in (count.unit for count in stored):
        if unit.task in cheap and not unit.pooled and unit.first > calibration.REAL:
            cheap[unit.task].add(unit.measurement)
    timed = {
        pool.submit(_seconds, folders, task.id, measurement): (task.id, measurement)
        for task in tasks
        for measurement in calibration.measurements(task)
        if measurement not in cheap[task.id]
    }
    for future in as_completed(timed):
        name, measurement = timed[future]
        if future.result() <= calibration.CHEAP_S:
            cheap[name].add(measurement)
    return cheap


def _counted(
    args: argparse.Namespace,
    pool: Executor,
    folders: tuple[Path, Path],
    tasks: Sequence[LoadedTask],
    todo: Sequence[Unit],
) -> Iterator[Counted]:
    """Every unit's count: stored ones first, then new ones as they end, until the time is up."""
    by_id = {task.id: task for task in tasks}
    path = Results(args.results).figure("calibration.jsonl")
    stored = {(count.unit, count.digest): count for count in _stored(path)}
    missing = []
    for unit in todo:
        task = by_id[unit.task]
        digest = calibration.digest(task, _program(task, unit), unit.measurement)
        count = stored.get((unit, digest))
        if count is None:
            missing.append(unit)
        else:
            yield count
    # in the order of their first grading, so that all programs advance equally
    missing.sort(key=lambda unit: unit.first)
    futures: list[Future[Counted]] = [pool.submit(_count, folders, unit) for unit in missing]
    printed = started = time.monotonic()
    with path.open("a", encoding="utf-8") as stream:
        for done, future in enumerate(as_completed(futures), start=1):
            if future.cancelled():
                continue
            count = future.result()
            stream.write(json.dumps(count.to_json()) + "\n")
            stream.flush()
            now = time.monotonic()
            if now - printed > _PROGRESS_EVERY_S or done == len(futures):
                printed = now
                left = (now - started) / done * (len(futures) - done) / 60
                print(f"{done} of {len(futures)} units, {left:.0f} min left", file=sys.stderr)
            yield count
            if now - started > 60 * args.minutes:
                for other in futures:
                    other.cancel()


def _stored(path: Path) -> Iterable[Counted]:
    """What earlier runs counted; a line that an interruption cut off is left out."""
    if not path.is_file():
        return
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            yield Counted.from_json(json.loads(line))
        except (ValueError, KeyError, TypeError):
            continue


def _program(task: LoadedTask, unit: Unit) -> Program:
    """The program that a unit names."""
    mutants = [mutant.program for mutant in calibration.mistakes(task)]
    for program in (*calibration.honest(task, _SUBMISSIONS), *mutants):
        if (program.name, program.role) == (unit.program, unit.role):
            return program
    raise KeyError(unit.program)


@cache
def _loaded(folders: tuple[Path, Path], name: str) -> LoadedTask:
    """One task, in a process of the pool."""
    import torch

    torch.set_num_threads(1)
    ((task,), _) = load_tasks(*folders, None, [name])
    return task


def _seconds(folders: tuple[Path, Path], name: str, measurement: str) -> float:
    task = _loaded(folders, name)
    assert task.reference is not None
    return calibration.seconds(task, task.reference.solution, measurement)


def _count(folders: tuple[Path, Path], unit: Unit) -> Counted:
    task = _loaded(folders, unit.task)
    return calibration.count(task, _program(task, unit), unit)
