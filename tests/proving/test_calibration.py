"""What a calibration counts: rejections of honest programs and of mistakes.

A reduced calibration of every sampled task runs here; the figures are in
results/figures/calibration.csv.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from harness.collect.bare import BareProgram
from harness.proving import calibration
from harness.proving.calibration import Unit
from harness.records import Program, Step
from harness.spec.load import load_task
from tests.support.programs import TASKS as NAMES
from tests.support.programs import load

ROOT = Path(__file__).parents[2]
COURSE = ROOT / "tests" / "course"
NOISE = load_task(COURSE / "tasks" / "noise", COURSE / "reference" / "noise")
TASKS = [task for task in map(load, NAMES) if calibration.measurements(task)]


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
    """One grading of two stages at 2e-4 each: a chance of at most 4e-4 a check."""
    for measurement in calibration.measurements(task):
        for stage in (1, 2):
            asked = unit(program, stage, 1, task=task, measurement=measurement)
            assert not any(calibration.count(task, program, asked).rejections.values())


@pytest.mark.slow
@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.id)
def test_pooled_draws_of_references_are_not_rejected(task):
    """A pool costs a hundred stages; ten gradings at 2e-4 are made from it."""
    program = task.reference.solution
    for measurement in calibration.measurements(task):
        asked = unit(program, 1, 10, pooled=True, task=task, measurement=measurement)
        assert not any(calibration.count(task, program, asked).rejections.values())


def first(task):
    """The first known mistake of a task's checks on draws."""
    return calibration.mistakes(task)[:1]


@pytest.mark.parametrize(
    "chosen",
    [first, pytest.param(calibration.mistakes, marks=pytest.mark.slow)],
    ids=["first", "all"],
)
@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.id)
def test_mistakes_are_caught(task, chosen):
    """At least 2 of 3 gradings: a check may miss 1 in 100, and that miss may be the first."""
    for mutant in chosen(task):
        check = task.spec.check(mutant.mistake.check)
        asked = unit(mutant.program, 0, 3, task=task, measurement=check.measurement)
        found = calibration.count(task, mutant.program, asked).rejections[check.id]
        assert found >= 2, mutant.mistake.name


def test_there_is_something_to_calibrate():
    assert len(TASKS) >= 2


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
                # law: Kolmogorov-Smirnov at .1 rejects .093, counted tails .048 of their .1, either
                # .135 (3,000 stages): 54 ± 7 of 400, and 35 is 2.7 sd below
                least = 35 if name == "law" else 50
                assert least < found.rejections[name] < 110, (stage, pooled, name)


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
        draw = calibration.pooled_draws(NOISE, running, unit(program, pooled=True))
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
    plain = calibration.digest(NOISE, program, "draws")
    assert plain == calibration.digest(NOISE, program, "draws")
    assert plain != calibration.digest(NOISE, program, "other_draws")
    assert plain != calibration.digest(with_alpha(0.01), program, "draws")
    assert plain != calibration.digest(NOISE, NOISE.reference.variants[0], "draws")
    assert plain != calibration.digest(replace(NOISE, starter=b"#"), program, "draws")


def test_of_the_measurements_code_what_is_reached_is_part_of_the_digest():
    program = NOISE.reference.solution
    plain = calibration.digest(NOISE, program, "draws")
    apart = replace(NOISE, measure=NOISE.measure + b"\n\ndef exact(student):\n    return {}\n")
    assert plain == calibration.digest(apart, program, "draws")
    again = replace(NOISE, measure=NOISE.measure + b"\n\ndef draws(student):\n    return {}\n")
    assert plain != calibration.digest(again, program, "draws")


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
