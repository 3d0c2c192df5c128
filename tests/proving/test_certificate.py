"""What a calibration certifies, refutes and derives."""

from pathlib import Path

import numpy as np
import pytest

from harness.proving import calibration, calibration_page, certificate
from harness.proving.calibration import Counted, Unit
from harness.proving.calibration_rates import CheckRate, Rate
from harness.spec.load import load_task
from harness.statistics.laws import binomial_cdf

TESTS = Path(__file__).parents[1]
COURSE = TESTS / "course"
TRAINING = TESTS / "training" / "course"
NOISE = load_task(COURSE / "tasks" / "noise", COURSE / "reference" / "noise")
CENTRE = load_task(TRAINING / "tasks" / "centre", TRAINING / "reference" / "centre")


def unit(program, stage, count, *, pooled=False, measurement="draws"):
    return Unit(NOISE.id, measurement, program.name, program.role, stage, pooled, 0, count)


def rate(rejections, runs=10_000, stage_alpha=1e-3, family=1):
    return Rate(
        task="t", check="c", stage=1, stage_alpha=stage_alpha, nominal=stage_alpha / 5,
        program="p", role="reference", runs=runs, real=runs, rejections=rejections, family=family,
    )  # fmt: skip


def pool(rejections, runs, family):
    return CheckRate(
        task="t", check="c", stage_alpha=1e-3, nominal=2e-4, runs=runs, real=runs,
        rejections=rejections, family=family, programs=4,
    )  # fmt: skip


def most_certified(runs, family):
    """The largest number of rejections with which a check of so many is certified."""
    numbers = range(runs // 500)
    certified = [n for n in numbers if pool(n, runs, family).standing == "certified"]
    assert certified == list(range(len(certified)))
    return len(certified) - 1


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
    assert rate(0, 3000).upper == pytest.approx(1 - 0.05 ** (1 / 3000))
    assert (rate(5, 100).lower, rate(5, 100).upper) == pytest.approx((0.01991, 0.10226), abs=1e-4)
    assert rate(100, 100).upper == 1


def test_bounds_of_a_family_are_shared_out():
    """Zero of 3,000 in ten claims: .005 = (1 - p)^3000."""
    assert rate(0, 3000, family=10).upper == pytest.approx(1 - 0.005 ** (1 / 3000))
    assert rate(5, 100, family=10).lower < rate(5, 100).lower


@pytest.mark.parametrize("family", [1, 2, 10, 80])
@pytest.mark.parametrize("runs", [10_000, 80_000])
def test_no_check_is_wrongly_certified_with_the_confidence_that_is_said(runs, family):
    """Exactly: all checks run at the declared rate, and none may be certified."""
    wrong = binomial_cdf(most_certified(runs, family), runs, 1e-3)
    assert 1 - (1 - wrong) ** family <= 0.05


def test_size_and_power_of_the_certificate_simulated():
    """Ten checks of four programs and two stages, 10,000 gradings each: 20,000 certificates.

    At the declared rate some check of the ten is certified in at most 5 % of certificates, also
    where one program has four times the rate and three have none; at a fifth of it (where stages
    run) all ten are certified, always. Row by row at .05, as it was done, some row is: that test
    must fail.
    """
    rng, shape = np.random.default_rng(20261128), (20_000, 10, 8)
    most = most_certified(80_000, 10)
    uneven = np.array([4e-3, 0, 0, 0, 4e-3, 0, 0, 0])
    for rates in (1e-3, uneven):
        rejections = rng.binomial(10_000, rates, shape)
        wrong = (rejections.sum(axis=2) <= most).any(axis=1).mean()
        assert wrong <= 0.05 + 3 * (0.05 * 0.95 / len(rejections)) ** 0.5
    alone = rng.binomial(10_000, 1e-3, shape) <= 4  # what 95 % for one row allows
    assert alone.any(axis=(1, 2)).mean() > 0.5
    right = rng.binomial(10_000, 2e-4, shape).sum(axis=2) <= most
    assert right.all()


def test_rejections_that_differ_by_program_spread_less():
    """Hoeffding: a count of rejections at 4e-3, 0, 0 and 0 is no more often so small."""
    most = most_certified(80_000, 10)
    assert binomial_cdf(most, 20_000, 4e-3) <= binomial_cdf(most, 80_000, 1e-3) <= 0.005


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
    assert [(r.check, r.rejections) for r in found.refuted] == [
        ("mean", 8),
        ("mean", 3),
        ("mean", 5),
    ]


def test_checks_are_pooled_over_stages_and_programs():
    found = certificate.of(
        [NOISE],
        [
            counted(rejections=1, gradings=6000), counted(stage=2, gradings=4000, pooled=True),
            counted(program=NOISE.reference.variants[0], rejections=2, gradings=10_000),
        ],
    )  # fmt: skip
    checks = {rate.check: rate for rate in found.checks}
    assert list(checks) == ["mean", "law", "columns"]
    mean = checks["mean"]
    assert (mean.runs, mean.real, mean.rejections) == (20_000, 16_000, 3)
    assert (mean.programs, mean.family) == (2, 3)
    assert {rate.family for rate in found.rates} == {9}
    assert found.certified == list(found.checks)
    assert not mean.far and checks["law"].far
    assert found.alpha_total <= found.loss_total
    page = calibration_page.text(found)
    assert "**Certified: 3 of 3 checks on draws.**" in page
    assert "with 95% confidence that is true of all 3 at once" in page
    certified = sum(rate.standing == "certified" for rate in found.rates)
    assert 0 < certified < 9  # 4,000 of a program are too few for nine claims at once
    assert f"jointly over 9 rows with 95% confidence: {certified} certified" in page
    assert "draw from one pool" in page
    assert page.count("far from the limit") == 2


def test_checks_that_gradings_do_not_reach_are_named():
    found = certificate.of([NOISE], [])
    assert found.certified == []
    names = {f"noise/{check.id}" for check in calibration.sampled(NOISE, "draws")}
    assert names <= set(found.uncounted)


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
