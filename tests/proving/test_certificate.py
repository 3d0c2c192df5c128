"""What a calibration certifies, refutes and derives."""

from pathlib import Path

import pytest

from harness.proving import calibration, certificate
from harness.proving.calibration import Counted, Unit
from harness.spec.load import load_task

TESTS = Path(__file__).parents[1]
COURSE = TESTS / "course"
TRAINING = TESTS / "training" / "course"
NOISE = load_task(COURSE / "tasks" / "noise", COURSE / "reference" / "noise")
CENTRE = load_task(TRAINING / "tasks" / "centre", TRAINING / "reference" / "centre")


def unit(program, stage, count, *, pooled=False, measurement="draws"):
    return Unit(NOISE.id, measurement, program.name, program.role, stage, pooled, 0, count)


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
