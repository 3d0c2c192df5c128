"""``summary``: a class at a glance, from what is stored; nothing is run and nothing is written.

It is for instructors: hidden checks are told of as visible ones are.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from harness import files
from harness.classroom import summary as summaries
from harness.classroom.findings import Trouble
from harness.classroom.items import LEAST
from harness.classroom.summary import CheckSummary, Summary
from harness.errors import UsageError
from harness.feasibility import ALPHA_TOTAL, misses
from harness.report.grades_json import json_value
from harness.report.sanitise import NAME_LIMIT, SENTENCE_LIMIT, as_text, cell, clean
from harness.report.terminal import Block
from harness.results import Results
from harness.spec.models import Assignment
from harness.verbs import options, output
from harness.verbs.stored import Stored, add_choice_of_record, open_record, open_stored

Table = Literal["checks", "hints", "ungradable", "not-loaded"]
TABLES: tuple[Table, ...] = ("checks", "hints", "ungradable", "not-loaded")
#: The columns of the table of checks in the terminal, with what they are called there.
_COUNTS = (
    *(("pass", "pass"), ("fail", "fail"), ("inconclusive", "inc"), ("error", "err")),
    *(("skipped", "skip"), ("ungradable", "ungr"), ("by_course", "course")),
    ("not_handed_in", "no file"),
)
#: Those that are shown only where one of their figures is not 0.
_RARE = ("inconclusive", "skipped", "ungradable", "by_course", "not_handed_in")
_SHOWN_HINTS, _SHOWN_NAMES = 10, 5
#: A discrimination that lies so many standard errors below zero is pointed out.
_BELOW = 2.0
#: With fewer submissions that standard error is pointed out.
_MANY = 100
_LEGEND = (
    "n: submissions with a file and a mark, of which an ERROR and a SKIPPED have no points",
    "difficulty: share of the points that was got; 1 where everybody has all",
    "discrimination: item-rest correlation, of the share of these points with that of all others",
    "loss: declared bound on the probability that honest work loses these points (- none declared)",
    "cpu s: processor seconds of the program in the trials behind the check, a submission",
)
_COLUMNS: dict[Table, tuple[str, ...]] = {
    "hints": ("submissions", "task", "checks", "hint"),
    "ungradable": ("submission", "task", "check", "cause", "message"),
    "not-loaded": ("submission", "task", "check", "cause", "message"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the verb's options."""
    options.common(parser)
    options.results(parser)
    options.key_file(parser)
    add_choice_of_record(parser)
    parser.add_argument(
        "--csv",
        nargs="?",
        const="checks",
        choices=TABLES,
        metavar="TABLE",
        help=f"one table as CSV on stdout: {', '.join(TABLES)}; without a name the first",
    )


def run(args: argparse.Namespace) -> int:
    """Prints the summary; 0 whatever the marks are."""
    if args.json and args.csv:
        raise UsageError("give either --json or --csv")
    with open_stored(Results(args.results), reads=True) as ledger:
        stored = open_record(args, ledger)
        if not stored.record.newest:
            raise UsageError(f"{args.results}: no submission is in {stored.record.name}")
        assignment = stored.book.assignment
        allowed = assignment.alpha if assignment else ALPHA_TOTAL
        again = stored.recomputed()
        extended = {row.name: row.extension for row in stored.of(again).submissions}
        record = stored.counting(again)
        summary = summaries.summary(record, stored.tasks, stored.view, stored.order, allowed)
    if args.json:
        name = stored.record.name
        head = {"assignment": name.assignment, "phase": name.phase, "key_sha256": name.key_sha256}
        given = [{"student": name, "words": text} for name, text in extended.items() if text]
        output.emit({**head, **json_value(summary.to_json()), "extensions": given})
    elif args.csv:
        print(csv_text(summary, args.csv), end="")
    else:
        print(clean(str(stored.record.name), SENTENCE_LIMIT))
        print("\n".join([*lines(summary), *_extensions(extended), *_luck(assignment, stored)]))
    return 0


def _extensions(extended: Mapping[str, str]) -> Iterator[str]:
    """Who has other dates, and why."""
    given = {name: text for name, text in extended.items() if text}
    if given:
        yield ""
        yield f"extensions: {len(given)}"
        yield from (clean(f"  {name}: {text}", SENTENCE_LIMIT) for name, text in given.items())


def _luck(assignment: Assignment | None, stored: Stored) -> Iterator[str]:
    """What may pass wrongly where the best of several attempts counts."""
    if assignment is None or assignment.chances == 1:
        return
    missed = max(misses(list(stored.tasks.values()), assignment.chances).values(), default=0.0)
    yield ""
    yield (
        f"the best of up to {assignment.chances} attempts counts: a departure of the declared size "
        f"passes a check in one of them with probability at most {missed:g}; honest work loses "
        "points as rarely as with one"
    )
    if any(check.kind == "returns" for task in stored.tasks.values() for check in task.checks):
        yield "  credit for returns follows a mean that errs; the best of several errs upwards"


def csv_text(summary: Summary, table: Table) -> str:
    """One table as CSV; texts are guarded against spreadsheets, what is not known is empty."""
    document = summary.to_json()
    records: list[dict[str, Any]] = document[table.replace("-", "_")]
    columns = _COLUMNS.get(table) or tuple(records[0]) if records else _COLUMNS.get(table, ())
    return files.csv_text(
        columns, ([_cell(name, record[name]) for name in columns] for record in records)
    )


