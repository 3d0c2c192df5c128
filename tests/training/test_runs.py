"""Stored runs: made by the harness, what marking gives, added to, dropped when they are stale."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from harness import stored_runs
from harness.cli import main
from harness.collect.bare import BareProgram
from harness.collect.job import run_job
from harness.errors import InfrastructureError, SpecError
from harness.feasibility import require_feasible
from harness.marking.jobs import Job, PlannedTrial
from harness.marking.trials import name_trial
from harness.records import COMMON, Step
from harness.sandbox import choice
from harness.spec.load import load_task
from harness.targets import stored as targets
from harness.targets import training

COURSE = Path(__file__).parent / "course"
FOLDERS = (COURSE / "tasks" / "centre", COURSE / "reference" / "centre")
TASK = load_task(*FOLDERS)
CHECK = TASK.spec.check("learns")


@pytest.fixture
def copied(tmp_path):
    """The course elsewhere, its stored runs gone; (tasks/centre, reference/centre)."""
    shutil.copytree(COURSE, tmp_path / "course")
    folders = (tmp_path / "course/tasks/centre", tmp_path / "course/reference/centre")
    (folders[1] / "targets/runs.json").unlink()
    return folders


def make(folders, honest, mistaken, jobs=1):
    list(training.make(folders, "runs.json", honest=honest, mistaken=mistaken, jobs=jobs))
    return load_task(*folders)


def keep(folders, honest, mistaken):
    """Stores the first runs that the course has, which :func:`make` would make again."""
    record = json.loads((FOLDERS[1] / "targets/runs.json").read_text())
    for program in record["programs"]:
        count = mistaken if program["role"] == "mutant" else honest
        program["values"] = {name: runs[:count] for name, runs in program["values"].items()}
    path = folders[1] / "targets/runs.json"
    path.write_text(json.dumps(record))
    return path, record


def stored(task, name):
    return {item.name.split("/")[-1]: item for item in stored_runs.read(task, "runs.json")}[name]


def test_what_is_stored_is_what_is_made_anew(copied):
    task = make(copied, 3, 2)
    for made in stored_runs.read(task, "runs.json"):
        there = stored(TASK, made.name.split("/")[-1])
        assert list(made.values["error"]) == list(there.values["error"])[: made.count]
        assert made.count == (2 if made.role == "mutant" else 3)
        assert (made.sha256, made.protocol) == (there.sha256, there.protocol)


def test_runs_are_added_to_and_not_made_again(copied):
    path, record = keep(copied, 2, 1)
    record["programs"][0]["values"]["error"][0] = 77.0
    path.write_text(json.dumps(record))
    task = make(copied, 4, 1, jobs=2)
    assert stored(task, "centre").values["error"][0] == 77.0
    assert list(stored(task, "centre").values["error"][1:]) == list(
        stored(TASK, "centre").values["error"][1:4]
    )


@pytest.mark.parametrize("changed", ["solution.py", "measure.py"])
def test_runs_of_another_version_are_stale_and_made_anew(copied, changed):
    keep(copied, 2, 1)
    path = copied[0 if changed == "measure.py" else 1] / changed
    text = path.read_text()
    # code that a measurement does not reach would change nothing
    changes = "import math as changed\n" if changed == "measure.py" else "\n# changed\n"
    path.write_text(text + changes)
    (found,) = targets.stored(copied[1].parent, load_task(*copied))
    assert found.stale
    (found,) = targets.stored(copied[1].parent, make(copied, 2, 1))
    assert not found.stale


def test_a_seed_that_broke_is_kept_as_an_error_and_worth_nothing(copied):
    source = copied[1] / "solution.py"
    source.write_text(source.read_text().replace("x.mean()", "[x.mean()][int(x[0] <= 0)]"))
    task = make(copied, 6, 1)
    found = stored(task, "centre")
    assert set(found.errors) == {
        str(index) for index, value in enumerate(found.values["error"]) if value is None
    }
    assert 0 < len(found.errors) < 6
    assert found.of(CHECK).count(CHECK.low) == len(found.errors)
    assert "IndexError" in next(iter(found.errors.values()))


def test_a_value_that_is_not_finite_is_stored_as_nothing_learnt():
    found = stored(TASK, "not-a-number")
    assert set(found.values["error"]) == {None}
    assert not found.errors


def test_a_marked_seed_gives_what_is_stored():
    """The sandbox and the maker of stored runs give the same numbers, bit for bit."""
    wanted = TASK.spec.wanted_files
    asked = []
    for program in (TASK.reference.solution, TASK.reference.variants[-1]):
        files = {name: program.files[name] for name in wanted}
        for replicate in range(3):
            trial = name_trial(
                TASK, program, "learn", Step(COMMON.stage, replicate), "", training.KEY
            )
            asked.append(PlannedTrial(trial, TASK, files))
    for seen in run_job(Job("stored", training.KEY, tuple(asked)), choice.best()):
        value = float(seen.statistics["learns"]["value"])
        name = seen.trial.program.split("/")[-1]
        assert value == stored(TASK, name).values["error"][seen.trial.replicate]


def test_seeds_differ_and_are_named_by_number():
    with BareProgram(TASK, TASK.reference.solution) as running:
        values = [
            float(running.metrics("learn", Step(1, index), training.KEY)["error"])
            for index in (0, 1, 0)
        ]
    assert values[0] == values[2] != values[1]


def with_check(**changes):
    checks = tuple(check.model_copy(update=changes) for check in TASK.spec.checks)
    return replace(TASK, spec=TASK.spec.model_copy(update={"checks": checks}))


def refused(task):
    with pytest.raises(SpecError) as caught:
        require_feasible([task])
    (problem,) = caught.value.problems
    return problem


def test_the_course_keeps_what_it_declares():
    require_feasible([TASK])


def test_a_success_rate_that_the_runs_do_not_bear_out_is_refused_with_the_one_they_do():
    problem = refused(with_check(success_rate=0.99))
    bound = float(problem.remedy.split()[-1])
    assert "bear out" in problem.message
    require_feasible([with_check(success_rate=bound)])


def test_too_few_seeds_are_refused_with_the_number_that_would_do():
    problem = refused(with_check(max_seeds=12))
    needed = int(problem.message.split()[-1])
    require_feasible([with_check(max_seeds=needed, loss=0.1)], 0.1)
    assert "max_seeds" in refused(with_check(max_seeds=needed - 1)).message


def test_a_loss_that_the_seeds_do_not_keep_is_refused_with_one_that_they_do():
    problem = refused(with_check(loss=1e-6))
    assert "FAIL or INCONCLUSIVE" in problem.message
    kept = float(problem.remedy.split()[-1])
    require_feasible([with_check(loss=kept)])
    assert kept < 1e-4


def test_all_losses_together_are_held_to_the_budget():
    with pytest.raises(SpecError, match="all checks together cost honest work points"):
        require_feasible([with_check(loss=2e-4)])


def test_too_few_stored_runs_are_refused(copied):
    keep(copied, 3, 1)
    problem = refused(load_task(*copied))
    assert ("3 stored runs" in problem.message, "targets centre" in problem.remedy) == (True, True)


def test_without_the_reference_a_task_is_held_to_its_seeds_alone():
    require_feasible([replace(TASK, reference=None)])


@pytest.mark.parametrize("content", [b"", b"{}", b'{"format": 2, "programs": []}', b"[1]"])
def test_a_file_that_holds_no_runs_is_ours(content):
    with pytest.raises(InfrastructureError, match=r"runs\.json"):
        stored_runs.parse(content, "runs.json")


def test_the_verb_makes_and_lists(copied, capsys):
    places = ["--tasks", str(copied[0].parent), "--reference", str(copied[1].parent)]
    counts = ["--seeds", "2", "--mistaken", "1", "--jobs", "1"]
    assert main(["targets", "centre", *counts, "--json", *places]) == 0
    document = json.loads(capsys.readouterr().out)
    (target,) = document["targets"]
    assert document["written"] == [str(copied[1] / "targets/runs.json")]
    assert (target["stale"], target["seeds"]) == (False, [0, 1])
    assert target["summary"]["mutant centre/zero"] == 1


def test_the_advised_threshold_lies_between_honest_runs_and_mistakes():
    said = training.advice(TASK, CHECK, stored_runs.read(TASK, "runs.json"))
    advised = float(said.split()[1])
    honest = stored(TASK, "centre").of(CHECK)
    assert sorted(honest)[100] < advised < 0.5
    assert "the spec says 0.25" in said


def test_where_nothing_separates_no_threshold_is_advised():
    same = [
        replace(item, values={"error": [1.0] * 60}) for item in stored_runs.read(TASK, "runs.json")
    ]
    said = training.advice(TASK, CHECK, same)
    assert "no threshold" in said


def test_only_what_the_training_measurement_reaches_makes_runs_stale(copied):
    before = load_task(*copied)
    measure = copied[0] / "measure.py"
    text = measure.read_text()
    measure.write_text(text + "\n\ndef another(student, rng):\n    return {'x': rng.normal()}\n")
    assert stored_runs.protocol(load_task(*copied)) == stored_runs.protocol(before)
    measure.write_text("# a comment\n" + text)
    assert stored_runs.protocol(load_task(*copied)) == stored_runs.protocol(before)
    spec = copied[0] / "task.yaml"
    spec.write_text(spec.read_text().replace("draw: 1", "draw: 7"))
    assert stored_runs.protocol(load_task(*copied)) != stored_runs.protocol(before)


def test_the_code_of_a_measurement_is_what_it_reaches_and_nothing_else():
    code = b"""
import numpy as np
A, B = 1, 2
UNUSED = B  # not reached


def helper(x):
    total = x + A
    return total


def total(x):
    return UNUSED


def learn(student, rng):
    return {"m": np.float64(helper(3))}
"""
    kept = stored_runs.measurement_code(code, ["learn"])
    assert kept == (
        "import numpy as np\nA, B = (1, 2)\ndef helper(x):\n    total = x + A\n    return total\n"
        "def learn(student, rng):\n    return {'m': np.float64(helper(3))}"
    )
