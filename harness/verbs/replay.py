"""``replay``: the same marks from the same observations, bit for bit; with --rerun, the same
observations from the same programs."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from harness import grading
from harness.isolation import Isolation
from harness.ledger import Ledger
from harness.marking import plan
from harness.marking.jobs import PlannedTrial
from harness.marking.trials import View, name_trial, planned_trial, steps
from harness.progress import ProgressLine
from harness.records import Observation, canonical
from harness.report.grades_json import json_value
from harness.report.sanitise import SENTENCE_LIMIT, clean
from harness.results import Results
from harness.sandbox.choice import require
from harness.verbs import options, output
from harness.verbs.stored import Stored, open_stored, regrade

_COMPARED = ("status", "cause", "points", "max_points", "evidence", "seeds_used")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the verb's options."""
    options.common(parser)
    parser.add_argument("results", type=Path, nargs="?", default=Path("results"), metavar="RESULTS")
    options.key_file(parser)
    options.jobs(parser)
    options.isolation(parser)
    parser.add_argument("--submission", metavar="NAME", help="only this submission")
    parser.add_argument("--task", action="append", default=[], metavar="ID", help="only this task")
    parser.add_argument("--rerun", action="store_true", help="run the programs again as well")


def run(args: argparse.Namespace) -> int:
    """Compares and prints every difference; returns the exit code."""
    with open_stored(Results(args.results)) as ledger:
        stored = regrade(args, ledger)
        differences = list(_compare(stored.recorded, stored.gradebook.to_json()))
        if args.rerun:
            isolation = require(args.require_isolation, stored.recorded["run"]["phase"])
            differences += _rerun(args, stored, isolation)
    chosen = [
        found
        for found in differences
        if args.submission in (None, found["submission"]) and _of(args.task, found["task"])
    ]
    if args.json:
        output.emit({"identical": not chosen, "differences": [json_value(f) for f in chosen]})
    else:
        for found in chosen:
            said = (
                f"{found['submission']}: {found['task']}/{found['check']} {found['field']}: "
                f"stored {found['stored']}, replayed {found['replayed']}"
            )
            print(clean(said, SENTENCE_LIMIT))
        print("identical" if not chosen else f"{len(chosen)} differences")
    return 0 if not chosen else 1


def _of(wanted: list[str], task: str) -> bool:
    return not wanted or task in wanted


def _compare(stored: Mapping[str, Any], replayed: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    rows = {(row["name"]): row for row in replayed["submissions"]}
    for row in stored["submissions"]:
        again = rows.get(row["name"])
        before, after = _checks(row), _checks(again) if again else {}
        for place in sorted(set(before) | set(after)):
            for name in _COMPARED:
                old = before.get(place, {}).get(name)
                new = after.get(place, {}).get(name)
                if canonical(old) != canonical(new):
                    yield _difference(row["name"], place, name, old, new)


def _checks(row: Mapping[str, Any]) -> dict[tuple[str, str], Mapping[str, Any]]:
    return {(task["id"], check["id"]): check for task in row["tasks"] for check in task["checks"]}


def _difference(
    submission: str, place: tuple[str, str], name: str, stored: Any, replayed: Any
) -> dict[str, Any]:
    return {
        "submission": submission,
        "task": place[0],
        "check": place[1],
        "field": name,
        "stored": stored,
        "replayed": replayed,
    }


def _rerun(args: argparse.Namespace, stored: Stored, isolation: Isolation) -> list[dict[str, Any]]:
    """Runs the stored trials of the submissions again and compares what was observed."""
    ledger = stored.view.ledger
    runs = [run for run in _stored_runs(stored) if _of(args.task, run.trial.task)]
    if args.submission is not None:
        runs = [run for run in runs if run.trial.program == args.submission]
    again: dict[str, Observation] = {}
    progress = ProgressLine()

    def deliver(observation: Observation) -> None:
        again[observation.trial.digest] = observation

    with grading.local_executor(args.jobs) as executor:
        grading.run_jobs(plan.group(runs, stored.view), deliver, executor, progress, isolation)
        differing = [run for run in runs if _differs(ledger, again[run.trial.digest])]
        references = list(_reference_runs(differing, stored.view))
        grading.run_jobs(
            plan.group(references, stored.view), deliver, executor, progress, isolation
        )
    differences = []
    for run in differing:
        before, after = ledger.get(run.trial.digest), again[run.trial.digest]
        place = (run.trial.task, run.trial.measurement)
        digest = before.digest if before is not None else ""
        differences.append(
            _difference(run.trial.program, place, "observation", digest, after.digest)
        )
    for observation in again.values():
        ledger.put(observation)
    return differences


def _differs(ledger: Ledger, observation: Observation) -> bool:
    before = ledger.get(observation.trial.digest)
    return (
        before is not None
        and observation.outcome != "infrastructure"
        and before.digest != observation.digest
    )


def _reference_runs(runs: list[PlannedTrial], view: View) -> Iterator[PlannedTrial]:
    """The reference on the same seeds: if it repeats itself, the difference is the program's."""
    for run in runs:
        if run.task.reference is not None:
            program, trial = run.task.reference.solution, run.trial
            again = name_trial(
                run.task, program, trial.measurement, trial.step, trial.subject, view.key
            )
            yield planned_trial(again, run.task, program)


def _stored_runs(stored: Stored) -> Iterator[PlannedTrial]:
    """The run of every stored observation of a submission."""
    view: View = stored.view
    ledger: Ledger = view.ledger
    for subject in stored.course.subjects:
        for task in stored.course.tasks:
            for measurement in task.spec.measurements:
                for step in steps(task, measurement):
                    owner = step.subject(subject.program.name)
                    trial = name_trial(task, subject.program, measurement, step, owner, view.key)
                    if ledger.get(trial.digest) is not None:
                        yield planned_trial(trial, task, subject.program)
