"""From tasks to rows and tables: on a real task with draws, and on synthetic training runs."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from harness import stored_runs
from harness.collect.bare import BareProgram
from harness.comparison import contests
from harness.comparison.contests import Measured, on_draws, on_runs
from harness.comparison.run import REFERENCES, rows_of, run
from harness.spec.load import load_task
from harness.stored_runs import StoredRuns

ROOT = Path(__file__).parents[2]
FIGURES = {
    *("source", "program", "role", "gradings", "passed", "undecided", "false_fail", "power"),
    *("low", "high", "exact", "nominal", "unit", "own_most", "own_mean", "reference"),
    *("disjoint", "by_reference", "task", "check", "scheme", "applies", "note"),
}


def task_with(checks):
    task = load_task(ROOT / "tasks" / "reparam-sample", ROOT / "reference" / "reparam-sample")
    return replace(task, spec=task.spec.model_copy(update={"checks": checks(task.spec.checks)}))


@pytest.fixture(scope="module")
def on_law():
    """Three gradings of everything on the law of own draws."""
    task = task_with(lambda checks: tuple(one for one in checks if one.id == "sample-law"))
    return run([task], ROOT / "reference", ROOT / "submissions", 3, 7, nulls=5)


def test_draws_whose_law_depends_on_the_instance_are_not_compared(tmp_path):
    """Stored draws of the reference would be those of another exercise."""
    task = load_task(ROOT / "tasks" / "marg-importance", ROOT / "reference" / "marg-importance")
    assert any(contests.sampled(check) for check in task.spec.checks)
    assert run([task], ROOT / "reference", ROOT / "submissions", 3, 7).rows == ()


def of(document, **wanted):
    return [row for row in document.rows if wanted.items() <= row.items()]


def test_honest_programs_and_the_mistakes_of_the_check_are_graded(on_law):
    reference = task_with(lambda checks: checks).reference
    programs = {(row["program"], row["role"]) for row in on_law.rows if row["applies"]}
    assert programs == {
        ("complete", "submission"),
        *((program.name, program.role) for program in (reference.solution, *reference.variants)),
        *(
            (mutant.program.name, "mutant")
            for mutant in reference.mutants
            if mutant.mistake.check == "sample-law"
        ),
    }
    assert ("reparam-sample/uniform-noise", "mutant") in programs


def test_rows_hold_what_they_promise(on_law):
    json.dumps(on_law.to_json(), allow_nan=False)
    for row in on_law.rows:
        if row["applies"]:
            assert set(row) == FIGURES
            assert (row["false_fail"] is None) == (row["role"] == "mutant")
            assert (row["power"] is None) == (row["role"] != "mutant")
            failed = row["power"] if row["false_fail"] is None else row["false_fail"]
            assert failed == 1 - row["passed"] / row["gradings"]
            assert row["low"] <= failed <= row["high"]
            assert row["unit"] == "draws"
            assert row["disjoint"] == 3
        else:
            assert row["note"]
    excluded = {row["scheme"] for row in on_law.rows if not row["applies"]}
    assert excluded == {"all-seeds", "rcp", "welch"}


def test_a_fixed_seed_fails_honest_work_that_draws_otherwise(on_law):
    failed = {row["program"]: row["false_fail"] for row in of(on_law, scheme="allclose")}
    assert failed["reparam-sample"] == failed["reparam-sample/library_calls"] == 0.0
    assert failed["reparam-sample/inverse_cdf"] == failed["complete"] == 1.0


def test_ours_takes_one_stage_of_honest_work_and_finds_the_mistake(on_law):
    for row in of(on_law, scheme="ours"):
        if row["role"] == "mutant":
            assert (row["power"], row["own_mean"]) == (1.0, 32_000)
        else:
            assert (row["false_fail"], row["own_mean"]) == (0.0, 16_000)
        assert row["reference"] == 0


def test_the_seed_gives_the_rows_whatever_is_graded_beside(on_law, tmp_path):
    """The reference alone, again."""
    task = task_with(lambda checks: tuple(one for one in checks if one.id == "sample-law"))
    alone = replace(task, reference=replace(task.reference, variants=(), mutants=()))
    again = run([alone], ROOT / "reference", tmp_path, 3, 7, nulls=5)
    assert list(again.rows) == [
        row for row in on_law.rows if not row["applies"] or row["role"] == "reference"
    ]


def test_means_are_graded_by_every_scheme_on_draws(tmp_path):
    """Without a complete submission; draws come in units of the honest spread."""
    task = task_with(lambda checks: tuple(one for one in checks if one.id == "sample-variance"))
    found = run([task], ROOT / "reference", tmp_path, 2, 7, nulls=5)
    mutants = [row for row in found.rows if row["applies"] and row["role"] == "mutant"]
    assert {row["scheme"] for row in mutants} == {
        "ours",
        "allclose",
        "welch",
        "stochasticgrade t",
        "stochasticgrade msd",
    }
    assert {row["program"].split("/")[1] for row in mutants} == {
        "variance-as-sigma",
        "noise-scaled",
    }
    assert all(row["power"] == 1.0 for row in mutants)
    assert all(row["false_fail"] == 0.0 for row in of(found, scheme="ours", role="variant"))
    assert "complete" not in found.markdown


@pytest.fixture
def training(learns):
    """A task with two training checks; two mistakes are the first one's, one is the other's."""
    task = task_with(
        lambda checks: (*checks[:1], learns, learns.model_copy(update={"id": "learns-too"}))
    )
    named = ("learns", "learns", "learns-too")
    mutants = tuple(
        replace(mutant, mistake=mutant.mistake.model_copy(update={"check": check}))
        for mutant, check in zip(task.reference.mutants, named, strict=False)
    )
    variants = task.reference.variants[:2]
    return replace(task, reference=replace(task.reference, variants=variants, mutants=mutants))


def made_runs(task, values):
    """Runs of all programs of a task, as the harness stores them."""
    return [
        StoredRuns(
            program.name,
            program.role,
            program.sha256,
            stored_runs.protocol(task),
            {"return": list(numbers)},
            {},
            0.0,
        )
        for program, numbers in zip(stored_runs.programs(task), values, strict=True)
    ]


def write(folder, task, found):
    path = folder / task.id / "targets" / "runs.json"
    path.parent.mkdir(parents=True)
    programs = [item.to_json() for item in found]
    path.write_text(json.dumps({"format": 1, "task": task.id, "programs": programs}))


@pytest.fixture
def stored(training, rng):
    """Honest learners reach 200 in 49 of 50 runs, broken ones in 1 of 10."""
    honest = np.where(np.arange(200) % 50 == 49, 60.0, 200.0)
    close = honest - rng.uniform(0, 6, 200)
    broken = np.where(np.arange(20) % 10 == 9, 190.0, 30.0).tolist()
    values = [honest, rng.permutation(close), honest, broken, [None, *broken[1:]], honest]
    return made_runs(training, [list(numbers) for numbers in values])


def test_training_runs_are_graded_from_their_file(training, stored, tmp_path):
    write(tmp_path, training, stored)
    found = run([training], tmp_path, tmp_path, 50, 1)
    json.dumps(found.to_json(), allow_nan=False)
    assert {row["program"] for row in of(found, check="learns", applies=True)} == {
        item.name for item in stored[:5]
    }
    assert {row["program"] for row in of(found, check="learns-too", role="mutant")} == {
        stored[5].name
    }
    assert all(
        row["power"] == 0.0 for row in of(found, check="learns-too", scheme="ours", role="mutant")
    )
    assert {row["scheme"] for row in of(found, applies=False)} == {"stochasticgrade"}
    assert {row["scheme"] for row in of(found, applies=True)} == {
        *("ours", "allclose", "all-seeds k=2", "all-seeds k=3", "welch k=5", "rcp N=5"),
        *("all-seeds k=2 at 0.98 of the best", "all-seeds k=3 at 0.98 of the best"),
        "permutation k=5",
    }

    def honest(scheme):
        (row,) = of(found, check="learns", scheme=scheme, program=stored[1].name)
        return row

    assert honest("ours")["false_fail"] == 0.0
    assert honest("ours")["exact"] < 1e-6
    assert honest("ours")["own_mean"] < 10
    assert honest("allclose")["false_fail"] > 0.9
    assert honest("all-seeds k=3")["exact"] == pytest.approx(1 - 0.98**3)
    assert honest("all-seeds k=3 at 0.98 of the best")["exact"] > 0.6  # a third lie below 196
    broken = of(found, check="learns", scheme="ours", role="mutant")
    assert [row["power"] > 0.9 for row in broken] == [True, True]
    (own,) = of(found, check="learns", scheme="rcp N=5", role="reference")
    assert own["by_reference"]["references"] == REFERENCES
    assert own["by_reference"]["p5"] <= own["by_reference"]["p95"]
    assert "There are different units for 1." in found.markdown


def test_a_check_without_stored_runs_is_left_out(training, tmp_path):
    assert run([training], tmp_path, tmp_path, 3, 1).rows == ()


def test_runs_of_another_version_are_refused(training, stored, tmp_path):
    write(tmp_path, training, [*stored[:2], replace(stored[2], sha256="0" * 64), *stored[3:]])
    with pytest.raises(ValueError, match=stored[2].name):
        run([training], tmp_path, tmp_path, 3, 1)


def test_no_run_of_the_reference_is_compared_with_itself(training, learns):
    reference = StoredRuns("r", "reference", "", "", {"return": np.arange(11.0).tolist()}, {}, 0.0)
    contest = on_runs("t", learns, [reference])
    (graded,) = contest.contestants
    assert graded.pool.values.tolist() == graded.twin.values.tolist() == [1, 3, 5, 7, 9]
    kept = next(entrant.reference for entrant in contest.entrants if entrant.reference)
    assert kept.values.tolist() == [0, 2, 4, 6, 8, 10]


def test_the_same_contest_gives_the_same_rows_whatever_was_graded_before(stored, learns):
    one = on_runs("t", learns, stored[:4])
    before = rows_of(one, 15, 3)
    assert rows_of(replace(one, check="other"), 15, 3) != before
    assert rows_of(on_runs("t", learns, stored[:4]), 15, 3) == before


@pytest.mark.parametrize("kept", [[], [1], [0, 0]])
def test_one_reference_is_wanted(kept, stored, learns):
    with pytest.raises(ValueError, match="wanted one with 4 or more"):
        on_runs("t", learns, [stored[index] for index in kept])


def test_too_few_runs_of_the_reference_are_refused(stored, learns):
    short = replace(stored[0], values={"return": [200.0] * 3})
    with pytest.raises(ValueError, match=r"\[3\]; wanted one with 4 or more"):
        on_runs("t", learns, [short])


def test_draws_of_a_mean_are_in_honest_standard_deviations():
    task = task_with(lambda checks: checks)
    check = task.spec.check("sample-variance")  # of squares, whose spread is the root of 2
    with BareProgram(task, task.reference.solution) as running:
        reference = Measured("r", "reference", running)
        contest = on_draws("t", check, [reference], gradings=2, seed=1, nulls=3)
        (graded,) = contest.contestants
        draws = graded.pool.take([0])[:16_000]
    assert draws.std(axis=0) == pytest.approx(np.ones(check.dimensions), abs=0.06)
    for programs in ([], [replace(reference, role="variant")]):
        with pytest.raises(ValueError, match="wanted the reference"):
            on_draws("t", check, programs, gradings=2, seed=1, nulls=3)


def test_streams_have_names():
    first = contests.stream(1, "a", "bc").random()
    assert first == contests.stream(1, "a", "bc").random()
    assert first != contests.stream(1, "ab", "c").random()
    assert first != contests.stream(2, "a", "bc").random()
