"""Every kind on hand-made metrics: what it stores and how it decides."""

import json
import math

import numpy as np
import pytest

from harness import kinds
from harness.errors import MeasurementError
from harness.kinds import Evidence
from harness.records import Step, canonical
from harness.spec import checks as spec

COMMON = {"id": "a", "measurement": "m", "metric": "x", "points": 1.0}
STAGES = {"stage_alpha": 1e-3, "min_detectable": 0.3, "beta": 0.01}
NAN, INF = float("nan"), float("inf")
EPS = np.finfo(np.float64).eps

EXACT = spec.ExactCheck(**COMMON, kind="exact", against="reference")
IDENTITY = spec.IdentityCheck(**COMMON, kind="identity")
PROPERTY = spec.PropertyCheck(**COMMON, kind="property")
NORMALISATION = spec.NormalisationCheck(**COMMON, kind="normalisation")
GAP = spec.BoundsCheck(**COMMON, kind="bounds", lower=-1e-9, upper=1e-3)
CAUSALITY = spec.CausalityCheck(**COMMON, kind="causality")
UNBIASED = spec.UnbiasedCheck(**COMMON, **STAGES, kind="unbiased", dimensions=2)
NORMAL = spec.DistributionCheck(**COMMON, **STAGES, kind="distribution", law="normal", dimensions=2)
CATEGORICAL = spec.DistributionCheck(
    **COMMON, **STAGES, kind="distribution", law="categorical", dimensions=1, categories=3
)
INDEPENDENCE = spec.IndependenceCheck(**COMMON, **STAGES, kind="independence", dimensions=2)
VARIANCE = spec.VarianceRatioCheck(
    **{**COMMON, **STAGES, "min_detectable": 2.0}, kind="variance-ratio", limit=1.2
)
LIKELIHOOD = spec.LikelihoodCheck(**COMMON, kind="likelihood", against="reference", margin_nats=0.1)
RETURNS = spec.ReturnsCheck(
    **COMMON, kind="returns", against="target", target="t.json", low=0.0, high=10.0, episodes=4
)


def moments(statistic):
    return spec.MomentsCheck(**COMMON, kind="moments", against="reference", statistic=statistic)


SEEDS = spec.SeedSuccessCheck(
    **COMMON, kind="seed-success", against="target", target="runs.json", better="higher",
    threshold=10.0, low=0.0, success_rate=0.9, min_detectable=0.3, alpha=3e-6, beta=0.05,
    max_seeds=24,
)  # fmt: skip
ALL = [
    EXACT, IDENTITY, PROPERTY, NORMALISATION, GAP, CAUSALITY, moments("mean"), UNBIASED, NORMAL,
    CATEGORICAL, INDEPENDENCE, VARIANCE, LIKELIHOOD, RETURNS, SEEDS,
]  # fmt: skip


def decide(check, *own, reference=None, target=None):
    """The outcome after so many stages; figures must be JSON as they stand."""
    reduced = None if reference is None else kinds.reduce(check, reference)
    stages = [
        Evidence(kinds.reduce(check, metrics), reduced, target, Step(1 + index))
        for index, metrics in enumerate(own)
    ]
    outcome = kinds.decide(check, stages)
    json.loads(canonical(dict(outcome.figures)))
    assert 0 <= outcome.credit <= 1
    assert (outcome.credit == 1) == (outcome.status == "PASS") or check is RETURNS
    return outcome


def said(check, *own, reference=None):
    outcome = decide(check, *own, reference=reference)
    return outcome.status, outcome.cause


def test_every_kind_is_known():
    assert {check.kind for check in ALL} == {kind.name for kind in kinds.KINDS}


@pytest.mark.parametrize("check", ALL, ids=lambda check: check.kind)
def test_missing_metric_is_an_error_of_ours(check):
    with pytest.raises(MeasurementError, match="needs 'x"):
        kinds.reduce(check, {"other": np.zeros(3)})


