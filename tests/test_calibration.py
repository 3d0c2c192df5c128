"""The grader, graded: what is counted, what it certifies, and that it can say no.

A reduced calibration of every sampled task runs here; the figures are in
results/figures/calibration.csv.
"""

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from harness.cli import main
from harness.collect.bare import BareProgram
from harness.proving import calibration, certificate
from harness.proving.calibration import Counted, Unit
from harness.records import COMMON, Program, Step
from harness.spec.load import load_all, load_task
from harness.verbs import calibrate as verb

ROOT = Path(__file__).parents[1]
COURSE = Path(__file__).parent / "course"
TRAINING = Path(__file__).parent / "training" / "course"
NOISE = load_task(COURSE / "tasks" / "noise", COURSE / "reference" / "noise")
CENTRE = load_task(TRAINING / "tasks" / "centre", TRAINING / "reference" / "centre")
TASKS = [
    task for task in load_all(ROOT / "tasks", ROOT / "reference") if calibration.measurements(task)
]


def honest(task):
    """Reference, variants and the complete sample submission."""
    sample = ROOT / "submissions" / "complete" / task.spec.file
    complete = Program("complete", "submission", {task.spec.file: sample.read_bytes()})
    return [task.reference.solution, *task.reference.variants, complete]


def unit(program, stage=1, count=5, *, pooled=False, first=0, task=NOISE, measurement="draws"):
    return Unit(task.id, measurement, program.name, program.role, stage, pooled, first, count)


PROGRAMS = [
    pytest.param(task, program, id=f"{task.id}:{program.role}:{program.name.split('/')[-1]}")
    for task in TASKS
    for program in honest(task)
]


@pytest.mark.parametrize(("task", "program"), PROGRAMS)
def test_honest_programs_are_not_rejected(task, program):
    """Ten stages at 2e-4 each: a rejection here has a chance of 2e-3 a check."""
    for measurement in calibration.measurements(task):
        for stage, pooled in ((1, False), (2, False), (1, True)):
            asked = unit(
                program, stage, 10 if pooled else 3,
                pooled=pooled, task=task, measurement=measurement,
            )  # fmt: skip
            assert not any(calibration.count(task, program, asked).rejections.values())


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.id)
def test_mistakes_are_caught(task):
    """At least 2 of 3 gradings: a check may miss 1 in 100, and that miss may be the first."""
    for mutant in calibration.mistakes(task):
        check = task.spec.check(mutant.mistake.check)
        asked = unit(mutant.program, 0, 3, task=task, measurement=check.measurement)
        found = calibration.count(task, mutant.program, asked).rejections[check.id]
        assert found >= 2, mutant.mistake.name


def test_there_is_something_to_calibrate():
    assert len(TASKS) >= 2


# counting


def with_alpha(stage_alpha):
    """Noise with stages so wide that they reject often."""
    checks = tuple(
        check.model_copy(update={"stage_alpha": stage_alpha, "beta": 0.2, "min_detectable": 0.3})
        for check in NOISE.spec.checks
    )
    return replace(NOISE, spec=NOISE.spec.model_copy(update={"checks": checks}))


def test_rejections_are_counted_at_the_nominal_level():
    """Stages run at a fifth of 1.0: of 400, 80 ± 8 reject."""
    task, program = with_alpha(1.0), NOISE.reference.solution
    for stage in (1, 2):
        for pooled in (False, True):
            found = calibration.count(task, program, unit(program, stage, 400, pooled=pooled))
            for name in ("law", "columns"):
                assert 50 < found.rejections[name] < 110, (stage, pooled, name)


def test_a_count_is_the_same_whenever_it_is_made_and_whatever_else_is():
    task, program = with_alpha(1.0), NOISE.reference.solution
    whole = calibration.count(task, program, unit(program, count=40))
    parts = [
        calibration.count(task, program, unit(program, count=20, first=first)) for first in (20, 0)
    ]
    assert whole == calibration.count(task, program, unit(program, count=40))
    for name, total in whole.rejections.items():
        assert total == sum(part.rejections[name] for part in parts)


def test_programs_are_graded_under_keys_of_their_own():
    assert calibration.key(0, "ada") != calibration.key(0, "bob")
    assert calibration.key(0, "ada") != calibration.key(1, "ada")


