"""The matrix of bugs and checks is that of the files it is made from, and says what it shows."""

import json
import math

import pytest
import yaml

from harness import stored_runs
from harness.stored_runs import StoredRuns
from tests.support.programs import ROOT, load_module

MATRIX = load_module(ROOT / "docs" / "detectability.py")


@pytest.fixture(scope="module")
def stored():
    return MATRIX.read(MATRIX.CSV.read_text(encoding="utf-8"))


def test_the_figures_are_those_of_mistakes_and_stored_runs():
    """Another mistake, verdict or run needs `python docs/detectability.py`."""
    assert MATRIX.to_csv(MATRIX.rows()) == MATRIX.CSV.read_text(encoding="utf-8")


def test_the_heat_map_and_the_tables_are_made_from_the_csv(stored):
    assert MATRIX.draw(stored) == MATRIX.SVG.read_text(encoding="utf-8")
    text = MATRIX.PAGE.read_text(encoding="utf-8")
    assert MATRIX.page(text, stored) == text


def test_every_mistake_with_a_number_of_the_matrix_is_in_it(stored):
    """But those that `verify` has not judged yet, and trained ones without stored runs."""
    shown = {(row.task, row.mistake, row.bug) for row in stored}
    for task in MATRIX.TASKS:
        path = ROOT / "reference" / task / "mistakes.yaml"
        trained = "learns" if MATRIX.TASKS[task] else ""
        for mistake in yaml.safe_load(path.read_text(encoding="utf-8"))["mistakes"]:
            for bug in set(mistake.get("bug", [])) & set(MATRIX.BUGS):
                assert (task, mistake["name"], bug) in shown or mistake["check"] == trained


def row(failed, runs, power, low, column="probe", mistake="x", check="a"):
    rest = 1.0, 0.5, 0.0
    return MATRIX.Row(88, column, "t", check, mistake, runs, failed, power, low, *rest)


def test_a_cell_is_of_the_mistake_that_is_seen_least_by_the_check_that_sees_it_best():
    seen = [row(20, 20, 1.0, 0.9), row(0, 20, 0.0, 0.0, check="b")]
    faint = [row(5, 10, 0.6, 0.2, mistake="y"), row(1, 10, 0.1, 0.0, mistake="y", check="b")]
    shown = MATRIX.cell(seen + faint, 88, "probe")
    assert (shown.power, shown.text) == (0.6, "25/30: .20–.60")
    assert MATRIX.cell(seen, 88, "probe").text == "20/20: .90–1"
    assert MATRIX.cell(seen, 88, "cartpole") == MATRIX.NOTHING
    assert MATRIX.cell(seen, 87, "probe") == MATRIX.NOTHING


def test_means_of_pilots_have_no_power():
    nan = math.nan
    pilot = MATRIX.Row(87, "minatar", "t", "", "x", 3, -1, nan, nan, nan, 3.08, 3.65)
    shown = MATRIX.cell([pilot], 87, "minatar")
    assert shown.pilot
    assert math.isnan(shown.power)
    assert shown.text == "3.08 (3.65)"


def test_power_rises_with_the_share_of_seeds_that_fail():
    task = MATRIX.loaded_task("dqn-mini-breakout")
    check = task.spec.check("learns")
    powers = [MATRIX.power(check, rate) for rate in (1.0, 0.95, 0.7, 0.4, 0.0)]
    assert powers == sorted(powers)
    assert powers[1] < 2e-6
    assert powers[3] > 0.99


def test_what_the_page_says_of_returns_is_in_the_figures(stored):
    def values(bug, column):
        return {
            row.mistake: (row.value, row.honest)
            for row in stored
            if (row.bug, row.column) == (bug, column) and row.failed < 0
        }

    assert values(90, "minatar")["mean-over-actions"] == (3.81, 3.65)
    assert values(93, "minatar")["no-target-network"] == (4.1, 3.65)
    trained = {(row.task, row.mistake): row for row in stored if row.column == "mini-game"}
    game = {name: row for (task, name), row in trained.items() if task == "dqn-mini-breakout"}
    means = {"mean-of-the-next-values": 17.2, "truncation-as-terminal": 18.3}
    means |= {"resets-stored": 17.4, "plays-as-it-explored": 15.5, "no-terminal-mask": 1.0}
    for name, mean in means.items():
        assert game[name].value == pytest.approx(mean, abs=0.05)
        assert game[name].failed == (game[name].runs if name == "no-terminal-mask" else 0)
    assert game["resets-stored"].honest == pytest.approx(18.8, abs=0.05)
    seen = [
        row for row in stored if row.column == "probe" and row.mistake == "mean-of-the-next-values"
    ]
    assert any(row.failed == row.runs == 10 for row in seen)


def test_seeds_are_those_of_the_present_measurements():
    """Another measurement needs `python docs/evidence/power.py TASK`, an hour for all."""
    lines = MATRIX.SEEDS.read_text(encoding="utf-8").splitlines()
    runs = [StoredRuns(**json.loads(line)) for line in lines]
    tasks = {item.name.split("/")[0] for item in runs}
    assert tasks == {name for name, column in MATRIX.TASKS.items() if column}
    for name in tasks:
        protocol = stored_runs.protocol(MATRIX.loaded_task(name))
        own = [item for item in runs if item.name.startswith(f"{name}/")]
        assert {item.protocol for item in own} == {protocol}
        assert min(item.count for item in own) >= 6