SIDE_METRICS = [
    (EXACT, "x__scale"),
    (IDENTITY, "x__scale"),
    (CAUSALITY, "x__allowed"),
    (moments("mean"), "x__weight"),
    (UNBIASED, "x__expected"),
    (CATEGORICAL, "x__probabilities"),
    (VARIANCE, "x__baseline"),
    (LIKELIHOOD, "x__floor"),
    (RETURNS, "x__trajectory"),
]


@pytest.mark.parametrize(("check", "name"), SIDE_METRICS, ids=lambda value: str(value)[:12])
def test_missing_side_metric_is_named(check, name):
    with pytest.raises(MeasurementError, match=name):
        kinds.reduce(check, {"x": np.zeros((4, 2))})


def values(*entries, scale=1.0):
    array = np.array(entries)
    return {"x": array, "x__scale": np.full(array.shape, scale)}


@pytest.mark.parametrize(
    ("own", "status", "cause"),
    [
        ((1.0, 2.0), "PASS", ""),
        ((1.0 + 15 * EPS, 2.0), "PASS", ""),
        ((1.0 + 17 * EPS, 2.0), "FAIL", "wrong"),
        ((1.0, NAN), "FAIL", "not-finite"),
        ((-INF, 2.0), "FAIL", "not-finite"),
    ],
)
def test_exact(own, status, cause):
    assert said(EXACT, values(*own), reference=values(1.0, 2.0)) == (status, cause)


def test_exact_takes_the_scale_of_the_reference():
    own = values(1.1, scale=1e20)
    assert said(EXACT, own, reference=values(1.0)) == ("FAIL", "wrong")


def test_exact_compares_infinities():
    assert said(EXACT, values(INF), reference=values(INF))[0] == "PASS"
    assert said(EXACT, values(1.0), reference=values(INF)) == ("FAIL", "wrong")


def test_exact_in_single_precision_allows_its_rounding():
    single = EXACT.model_copy(update={"precision": "float32"})
    assert said(single, values(1.0 + 1e-6), reference=values(1.0))[0] == "PASS"
    assert said(EXACT, values(1.0 + 1e-6), reference=values(1.0))[0] == "FAIL"


def test_exact_says_where_and_how_far():
    found = decide(EXACT, values(1.0, 3.0), reference=values(1.0, 2.0))
    assert found.figures["index"] == [1]
    assert (found.figures["got"], found.figures["wanted"]) == (3.0, 2.0)
    assert found.margin == pytest.approx(1 / (16 * EPS))


@pytest.mark.parametrize("reference", [values(1.0), values(1.0, NAN)])
def test_exact_against_what_cannot_be_compared_is_an_error_of_ours(reference):
    with pytest.raises(ValueError, match="wanted"):
        decide(EXACT, values(1.0, 2.0), reference=reference)


@pytest.mark.parametrize("check", [EXACT, moments("mean"), LIKELIHOOD], ids=lambda c: c.kind)
def test_comparison_without_a_reference_is_an_error_of_ours(check):
    own = {"value": np.zeros(3), "scale": np.ones(3), "nll": np.zeros(3), "floor": np.zeros(3)}
    with pytest.raises(ValueError, match="reference"):
        kinds.decide(check, [Evidence(own)])


@pytest.mark.parametrize("check", [EXACT, IDENTITY], ids=lambda c: c.kind)
@pytest.mark.parametrize("scale", [-1.0, NAN, INF])
def test_unusable_scale_is_an_error_of_ours(check, scale):
    with pytest.raises(MeasurementError, match="x__scale"):
        kinds.reduce(check, values(1.0, 2.0, scale=scale))


def test_identity():
    assert said(IDENTITY, values(0.0, 15 * EPS)) == ("PASS", "")
    assert said(IDENTITY, values(0.0, -17 * EPS)) == ("FAIL", "wrong")
    assert said(IDENTITY, values(0.0, NAN)) == ("FAIL", "not-finite")
    assert said(IDENTITY, values(0.0, 0.1, scale=1e15)) == ("PASS", "")


