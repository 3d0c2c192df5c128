"""What exact checks say under many keys, as a table: keys.csv, and its section of a page.

A row for every task; the version is that of the task when it was tried. Tasks that a run leaves out
keep their rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from harness.files import read_csv, write_csv
from harness.mutation.honesty import HonestByKey, KeyReport, exact_checks
from harness.results import Results

COLUMNS = (
    *("task", "version", "keys", "mistakes", "key_dependent", "rewritings", "left_out", "failed"),
    *("worst", "check", "program"),
)


def write(reports: Sequence[KeyReport], results: Results, tasks: Path) -> Path:
    """The table among the figures of a results folder.

    Rows about other tasks stay while the folder ``tasks`` has these.
    """
    results.make_figures()
    new = {report.task.id: _row(report) for report in reports}
    rows = [*results.other_rows("keys.csv", COLUMNS, new, tasks), *new.values()]
    rows.sort(key=lambda row: row["task"])
    return write_csv(results.figure("keys.csv"), COLUMNS, rows)


def _row(report: KeyReport) -> dict[str, str]:
    worst = _worst(report)
    failed = {(item.name, item.shown) for item in report.honest if item.failed}
    return {
        "task": report.task.id,
        "version": str(report.task.spec.version),
        "keys": str(report.keys),
        "mistakes": str(len(report.mistakes)),
        "key_dependent": str(sum(item.depends_on_key for item in report.mistakes)),
        "rewritings": str(report.rewritings),
        "left_out": str(report.dropped),
        "failed": str(len(failed)),
        "worst": f"{worst.ratio:.3g}" if worst else "",
        "check": worst.check if worst else "",
        "program": worst.name if worst else "",
    }


def _worst(report: KeyReport) -> HonestByKey | None:
    """What comes nearest to the tolerance of any check."""
    each = (report.worst(check.id) for check in exact_checks(report.task))
    return max(filter(None, each), key=lambda item: item.ratio, default=None)


def section(results: Results) -> str:
    """The section of the page on verification, from the table alone; empty where there is none."""
    rows = read_csv(results.figure("keys.csv"), COLUMNS)
    return "\n".join(["## Exact checks under many keys", "", *_lines(rows), ""]) if rows else ""


def _lines(rows: Sequence[dict[str, str]]) -> Iterator[str]:
    yield (
        "Known mistakes of exact checks, and honest programs with rewritings of them, each under "
        "so many keys. *Key-dependent*:\ncaught under some keys only. *Left out*: rewritings that "
        "answer otherwise at an edge of the domain. *Failed*:\nhonest under some key. The worst "
        "honest error is in tolerances."
    )
    yield ""
    head = (
        *("task", "keys", "mistakes", "key-dependent", "rewritings", "left out", "failed"),
        *("worst", "at"),
    )
    yield f"| {' | '.join(head)} |"
    yield "|---" * len(head) + "|"
    names = ("task", "keys", "mistakes", "key_dependent", "rewritings", "left_out", "failed")
    for row in rows:
        yield f"| {' | '.join(row[name] for name in (*names, 'worst', 'check'))} |"
    summed = names[2:]
    sums = [str(sum(int(row[name]) for row in rows)) for name in summed]
    yield f"| {len(rows)} tasks | | {' | '.join(sums)} | | |"
