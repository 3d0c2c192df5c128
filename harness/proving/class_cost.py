"""Measures what grading costs in the grader's own process, for a class of a given size.

The class is synthetic. Every submission is the complete sample with a comment of its own, and all
observations that its marks need are put into the ledger beforehand, so that nothing is run. They
hold the reference's statistics, except that for every second submission one check of a task has
wrong ones and fails. What is measured is the grader's processor time from reading the submissions
to writing the reports. The time of :func:`yardstick`, a fixed piece of work, is measured too: the
ratio of the two can be compared between machines.

This file runs as a script, ``python -P class_cost.py ROOT N``, and imports the harness from the
checkout ROOT, so that an earlier version can be measured too. It knows the module names of today
and those of commit efa89d5, before the packages were moved.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

#: How many submissions are marked before the measurement, to find the cost that a run has once.
_WARM = 2
#: Check id -> name -> array.
Statistics = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Version:
    """The modules of one checkout, by what they are for.

    Attributes:
        typed: whether statistics are nested, check id -> name -> array; up to commit efa89d5 they
            were flat, ``"<check id>/<name>"`` -> array.
    """

    trials: Any
    views: Any
    grading: Any
    bare: Any
    typed: bool

    @classmethod
    def of(cls, root: Path) -> Version:
        """Import the modules of the checkout at ``root``; its path comes first in sys.path."""
        sys.path.insert(0, str(root))
        typed = (root / "harness" / "marking").is_dir()
        marking, collect = ("marking.", "collect.") if typed else ("", "")
        views = "views" if (root / "harness" / "marking" / "views.py").exists() else "trials"
        return cls(
            trials=importlib.import_module(f"harness.{marking}trials"),
            views=importlib.import_module(f"harness.{marking}{views}"),
            grading=importlib.import_module("harness.grading"),
            bare=importlib.import_module(f"harness.{collect}bare"),
            typed=typed,
        )

    def statistics(self, task: Any, measurement: str, step: Any, key: Any) -> Statistics:
        """The statistics of the reference."""
        with self.bare.BareProgram(task, task.reference.solution) as program:
            if self.typed:
                return dict(program.statistics(measurement, step, key))
            flat = program.values(measurement, step, key)
        nested: Statistics = {}
        for flat_name, array in flat.items():
            check, _, name = flat_name.partition("/")
            nested.setdefault(check, {})[name] = array
        nested.pop("raw", None)
        return nested

    def observation(self, task: Any, trial: Any, statistics: Statistics) -> Any:
        """An observation with these statistics, as this version stores them."""
        records = importlib.import_module("harness.records")
        circumstances = {"isolation": "L3", "cpu_s": 0.1, "versions": {"torch": "2.13.0"}}
        if self.typed:
            job = importlib.import_module("harness.collect.job")
            is_measured = trial.measurement in task.spec.measurements  # and no picture
            if is_measured and hasattr(job, "stored"):  # else what is stored of the reference
                statistics = job.stored(task, trial, statistics)
            return records.Observation(trial, "ok", statistics, circumstances=circumstances)
        values = {
            f"{check}/{name}": array
            for check, arrays in statistics.items()
            for name, array in arrays.items()
        }
        return records.Observation(trial, "ok", values, circumstances=circumstances)


def synthetic(task: Any, measurement: str) -> Statistics:
    """Statistics of a perfectly trained program, since training one would take too long."""
    statistics: Statistics = {}
    for check in task.spec.checks_of(measurement):
        if check.kind == "returns":
            returns = check.high + np.arange(check.episodes) / check.episodes
            count = np.array(check.episodes)
            statistics[check.id] = {"returns": returns, "n": count, "distinct": count}
        else:
            statistics[check.id] = {"value": np.float64(check.threshold)}
    return statistics


def wrong(statistics: Statistics, check: str) -> Statistics:
    """The statistics with those of one check changed so far that the check fails."""
    shifted = {name: np.asarray(array) + 7.0 for name, array in statistics[check].items()}
    if "scale" in shifted:
        shifted["scale"] = statistics[check]["scale"]
    return {**statistics, check: shifted}


def fill(version: Version, tasks: Any, subjects: Any, ledger: Any, key: Any) -> None:
    """Puts all observations into the ledger that the subjects' marks and examples need."""
    for task in tasks:
        for measurement in task.spec.measurements:
            fill_measurement(version, task, measurement, subjects, ledger, key)
    for task in tasks:
        if getattr(task, "show", None) is not None:  # earlier versions have no pictures
            fill_pictures(version, task, subjects, ledger)