def test_identity_without_entries_is_an_error_of_ours():
    with pytest.raises(ValueError, match="entr"):
        decide(IDENTITY, {"x": np.zeros(0), "x__scale": np.zeros(0)})


def test_property():
    assert said(PROPERTY, {"x": np.ones((2, 3), dtype=bool)}) == ("PASS", "")
    broken = decide(PROPERTY, {"x": np.array([[True, True], [False, False]])})
    assert (broken.status, broken.cause) == ("FAIL", "wrong")
    assert broken.figures == {"broken": 2, "of": 4, "index": [1, 0]}


def test_property_of_a_scalar():
    assert said(PROPERTY, {"x": np.array(True)})[0] == "PASS"
    assert said(PROPERTY, {"x": np.array(False)})[0] == "FAIL"


def test_empty_property_is_an_error_of_ours():
    with pytest.raises(ValueError, match="no entry"):
        decide(PROPERTY, {"x": np.zeros(0, dtype=bool)})


@pytest.mark.parametrize("array", [np.ones(3), np.ones(3, dtype=np.uint8)])
def test_property_that_is_not_boolean_is_an_error_of_ours(array):
    with pytest.raises(MeasurementError, match="boolean"):
        kinds.reduce(PROPERTY, {"x": array})


@pytest.mark.parametrize(
    ("logs", "status", "cause"),
    [
        (np.log([[0.25, 0.75], [0.5, 0.5]]), "PASS", ""),
        (np.array([-1e4, 0.0]), "PASS", ""),
        (np.array([0.0, -INF]), "PASS", ""),
        (np.log([[0.25, 0.75], [0.5, 0.6]]), "FAIL", "wrong"),
        (np.log([0.5, 0.4]), "FAIL", "wrong"),
        (np.array([0.0, NAN]), "FAIL", "not-finite"),
        (np.array([-INF, -INF]), "FAIL", "not-finite"),
        (np.array([0.0, INF]), "FAIL", "not-finite"),
    ],
)
def test_normalisation(logs, status, cause):
    assert said(NORMALISATION, {"x": logs}) == (status, cause)


def test_normalisation_says_the_log_of_the_sum():
    figures = decide(NORMALISATION, {"x": np.log([0.5, 1.5])}).figures
    assert figures["log_sum"] == pytest.approx(math.log(2))


@pytest.mark.parametrize("logs", [np.array(0.0), np.zeros(0), np.zeros((2, 0))])
def test_normalisation_over_nothing_is_an_error_of_ours(logs):
    with pytest.raises(MeasurementError, match="outcomes"):
        kinds.reduce(NORMALISATION, {"x": logs})


@pytest.mark.parametrize(
    ("difference", "status", "cause"),
    [
        (np.array([[0.0, 9.9e-4], [-9.9e-10, 1e-12]]), "PASS", ""),
        (np.array([0.0, 1.1e-3]), "FAIL", "wrong"),
        (np.array([0.0, -1.1e-9]), "FAIL", "wrong"),
        (np.array([NAN, 0.0]), "FAIL", "not-finite"),
        (np.array(INF), "FAIL", "not-finite"),
        (np.array(-INF), "FAIL", "not-finite"),
    ],
)
def test_bounds(difference, status, cause):
    assert said(GAP, {"x": difference}) == (status, cause)


@pytest.mark.parametrize(("side", "inside"), [("lower", 1.0), ("upper", -1.0)])
def test_a_bound_that_is_left_out_holds_every_finite_number(side, inside):
    check = spec.BoundsCheck(**COMMON, kind="bounds", **{side: 0.0})
    assert said(check, {"x": np.array([0.0, inside * 1e300])}) == ("PASS", "")
    assert said(check, {"x": np.array([0.0, -inside * 1e-300])}) == ("FAIL", "wrong")
    assert said(check, {"x": np.array([inside * INF])}) == ("FAIL", "not-finite")