def _cell(column: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        value = " ".join(value)
    if not isinstance(value, str):
        return repr(value)
    guard = as_text if column == "submission" else cell
    return guard(clean(value, SENTENCE_LIMIT))


def lines(summary: Summary) -> Iterator[str]:
    """The summary for a terminal."""
    empty = f", {summary.without_files} of them without a file" if summary.without_files else ""
    yield f"{summary.submissions} submissions{empty}"
    yield ""
    yield from _checks(summary.checks).lines()
    yield ""
    yield from _LEGEND
    yield from _to_look_at(summary)
    yield from _hints(summary)
    yield from _troubles(
        "without a mark (UNGRADABLE), through no fault of theirs", summary.ungradable
    )
    yield from _troubles("handed in, and could not be loaded", summary.not_loaded)
    yield from _rates(summary)
    yield from _time(summary)


def _checks(checks: Sequence[CheckSummary]) -> Block:
    records = [check.to_json() for check in checks]
    counts = [
        (name, title)
        for name, title in _COUNTS
        if name not in _RARE or any(record[name] for record in records)
    ]
    header = ("check", "points", "n", *(title for _, title in counts))
    header += ("difficulty", "discrimination", "loss", "cpu s")
    rows = [
        (
            _place(check.task, check.check) + ("*" if check.visibility == "hidden" else ""),
            f"{check.max_points:g}",
            str(check.item.n),
            *(str(record[name]) for name, _ in counts),
            _figure(check.item.difficulty, ".2f"),
            _figure(check.item.discrimination, ".2f"),
            _figure(check.loss, ".2g"),
            _figure(check.cpu_s, ".2g"),
        )
        for check, record in zip(checks, records, strict=True)
    ]
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    return Block(_right(header, widths), tuple(_right(row, widths) for row in rows))


def _right(row: tuple[str, ...], widths: Sequence[int]) -> tuple[str, ...]:
    """The row with its figures aligned to the right; its name stays on the left."""
    return (row[0], *(text.rjust(width) for text, width in zip(row[1:], widths[1:], strict=True)))


def _figure(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def _place(task: str, check: str) -> str:
    return clean("/".join(part for part in (task, check) if part), NAME_LIMIT)


def _to_look_at(summary: Summary) -> Iterator[str]:
    """Checks whose figures say that something may be wrong with them, and marks that are old."""
    if any(check.visibility == "hidden" for check in summary.checks):
        yield "* hidden from students"
    if LEAST <= summary.submissions < _MANY:
        yield (
            f"with {summary.submissions} submissions a discrimination has a standard error of up "
            f"to {_error(summary.submissions):.2f}"
        )
    for check in summary.checks:
        place, item = _place(check.task, check.check), check.item
        if item.n >= LEAST and item.difficulty == 0:
            yield f"nobody has a point for {place}: is it what the statement asks for?"
        elif item.discrimination is not None and item.discrimination < -_BELOW * _error(item.n):
            yield (
                f"{place} is failed by those who do well elsewhere (discrimination "
                f"{item.discrimination:.2f}): is it right?"
            )
    for task, count in summary.stale.items():
        yield f"{clean(task, NAME_LIMIT)}: {count} marks are stale, those of an earlier grading"


def _error(n: int) -> float:
    """The standard error of a correlation of n pairs where there is none."""
    return 1 / math.sqrt(n - 1)


def _hints(summary: Summary) -> Iterator[str]:
    without, failed = summary.unexplained
    if not failed:
        return
    yield ""
    yield f"hints: {failed} visible checks failed, {without} of them at no known mistake"
    for each in summary.hints[:_SHOWN_HINTS]:
        checks = ", ".join(each.checks)
        text = f"  {each.submissions} x {each.task} ({checks}): {each.hint}"
        yield clean(text, SENTENCE_LIMIT)
    if len(summary.hints) > _SHOWN_HINTS:
        more = len(summary.hints) - _SHOWN_HINTS
        yield f"  and {more} more: --csv hints"


def _troubles(title: str, troubles: Sequence[Trouble]) -> Iterator[str]:
    """What several submissions have in common stands in one line, with their names."""
    if not troubles:
        return
    yield ""
    yield f"{title}: {len(troubles)}"
    together: dict[tuple[str, str, str], list[str]] = {}
    for each in troubles:
        key = (_place(each.task, each.check), each.cause, each.message)
        together.setdefault(key, []).append(each.submission)
    for (place, cause, message), names in together.items():
        shown = ", ".join(clean(name, NAME_LIMIT) for name in names[:_SHOWN_NAMES])
        more = f" and {len(names) - _SHOWN_NAMES} more" if len(names) > _SHOWN_NAMES else ""
        about = f" {place}" if place else ""
        yield clean(f"  {shown}{more}:{about} {cause}: {message}", SENTENCE_LIMIT)


def _rates(summary: Summary) -> Iterator[str]:
    budget = summary.budget
    yield ""
    if not budget.declared:
        yield "error budget: chance has no part in these checks, as far as rates are declared"
    else:
        yield (
            "error budget: honest work loses points in any of its checks with probability at most "
            f"{budget.declared:.2g}, {budget.declared / budget.allowed:.0%} of the "
            f"{budget.allowed:.2g} that are allowed"
        )
        yield (
            f"  spent in this class: {budget.decided} decisions with a rate; if all were honest "
            f"work, at most {budget.expected:.2g} of them are expected to have cost points"
        )
    if budget.undeclared:
        yield f"  no rate is declared for {', '.join(budget.undeclared)}"


def _time(summary: Summary) -> Iterator[str]:
    spent = summary.spent
    yield ""
    line = (
        f"time: {spent.trials} trials of submissions, {spent.wall_s:.0f} s in all, of them "
        f"{spent.cpu_s:.0f} processor seconds of their programs"
    )
    if spent.slowest is not None:
        name, seconds = spent.slowest
        line += f"; most for {clean(name, NAME_LIMIT)}, {seconds:.0f} s"
    yield line
