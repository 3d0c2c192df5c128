"""Grades folders on a course of this red team, through the ordinary pipeline."""

from __future__ import annotations

import re
import shutil
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from harness import grading
from harness.course import Course, find_subjects
from harness.isolation import Isolation
from harness.ledger import Ledger
from harness.marking import plan
from harness.marking.jobs import Job, PlannedTrial
from harness.marking.round import Round
from harness.marking.views import View
from harness.records import Verdict
from harness.seeds import Key
from harness.syllabus import load_tasks

HERE = Path(__file__).parent
KEY = Key("feedback", bytes.fromhex("5e" * 32))


@dataclass(frozen=True)
class Folders:
    """Where the tasks and the reference of a course lie."""

    tasks: Path
    reference: Path


DEFENDED = Folders(HERE / "course" / "tasks", HERE / "course" / "reference")


def naive(folder: Path) -> Folders:
    """The same tasks measured naively, written below ``folder``.

    A naive measure.py is the defended one with more functions. The mistakes of the reference name
    the last of the naive checks: they are not run here, but a spec must fit together.
    """
    found = Folders(folder / "tasks", folder / "reference")
    shutil.copytree(DEFENDED.tasks, found.tasks)
    shutil.copytree(DEFENDED.reference, found.reference)
    for source in sorted((HERE / "naive").iterdir()):
        task = found.tasks / source.name
        with (task / "measure.py").open("a", encoding="utf-8") as measure:
            measure.write("\n\n" + (source / "measure.py").read_text(encoding="utf-8"))
        spec = (source / "task.yaml").read_text(encoding="utf-8")
        (task / "task.yaml").write_text(spec, encoding="utf-8")
        mistakes = found.reference / source.name / "mistakes.yaml"
        last = re.findall(r"\bid: ([a-z-]+)", spec)[-1]
        text = re.sub(r"check: .*", f"check: {last}", mistakes.read_text(encoding="utf-8"))
        mistakes.write_text(text, encoding="utf-8")
    return found


Marks = dict[str, dict[str, Verdict]]


def grade(
    submissions: Sequence[Path],
    course: Folders,
    isolation: Isolation,
    results: Path,
    only: Mapping[str, Collection[str]] = MappingProxyType({}),
) -> Marks:
    """The verdicts of every submission by check, on the tasks that it hands in.

    ``only`` names the measurements that are run of a submission, where not all of its task are.
    """
    tasks, points = load_tasks(course.tasks, course.reference, None, ())
    subjects = find_subjects(submissions, tasks, None)
    with Ledger(results / "ledger.sqlite", "field") as ledger:
        view = View(KEY, ledger)
        for tier in ("exact", "training"):
            chosen = [task for task in tasks if task.spec.tier == tier]
            current = Round.first(chosen, subjects, view)
            asked: set[tuple[str, str]] = set()
            # what a reference did is asked for once the checks before have passed
            while wanted := _wanted(plan.next_batch(current), only, asked):
                with grading.local_executor(2) as executor:
                    grading.run_batch(wanted, ledger, executor, lambda *_: None, isolation)
                current = current.next()
        course_ = Course(tasks, subjects, "", points)
        book = grading.gradebook(course_, grading.first_round(course_, view), "feedback", "")
    return {
        row.name: {
            verdict.check: verdict
            for task in row.tasks
            if all(verdict.cause != "missing-file" for verdict in task.verdicts)
            for verdict in task.verdicts
            if verdict.cause != "not-run"
        }
        for row in book.submissions
    }


def _wanted(
    batch: Sequence[Job], only: Mapping[str, Collection[str]], asked: set[tuple[str, str]]
) -> list[Job]:
    """The jobs without measurements that are not asked for, of references neither.

    Args:
        asked: task and measurement of what was run of submissions; what is to be run is added.
    """

    def asked_for(planned: PlannedTrial) -> bool:
        name = planned.trial.measurement
        return name in only.get(planned.trial.program, {name})

    def place(planned: PlannedTrial) -> tuple[str, str]:
        return planned.trial.task, planned.trial.measurement

    kept = [[item for item in job.trials if asked_for(item)] for job in batch]
    asked |= {place(item) for trials in kept for item in trials if item.trial.role == "submission"}
    jobs = [
        replace(job, trials=tuple(item for item in trials if place(item) in asked))
        for job, trials in zip(batch, kept, strict=True)
    ]
    return [job for job in jobs if job.trials]
