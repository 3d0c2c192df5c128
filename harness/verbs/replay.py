"""``replay``: the same marks from the same observations, bit for bit; with --rerun, the same
observations from the same programs."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from harness import grading
from harness.class_record import TASK_CHANGED, TASK_GONE
from harness.classroom import regrade
from harness.classroom.overrides import Entry
from harness.errors import UsageError
from harness.isolation import Isolation
from harness.ledger import Ledger
from harness.marking import plan
from harness.marking.jobs import PlannedTrial
from harness.marking.trials import name_trial, planned_trial, steps
from harness.marking.views import View
from harness.progress import ProgressLine
from harness.records import Observation, canonical
from harness.report.grades_json import json_value
from harness.report.sanitise import SENTENCE_LIMIT, clean
from harness.results import Results
from harness.sandbox.choice import require
from harness.spec.reading import did_you_mean
from harness.verbs import options, output
from harness.verbs.stored import Stored, add_choice_of_record, open_record, open_stored

_COMPARED = ("status", "cause", "points", "max_points", "evidence", "seeds_used")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the verb's options."""
    options.common(parser)
    parser.add_argument("results", type=Path, nargs="?", default=Path("results"), metavar="RESULTS")
    options.key_file(parser)
    options.jobs(parser)
    options.isolation(parser)
    add_choice_of_record(parser)
    parser.add_argument("--submission", metavar="NAME", help="only this submission")
    parser.add_argument("--task", action="append", default=[], metavar="ID", help="only this task")
    parser.add_argument("--rerun", action="store_true", help="run the programs again as well")


def run(args: argparse.Namespace) -> int:
    """Compares and prints every difference, and what people gave beside; returns the exit code."""
    with open_stored(Results(args.results), reads=True) as ledger:
        stored = open_record(args, ledger)
        regrades = regrade.kept(ledger, stored.record.name.prefix)
        _require_known(args, stored)
        differences = list(_compare(stored))
        if args.rerun:
            isolation = require(args.require_isolation, stored.record.name.phase)
            differences += _rerun(args, stored, isolation)
    chosen = [
        difference
        for difference in differences
        if (args.submission is None or difference["submission"] in _named(args, stored))
        and _is_chosen(difference["task"], args.task)
    ]
    if args.json:
        documents = [json_value(each) for each in chosen]
        given = [json_value(asdict(each)) for each in stored.book.overrides]
        document = {"identical": not chosen, "differences": documents, "overrides": given}
        output.emit({**document, "regrades": [json_value(each) for each in regrades]})
    else:
        for each in regrades:
            print(f"regraded {each['made']}: {len(each['changes'])} checks changed")
        for entry in stored.book.overrides:
            print(clean(_in_words(entry), SENTENCE_LIMIT))
        for each in chosen:
            line = (
                f"{each['submission']}: {each['task']}/{each['check']} {each['field']}: "
                f"stored {each['stored']}, replayed {each['replayed']}"
            )
            print(clean(line, SENTENCE_LIMIT))
        print("identical" if not chosen else f"{len(chosen)} differences")
    return 0 if not chosen else 1


def _in_words(entry: Entry) -> str:
    """An override, which stands beside what is replayed and is no part of it."""
    given = f"{entry.points:g} points" if entry.points is not None else "withdrawn"
    return f"override of {entry.student}: {entry.place}, {given} ({entry.by}: {entry.reason})"


def _require_known(args: argparse.Namespace, stored: Stored) -> None:
    """Refuses names that the record does not have.

    Raises:
        UsageError: with the nearest name.
    """
    owners = {each.program.owner for each in stored.record.newest.values()}
    known = sorted(owners | stored.record.newest.keys())
    if args.submission is not None and args.submission not in known:
        raise stored.nobody(args.submission, known, units=True)
    for task in args.task:
        if task not in stored.record.task_ids:
            near = did_you_mean(task, stored.record.task_ids)
            raise UsageError(f"no task of this record is called {task!r}{near}")


def _named(args: argparse.Namespace, stored: Stored) -> set[str]:
    """The submissions that the name on the command line is about: all attempts of a student."""
    return {args.submission, *stored.record.names_of({args.submission})}


def _is_chosen(task: str, chosen: list[str]) -> bool:
    return not chosen or task in chosen


def _compare(stored: Stored) -> Iterator[dict[str, Any]]:
    """Every figure of the record that is not the same when it is computed again.

    Where the task or an observation is gone, that is the difference.
    """
    again = stored.recomputed()
    for place, entry in sorted(stored.record.entries.items()):
        name, task = place
        replayed = again.entries[place].grade
        if replayed.stale in (TASK_GONE, TASK_CHANGED):
            yield _difference(name, (task, "*"), "observations", "made", replayed.stale)
            continue
        before = {verdict.check: verdict.to_json() for verdict in entry.grade.verdicts}
        after = {verdict.check: verdict.to_json() for verdict in replayed.verdicts}
        for check in sorted({*before, *after}):
            for field in _COMPARED:
                old, new = before.get(check, {}).get(field), after.get(check, {}).get(field)
                if canonical(old) != canonical(new):
                    yield _difference(name, (task, check), field, old, new)


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
    runs = [run for run in _stored_runs(stored) if _is_chosen(run.trial.task, args.task)]
    if args.submission is not None:
        runs = [run for run in runs if run.trial.program in _named(args, stored)]
    again: dict[str, Observation] = {}
    progress = ProgressLine(jobs=args.jobs)

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
    """The reference on the same seeds: if it repeats, the program and not the machine differs."""
    for run in runs:
        if run.task.reference is not None:
            program, trial = run.task.reference.solution, run.trial
            again = name_trial(
                run.task, program, trial.measurement, trial.step, trial.subject, view.key
            )
            yield planned_trial(again, run.task, program)


def _stored_runs(stored: Stored) -> Iterator[PlannedTrial]:
    """The trial of every stored observation of a submission, planned again."""
    view: View = stored.view
    ledger: Ledger = view.ledger
    for (_, task_id), entry in sorted(stored.record.entries.items()):
        task = stored.tasks.get(task_id)
        if task is None:
            continue
        for measurement in task.spec.measurements:
            for step in steps(task, measurement):
                program = entry.subject.program
                owner = step.subject(program.owner)
                trial = name_trial(task, program, measurement, step, owner, view.key)
                if ledger.get(trial.digest) is not None:
                    yield planned_trial(trial, task, program)