def test_a_pool_has_a_hundred_times_the_draws_and_keeps_pairs_together():
    program = NOISE.reference.solution
    with BareProgram(NOISE, program) as running:
        draw = calibration._pool(NOISE, running, unit(program, pooled=True))
        first, second = draw(0, 0), draw(1, 0)
        plain = running.metrics("draws", Step(1), calibration.key(0, program.name))
    for name, array in plain.items():
        assert first[name].shape == array.shape
    assert not np.array_equal(first["draw"], second["draw"])
    rows = {tuple(row) for metrics in (first, second) for row in metrics["draw"]}
    assert len(rows) > 2 * len(first["draw"]) * 0.98  # hardly any row is drawn twice
    spread = first["draw"].std(0) / first["noise"].std(0)
    offset = first["draw"] - spread * first["noise"]
    assert offset.std(0).max() < 0.2 * first["draw"].std(0).min()


def test_what_was_declared_is_part_of_the_digest():
    program = NOISE.reference.solution
    plain = calibration.digest(NOISE, program)
    assert plain == calibration.digest(NOISE, program)
    assert plain != calibration.digest(with_alpha(0.01), program)
    assert plain != calibration.digest(NOISE, NOISE.reference.variants[0])
    other = replace(NOISE, measure=NOISE.measure + b"\n")
    assert plain != calibration.digest(other, program)


def test_a_plan_covers_every_grading_once():
    for gradings, cheap in ((1200, {"draws"}), (1200, ()), (100, ())):
        units = list(calibration.plan(NOISE, [NOISE.reference.solution], gradings, 60, cheap))
        for measurement in ("draws", "other_draws"):
            for stage in (1, 2):
                numbers = [
                    number
                    for item in units
                    if (item.measurement, item.stage) == (measurement, stage)
                    for number in range(item.first, item.first + item.gradings)
                ]
                assert numbers == list(range(gradings))
        pooled = {(item.measurement, item.pooled) for item in units if item.stage}
        assert (("draws", True) in pooled) == (gradings > calibration.REAL and not cheap)
        whole = [item for item in units if item.stage == 0]
        assert sum(item.gradings for item in whole) == 60 * len(calibration.mistakes(NOISE))


# certifying


def rate(rejections, runs=10_000, stage_alpha=1e-3):
    return certificate.Rate(
        "t", "c", 1, stage_alpha, stage_alpha / 5, "p", "reference", runs, runs, rejections
    )


@pytest.mark.parametrize(
    ("rejections", "standing"),
    [(0, "certified"), (4, "certified"), (5, "not yet certified"), (15, "not yet certified"),
     (17, "refuted"), (10_000, "refuted")],
)  # fmt: skip
def test_a_rate_is_refuted_by_its_lower_bound_alone(rejections, standing):
    assert rate(rejections).standing == standing


def test_few_gradings_certify_nothing_and_refute_only_what_they_can():
    assert rate(0, 300).standing == "not yet certified"
    assert rate(2, 300).standing == "refuted"


def test_bounds_are_those_of_clopper_and_pearson():
    """Zero of 3,000: .05 = (1 - p)^3000; R. Clopper-Pearson of 5 of 100: .0199 and .1029."""
    assert rate(0, 3000).upper95 == pytest.approx(1 - 0.05 ** (1 / 3000))
    assert (rate(5, 100).lower95, rate(5, 100).upper95) == pytest.approx(
        (0.01991, 0.10226), abs=1e-4
    )
    assert rate(100, 100).upper95 == 1


def counted(check="mean", stage=1, rejections=0, gradings=100, *, pooled=False, program=None):
    found = program or NOISE.reference.solution
    item = unit(found, stage, gradings, pooled=pooled)
    return Counted(item, "", {"mean": 0, "law": 0, "columns": 0, check: rejections})


def test_units_of_one_program_and_stage_are_added():
    found = certificate.of(
        [NOISE],
        [
            counted(rejections=2), counted(rejections=1, pooled=True),
            counted(stage=2), counted(program=NOISE.reference.variants[0], rejections=5),
        ],
    )  # fmt: skip
    rates = {(r.check, r.stage, r.role): (r.runs, r.real, r.rejections) for r in found.rates}
    assert rates["mean", 1, "reference"] == (200, 100, 3)
    assert rates["mean", 2, "reference"] == (100, 100, 0)
    assert rates["mean", 1, "variant"] == (100, 100, 5)
    assert rates["law", 1, "variant"] == (100, 100, 0)
    assert found.refuted == [
        r for r in found.rates if (r.check, r.rejections > 0) == ("mean", True)
    ]


