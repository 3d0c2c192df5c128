"""``assignments``: the assignments of the course with their dates and rules, or one in full."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from harness.errors import Problem, SpecError
from harness.feasibility import misses
from harness.report.sanitise import SENTENCE_LIMIT, clean
from harness.spec.catalogue import assignment_names, load_term, read_catalogue
from harness.spec.models import Assignment
from harness.spec.schedule import LateRule, moment_text
from harness.syllabus import Syllabus, read_syllabus
from harness.verbs import options, output


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the verb's options."""
    options.common(parser)
    parser.add_argument("name", nargs="?", metavar="NAME", help="this one in full")


def run(args: argparse.Namespace) -> int:
    """Prints the assignments; returns the exit code."""
    names = [args.name] if args.name else assignment_names(args.tasks)
    read: list[Syllabus] = []
    problems: list[Problem] = []
    for name in names:
        try:
            read.append(read_syllabus(args.tasks, args.reference, name))
        except SpecError as error:
            if args.name:
                raise
            problems += error.problems
    for problem in problems:
        print(f"fairmark: {problem}", file=sys.stderr)
    if args.json:
        documents = [_document(syllabus) for syllabus in read]
        errors = [vars(problem) for problem in problems]
        output.emit({"assignments": documents, "errors": errors})
    elif args.name:
        print("\n".join(_in_full(read[0])))
    else:
        _print_all(args, read)
    return 2 if problems else 0


def _print_all(args: argparse.Namespace, read: list[Syllabus]) -> None:
    if not read:
        ids = read_catalogue(args.tasks, args.reference, with_reference=False).ids
        place = args.tasks / "assignments"
        print(f"no assignment yet: {place}/NAME.yaml would be one; there are {len(ids)} tasks")
        return
    width = max(len(_declared(each).id) for each in read)
    for syllabus in read:
        declared = _declared(syllabus)
        due = f"due {moment_text(declared.due)}" if declared.due else "no due date"
        print(
            f"{declared.id:<{width}}  {len(syllabus.ids):>3} tasks  {_points(syllabus):>6g} points"
            f"  {due}  {clean(declared.title, SENTENCE_LIMIT)}"
        )
    term = load_term(args.tasks)
    drawing = [each.id for each in map(_declared, read) if each.late and each.late.late_days]
    if term is not None and term.late_days is not None:
        on = ", ".join(drawing) or "no assignment allows any (late: {late_days: N})"
        print(f"late days of the term: {term.late_days} a student, to be used on {on}")
    if term is not None and term.total is not None:
        lowest = f", without the lowest {term.total.drop_lowest}" if term.total.drop_lowest else ""
        print(f"mark of the term: {', '.join(term.total.assignments)}{lowest}")


def _declared(syllabus: Syllabus) -> Assignment:
    assert syllabus.declared is not None
    return syllabus.declared


def _points(syllabus: Syllabus) -> float:
    usable = syllabus.usable
    return round(sum(_worth(syllabus, name) for name in usable), 4)


def _worth(syllabus: Syllabus, name: str) -> float:
    return syllabus.points.get(name, syllabus.usable[name].points)


def _in_full(syllabus: Syllabus) -> Iterator[str]:
    """The lines about one assignment."""
    declared = _declared(syllabus)
    yield f"{declared.id}: {clean(declared.title, SENTENCE_LIMIT)}, {_points(syllabus):g} points"
    for name in syllabus.ids:
        known = name in syllabus.usable
        worth = f"{_worth(syllabus, name):g} points" if known else "cannot be read"
        yield f"  {name}  {worth}"
        given = next(entry.checks for entry in declared.tasks if entry.id == name)
        yield from (f"    {check}  {points:g}" for check, points in given.items())
        if left_out := syllabus.left_out.get(name):
            yield f"    without {', '.join(left_out)}"
    yield from (f"  {line}" for line in rules(declared))
    missed = misses(list(syllabus.usable.values()), declared.chances).values()
    if missed:
        one = "one of these attempts" if declared.chances > 1 else "the attempt that counts"
        yield (
            f"  a departure of the declared size passes a check in {one} with probability at most "
            f"{max(missed):.2g}; beta allows {declared.beta:g}"
        )
    for phase, tiers in declared.tiers.items():
        yield f"  phase {phase}: marks {', '.join(tiers)}"
    for phase, told in declared.tells.items():
        yield f"  phase {phase}: students are told {told}"
    yield f"  honest work loses points with probability at most {declared.alpha:g}"


def rules(declared: Assignment) -> Iterator[str]:
    """What students must know besides the tasks: dates, groups and attempts, a line each."""
    yield from _dates(declared)
    if declared.groups:
        yield "groups of the roster hand in together"
    limit = f"the first {declared.max_submissions}" if declared.max_submissions else "all"
    yield f"attempts accepted: {limit}; the {declared.counts} of them counts"


def _dates(declared: Assignment) -> Iterator[str]:
    for label, date in (("out", declared.release), ("due", declared.due)):
        if date is not None:
            yield f"{label} {moment_text(date)}"
    if declared.due is None:
        return
    if declared.late is None:
        yield "what comes later does not count"
        return
    until = f"until {moment_text(declared.late_until)}" if declared.late_until else "without end"
    yield f"late {until}: {_rule(declared.late)}"


def _rule(late: LateRule) -> str:
    cap = f", at most {late.cap}" if late.cap else ""
    grace = f", after {late.grace.total_seconds() / 60:g} min of grace" if late.grace else ""
    days = "day" if late.late_days == 1 else "days"
    free = f"; up to {late.late_days} {days} from the budget of the term" if late.late_days else ""
    return f"{late.per_day} a day{cap}{grace}{free}"


def _document(syllabus: Syllabus) -> dict[str, Any]:
    declared = _declared(syllabus)
    late = declared.late
    return {
        "id": declared.id,
        "title": declared.title,
        "tasks": [
            {"id": name, "points": _worth(syllabus, name) if name in syllabus.usable else None}
            for name in syllabus.ids
        ],
        "points": _points(syllabus),
        "release": _iso(declared.release),
        "due": _iso(declared.due),
        "late_until": _iso(declared.late_until),
        "late": late
        and {
            "per_day": str(late.per_day),
            "grace_s": late.grace.total_seconds(),
            "cap": str(late.cap) if late.cap else None,
            "late_days": late.late_days,
        },
        "late_days_of_the_term": syllabus.late_days,
        "groups": declared.groups,
        "max_submissions": declared.max_submissions,
        "counts": declared.counts,
        "tiers": {phase: list(tiers) for phase, tiers in declared.tiers.items()},
        "tells": dict(declared.tells),
        "alpha": declared.alpha,
        "beta": declared.beta,
        "missed": misses(list(syllabus.usable.values()), declared.chances),
    }


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
