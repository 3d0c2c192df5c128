"""The report of verify: one file for machines, from which the other is made, task by task."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from harness.files import read_csv
from harness.mutation import keys_page
from harness.mutation import page as mutation_page
from harness.proving import page as proofs
from harness.results import Results
from harness.spec.load import load_task

ROOT = Path(__file__).parents[2]
COURSE = ROOT / "tests" / "course"
STORED = ROOT / "results" / "figures" / "verification.csv"
SPECS = sorted(ROOT.glob("tasks/*/task.yaml"))
#: Verifying a task that trains takes from ten minutes to an hour, so its stored figures may be
#: older than its files until `nox -s verify -- --tier training` has run: `-m slow` asks for them.
TASKS = [
    pytest.param(
        path.parent.name,
        marks=[pytest.mark.slow] if "tier: training" in path.read_text(encoding="utf-8") else [],
    )
    for path in SPECS
]


def verify(results, *task, course=COURSE):
    places = ["--tasks", course / "tasks", "--reference", course / "reference"]
    command = [sys.executable, "-m", "harness", "verify", *task, *places, "--results", results]
    subprocess.run([*map(str, command), "--jobs", "1"], cwd=ROOT, capture_output=True, check=False)
    return read_csv(results / "figures" / "verification.csv", proofs.COLUMNS)


def test_a_run_replaces_the_rows_of_its_tasks_and_keeps_the_others(tmp_path):
    course = tmp_path / "course"
    shutil.copytree(COURSE, course)
    before = verify(tmp_path, "square", "noise", course=course)
    assert {row["task"] for row in before} == {"noise", "square"}
    assert {row["status"] for row in before if row["role"] != "mutant"} == {"PASS"}
    assert {row["caught"] for row in before if row["role"] == "mutant"} == {"yes"}

    mistakes = course / "reference" / "square" / "mistakes.yaml"
    (mistakes.parent / "same.py").write_bytes((mistakes.parent / "solution.py").read_bytes())
    with mistakes.open("a") as file:
        entry = "name: harmless, bug: [7], check: value, hint: 'nothing | is wrong', file: same.py"
        file.write(f"  - {{{entry}}}\n")
    after = verify(tmp_path, "square", course=course)
    noise = [row for row in before if row["task"] == "noise"]
    assert [row for row in after if row["task"] == "noise"] == noise
    (new,) = (row for row in after if row["program"] == "harmless")
    assert (new["status"], new["caught"], new["bug"]) == ("PASS", "no", "7")
    page = (tmp_path / "figures" / "verification.md").read_text()
    assert page == f"# Verification\n\n{proofs.page(after)}"
    assert "| 7 | square | harmless | value | 0 | nothing \\| is wrong |" in page
    assert f"{len(after) - sum(row['role'] != 'mutant' for row in after) - 1} of" in page

    shutil.rmtree(course / "tasks" / "noise")
    assert {row["task"] for row in verify(tmp_path, "square", course=course)} == {"square"}


def test_a_file_of_other_columns_is_not_believed(tmp_path):
    (tmp_path / "verification.csv").write_text("task,role\nsquare,mutant\n")
    assert read_csv(tmp_path / "verification.csv", proofs.COLUMNS) == []
    assert read_csv(tmp_path / "none.csv", proofs.COLUMNS) == []


@pytest.mark.parametrize("task", TASKS)
def test_the_stored_report_is_that_of_the_files_as_they_are(task):
    loaded = load_task(ROOT / "tasks" / task, ROOT / "reference" / task)
    stored = proofs.verified(Results(ROOT / "results")).get(task)
    assert stored is not None, f"run: nox -s verify -- {task}"
    assert stored["digest"] == proofs.digest(loaded), f"run: nox -s verify -- {task}"
    assert stored["complaints"] == "0"


def test_a_change_of_any_file_of_a_task_asks_for_a_new_verification(tmp_path):
    course = tmp_path / "course"
    shutil.copytree(COURSE, course)
    folders = course / "tasks" / "square", course / "reference" / "square"
    found = {proofs.digest(load_task(*folders))}
    for number, (path, old, new) in enumerate(
        (
            ("tasks/square/task.yaml", "points: 2", "points: 3"),
            ("tasks/square/measure.py", "(20, 3)", "(21, 3)"),
            ("reference/square/solution.py", "x²", "x * x"),
            ("reference/square/variants/powers.py", "import", "import math\nimport"),
            ("reference/square/mistakes.yaml", "yours is larger", "yours is another"),
        ),
        start=2,
    ):
        file = course / path
        text = file.read_text(encoding="utf-8")
        assert old in text
        file.write_text(text.replace(old, new, 1), encoding="utf-8")
        found.add(proofs.digest(load_task(*folders)))
        assert len(found) == number, path


@pytest.mark.parametrize("task", TASKS)
def test_the_stored_report_has_every_program_and_every_mistake(task):
    """Rows go stale where a mistake, a variant or a check is added without a new run."""
    reference = load_task(ROOT / "tasks" / task, ROOT / "reference" / task).reference
    rows = [row for row in read_csv(STORED, proofs.COLUMNS) if row["task"] == task]
    honest = {row["program"] for row in rows if row["role"] != "mutant"}
    assert honest == {program.name for program in (reference.solution, *reference.variants)}
    found = {
        row["program"]: (row["check"], row["bug"], row["erratum"], row["hint"], row["caught"])
        for row in rows
        if row["role"] == "mutant"
    }
    assert found == {
        mistake.name: (
            *(mistake.check, " ".join(map(str, mistake.bug)), " ".join(mistake.erratum)),
            *(mistake.hint, "yes"),
        )
        for mistake in (mutant.mistake for mutant in reference.mutants)
    }


def test_the_stored_page_is_made_from_the_stored_rows():
    page = (STORED.parent / "verification.md").read_text(encoding="utf-8")
    assert page == proofs.text(Results(ROOT / "results"))


@pytest.mark.parametrize(
    ("figure", "columns", "option"),
    [
        ("mutation.csv", mutation_page.COLUMNS, "--mutate"),
        ("keys.csv", keys_page.COLUMNS, "--keys 50"),
    ],
)
def test_the_stored_strength_is_that_of_the_present_tasks(figure, columns, option):
    rows = read_csv(STORED.parent / figure, columns)
    present = {spec.parent.name: load_task(spec.parent, None).spec.version for spec in SPECS}
    stale = {row["task"] for row in rows if str(present[str(row["task"])]) != row["version"]}
    assert not stale, f"run: python -m harness verify TASK {option}"
