"""The CSV tables: columns, ranks, round trips, and one row that cannot hurt another."""

from __future__ import annotations

import csv
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from harness.report.tables import (
    grade_rows,
    leaderboard_columns,
    leaderboard_rows,
    read,
    standing_of,
    write_grades,
    write_leaderboard,
)


def records(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_leaderboard_columns(build: Any) -> None:
    assert leaderboard_columns(build.book(build.every_status())) == [
        *("rank", "rank_lo", "rank_hi", "letters", "submission", "points", "max_points"),
        *("kl", "nll", "mean", "ci_lo", "ci_hi", "n_seeds", "phase", "isolation"),
        *("submission_sha256", "harness_sha256", "provisional"),
    ]


def test_leaderboard_of_an_empty_run(build: Any, tmp_path: Path) -> None:
    path = write_leaderboard(build.book(), tmp_path / "leaderboard.csv")
    assert records(path) == []
    assert read(path).empty


def test_leaderboard_rows(build: Any) -> None:
    low, high = build.scored("low", 0.5), build.scored("high", 2)
    first, second = leaderboard_rows(build.book(high, low))
    assert first == {
        **{"rank": 1, "rank_lo": None, "rank_hi": None, "letters": None, "submission": "high"},
        **{"points": 2.0, "max_points": 2.0, "kl": 2.0, "mean": None, "ci_lo": None},
        **{"ci_hi": None, "n_seeds": None, "phase": "final", "isolation": "L3"},
        **{"submission_sha256": "ab" * 32, "harness_sha256": "d" * 64, "provisional": False},
    }
    assert (second["rank"], second["submission"], second["kl"]) == (2, "low", 0.5)


def test_a_task_called_like_a_column_keeps_its_own(build: Any, tmp_path: Path) -> None:
    tasks = [build.task(build.verdict(), id=id) for id in ("mean", "message", "kl")]
    path = write_leaderboard(build.book(build.row("ada", *tasks)), tmp_path / "leaderboard.csv")
    table = read(path)
    assert table[["task:mean", "task:message", "kl"]].iloc[0].tolist() == [2.0, 2.0, 2.0]
    assert math.isnan(table["mean"].iloc[0])


def test_a_missing_or_undecided_task_is_an_empty_cell(build: Any, tmp_path: Path) -> None:
    undecided = build.task(build.verdict(status="UNGRADABLE"), id="nll")
    whole = build.row("ada", build.task(build.verdict()), undecided)
    partial = build.row("bob", build.task(build.verdict()))
    path = write_leaderboard(build.book(whole, partial), tmp_path / "leaderboard.csv")
    assert [record["nll"] for record in records(path)] == ["", ""]
    assert [record["provisional"] for record in records(path)] == ["True", "False"]


def metric(build: Any, *figures: Any) -> Any:
    verdicts = [
        build.verdict(f"c{place}", evidence={"leaderboard": figure})
        for place, figure in enumerate(figures)
    ]
    return standing_of(build.row("ada", build.task(build.verdict(), *verdicts)))


def test_one_metric_brings_its_interval(build: Any) -> None:
    found = metric(build, {"mean": np.float64(0.5), "ci_lo": 0.4, "ci_hi": 0.75, "n_seeds": 8})
    assert (found.mean, found.ci_lo, found.ci_hi, found.n_seeds) == (0.5, 0.4, 0.75, 8)


def test_several_metrics_are_averaged_without_an_interval(build: Any) -> None:
    figures = {"mean": 0.5, "ci_lo": 0.4, "ci_hi": 0.6, "n_seeds": np.int64(8)}
    found = metric(build, figures, figures | {"mean": 1, "n_seeds": 5})
    assert (found.mean, found.ci_lo, found.ci_hi, found.n_seeds) == (0.75, None, None, 5)


@pytest.mark.parametrize("bad", [math.nan, math.inf, "nan", None, True])
def test_a_metric_without_a_finite_mean_leaves_all_empty(build: Any, bad: Any) -> None:
    good = {"mean": 0.5, "ci_lo": 0.4, "ci_hi": 0.6, "n_seeds": 8}
    for found in (metric(build, good | {"mean": bad}), metric(build, good, {"mean": bad})):
        assert (found.mean, found.ci_lo, found.ci_hi, found.n_seeds) == (None, None, None, None)


def test_other_figures_of_a_metric_may_be_missing(build: Any) -> None:
    found = metric(build, {"mean": 0.5, "ci_lo": "-inf", "ci_hi": math.inf})
    assert (found.mean, found.ci_lo, found.ci_hi, found.n_seeds) == (0.5, None, None, None)
    assert metric(build, "not a mapping").mean is None


def test_grades_hold_every_check_in_order(build: Any) -> None:
    rows = grade_rows(build.book(build.every_status("bob"), build.every_status("ada")))
    checks = ["passes", "fails", "undecided", "raises", "skipped", "ours", "secret", "secret-pass"]
    assert [row["check"] for row in rows] == checks * 2
    assert [row["submission"] for row in rows] == ["ada"] * 8 + ["bob"] * 8
    assert [row["points"] for row in rows[:6]] == [2.0, 0.5, 1.0, 0.0, 0.0, None]


def test_no_example_reaches_the_grades(build: Any, tmp_path: Path) -> None:
    path = write_grades(build.book(build.every_status()), tmp_path / "grades.csv")
    assert "unseen-got" not in path.read_text(encoding="utf-8")


def test_pandas_reads_the_same_values(build: Any, tmp_path: Path) -> None:
    names = ["NA", "007", "1e5", "None", "ordinary, with comma"]
    rows = [build.scored(name, 0.1 + index / 7) for index, name in enumerate(names)]
    book = build.book(*rows, build.every_status("zoe"))
    for write, source in ((write_grades, grade_rows), (write_leaderboard, leaderboard_rows)):
        table = read(write(book, tmp_path / "table.csv"))
        wanted = source(book)
        assert table["submission"].tolist() == [row["submission"] for row in wanted]
        for column in table.columns:
            for value, want in zip(table[column], [row[column] for row in wanted], strict=True):
                assert value == want or (want is None and (value == "" or math.isnan(value)))


def test_plain_pandas_reads_ordinary_tables(build: Any, tmp_path: Path) -> None:
    path = write_grades(build.book(build.every_status()), tmp_path / "grades.csv")
    table = pd.read_csv(path)
    assert table["points"].tolist()[:5] == [2.0, 0.5, 1.0, 0.0, 0.0]
    assert table["points"].isna().tolist() == [False] * 5 + [True] + [False] * 2


def test_hostile_texts_are_harmless(build: Any, tmp_path: Path, hostile: tuple[str, ...]) -> None:
    rows = [
        build.row(
            f"{index}{text}",
            build.task(build.verdict("c", "FAIL", message=text, hint=text, cause=text)),
            display_name=text,
            isolation=text,
        )
        for index, text in enumerate(hostile)
    ]
    book = build.book(*rows)
    for write in (write_grades, write_leaderboard):
        path = write(book, tmp_path / "table.csv")
        lines = path.read_bytes().decode("utf-8").split("\n")
        assert len(lines) == len(hostile) + 2
        assert all(len(line) < 4000 and line.isprintable() for line in lines)
        for record in records(path):
            for column, value in record.items():
                assert value == "" or value[0] not in "=+-@\t\r" or column == "points"
        assert len({record["submission"] for record in records(path)}) == len(hostile)


def test_a_broken_submission_leaves_the_others_alone(build: Any, tmp_path: Path) -> None:
    good = [build.every_status("ada"), build.every_status("zoe")]
    broken = [
        build.row("mid", problems=("unsafe archive",)),
        replace(build.every_status("mid"), tasks=()),
        build.row("mid", build.task(build.verdict(points=math.nan, task="other"), id="other")),
        build.row("mid", display_name="=1\x1b[2J\n", sha256="\ud800"),
    ]
    alone = {row["submission"]: row for row in leaderboard_rows(build.book(*good))}
    lines = {tuple(row.values()) for row in grade_rows(build.book(*good))}
    for bad in broken:
        book = build.book(good[0], bad, good[1])
        for row in leaderboard_rows(book):
            if want := alone.get(row["submission"]):
                assert {key: row[key] for key in want if key != "rank"} == {
                    key: want[key] for key in want if key != "rank"
                }
        assert lines <= {tuple(row.values()) for row in grade_rows(book)}


def test_equal_gradebooks_give_equal_bytes(build: Any, tmp_path: Path) -> None:
    whole = build.book(build.row("bob", build.task(build.verdict(points=2))), build.row("ada"))
    same = build.book(build.row("ada"), build.row("bob"), circumstances={"seconds": {"bob": 3.0}})
    for write in (write_grades, write_leaderboard):
        first, second = write(whole, tmp_path / "1.csv"), write(same, tmp_path / "2.csv")
        assert first.read_bytes() == second.read_bytes()
        assert b"\r" not in first.read_bytes()
