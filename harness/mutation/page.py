"""The strength of the checks as tables: mutation.csv, survivors.csv, and their section of a page.

``mutation.csv`` has a row for every task, its check empty, and one for each of its checks; the
version is that of the task when it was tried.
``survivors.csv`` has a row for every change that passes all checks and changes some answer, those
that equivalent.yaml excuses included. Tasks that a run leaves out keep their rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from harness.files import read_csv, write_csv
from harness.mutation.source import Family
from harness.mutation.strength import TaskStrength, ratio
from harness.results import Results

COUNTS = ("mutants", "untried", "crash", "refused", "caught", "equivalent", "excused")
FAMILIES: tuple[Family, ...] = ("plain", "state", "clamp", "float32")
COLUMNS = ("task", "version", "check", *COUNTS, *FAMILIES, "score", "cpu_s")
SURVIVOR_COLUMNS = (
    *("task", "mutant", "family", "excused", "line", "within", "old", "new"),
    *("differs", "checks"),
)
Row = Mapping[str, object]


def write(strengths: Sequence[TaskStrength], results: Results, tasks: Path) -> list[Path]:
    """Both tables among the figures of a results folder.

    Rows about other tasks stay while the folder ``tasks`` has these.
    """
    results.make_figures()
    new = {item.task.id for item in strengths}

    rows: list[Row] = [
        *results.other_rows("mutation.csv", COLUMNS, new, tasks),
        *(row for item in strengths for row in _rows(item)),
    ]
    survivors: list[Row] = [
        *results.other_rows("survivors.csv", SURVIVOR_COLUMNS, new, tasks),
        *(row for item in strengths for row in _survivors(item)),
    ]
    return [
        write_csv(
            results.figure("mutation.csv"), COLUMNS, sorted(rows, key=lambda row: str(row["task"]))
        ),
        write_csv(
            results.figure("survivors.csv"),
            SURVIVOR_COLUMNS,
            sorted(survivors, key=lambda row: str(row["task"])),
        ),
    ]


def _rows(strength: TaskStrength) -> Iterator[Row]:
    counts, families = strength.counts, Counter(item.change.family for item in strength.survivors)
    excused = sum(
        item.outcome == "survives" and item.change.name in strength.excused
        for item in strength.tried
    )
    yield {
        "task": strength.task.id,
        "version": strength.task.spec.version,
        "check": "",
        "mutants": len(strength.tried),
        **{name: counts[name] for name in ("untried", "crash", "refused", "caught", "equivalent")},
        "excused": excused,
        **{name: families[name] for name in FAMILIES},
        "score": f"{strength.score:.4f}",
        "cpu_s": f"{strength.cpu_s:.1f}",
    }
    for check in strength.task.spec.checks:
        caught = sum(item.outcome == "caught" and item.check == check.id for item in strength.tried)
        passing = [item for item in strength.survivors if check.id in item.checks]
        by_family = Counter(item.change.family for item in passing)
        yield {
            "task": strength.task.id,
            "version": strength.task.spec.version,
            "check": check.id,
            "mutants": sum(check.id in item.checks for item in strength.tried),
            "caught": caught,
            **{name: by_family[name] for name in FAMILIES},
            "score": f"{ratio(caught, len(passing)):.4f}",
        }


def _survivors(strength: TaskStrength) -> Iterator[Row]:
    for item in strength.tried:
        if item.outcome == "survives":
            yield {
                "task": strength.task.id,
                "mutant": item.change.name,
                "family": item.change.family,
                "excused": "yes" if item.change.name in strength.excused else "no",
                "line": item.change.line,
                "within": item.change.within,
                "old": item.change.old,
                "new": item.change.new,
                "differs": item.words,
                "checks": " ".join(item.checks),
            }


def section(results: Results) -> str:
    """The section of the page on verification, from the tables alone; empty where there is none."""
    rows = read_csv(results.figure("mutation.csv"), COLUMNS)
    return "\n".join(["## Automatic mutants", "", *_lines(rows), ""]) if rows else ""


def _lines(rows: Sequence[Row]) -> Iterator[str]:
    yield (
        "Every change of every reference and variant, run without a sandbox until a check does "
        "not pass. *Equivalent*:\nno answer differs on inputs of the task's domain. *Excused*: "
        "listed in equivalent.yaml with a reason. Survivors:\nplain changes, kept state, bounds "
        "and epsilons, single precision. Score: caught / (caught + survivors)."
    )
    yield ""
    names = ("task", "version", *COUNTS, *FAMILIES, "score")
    yield f"| {' | '.join([*names, 'CPU s'])} |"
    yield "|---" * (len(names) + 1) + "|"
    whole = [row for row in rows if not row["check"]]
    for row in whole:
        yield f"| {' | '.join(str(row[name]) for name in (*names, 'cpu_s'))} |"
    sums = {name: sum(int(str(row[name])) for row in whole) for name in (*COUNTS, *FAMILIES)}
    score = ratio(sums["caught"], sum(sums[name] for name in FAMILIES))
    seconds = sum(float(str(row["cpu_s"])) for row in whole)
    yield f"| all | | {' | '.join(map(str, sums.values()))} | {score:.4f} | {seconds:.0f} |"
    yield ""
    yield "Checks that survivors pass (*first*: mutants that it was the first to catch):"
    yield ""
    yield "| task | check | executes | first | survivors | score |"
    yield "|---|---|---|---|---|---|"
    for row in rows:
        survivors = sum(int(str(row[name])) for name in FAMILIES)
        if row["check"] and survivors:
            yield (
                f"| {row['task']} | {row['check']} | {row['mutants']} | {row['caught']} "
                f"| {survivors} | {row['score']} |"
            )