def test_the_margin_of_bounds_is_the_share_of_the_bound():
    assert decide(GAP, {"x": np.array([5e-4, -1e-10])}).margin == pytest.approx(0.5)
    assert decide(GAP, {"x": np.array([1e-5, -3e-9])}).margin == pytest.approx(3)


def test_bounds_say_how_far_off_and_what_is_allowed():
    outcome = decide(GAP, {"x": np.array([0.0, 0.4125, -1e-8])})
    assert outcome.message == (
        "a difference of 0.412 from the ideal, where at least -1e-09 and at most 0.001 is allowed"
    )
    one_sided = spec.BoundsCheck(**COMMON, kind="bounds", upper=0.5)
    assert decide(one_sided, {"x": np.array(2.0)}).message.endswith("where at most 0.5 is allowed")
    assert decide(GAP, {"x": np.array(NAN)}).message == ""


def test_bounds_of_nothing_are_an_error_of_ours():
    with pytest.raises(MeasurementError, match="no entry"):
        kinds.reduce(GAP, {"x": np.zeros(0)})


def test_bounds_that_hold_every_number_are_refused():
    with pytest.raises(ValueError, match="every number"):
        spec.BoundsCheck(**COMMON, kind="bounds")


def causal(influence, scale=1.0, **masks):
    lower = np.tri(3, k=-1, dtype=bool)
    metrics = {"x": np.array(influence), "x__allowed": lower, "x__required": lower}
    return {**metrics, "x__scale": np.array(scale), **masks}


CAUSAL = np.tri(3, k=-1)


def influence(row, column, size):
    changed = CAUSAL.copy()
    changed[row, column] = size
    return changed


@pytest.mark.parametrize(
    ("found", "status", "cause"),
    [
        (CAUSAL, "PASS", ""),
        (influence(0, 2, 0.5e-12), "PASS", ""),
        (influence(0, 2, 2e-12), "FAIL", "leak"),
        (influence(1, 1, 1.0), "FAIL", "leak"),
        (influence(2, 0, 0.0), "FAIL", "blind"),
        (influence(2, 0, NAN), "FAIL", "blind"),
        (influence(0, 2, NAN), "FAIL", "not-finite"),
        (influence(0, 2, INF), "FAIL", "not-finite"),
    ],
)
def test_causality(found, status, cause):
    assert said(CAUSALITY, causal(found)) == (status, cause)


def test_causality_measures_a_leak_by_the_size_of_the_outputs():
    assert said(CAUSALITY, causal(influence(0, 2, 2e-12), scale=10.0))[0] == "PASS"
    assert said(CAUSALITY, causal(CAUSAL, scale=NAN)) == ("FAIL", "not-finite")


def test_leak_of_a_program_whose_outputs_are_zero_is_a_leak():
    assert said(CAUSALITY, causal(influence(0, 2, 1.0), scale=0.0)) == ("FAIL", "leak")


@pytest.mark.parametrize(
    "masks",
    [
        {"x__allowed": np.ones((3, 3), dtype=bool)},
        {"x__required": np.zeros((3, 3), dtype=bool)},
        {"x__required": np.ones((3, 3), dtype=bool)},
        {"x__allowed": np.zeros((3, 2), dtype=bool)},
        {"x__required": np.zeros(3, dtype=bool)},
    ],
)
def test_causality_with_masks_that_ask_nothing_is_an_error_of_ours(masks):
    with pytest.raises(MeasurementError):
        kinds.reduce(CAUSALITY, causal(CAUSAL, **masks))


def law(outcomes, weights):
    return {"x": np.array(outcomes), "x__weight": np.array(weights)}


FAIR = law([[0.0, 1.0], [2.0, 3.0]], [0.5, 0.5])


