"""``explain``: all there is about one mark, for a student who doubts it; nothing is run or written.

It is for instructors: hidden checks, evidence and trials are told. With ``--for-student`` it tells
what the student's own page of feedback tells, and the declared error rate of visible checks; about
a hidden check it says its status and points.
"""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from harness.classroom import account as accounts
from harness.classroom.account import Account, CheckAccount
from harness.classroom.rates import rate
from harness.errors import UsageError
from harness.marking.gradebook import SubmissionGrade, TaskGrade
from harness.records import WITHHELD, Verdict
from harness.report import account as account_text
from harness.report.adjustments import adjustments, lateness_text, sum_text
from harness.report.explain import Line, cause_of, explain
from harness.report.grades_json import json_value
from harness.report.marks import not_run_text, not_submitted, points_text, unloadable
from harness.results import Results
from harness.spec.reading import did_you_mean
from harness.verbs import options, output
from harness.verbs.stored import Stored, add_choice_of_record, open_record, open_stored


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the verb's options."""
    options.common(parser)
    options.results(parser)
    options.key_file(parser)
    add_choice_of_record(parser)
    parser.add_argument("student", metavar="ID", help="the id of the student, or of the submission")
    parser.add_argument("place", metavar="TASK[/CHECK]")
    parser.add_argument(
        "--for-student", action="store_true", help="only what the student may see, to be passed on"
    )


def run(args: argparse.Namespace) -> int:
    """Prints the account of one mark; 0 whatever the mark is."""
    with open_stored(Results(args.results), reads=True) as ledger:
        stored = open_record(args, ledger)
        record = stored.recomputed()
        rows = _rows(args, stored, stored.of(record).submissions)
        task, _, check = args.place.partition("/")
        marked = rows[0].subject
        entries = record.counted.entries
        graded = {name: entry for (who, name), entry in entries.items() if who == marked}
        if task not in graded:
            near = did_you_mean(task, graded)
            raise UsageError(f"{args.student} has no marks of a task {task!r}{near}")
        account = accounts.account(graded[task], stored.tasks.get(task), rows, stored.view)
        checks = _chosen(account, check)
    document = _document(args, stored, account, checks)
    if args.json:
        output.emit(json_value(document))
    else:
        print("\n".join(account_text.lines(document)))
    return 0


def _rows(
    args: argparse.Namespace, stored: Stored, known: Sequence[SubmissionGrade]
) -> list[SubmissionGrade]:
    """The rows of a student, or of everybody who handed a submission in.

    Raises:
        UsageError: nobody has that id; or several are meant where one of them will read it.
    """
    by_name = {row.name: row for row in known}
    if args.student in by_name:
        return [by_name[args.student]]
    members = [name for name in stored.book.names([args.student]) if name in by_name]
    if not members:
        raise stored.nobody(args.student, [*by_name, *stored.record.newest])
    if args.for_student and len(members) > 1:
        raise UsageError(
            f"{args.student} was handed in by {', '.join(members)}, and each has a mark of their "
            "own; name one of them"
        )
    return [by_name[name] for name in members]


def _chosen(account: Account, check: str) -> tuple[CheckAccount, ...]:
    """The check that is asked for; all of the task without one.

    Raises:
        UsageError: there is none of that id.
    """
    by_id = {each.verdict.check: each for each in account.checks}
    if check and check not in by_id:
        near = did_you_mean(check, by_id)
        raise UsageError(f"{account.entry.grade.id} has no check {check!r}{near}")
    return (by_id[check],) if check else account.checks


# ------------------------------------------------------------------ what is told


def _document(
    args: argparse.Namespace, stored: Stored, account: Account, checks: Sequence[CheckAccount]
) -> dict[str, Any]:
    """All that is told, of which the text is made too."""
    name, row, grade = stored.record.name, account.rows[0], account.entry.grade
    told = {
        verdict.check: verdict
        for task in row.tasks
        if task.id == grade.id
        for verdict in task.verdicts
    }
    return {
        "for": "student" if args.for_student else "instructor",
        "submission": account.unit,
        "students": [each.name for each in account.rows],
        "task": grade.id,
        "title": grade.title,
        "assignment": name.assignment,
        "phase": name.phase,
        "key_sha256": name.key_sha256,
        "points": grade.points,
        "max_points": grade.max_points,
        "provisional": grade.provisional,
        "stale": grade.stale,
        "marks": [_mark(each, grade) for each in account.rows],
        "files": [asdict(each) for each in account.files],
        "not_loaded": _not_run(grade),
        "checks": [
            _for_student(told[each.verdict.check], each)
            if args.for_student
            else _for_instructor(each)
            for each in checks
        ],
        "repeat": list(_repeat(args, stored, account)),
    }


