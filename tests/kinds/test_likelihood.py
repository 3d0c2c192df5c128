"""Committed negative log-likelihoods, beside the reference's and above their floor."""

import numpy as np
import pytest

from harness import kinds
from harness.errors import MeasurementError
from harness.kinds import Evidence
from harness.spec import checks as spec

COMMON = {"id": "a", "measurement": "m", "metric": "x", "points": 1.0}
NAN, INF = float("nan"), float("inf")
IMAGES = spec.LikelihoodCheck(**COMMON, kind="likelihood", against="reference", compare="images")
MEAN = spec.LikelihoodCheck(
    **COMMON,
    kind="likelihood",
    against="reference",
    compare="mean",
    margin_nats=0.02,
    spread_nats=0.5,
    min_detectable=0.2,
    rare_nats=5.0,
    rare_share=0.02,
    beta=0.01,
)
RNG = np.random.default_rng(3)
FLOOR = RNG.exponential(5.0, 4000)
TRUE = {"x": FLOOR, "x__floor": FLOOR, "x__scale": FLOOR + 1}


def nll(values_):
    return {**TRUE, "x": values_}


def at(rows, value):
    return np.where(np.arange(4000) < rows, value, FLOOR)


@pytest.mark.parametrize("check", [IMAGES, MEAN])
@pytest.mark.parametrize(
    ("own", "status", "cause"),
    [
        (FLOOR, "PASS", ""),
        (FLOOR + 0.3, "FAIL", "excess"),
        (FLOOR - 1.0, "FAIL", "below-floor"),
        (at(1, INF), "FAIL", "not-finite"),
        (at(1, -INF), "FAIL", "not-finite"),
        (at(1, NAN), "FAIL", "not-finite"),
        (at(1, FLOOR + 700), "FAIL", "excess"),
        (at(328, FLOOR + 5.1), "FAIL", "excess"),
        (at(328, FLOOR + 4.9), "FAIL", "excess"),
    ],
)
def test_likelihood(verdict, check, own, status, cause):
    """21 of 256 images off by 5 or by 700 nats have a t of 4.8 at most: no t-test finds them."""
    assert verdict(check, nll(own), reference=TRUE) == (status, cause)


@pytest.mark.parametrize(
    "own",
    [
        at(1, FLOOR + 1e-9),
        at(1, FLOOR - 1e-9),
        FLOOR + RNG.normal(0.1, 1.0, 4000),
        FLOOR + np.linspace(-0.4, 0.4, 4000),
    ],
)
def test_where_both_sides_are_deterministic_every_image_counts(verdict, own):
    assert verdict(IMAGES, nll(own), reference=TRUE) == ("FAIL", "excess")


def test_a_large_answer_widens_no_tolerance(verdict):
    own = {**nll(at(1, FLOOR + 1e-9)), "x__scale": np.full(4000, 1e12)}
    assert verdict(IMAGES, own, reference=TRUE) == ("FAIL", "excess")


def test_a_spread_that_could_hide_the_excess_is_no_pass(verdict):
    """The mean is right, and too uncertain to tell."""
    noise = RNG.choice([-4.9, 4.9], 2000)
    wide = FLOOR + np.concatenate([noise, -noise])
    assert verdict(MEAN, nll(FLOOR + RNG.normal(0.0, 0.5, 4000)), reference=TRUE)[0] == "PASS"
    assert verdict(MEAN, nll(wide), reference=TRUE) == ("FAIL", "excess")


def test_fewer_images_than_the_rates_need_are_an_error_of_ours():
    few = {name: array[:500] for name, array in TRUE.items()}
    stored = kinds.reduce(MEAN, few)
    with pytest.raises(ValueError, match="500 images cannot"):
        kinds.decide(MEAN, [Evidence(stored, stored)])


def test_a_comparison_declares_its_own_fields():
    fields = {**COMMON, "kind": "likelihood", "against": "reference"}
    with pytest.raises(ValueError, match="compare: mean needs"):
        spec.LikelihoodCheck(**fields, compare="mean", margin_nats=0.1)
    with pytest.raises(ValueError, match="goes with compare: mean"):
        spec.LikelihoodCheck(**fields, compare="images", margin_nats=0.1)
    with pytest.raises(ValueError, match="above `margin_nats`"):
        spec.LikelihoodCheck(**{**MEAN.model_dump(), "min_detectable": 0.01})
    assert (IMAGES.alpha_bound, MEAN.alpha_bound) == (0.0, 2e-6)


def test_likelihood_is_compared_with_the_reference_and_bounded_by_the_floor(decide, verdict):
    worse = nll(FLOOR + 0.5)
    assert verdict(IMAGES, worse, reference=worse) == ("PASS", "")
    figures = decide(IMAGES, worse, reference=worse).figures
    assert figures["mean_excess_nats"] == 0
    assert figures["mean_above_floor_nats"] == pytest.approx(0.5)


def test_without_the_statistics_of_the_reference_it_is_an_error_of_ours():
    own = {"nll": np.zeros(3), "floor": np.zeros(3)}
    with pytest.raises(ValueError, match="reference"):
        kinds.decide(IMAGES, [Evidence(own)])


def test_floor_of_another_length_is_an_error_of_ours():
    with pytest.raises(MeasurementError):
        kinds.reduce(IMAGES, {"x": np.zeros(3), "x__floor": np.zeros(4)})