def fill_measurement(
    version: Version, task: Any, measurement: str, subjects: Any, ledger: Any, key: Any
) -> None:
    """Every program's observations of one measurement; every second subject fails one check."""
    records = importlib.import_module("harness.records")
    public_key = importlib.import_module("harness.seeds").PUBLIC_KEY
    kinds = {check.kind for check in task.spec.checks_of(measurement)}
    if kinds <= {"returns", "seed-success"}:
        right = synthetic(task, measurement)
    else:
        right = version.statistics(task, measurement, records.COMMON, key)
    failing = check_to_fail(task)
    fails_here = failing is not None and failing.measurement == measurement
    faulty = wrong(right, failing.id) if fails_here else right
    programs = [(task.reference.solution, right)]
    programs += [(mutant.program, right) for mutant in task.reference.mutants]
    programs += [
        (subject.program, faulty if index % 2 else right) for index, subject in enumerate(subjects)
    ]
    marked_steps = [(step, key) for step in first_stage(version, task, measurement)]
    for program, statistics in programs:
        steps = [(records.EXAMPLE, public_key)]
        steps += [] if program.role == "mutant" else marked_steps
        for step, step_key in steps:
            trial = version.trials.name_trial(task, program, measurement, step, "", step_key)
            ledger.put(version.observation(task, trial, statistics))


def check_to_fail(task: Any) -> Any:
    """The check of a task that every second submission fails; None if none is fit for it."""
    for check in task.spec.checks:
        if check.kind == "exact" and check.visibility == "visible" and not check.after:
            return check
    return None


def fill_pictures(version: Version, task: Any, subjects: Any, ledger: Any) -> None:
    """The observations of a task's pictures, of the reference and of every subject."""
    records = importlib.import_module("harness.records")
    public_key = importlib.import_module("harness.seeds").PUBLIC_KEY
    drawn = pictures(version, task)
    programs = [task.reference.solution, *(subject.program for subject in subjects)]
    for index, program in enumerate(programs):
        trial = version.trials.name_trial(
            task, program, records.SHOW, records.EXAMPLE, "", public_key
        )
        ledger.put(version.observation(task, trial, turned(drawn, index)))


def pictures(version: Version, task: Any) -> Statistics:
    """The pictures of the reference; none of a task that trains, since that would take too long."""
    if task.spec.tier == "training":
        return {}
    with version.bare.BareProgram(task, task.reference.solution) as program:
        return dict(program.pictures())


def turned(drawn: Statistics, by: int) -> Statistics:
    """The pictures with the columns of every image moved, so that no two programs draw the same."""
    return {
        number: {
            name: np.roll(array, by, axis=-1) if name == "images" else array
            for name, array in arrays.items()
        }
        for number, arrays in drawn.items()
    }


def first_stage(version: Version, task: Any, measurement: str) -> Iterator[Any]:
    """The steps of stage 1 of a measurement."""
    return (step for step in version.trials.steps(task, measurement) if step.stage == 1)


def submissions(tasks: Any, folder: Path, complete: Path, size: int) -> None:
    """Writes ``size`` copies of the sample ``complete`` into a folder.

    Each has a comment of its own in its Python files, so that no two have the same digest.
    """
    for index in range(size):
        target = folder / f"{folder.name}-{index:04d}"
        target.mkdir(parents=True)
        for task in tasks:
            for name in task.spec.wanted_files:
                comment = f"# {target.name}\n".encode() if name.endswith(".py") else b""
                (target / name).write_bytes((complete / name).read_bytes() + comment)


def measure(root: Path, size: int) -> dict[str, float]:
    """Measure a checkout with a class of ``size`` submissions.

    Returns:
        Processor seconds of this process: ``cpu_s`` per submission, ``once_s`` for what a run does
        once, and ``yardstick_s`` for the yardstick; ``checks``, how many a submission has.

    Raises:
        RuntimeError: see :func:`marked`.
    """
    version = Version.of(root)
    if importlib.util.find_spec("harness.process"):
        importlib.import_module("harness.process").settle()  # as the command line does
    course = importlib.import_module("harness.course")
    ledgers = importlib.import_module("harness.ledger")
    key = importlib.import_module("harness.seeds").Key("feedback", bytes(32))
    # earlier versions load tasks in the module that finds submissions
    has_syllabus = (root / "harness" / "syllabus.py").exists()
    syllabus = importlib.import_module("harness.syllabus") if has_syllabus else course
    tasks, _ = syllabus.load_tasks(root / "tasks", root / "reference", None, ())
    with tempfile.TemporaryDirectory(prefix="fairmark-class-") as name:
        folder = Path(name)
        submissions(tasks, folder / "warm", root / "submissions" / "complete", _WARM)
        submissions(tasks, folder / "class", root / "submissions" / "complete", size)
        subjects = course.find_subjects([folder / "warm"], tasks, None)
        subjects += course.find_subjects([folder / "class"], tasks, None)
        with ledgers.Ledger(folder / "results" / "ledger.sqlite", "filled") as ledger:
            fill(version, tasks, subjects, ledger, key)
        warm = marked(version, tasks, folder, "warm", key)
        spent = marked(version, tasks, folder, "class", key)
    return {
        "checks": sum(len(task.spec.checks) for task in tasks),
        "cpu_s": spent.whole / size,
        "deciding_s": spent.deciding / size,
        "once_s": max(0.0, warm.whole - _WARM * spent.whole / size),
        "yardstick_s": yardstick(),
    }


