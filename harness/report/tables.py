"""leaderboard.csv and grades.csv.

Columns come from the gradebook's specs, rows from its submissions; equal gradebooks give equal
bytes. Texts are sanitised and no spreadsheet takes them for formulas, numbers have every digit, and
a missing value is an empty cell. :func:`read` gives the same values back.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.files import csv_text, write_text
from harness.marking.gradebook import Gradebook, SubmissionGrade
from harness.report.grade_lines import GRADE_COLUMNS, Value, grade_rows
from harness.report.marks import number, ranked, task_ids, task_points
from harness.report.names import labels
from harness.report.sanitise import NAME_LIMIT, SENTENCE_LIMIT, cell, clean
from harness.statistics.ranking import least_seeds, letters, rank_intervals, simultaneous

if TYPE_CHECKING:
    import pandas as pd

_BEFORE_TASKS = ("rank", "rank_lo", "rank_hi", "letters", "submission", "points", "max_points")
_AFTER_TASKS = (
    *("late", "penalty", "override", "mark"),
    *("mean", "ci_lo", "ci_hi", "n_seeds", "phase", "isolation"),
    *("submission_sha256", "harness_sha256", "provisional", "stale"),
)
_FIXED = frozenset((*_BEFORE_TASKS, *_AFTER_TASKS, *GRADE_COLUMNS))
_NUMBERS = frozenset(
    (
        *("rank", "rank_lo", "rank_hi", "points", "max_points", "mean", "ci_lo", "ci_hi"),
        *("n_seeds", "seeds_used", "provisional", "late", "penalty", "override", "mark"),
    )
)
_TEXTS = _FIXED - _NUMBERS
#: Chance that a leaderboard claims any difference that is not there, if differences are symmetric.
_ALPHA = 0.05


@dataclass(frozen=True)
class Standing:
    """The figures of the metrics that are declared for the leaderboard; None where unknown.

    Attributes:
        metrics: task and check of each, in the order of the specs.
        values: those of each metric, one a seed; empty where some are unusable.
    """

    mean: float | None = None
    ci_lo: float | None = None
    ci_hi: float | None = None
    n_seeds: int | None = None
    metrics: tuple[tuple[str, str], ...] = ()
    values: tuple[tuple[float, ...], ...] = ()


@dataclass(frozen=True)
class Comparison:
    """A row compared with all others: the ranks that it may have, and its letters."""

    rank_lo: int
    rank_hi: int
    letters: str


def task_column(task: str) -> str:
    """The leaderboard's column of a task: its id, with ``task:`` before it if that is taken."""
    column = clean(task, NAME_LIMIT)
    return f"task:{column}" if column in _FIXED else column


def leaderboard_columns(gradebook: Gradebook) -> list[str]:
    """The header of the leaderboard: one column a task between the fixed ones."""
    return [*_BEFORE_TASKS, *map(task_column, task_ids(gradebook)), *_AFTER_TASKS]


def leaderboard_rows(gradebook: Gradebook) -> list[dict[str, Value]]:
    """The leaderboard, best first: ranks by points, ties sharing the best place of theirs.

    ``mean`` averages what verdicts carry as ``evidence["leaderboard"]`` (a mapping of mean, ci_lo,
    ci_hi, n_seeds and values, normalised so that metrics can be averaged). With one such verdict
    its interval is given; with several there is none, and ``n_seeds`` is the smallest. A figure
    that is not finite leaves them all empty rather than averaging the rest. None of these depends
    on another row.

    ``rank_lo``, ``rank_hi`` and ``letters`` are about ``mean``, not about points: see
    :func:`compared`.
    """
    label = labels(gradebook)
    tasks = task_ids(gradebook)
    places = ranked(gradebook)
    standings = {place.row.name: standing_of(place.row) for place in places}
    comparisons = compared(standings)
    rows: list[dict[str, Value]] = []
    for place in places:
        row, standing = place.row, standings[place.row.name]
        comparison = comparisons.get(row.name)
        points = {task.id: task_points(task) for task in row.tasks}
        record: dict[str, Value] = {"rank": place.rank}
        record |= {"rank_lo": comparison.rank_lo if comparison else None}
        record |= {"rank_hi": comparison.rank_hi if comparison else None}
        record |= {"letters": comparison.letters if comparison else None}
        record |= {"submission": label[row.name]}
        record |= {"points": number(row.points), "max_points": number(row.max_points)}
        record |= {task_column(task): points.get(task) for task in tasks}
        record |= _beside(row)
        record |= {"mean": standing.mean, "ci_lo": standing.ci_lo, "ci_hi": standing.ci_hi}
        record |= {"n_seeds": standing.n_seeds, "phase": clean(gradebook.run.phase, NAME_LIMIT)}
        record |= {"isolation": clean(row.isolation, NAME_LIMIT)}
        record |= {"submission_sha256": clean(row.sha256, NAME_LIMIT)}
        record |= {"harness_sha256": clean(gradebook.run.harness_sha256, NAME_LIMIT)}
        record |= {"provisional": row.provisional}
        record |= {"stale": clean(" ".join(row.stale), SENTENCE_LIMIT)}
        rows.append(record)
    return rows


def _beside(row: SubmissionGrade) -> dict[str, Value]:
    """What stands beside the computed points, and the mark that comes of all; late in days."""
    return {
        "late": row.late.days if row.late else None,
        "penalty": number(row.penalty),
        "override": number(round(row.overridden - row.points, 4)),
        "mark": number(row.mark),
    }