@pytest.mark.parametrize("statistic", ["mean", "variance", "trace-variance"])
def test_moments_of_the_reference_pass(statistic):
    assert said(moments(statistic), FAIR, reference=FAIR) == ("PASS", "")
    broken = law([[0.0, NAN], [2.0, 3.0]], [0.5, 0.5])
    assert said(moments(statistic), broken, reference=FAIR) == ("FAIL", "not-finite")


def test_moments_compare_the_statistic_that_is_asked_for():
    wider = law([[-1.0, 0.0], [3.0, 4.0]], [0.5, 0.5])
    assert said(moments("mean"), wider, reference=FAIR) == ("PASS", "")
    assert said(moments("variance"), wider, reference=FAIR) == ("FAIL", "wrong")
    swapped = law([[0.0, 0.0], [0.0, 8.0**0.5]], [0.5, 0.5])
    assert said(moments("variance"), swapped, reference=FAIR) == ("FAIL", "wrong")
    assert said(moments("trace-variance"), swapped, reference=FAIR) == ("PASS", "")


@pytest.mark.parametrize("weights", [[0.5, 0.4], [0.5, 0.25, 0.25], [NAN, 0.5], [1.5, -0.5]])
def test_moments_under_no_law_are_an_error_of_ours(weights):
    with pytest.raises(MeasurementError, match="weights"):
        kinds.reduce(moments("mean"), law([0.0, 1.0], weights))


RNG = np.random.default_rng(7)
GOOD, OTHER = RNG.normal(size=(2, 2000, 2))


def broken(samples, value):
    changed = samples.copy()
    changed[3, 1] = value
    return changed


def unbiased(samples, scale=1.0):
    return {"x": samples, "x__expected": np.zeros(2), "x__scale": np.full(2, scale)}


def categories(probabilities, samples=None):
    rng = np.random.default_rng(11)
    drawn = rng.choice(3, (2000, 1), p=probabilities) if samples is None else samples
    return {"x": drawn, "x__probabilities": np.array([[0.2, 0.3, 0.5]])}


def ratio(own):
    return {"x": own, "x__baseline": OTHER}


TWO_STAGE = [
    (UNBIASED, unbiased(GOOD), unbiased(GOOD + 0.4), "biased"),
    (UNBIASED, unbiased(GOOD), unbiased(broken(GOOD, NAN)), "not-finite"),
    (NORMAL, {"x": GOOD}, {"x": GOOD * 2}, "distribution"),
    (NORMAL, {"x": GOOD}, {"x": broken(GOOD, INF)}, "not-finite"),
    (CATEGORICAL, categories([0.2, 0.3, 0.5]), categories([0.4, 0.3, 0.3]), "distribution"),
    (
        CATEGORICAL,
        categories([0.2, 0.3, 0.5]),
        categories(None, np.full((2000, 1), NAN)),
        "distribution",
    ),
    (INDEPENDENCE, {"x": GOOD}, {"x": GOOD @ [[1.0, 0.5], [0.0, 1.0]]}, "dependent"),
    (INDEPENDENCE, {"x": GOOD}, {"x": broken(GOOD, NAN)}, "not-finite"),
    (INDEPENDENCE, {"x": GOOD}, {"x": GOOD * [1.0, 0.0]}, "dependent"),
    (VARIANCE, ratio(GOOD), ratio(GOOD * 1.5), "variance-ratio"),
    (VARIANCE, ratio(GOOD), ratio(broken(GOOD, INF)), "not-finite"),
]


@pytest.mark.parametrize(
    ("check", "good", "bad", "cause"), TWO_STAGE, ids=lambda value: getattr(value, "kind", None)
)
def test_two_rejections_fail_and_one_does_not(check, good, bad, cause):
    assert said(check, good) == ("PASS", "")
    assert said(check, bad) == ("MORE", "")
    assert said(check, bad, good) == ("PASS", "")
    assert said(check, bad, bad) == ("FAIL", cause)
    assert decide(check, bad, bad).figures["stages"] == 2