def _mark(row: SubmissionGrade, grade: TaskGrade) -> dict[str, Any]:
    """The mark of the whole assignment, and what beside the checks has a part in it here."""
    return {
        "student": row.name,
        "mark": row.mark,
        "max_points": row.max_points,
        "sum": sum_text(row) if row.is_adjusted else points_text(row.mark),
        "submitted": lateness_text(row.late) if row.late else row.submitted,
        "extension": row.extension,
        "notes": list(row.problems),
        "attempts": [asdict(each) for each in row.attempts],
        "adjustments": [
            each.text for each in adjustments(row) if each.kind == "LATE" or each.task == grade.id
        ],
    }


def _not_run(grade: TaskGrade) -> str:
    """Why none of the checks was run, where that is so: they have one reason, told once."""
    if unloadable(grade) is not None:
        return not_run_text(grade)
    if not_submitted(grade):
        return not_run_text(grade, "there is no file that counts")
    return ""


def _head(verdict: Verdict) -> dict[str, Any]:
    return {
        "id": verdict.check,
        "status": verdict.status,
        "cause": cause_of(verdict),
        "points": verdict.points,
        "max_points": verdict.max_points,
        "visibility": verdict.visibility,
    }


def _for_student(verdict: Verdict, of: CheckAccount) -> dict[str, Any]:
    """What the page of feedback says, and the error rate of a visible check."""
    document = {**_head(verdict), "said": [_said(line) for line in explain(verdict)]}
    if verdict.visibility == "visible" and of.declared is not None:
        document["error_rate"] = asdict(rate(of.declared))
    return document


def _for_instructor(of: CheckAccount) -> dict[str, Any]:
    verdict = of.verdict
    document = {**_head(verdict), "said": [_said(line) for line in explain(verdict)]}
    if of.declared is not None:
        document |= {"kind": of.declared.kind, "error_rate": asdict(rate(of.declared))}
    if verdict.cause.fault == "harness" and verdict.message:
        document["fault"] = verdict.message
    evidence = dict(verdict.evidence)
    document["withheld"] = evidence.pop(WITHHELD, "")
    document["evidence"] = evidence
    document["trials"] = [asdict(each) for each in of.trials]
    return document


def _said(line: Line) -> dict[str, Any]:
    return {"label": line.label, "text": line.text, "code": line.code}


def _repeat(args: argparse.Namespace, stored: Stored, account: Account) -> Iterator[dict[str, str]]:
    """How the mark is made again: commands, each with what it shows."""
    task = account.entry.grade.id
    if args.for_student:
        for file in account.files:
            yield {
                "what": f"is your file the one that was marked? {file.sha256} must come out",
                "command": shlex.join(["sha256sum", file.name]),
            }
        yield {
            "what": f"what is measured, and how it is decided: tasks/{task}/measure.py and "
            "task.yaml in the folder that you were given",
            "command": "",
        }
        if account.files:
            command = ["fairmark", "grade", account.files[0].name, "--task", task]
            yield {
                "what": "mark it there, on public instances",
                "command": shlex.join([*command, "--phase", "public"]),
            }
        yield {
            "what": "the instances that were marked follow from a key with the SHA-256 "
            f"{stored.record.name.key_sha256}; the course can compute the mark again from what was "
            "observed, and run your file again on the same instances: ask for it",
            "command": "",
        }
        return
    command = _replay(args, stored, account)
    yield {
        "what": "the mark again from what is stored, bit for bit",
        "command": shlex.join(command),
    }
    yield {
        "what": "the program again on the same instances, observations compared; where they "
        "differ, the reference is run again too",
        "command": shlex.join([*command, "--rerun"]),
    }


def _replay(args: argparse.Namespace, stored: Stored, account: Account) -> list[str]:
    name = stored.record.name
    command = ["fairmark", "replay", str(args.results), *name.options]
    command += ["--key-file", str(args.key_file)] if args.key_file else []
    for option in ("tasks", "reference"):
        folder: Path = getattr(args, option)
        command += [f"--{option}", str(folder)] if folder != Path(option) else []
    return [*command, "--submission", account.unit, "--task", account.entry.grade.id]