def test_a_mistake_has_the_power_that_its_gradings_show():
    mutant = calibration.mistakes(NOISE)[0]
    name = mutant.mistake.check
    item = unit(mutant.program, 0, 200, measurement=NOISE.spec.check(name).measurement)
    (power,) = certificate.of([NOISE], [Counted(item, "", {name: 199})]).powers
    assert (power.mutant, power.runs, power.caught) == (mutant.mistake.name, 200, 199)
    assert 0.97 < power.power_lower95 < 199 / 200


def test_training_checks_are_derived_from_stored_runs():
    found = certificate.of([CENTRE], [])
    learners = {item.program.split("/")[-1]: item for item in found.learners}
    assert list(learners) == ["centre", "descent", "half"]
    for item in learners.values():
        assert item.runs == 200
        assert item.bound < item.successes / item.runs
    assert learners["centre"].p_fail <= learners["centre"].alpha
    assert learners["half"].p_fail > learners["half"].alpha
    assert learners["centre"].seeds_seen < learners["centre"].fixed
    powers = {item.mutant: item for item in found.powers}
    assert set(powers) == {"first-draw", "zero", "not-a-number"}
    assert powers["zero"].power_lower95 > 0.95
    rates = [curve.p_fail for curve in found.curves]
    assert rates == sorted(rates)
    assert found.alpha_total == pytest.approx(3e-6)


# the verb


def places(tasks, reference, results):
    return ["--tasks", str(tasks), "--reference", str(reference), "--results", str(results)]


@pytest.fixture
def course(tmp_path):
    """A course of noise and centre, elsewhere."""
    for source, name in ((COURSE, "noise"), (TRAINING, "centre")):
        for folder in ("tasks", "reference"):
            shutil.copytree(source / folder / name, tmp_path / folder / name)
    return tmp_path


SMALL = ["--gradings", "20", "--mistaken", "2", "--jobs", "1"]


def test_the_verb_writes_its_tables_and_goes_on_where_it_was(course, capsys, monkeypatch):
    where = places(course / "tasks", course / "reference", course / "results")
    assert main(["calibrate", *SMALL, "--json", *where]) == 0
    document = json.loads(capsys.readouterr().out)
    assert {check["standing"] for check in document["checks"]} == {"not yet certified"}
    assert {check["task"] for check in document["checks"]} == {"noise"}
    assert {item["task"] for item in document["training"]} == {"centre"}
    path = course / "results/figures/calibration.csv"
    table = list(csv.DictReader(path.read_text().splitlines()))
    assert {row["method"] for row in table} == {"measured", "derived", ""}
    assert {row["task"] for row in table} == {"noise", "centre"}
    before = (course / "results/figures/calibration.csv").read_bytes()
    monkeypatch.setattr(verb, "_count", None)  # nothing is counted again
    assert main(["calibrate", *SMALL, *where]) == 0
    assert "| noise/mean | 1 | 0.001 |" in capsys.readouterr().out
    assert (course / "results/figures/calibration.csv").read_bytes() == before


def test_a_line_that_was_cut_off_is_counted_again(course, capsys):
    where = places(course / "tasks", course / "reference", course / "results")
    assert main(["calibrate", "noise", *SMALL, *where]) == 0
    whole = (course / "results/figures/calibration.csv").read_bytes()
    log = course / "results/figures/calibration.jsonl"
    log.write_bytes(log.read_bytes()[:-40])
    assert main(["calibrate", "noise", *SMALL, *where]) == 0
    assert (course / "results/figures/calibration.csv").read_bytes() == whole


def test_the_verb_fails_where_a_rate_is_refuted(course, capsys):
    """A task whose expectation is off rejects its own honest work, and calibrate says so."""
    path = course / "tasks/noise/measure.py"
    text = path.read_text()
    assert '__expected": ' in text
    path.write_text(text.replace('__expected": ', '__expected": 1.0 + 0.0 * ', 1))
    where = places(course / "tasks", course / "reference", course / "results")
    assert main(["calibrate", "noise", *SMALL, *where]) == 1
    assert "refuted" in capsys.readouterr().out


def test_no_first_step_is_a_second_stage():
    assert COMMON == Step(1)
