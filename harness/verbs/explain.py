"""``explain``: all there is about one mark, for a student who doubts it; nothing is run or written.

It is for instructors: hidden checks, evidence and trials are told. With ``--for-student`` it tells
what the student's own page of feedback tells, and the declared error rate of visible checks; about
a hidden check it says its status and points.
"""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from harness.classroom import account as accounts
from harness.classroom.account import Account, CheckAccount, StoredTrial
from harness.classroom.rates import rate
from harness.errors import UsageError
from harness.marking.gradebook import SubmissionGrade, TaskGrade
from harness.records import WITHHELD, Verdict
from harness.report.adjustments import adjustments, lateness_text, sum_text
from harness.report.explain import Line, cause_of, explain
from harness.report.grades_json import json_value
from harness.report.marks import points_text
from harness.report.sanitise import EXAMPLE_LIMIT, SENTENCE_LIMIT, clean
from harness.results import Results
from harness.spec.reading import did_you_mean
from harness.verbs import options, output
from harness.verbs.stored import Stored, add_choice_of_record, open_record, open_stored

_EVIDENCE_LIMIT = 200
_DIGITS = 16


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
    with open_stored(Results(args.results)) as ledger:
        stored = open_record(args, ledger)
        record = stored.recomputed()
        rows = _rows(args, stored, stored.of(record).submissions)
        unit = stored.book.roster.unit(rows[0].name)
        task, _, check = args.place.partition("/")
        graded = {name: entry for (who, name), entry in record.entries.items() if who == unit}
        if task not in graded:
            near = did_you_mean(task, graded)
            raise UsageError(f"{args.student} has no marks of a task {task!r}{near}")
        found = accounts.account(graded[task], stored.tasks.get(task), rows, stored.view)
        checks = _chosen(found, check)
    document = _document(args, stored, found, checks)
    if args.json:
        output.emit(json_value(document))
    else:
        print("\n".join(_lines(document)))
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
        near = did_you_mean(args.student, [*by_name, *stored.record.newest])
        raise UsageError(f"nobody in this record has the id {args.student!r}{near}")
    if args.for_student and len(members) > 1:
        raise UsageError(
            f"{args.student} was handed in by {', '.join(members)}, and each has a mark of their "
            "own; name one of them"
        )
    return [by_name[name] for name in members]


def _chosen(found: Account, check: str) -> tuple[CheckAccount, ...]:
    """The check that is asked for; all of the task without one.

    Raises:
        UsageError: there is none of that id.
    """
    by_id = {each.verdict.check: each for each in found.checks}
    if check and check not in by_id:
        near = did_you_mean(check, by_id)
        raise UsageError(f"{found.entry.grade.id} has no check {check!r}{near}")
    return (by_id[check],) if check else found.checks


# ------------------------------------------------------------------ what is told


def _document(
    args: argparse.Namespace, stored: Stored, found: Account, checks: Sequence[CheckAccount]
) -> dict[str, Any]:
    """All that is told, of which the text is made too."""
    name, row, grade = stored.record.name, found.rows[0], found.entry.grade
    told = {
        verdict.check: verdict
        for task in row.tasks
        if task.id == grade.id
        for verdict in task.verdicts
    }
    return {
        "for": "student" if args.for_student else "instructor",
        "submission": found.unit,
        "students": [each.name for each in found.rows],
        "task": grade.id,
        "title": grade.title,
        "assignment": name.assignment,
        "phase": name.phase,
        "key_sha256": name.key_sha256,
        "points": grade.points,
        "max_points": grade.max_points,
        "provisional": grade.provisional,
        "stale": grade.stale,
        "marks": [_mark(each, grade) for each in found.rows],
        "files": [asdict(each) for each in found.files],
        "checks": [
            _for_student(told[each.verdict.check], each)
            if args.for_student
            else _for_instructor(each)
            for each in checks
        ],
        "repeat": list(_repeat(args, stored, found)),
    }


def _mark(row: SubmissionGrade, grade: TaskGrade) -> dict[str, Any]:
    """The mark of the whole assignment, and what beside the checks has a part in it here."""
    return {
        "student": row.name,
        "mark": row.mark,
        "max_points": row.max_points,
        "sum": sum_text(row),
        "submitted": lateness_text(row.late) if row.late else row.submitted,
        "adjustments": [
            each.text for each in adjustments(row) if each.kind == "LATE" or each.task == grade.id
        ],
    }


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
    withheld = verdict.evidence.get(WITHHELD, "")
    document["evidence"] = {key: verdict.evidence[key] for key in verdict.evidence if key != WITHHELD}
    document["withheld"] = withheld
    document["trials"] = [asdict(each) for each in of.trials]
    return document


def _said(line: Line) -> dict[str, Any]:
    return {"label": line.label, "text": line.text, "code": line.code}