@dataclass(frozen=True)
class Spent:
    """Processor seconds of marking a folder of submissions.

    Attributes:
        whole: from reading them to the reports.
        deciding: the loop of the run and the gradebook alone.
    """

    whole: float
    deciding: float


def marked(version: Version, tasks: Any, folder: Path, name: str, key: Any) -> Spent:
    """Marks a folder of submissions, everything observed already.

    Raises:
        RuntimeError: an observation was missing, or no check failed: the class is not as intended.
    """
    course = importlib.import_module("harness.course")
    ledgers = importlib.import_module("harness.ledger")
    report = importlib.import_module("harness.report")
    with ledgers.Ledger(folder / "results" / "ledger.sqlite", "measured") as ledger:
        view = version.views.View(key, ledger)
        started = time.process_time()
        subjects = course.find_subjects([folder / name], tasks, None)
        if version.typed:
            documents().keep_files(subjects, ledger)
        else:
            course.remember(subjects, ledger)
        before = time.process_time()
        gradebook, record = grade(version, course.Course(tasks, subjects, "", {}), view)
        deciding = time.process_time() - before
        report.write(gradebook, results_folder(folder / "results"))
        if record is None:
            ledger.put_document("run", {"gradebook": gradebook.to_json()})
        else:
            handed_in = [subject.program.name for subject in subjects]
            stored = documents()
            write = stored.write if hasattr(stored, "write") else stored.ClassRecord.write
            write(record, ledger, handed_in)
        spent = Spent(time.process_time() - started, deciding)
    verdicts = [
        verdict for row in gradebook.submissions for task in row.tasks for verdict in task.verdicts
    ]
    undecided = sum(verdict.status == "UNGRADABLE" for verdict in verdicts)
    failed = sum(verdict.status == "FAIL" for verdict in verdicts)
    if undecided or not failed:
        raise RuntimeError(f"{undecided} of {len(verdicts)} undecided, {failed} failed")
    return spent


def documents() -> Any:
    """The module that stores the record of a class; that of the record itself in versions before.

    There ``write`` is a method of the record.
    """
    apart = importlib.util.find_spec("harness.class_documents") is not None
    return importlib.import_module("harness.class_documents" if apart else "harness.class_record")


def results_folder(path: Path) -> Any:
    """The results folder as ``report.write`` takes it: a path in versions without results.py."""
    if importlib.util.find_spec("harness.results") is None:
        return path
    return importlib.import_module("harness.results").Results(path)


def grade(version: Version, course: Any, view: Any) -> tuple[Any, Any]:
    """The gradebook of a course for which the ledger holds all observations already.

    Returns:
        The gradebook, and the record of the class that it is made from; None in versions that
        have no such record.
    """

    def nothing(*_: object) -> None:
        """Nothing is run, so nothing is reported."""

    grading = version.grading
    with grading.local_executor(1) as executor:
        last = grading.collect_all(course, view, executor, nothing, nothing, None)
    if not version.typed:
        return grading.grades(course, view, "feedback", ""), None
    records = importlib.import_module("harness.class_record")
    name = records.RecordName("", "feedback", view.key.commitment)
    record = records.ClassRecord(name).updated(last)
    return grading.of_record(record, [task.id for task in course.tasks], ""), record


def yardstick() -> float:
    """Processor seconds of a fixed piece of ordinary work: JSON and digests."""
    started = time.process_time()
    record: Mapping[str, Any] = {"numbers": list(range(400)), "text": "x" * 400}
    for _ in range(200):
        json.loads(json.dumps(record, sort_keys=True))
    return time.process_time() - started


if __name__ == "__main__":
    print(json.dumps(measure(Path(sys.argv[1]).resolve(), int(sys.argv[2]))))