def standing_of(row: SubmissionGrade) -> Standing:
    """The leaderboard figures in the evidence of a row's verdicts."""
    by_metric = {
        (task.id, verdict.check): record
        for task in row.tasks
        for verdict in task.verdicts
        if isinstance(record := verdict.evidence.get("leaderboard"), Mapping)
    }
    records = list(by_metric.values())
    means = [_finite(record.get("mean")) for record in records]
    known = [mean for mean in means if mean is not None]
    if not known or len(known) < len(means):
        return Standing(metrics=tuple(by_metric))
    seeds = [_finite(record.get("n_seeds")) for record in records]
    counted = [int(count) for count in seeds if count is not None]
    return Standing(
        mean=number(math.fsum(known) / len(known)),
        ci_lo=_finite(records[0].get("ci_lo")) if len(records) == 1 else None,
        ci_hi=_finite(records[0].get("ci_hi")) if len(records) == 1 else None,
        n_seeds=min(counted) if len(counted) == len(records) else None,
        metrics=tuple(by_metric),
        values=tuple(_values(record.get("values")) for record in records),
    )


def _values(figures: Any) -> tuple[float, ...]:
    """The values by seed; empty where one of them is unusable."""
    if isinstance(figures, np.ndarray):
        figures = figures.tolist()
    if not isinstance(figures, list | tuple):
        return ()
    values = [_finite(figure) for figure in figures]
    known = tuple(value for value in values if value is not None)
    return known if len(known) == len(values) else ()


def compared(standings: Mapping[str, Standing]) -> dict[str, Comparison]:
    """Every row that can be compared, by its name, beside all others of the kind.

    All pairs are compared at once, at a familywise level of .05, metric by metric and seed by seed
    (:func:`harness.statistics.ranking.simultaneous`): where differences are symmetric, no place of
    the whole table lies outside ``rank_lo`` to ``rank_hi`` with probability .95, and rows that
    share a letter do not differ significantly. Where seeds are unequally hard and some programs
    feel it more, the error measured is above .05 (.09 for exponential difficulty, .19 where few
    seeds are hard: docs/statistics.md). Ranks count compared rows only. Compared are rows with

    - every leaderboard metric that occurs in the run, since means of different metrics say nothing
      about each other, with at least one value of each;
    - at least six values in all: no fewer can show a difference at that level.

    Where the numbers of a metric's seeds differ, the first k of each row are compared, k being the
    smallest number among the compared rows, so that nobody is judged on seeds that others were
    spared. Every metric has the same weight, however many seeds it has. A row that is not compared
    changes nothing for those that are.
    """
    metrics = {metric for standing in standings.values() for metric in standing.metrics}
    least = least_seeds(_ALPHA)
    values = {
        name: standing.values
        for name, standing in standings.items()
        if set(standing.metrics) == metrics
        and all(standing.values)
        and sum(map(len, standing.values)) >= least
    }
    if not values:
        return {}
    shortest = [min(map(len, metric)) for metric in zip(*values.values(), strict=True)]
    rows = [_weighted(by_metric, shortest) for by_metric in values.values()]
    comparisons = simultaneous(rows, paired=True, alpha=_ALPHA)
    lo, hi = rank_intervals(comparisons)
    columns = zip(values, lo.tolist(), hi.tolist(), letters(comparisons), strict=True)
    return {name: Comparison(first, last, shown) for name, first, last, shown in columns}


def _weighted(metrics: Sequence[Sequence[float]], counts: Sequence[int]) -> list[float]:
    """The first values of all metrics in one row whose mean is the mean of the metrics' means."""
    total = sum(counts)
    return [
        value * total / (count * len(counts))
        for seeds, count in zip(metrics, counts, strict=True)
        for value in seeds[:count]
    ]


def _finite(value: Any) -> float | None:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return number(value) if math.isfinite(value) else None


def write_leaderboard(gradebook: Gradebook, path: Path) -> Path:
    """Write the leaderboard as CSV, whole or not at all; returns the path."""
    return _write(leaderboard_columns(gradebook), leaderboard_rows(gradebook), path)


def write_grades(gradebook: Gradebook, path: Path) -> Path:
    """Write one line a submission and check as CSV, whole or not at all; returns the path."""
    return _write(GRADE_COLUMNS, grade_rows(gradebook), path)


def _write(columns: Sequence[str], rows: Iterable[Mapping[str, Value]], path: Path) -> Path:
    cells = ([_cell(row[column]) for column in columns] for row in rows)
    return write_text(path, csv_text([cell(column) for column in columns], cells))


def _cell(value: Value) -> str:
    if value is None:
        return ""
    return cell(value) if isinstance(value, str) else repr(value)


def read(path: Path) -> pd.DataFrame:
    """Read either table back: texts stay texts (``NA`` and ``007`` too), floats keep every bit."""
    import pandas as pd  # imported here because writing the tables does not need it

    with path.open(encoding="utf-8", newline="") as stream:
        columns = next(csv.reader(stream))
    texts = [column for column in columns if column in _TEXTS]
    return pd.read_csv(
        path,
        dtype=dict.fromkeys(texts, "str"),
        na_values={column: [""] for column in columns if column not in _TEXTS},
        keep_default_na=False,
    )
