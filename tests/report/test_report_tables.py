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
from harness.statistics.ranking import letters, rank_intervals, simultaneous


def records(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_leaderboard_columns(build: Any) -> None:
    assert leaderboard_columns(build.book(build.every_status())) == [
        *("rank", "rank_lo", "rank_hi", "letters", "submission", "points", "max_points"),
        *(
            "kl",
            "nll",
            "late",
            "penalty",
            "override",
            "mark",
            "mean",
            "ci_lo",
            "ci_hi",
            "n_seeds",
            "phase",
            "isolation",
        ),
        *("submission_sha256", "harness_sha256", "provisional", "stale"),
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
        **{"late": None, "penalty": 0.0, "override": 0.0, "mark": 2.0},
        **{"ci_hi": None, "n_seeds": None, "phase": "final", "isolation": "L3"},
        **{"submission_sha256": "ab" * 32, "harness_sha256": "d" * 64, "provisional": False},
        **{"stale": ""},
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


def board(build: Any, **values: Any) -> Any:
    """A gradebook of one leaderboard metric, with these values by seed of every submission."""
    return build.book(*(contestant(build, name, own) for name, own in values.items()))


def contestant(build: Any, name: str, *metrics: Any, points: float = 2.0) -> Any:
    verdicts = [
        build.verdict(f"c{place}", points=points, evidence={"leaderboard": figures(values)})
        for place, values in enumerate(metrics)
    ]
    return build.row(name, build.task(*verdicts))


def figures(values: Any) -> Any:
    known = {"mean": 0.5, "ci_lo": 0.4, "ci_hi": 0.6, "n_seeds": 8}
    return known if values is None else known | {"values": values}


def comparisons(book: Any) -> dict[str, tuple[Any, Any, Any]]:
    return {
        str(row["submission"]): (row["rank_lo"], row["rank_hi"], row["letters"])
        for row in leaderboard_rows(book)
    }


EMPTY = (None, None, None)
SEEDS = (0.1, 0.7, 0.3, 0.2, 0.6, 0.5, 0.4, 0.8)


def shifted(by: float, values: Any = SEEDS) -> list[float]:
    return [value + by for value in values]


def test_rank_intervals_and_letters_are_about_the_values(build: Any, tmp_path: Path) -> None:
    same = [0.15, 0.65, 0.35, 0.15, 0.65, 0.45, 0.45, 0.75]
    book = board(build, ada=list(SEEDS), bob=np.array(shifted(2)), cleo=same, dan=shifted(-2))
    assert comparisons(book) == {
        **{"ada": (2, 3, "b"), "bob": (1, 1, "a"), "cleo": (2, 3, "b"), "dan": (4, 4, "c")},
    }
    written = records(write_leaderboard(book, tmp_path / "leaderboard.csv"))
    assert [(row["rank"], row["rank_lo"], row["rank_hi"]) for row in written] == [
        *(("1", "2", "3"), ("1", "1", "1"), ("1", "2", "3"), ("1", "4", "4")),
    ]
    assert read(tmp_path / "leaderboard.csv")["letters"].tolist() == ["b", "a", "b", "c"]


def test_comparisons_agree_with_the_statistics(build: Any) -> None:
    rng = np.random.default_rng(90)
    values = rng.standard_normal((12, 9)) + rng.uniform(0, 6, 9)
    names = [f"s{place}" for place in range(9)]
    found = comparisons(board(build, **dict(zip(names, values.T.tolist(), strict=True))))
    wanted = simultaneous(list(values.T), paired=True)
    lo, hi = (side.tolist() for side in rank_intervals(wanted))
    assert [found[name] for name in names] == list(zip(lo, hi, letters(wanted), strict=True))
    assert len({text for _, _, text in found.values()}) > 3


def test_points_do_not_enter_the_comparison(build: Any) -> None:
    low = contestant(build, "low", shifted(3), points=0.5)
    high = contestant(build, "high", SEEDS)
    rows = leaderboard_rows(build.book(low, high))
    assert [(row["submission"], row["rank"], row["rank_lo"]) for row in rows] == [
        *(("high", 1, 2), ("low", 2, 1)),
    ]


@pytest.mark.parametrize(
    "bad",
    [
        *(None, [], "0.5", 0.5, {"0": 0.5}, [0.5] * 5, [*SEEDS[:7], math.nan], [math.inf] * 8),
        *(["0.5"] * 8, [True] * 8, [None] * 8, [[0.5]] * 8, [[0.5], [0.5, 0.6]]),
        *(np.ones((8, 2)), np.array(0.5), np.array([0.5] * 7 + [np.nan])),
    ],
)
def test_a_row_without_usable_values_is_not_compared_and_disturbs_nobody(
    build: Any, bad: Any
) -> None:
    others = [contestant(build, "ada", SEEDS), contestant(build, "zoe", shifted(2))]
    wanted = comparisons(build.book(*others))
    assert wanted == {"ada": (2, 2, "b"), "zoe": (1, 1, "a")}
    book = build.book(*others, contestant(build, "mid", bad))
    assert comparisons(book) == wanted | {"mid": EMPTY}
    (row,) = (row for row in leaderboard_rows(book) if row["submission"] == "mid")
    assert (row["mean"], row["ci_lo"], row["ci_hi"], row["n_seeds"]) == (0.5, 0.4, 0.6, 8)


def test_rows_that_broke_disturb_nobody(build: Any) -> None:
    others = [contestant(build, "ada", SEEDS), contestant(build, "zoe", shifted(2))]
    wanted = leaderboard_rows(build.book(*others))
    broken = [
        build.row("mid", build.task(build.verdict("c0", "ERROR", cause="exception"))),
        build.row("mid", problems=("unsafe archive",)),
        replace(build.row("mid"), tasks=()),
        build.row(
            "mid", build.task(build.verdict("c0", evidence={"leaderboard": {"mean": math.nan}}))
        ),
    ]
    for bad in broken:
        rows = {row["submission"]: row for row in leaderboard_rows(build.book(bad, *others))}
        assert [rows["mid"][column] for column in ("rank_lo", "rank_hi", "letters")] == [None] * 3
        for row in wanted:
            assert {**rows[row["submission"]], "rank": None} == {**row, "rank": None}


def test_mean_and_interval_of_a_row_are_its_own(build: Any) -> None:
    own = contestant(build, "own", SEEDS)
    columns = ("mean", "ci_lo", "ci_hi", "n_seeds", "points", "kl")
    alone = leaderboard_rows(build.book(own))[0]
    assert (alone["rank_lo"], alone["rank_hi"], alone["letters"]) == (1, 1, "a")
    for by in (-100.0, 0.001, 100.0):
        better = contestant(build, "another", shifted(by), points=1)
        rows = {row["submission"]: row for row in leaderboard_rows(build.book(better, own))}
        assert [rows["own"][name] for name in columns] == [alone[name] for name in columns]


def test_rows_are_compared_on_the_seeds_that_all_have(build: Any) -> None:
    rng = np.random.default_rng(91)
    values = {name: rng.standard_normal(20).tolist() for name in ("ada", "bob", "cleo")}
    values["bob"][7:] = shifted(9, values["bob"][7:])
    wanted = comparisons(board(build, **{name: own[:7] for name, own in values.items()}))
    for name in values:
        assert comparisons(board(build, **values | {name: values[name][:7]})) == wanted
    assert {text for _, _, text in wanted.values()} == {"a"}
    assert comparisons(board(build, **values))["bob"] == (1, 1, "a")
    # One that has too few for any claim is left out instead.
    wanted = comparisons(board(build, ada=values["ada"], bob=values["bob"]))
    short = comparisons(board(build, **values | {"cleo": values["cleo"][:5]}))
    assert short == wanted | {"cleo": EMPTY}


def test_metrics_have_the_same_weight_however_many_seeds_they_have(build: Any) -> None:
    rng = np.random.default_rng(93)
    names = ("ada", "bob", "cleo")
    long, short = (
        {
            name: (rng.standard_normal(count) + 2 * place).tolist()
            for place, name in enumerate(names)
        }
        for count in (12, 4)
    )
    book = build.book(*(contestant(build, name, long[name], short[name]) for name in names))
    for row in book.submissions:
        assert standing_of(row).values == (tuple(long[row.name]), tuple(short[row.name]))
    joined = {
        name: [value * 16 / 24 for value in long[name]] + [value * 16 / 8 for value in short[name]]
        for name in names
    }
    assert comparisons(book) == comparisons(board(build, **joined))
    for name in names:
        assert np.mean(joined[name]) == pytest.approx(
            (np.mean(long[name]) + np.mean(short[name])) / 2
        )


def test_each_metric_is_compared_on_the_seeds_of_it_that_all_have(build: Any) -> None:
    second = shifted(3)
    rows = {"ada": (SEEDS, second), "zoe": (shifted(1), SEEDS)}
    wanted = comparisons(
        build.book(*(contestant(build, name, one, two[:5]) for name, (one, two) in rows.items()))
    )
    cut = {**rows, "ada": (SEEDS, second[:5])}
    assert (
        comparisons(build.book(*(contestant(build, n, *two) for n, two in cut.items()))) == wanted
    )


@pytest.mark.parametrize("second", [None, [], (*SEEDS[:7], math.nan)])
def test_a_row_with_an_unusable_metric_is_not_compared(build: Any, second: Any) -> None:
    whole = contestant(build, "ada", SEEDS, SEEDS), contestant(build, "zoe", shifted(1), SEEDS)
    found = comparisons(build.book(*whole, contestant(build, "mid", SEEDS, second)))
    assert found == comparisons(build.book(*whole)) | {"mid": EMPTY}
    assert found["zoe"] == (1, 1, "a")


def test_a_row_without_one_of_the_metrics_is_not_compared(build: Any) -> None:
    whole = contestant(build, "ada", SEEDS, SEEDS), contestant(build, "zoe", shifted(1), SEEDS)
    found = comparisons(build.book(*whole, contestant(build, "mid", shifted(9))))
    assert found == {"ada": (2, 2, "b"), "zoe": (1, 1, "a"), "mid": EMPTY}


def test_order_of_rows_does_not_matter(build: Any) -> None:
    rng = np.random.default_rng(92)
    rows = [
        contestant(build, f"s{place}", (rng.standard_normal(10) + place / 2).tolist())
        for place in range(8)
    ]
    wanted = leaderboard_rows(build.book(*rows))
    assert leaderboard_rows(build.book(*(rows[place] for place in rng.permutation(8)))) == wanted


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
            build.task(build.verdict("c", "FAIL", message=text, hint=text, cause="wrong")),
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
