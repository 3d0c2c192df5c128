"""Programs that keep results by part of their arguments: ``python docs/evidence/kept.py``.

Every function and method of a reference solution that takes tensors is made to keep its results in
several ways, of which ``verify --mutate`` has some; each such program runs at the checks that do
not train, without a sandbox, and where it passes all its answers are compared with the right ones.
docs/evidence/kept.csv has what became of it; docs/strength.md has the table. About ten processor
seconds a task; with names only these.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence

from pages import EVIDENCE, ROOT, all_tasks, loaded

from harness.collect.pool import fresh
from harness.files import read_csv, write_csv
from harness.mutation import forks
from harness.mutation.keeping import keeps_parts, kept_by, kept_without_one
from harness.mutation.source import Operator, Place, Rule
from harness.mutation.trying import subject_of, try_all

CSV = EVIDENCE / "kept.csv"
COLUMNS = ("task", "version", "function", "kept_by", "outcome")
#: What is kept by: the shapes of the arguments and this part of every array.
PARTS = {
    "shapes": "a[:0]",
    "first rows": "a[:1]",
    "first columns": "a[..., :1]",
    "first numbers": "a.flatten()[:1]",
    "last numbers": "a.flatten()[-1:]",
    "sums": "float(round(float(a.sum()), 6))",
}
ALL_BUT_ONE = "all arguments but one"


def operators() -> tuple[Operator, ...]:
    """One for every way of keeping results, called after it."""
    by_part = [Operator(name, _by_part(part), "state") for name, part in PARTS.items()]
    return (*by_part, Operator(ALL_BUT_ONE, _without_one, "state"))


def _by_part(part: str) -> Rule:
    def rule(place: Place) -> Iterator[str]:
        if keeps_parts(place):
            yield kept_by(part)

    return rule


def _without_one(place: Place) -> Iterator[str]:
    if keeps_parts(place):
        yield from kept_without_one(place)


def rows(name: str) -> list[dict[str, object]]:
    """What became of every program that is made of the solution of a task."""
    forks.settle()
    task = loaded(name)
    assert task.reference is not None
    subject = subject_of(task, task.reference.solution, ROOT / "reference" / name)
    tried = try_all(subject, subject.source.changes(operators()))
    return [
        {
            "task": name,
            "version": task.spec.version,
            "function": item.change.unit,
            "kept_by": item.change.operator,
            "outcome": item.outcome,
        }
        for item in tried
        if item.outcome != "untried"
    ]


def main(names: Sequence[str], jobs: int) -> None:
    """Tries the programs of some tasks, and replaces their rows."""
    known: list[dict[str, object]] = [
        dict(row) for row in read_csv(CSV, COLUMNS) if row["task"] not in names
    ]
    with fresh(jobs) as pool:
        for name, future in [(name, pool.submit(rows, name)) for name in names]:
            known += future.result()
            write_csv(CSV, COLUMNS, sorted(known, key=lambda row: str(row["task"])))
            print(name, flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Programs that keep results, and who notices.")
    parser.add_argument("tasks", nargs="*", metavar="TASK")
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args()
    main(args.tasks or all_tasks(), args.jobs)