def test_unbiased_but_too_noisy_fails_for_its_variance():
    rng = np.random.default_rng(2)
    first, second = (unbiased(rng.normal(0, 10, (2000, 2))) for _ in range(2))
    assert decide(UNBIASED, first).status == "MORE"
    found = decide(UNBIASED, first, second)
    assert (found.status, found.cause) == ("FAIL", "variance")
    assert found.figures["widest"] > 1


def test_noise_of_a_constant_needs_no_scale():
    found = said(UNBIASED, {**unbiased(np.zeros((50, 2))), "x__scale": np.ones(2)})
    assert found == ("PASS", "")


def test_constant_whose_honest_scale_is_zero_passes():
    found = decide(UNBIASED, unbiased(np.zeros((50, 2)), scale=0.0))
    assert (found.status, found.figures["widest"]) == ("PASS", 0.0)


@pytest.mark.parametrize("check", [UNBIASED, NORMAL, INDEPENDENCE], ids=lambda c: c.kind)
@pytest.mark.parametrize("shape", [(100,), (100, 3), (100, 2, 1)])
def test_draws_of_another_shape_are_an_error_of_ours(check, shape):
    with pytest.raises(MeasurementError, match="shape"):
        kinds.reduce(check, {**unbiased(GOOD), "x": np.zeros(shape)})


def test_categories_of_another_shape_are_an_error_of_ours():
    with pytest.raises(MeasurementError, match="shapes"):
        kinds.reduce(CATEGORICAL, categories(None, np.zeros((10, 2))))
    wrong = {"x": np.zeros((10, 1)), "x__probabilities": np.array([[0.5, 0.5]])}
    with pytest.raises(MeasurementError, match="shapes"):
        kinds.reduce(CATEGORICAL, wrong)


def test_pairs_of_different_shape_are_an_error_of_ours():
    with pytest.raises(MeasurementError, match="pairs"):
        kinds.reduce(VARIANCE, {"x": np.zeros((10, 2)), "x__baseline": np.zeros((10, 3))})


@pytest.mark.parametrize(
    ("check", "metrics"),
    [
        (EXACT, {"x": np.zeros(3), "x__scale": np.ones(2)}),
        (IDENTITY, {"x": np.zeros(3), "x__scale": np.ones((2, 3))}),
        (UNBIASED, {**unbiased(GOOD), "x__expected": np.zeros(3)}),
        (UNBIASED, unbiased(GOOD[:1])),
        (INDEPENDENCE, {"x": GOOD[:2]}),
        (CAUSALITY, causal(CAUSAL, x__scale=np.zeros(0))),
        (LIKELIHOOD, {"x": np.zeros(3), "x__floor": np.zeros(4)}),
    ],
    ids=["exact", "identity", "expected", "one draw", "two draws", "no scale", "floor"],
)
def test_shapes_that_do_not_fit_are_an_error_of_ours(check, metrics):
    with pytest.raises(MeasurementError):
        kinds.reduce(check, metrics)


FLOOR = np.random.default_rng(3).exponential(5.0, 500)
TRUE = {"x": FLOOR, "x__floor": FLOOR}


def nll(values_):
    return {"x": values_, "x__floor": FLOOR}


@pytest.mark.parametrize(
    ("own", "status", "cause"),
    [
        (FLOOR, "PASS", ""),
        (FLOOR + 0.09, "PASS", ""),
        (FLOOR + np.linspace(-0.4, 0.4, 500), "PASS", ""),
        (FLOOR + 0.3, "FAIL", "excess"),
        (FLOOR - 1.0, "FAIL", "below-floor"),
        (np.where(np.arange(500) == 3, INF, FLOOR), "FAIL", "not-finite"),
        (np.where(np.arange(500) == 3, -INF, FLOOR), "FAIL", "not-finite"),
        (np.where(np.arange(500) == 3, NAN, FLOOR), "FAIL", "not-finite"),
    ],
)
def test_likelihood(own, status, cause):
    assert said(LIKELIHOOD, nll(own), reference=TRUE) == (status, cause)


