"""Programs that are wrong in one way each, made of every solution by rule, and who notices.

Every function and method of a reference solution that takes tensors is changed in several ways;
each such program runs at the checks that do not train, without a sandbox, and where it passes all
its answers are compared with the right ones on inputs of the whole domain.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pages import ROOT, all_tasks, loaded

from harness.collect.pool import fresh
from harness.files import read_csv, write_csv
from harness.mutation import forks
from harness.mutation.source import Operator
from harness.mutation.trying import subject_of, try_all


@dataclass(frozen=True)
class Ways:
    """Ways to be wrong, and the table of what became of the programs.

    Attributes:
        column: the name of the table's column of ways; each way is the name of an operator.
    """

    csv: Path
    column: str
    operators: tuple[Operator, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the table: a row is what became of one program."""
        return ("task", "version", "function", self.column, "outcome")


def rows(ways: Ways, name: str) -> list[dict[str, object]]:
    """What became of every program that is made of the solution of a task."""
    forks.settle()
    task = loaded(name)
    assert task.reference is not None
    subject = subject_of(task, task.reference.solution, ROOT / "reference" / name)
    tried = try_all(subject, subject.source.changes(ways.operators))
    return [
        {
            "task": name,
            "version": task.spec.version,
            "function": item.change.unit,
            ways.column: item.change.operator,
            "outcome": item.outcome,
        }
        for item in tried
        if item.outcome != "untried"
    ]


def main(ways: Ways, description: str) -> None:
    """Tries the programs of the tasks that the command line names, and replaces their rows."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("tasks", nargs="*", metavar="TASK", help="all by default")
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args()
    names: Sequence[str] = args.tasks or all_tasks()
    known: list[dict[str, object]] = [
        dict(row) for row in read_csv(ways.csv, ways.columns) if row["task"] not in names
    ]
    with fresh(args.jobs) as pool:
        for name, future in [(name, pool.submit(rows, ways, name)) for name in names]:
            known += future.result()
            write_csv(ways.csv, ways.columns, sorted(known, key=lambda row: str(row["task"])))
            print(name, flush=True)