def _repeat(args: argparse.Namespace, stored: Stored, found: Account) -> Iterator[dict[str, str]]:
    """How the mark is made again: commands, each with what it shows."""
    task = found.entry.grade.id
    if args.for_student:
        for file in found.files:
            yield {
                "what": f"is your file the one that was marked? {file.sha256} must come out",
                "command": shlex.join(["sha256sum", file.name]),
            }
        if found.files:
            command = ["fairmark", "grade", found.files[0].name, "--task", task]
            yield {
                "what": "mark it at home, in the folder that you were given, on public instances",
                "command": shlex.join([*command, "--phase", "public"]),
            }
        yield {
            "what": "the instances that were marked follow from a key with the SHA-256 "
            f"{stored.record.name.key_sha256}; the course can compute the mark again from what was "
            "observed, and run your file again on the same instances: ask for it",
            "command": "",
        }
        return
    command = _replay(args, stored, found)
    yield {"what": "the mark again from what is stored, bit for bit", "command": shlex.join(command)}
    yield {
        "what": "the program again on the same instances, observations compared; where they differ, "
        "the reference is run again too",
        "command": shlex.join([*command, "--rerun"]),
    }


def _replay(args: argparse.Namespace, stored: Stored, found: Account) -> list[str]:
    name = stored.record.name
    command = ["fairmark", "replay", str(args.results), "--phase", name.phase]
    command += ["--assignment", name.assignment] if name.assignment else []
    command += ["--key-file", str(args.key_file)] if args.key_file else []
    for option in ("tasks", "reference"):
        folder: Path = getattr(args, option)
        command += [f"--{option}", str(folder)] if folder != Path(option) else []
    return [*command, "--submission", found.unit, "--task", found.entry.grade.id]


# ------------------------------------------------------------------ as text


def _lines(document: Mapping[str, Any]) -> Iterator[str]:
    """The document as text, every line safe to print."""
    who = ", ".join(document["students"])
    if document["students"] != [document["submission"]]:
        who += f" (handed in as {document['submission']})"
    points = f"{points_text(document['points'])} of {points_text(document['max_points'])} points"
    provisional = ", provisional" if document["provisional"] else ""
    yield _one(f"{who}: {document['task']} ({document['title']}), {points}{provisional}")
    assignment = f"assignment {document['assignment']}, " if document["assignment"] else ""
    yield _one(f"{assignment}phase {document['phase']}, key SHA-256 {document['key_sha256']}")
    if document["stale"]:
        yield _one(f"stale: {document['stale']}")
    for mark in document["marks"]:
        of = f"{mark['student']}: " if len(document["marks"]) > 1 else ""
        yield _one(f"mark of the whole: {of}{mark['sum']}, of {points_text(mark['max_points'])}")
        yield from (_one(f"  {text}") for text in mark["adjustments"])
        if mark["submitted"] and not mark["adjustments"]:
            yield _one(f"  handed in: {mark['submitted']}")
    for file in document["files"]:
        yield _one(f"file {file['name']}, {file['size']} bytes, SHA-256 {file['sha256']}")
    for check in document["checks"]:
        yield ""
        yield from _check(check)
    yield ""
    yield "to repeat it:"
    for each in document["repeat"]:
        yield _one(f"- {each['what']}")
        if each["command"]:
            yield f"    {_one(each['command'])}"


def _check(check: Mapping[str, Any]) -> Iterator[str]:
    cause = f" ({check['cause']})" if check["cause"] else ""
    hidden = ", hidden" if check["visibility"] == "hidden" else ""
    kind = f"; kind {check['kind']}" if "kind" in check else ""
    points = f"{points_text(check['points'])} of {points_text(check['max_points'])} points"
    yield _one(f"{check['id']}{hidden}: {check['status']}{cause}, {points}{kind}")
    for line in check["said"]:
        text = clean(line["text"], EXAMPLE_LIMIT, keep="\n")
        if line["code"] or "\n" in text:
            yield f"  {line['label']}:"
            yield from (f"    {each}" for each in text.split("\n"))
        else:
            yield f"  {line['label']}: {text}"
    if check.get("fault"):
        yield _one(f"  Our fault, for you alone: {check['fault']}")
    if check.get("withheld"):
        yield _one(f"  Said on an instance that is marked, for you alone: {check['withheld']}")
    if check.get("evidence"):
        figures = "; ".join(f"{key} {_figure(value)}" for key, value in check["evidence"].items())
        yield _one(f"  Evidence, for you alone: {figures}")
    if "error_rate" in check:
        yield _one(f"  Error rate: {check['error_rate']['words']}")
    for trial in check.get("trials", ()):
        yield _one(f"  Trial: {_trial(StoredTrial(**trial))}")


def _trial(trial: StoredTrial) -> str:
    seed = "seed common to the class" if trial.common else "seed of the submission's own"
    cause = f" ({trial.cause})" if trial.cause else ""
    digests = " and ".join(each[:_DIGITS] for each in trial.observations)
    apart = "; it did not repeat" if len(trial.observations) > 1 else ""
    return (
        f"{trial.measurement}, stage {trial.stage}, number {trial.replicate}, {seed}; "
        f"{trial.outcome}{cause} at {trial.isolation}, {trial.cpu_s:.2g} processor seconds; digest "
        f"{trial.trial[:_DIGITS]}, observed {digests}{apart}"
    )


def _figure(value: Any) -> str:
    """A figure of the evidence, short."""
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list | tuple):
        return clean(f"[{', '.join(map(_figure, value))}]", _EVIDENCE_LIMIT)
    if isinstance(value, Mapping):
        parts = ", ".join(f"{key} {_figure(item)}" for key, item in value.items())
        return clean(f"({parts})", _EVIDENCE_LIMIT)
    return clean(str(value), _EVIDENCE_LIMIT)


def _one(text: str) -> str:
    """One line that is safe to print."""
    return clean(text, 2 * SENTENCE_LIMIT)