def test_likelihood_is_compared_with_the_reference_and_bounded_by_the_floor():
    worse = nll(FLOOR + 0.5)
    assert said(LIKELIHOOD, worse, reference=worse) == ("PASS", "")
    figures = decide(LIKELIHOOD, worse, reference=worse).figures
    assert figures["mean_excess_nats"] == 0
    assert figures["mean_above_floor_nats"] == pytest.approx(0.5)


def played(*scores, trajectories=None):
    digests = trajectories or [f"t{index}" for index in range(len(scores))]
    return {"x": np.array(scores, dtype=np.float64), "x__trajectory": np.array(digests)}


TARGET = {"summary": {"mean": 10.0}}


@pytest.mark.parametrize(
    ("mean", "status", "credit"),
    [
        (-3.0, "FAIL", 0.0),
        (0.0, "FAIL", 0.0),
        (2.5, "FAIL", 0.25),
        (9.0, "FAIL", 0.9),
        (10.0, "PASS", 1.0),
        (50.0, "PASS", 1.0),
    ],
)
def test_returns_earn_credit_on_a_ramp(mean, status, credit):
    found = decide(RETURNS, played(mean - 1, mean + 1, mean, mean), target=TARGET)
    assert found.status == status
    assert found.credit == pytest.approx(credit)
    assert found.cause == ("" if status == "PASS" else "return")
    low, high = found.figures["interval"]
    assert low < mean < high


@pytest.mark.parametrize("mean", [2.5, 20.0])
def test_returns_of_one_trajectory_are_inconclusive_and_keep_their_credit(mean):
    metrics = played(*[mean] * 4, trajectories=["same"] * 4)
    found = decide(RETURNS, metrics, target=TARGET)
    assert (found.status, found.cause) == ("INCONCLUSIVE", "few-trajectories")
    assert found.credit == min(mean / 10, 1.0)
    assert "interval" not in found.figures


def test_returns_stand_on_the_leaderboard_where_that_is_asked_for():
    shown = RETURNS.model_copy(update={"leaderboard": True})
    row = decide(shown, played(1.0, 2.0, 3.0, 4.0), target=TARGET).figures["leaderboard"]
    assert row["mean"] == 0.25
    assert 0 <= row["ci_lo"] < row["mean"] < row["ci_hi"] <= 1
    assert row["n_seeds"] == 4
    assert "leaderboard" not in decide(RETURNS, played(1.0, 2.0, 3.0, 4.0)).figures


def test_returns_of_another_number_of_episodes_are_an_error_of_ours():
    with pytest.raises(ValueError, match="4"):
        decide(RETURNS, played(1.0, 2.0, 3.0), target=TARGET)


@pytest.mark.parametrize(
    "metrics",
    [
        played(1.0, NAN, 2.0, 3.0),
        played(),
        played(1.0, 2.0, 3.0, 4.0, trajectories=["a"]),
        {"x": np.ones((2, 2)), "x__trajectory": np.array([["a", "b"], ["c", "d"]])},
    ],
)
def test_returns_that_the_grader_cannot_have_counted_are_an_error_of_ours(metrics):
    with pytest.raises(MeasurementError):
        kinds.reduce(RETURNS, metrics)


def test_signature_tells_what_shapes_the_stored_numbers_and_no_threshold():
    tighter = UNBIASED.model_copy(update={"stage_alpha": 1e-4, "points": 3.0})
    assert kinds.signature(tighter) == kinds.signature(UNBIASED)
    assert kinds.signature(moments("mean")) != kinds.signature(moments("variance"))
    uniform = NORMAL.model_copy(update={"law": "uniform"})
    assert kinds.signature(uniform) != kinds.signature(NORMAL)
    other = EXACT.model_copy(update={"metric": "y"})
    assert kinds.signature(other) != kinds.signature(EXACT)
