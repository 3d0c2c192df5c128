"""The kind of training checks: seeds come in until they suffice, and better ones never cost."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import kinds
from harness.errors import MeasurementError
from harness.kinds import Evidence, seed_success
from harness.records import Step
from harness.spec import checks as spec
from harness.statistics import sequential


def declare(**changes):
    fields = {
        "id": "a", "measurement": "m", "metric": "x", "points": 1.0, "kind": "seed-success",
        "against": "target", "target": "runs.json", "better": "higher", "threshold": 10.0,
        "low": 0.0, "success_rate": 0.9, "min_detectable": 0.3, "alpha": 3e-6, "beta": 0.05,
        "loss": 1e-3, "max_seeds": 24,
    }  # fmt: skip
    return spec.SeedSuccessCheck(**{**fields, **changes})


CHECK = declare()
#: Small enough to try every sequence of seeds.
SMALL = declare(success_rate=0.95, min_detectable=0.05, max_seeds=7)
DESIGN = seed_success.design(CHECK)
FIRST = sequential.state(DESIGN, []).needed
#: What FAIL keeps of the ramp.
KEPT = CHECK.mutant_max_credit
TARGET = {"programs": [{"role": "reference", "values": {"x": [11.0, 13.0]}}]}


def evidence(values, target=None):
    return [
        Evidence({"value": np.float64(value)}, None, target, Step(1, index))
        if not isinstance(value, str)
        else Evidence({}, None, target, Step(1, index), value)
        for index, value in enumerate(values)
    ]


def decided(check, values, target=None):
    """The outcome for a program whose seeds, as many as are asked for, have these values."""
    seen, outcome = 0, kinds.FIRST
    while outcome.status == "MORE":
        assert [step.replicate for step in outcome.wants] == list(
            range(seen, seen + len(outcome.wants))
        )
        seen += len(outcome.wants)
        outcome = kinds.decide(check, evidence(values[:seen], target))
    return outcome


def test_one_number_a_seed():
    found = kinds.reduce(CHECK, {"x": np.float32(3.5)})
    assert (found["value"].dtype, float(found["value"])) == (np.float64, 3.5)


@pytest.mark.parametrize("value", [np.zeros(1), np.array("a"), np.array(True)])
def test_anything_else_is_an_error_of_ours(value):
    with pytest.raises(MeasurementError, match="one number"):
        kinds.reduce(CHECK, {"x": value})


def test_good_seeds_pass_at_the_first_chance_and_bad_ones_fail():
    passed, failed = decided(CHECK, [12.0] * 24), decided(CHECK, [2.0] * 24)
    assert (passed.status, passed.credit, passed.figures["seeds"]) == ("PASS", 1.0, FIRST)
    assert (failed.status, failed.cause) == ("FAIL", "seeds")
    assert failed.credit == pytest.approx(KEPT * 0.2)
    assert FIRST <= failed.figures["seeds"] < 24


def test_a_failure_says_what_the_seeds_came_to():
    found = decided(CHECK, [12.0, "timeout", *[2.0] * 22])
    start = f"1 of {found.figures['seeds']} training runs, each with a seed of its own, came to at "
    assert found.message.startswith(start + "least 10: 12, 0, 2, 2")
    assert found.message.endswith("(seed 1 timeout; counted as 0)")
    assert decided(CHECK, [12.0] * 24).message == ""


def test_undecided_at_the_cap_is_inconclusive_with_the_ramp_of_all_seeds():
    values = [12.0, 2.0] * 12
    assert sequential.state(DESIGN, [value > 10 for value in values]).status == "undecided"
    found = decided(CHECK, values)
    assert (found.status, found.cause) == ("INCONCLUSIVE", "undecided")
    assert found.credit == pytest.approx(0.6)


def test_lower_can_be_better():
    check = declare(better="lower", threshold=1.0, low=3.0)
    assert decided(check, [0.9] * 24).status == "PASS"
    assert decided(check, [1.0] * 24).status == "PASS"
    found = decided(check, [2.0] * 24)
    assert (found.status, found.credit) == ("FAIL", pytest.approx(KEPT * 0.5))


@pytest.mark.parametrize("broken", ["timeout", math.nan, math.inf, -math.inf])
def test_a_seed_without_a_number_counts_as_nothing_learnt(broken):
    """Infinity too, whichever way is better: no honest run gives it."""
    found = decided(CHECK, [12.0, *[broken] * 23])
    assert found.status == "FAIL"
    assert found.credit == pytest.approx(KEPT / FIRST)
    if isinstance(broken, str):
        assert found.figures["errors"]["1"] == broken


def test_the_figures_name_the_design_with_a_fixed_number_of_seeds():
    figures = decided(CHECK, [12.0] * 24).figures
    assert figures["seeds_of_a_fixed_number_design"] > figures["seeds"]


SHOWN = declare(leaderboard=True, leaderboard_seeds=10)


def test_the_leaderboard_has_its_number_of_seeds_whenever_the_decision_came():
    late = [*[2.0] * 2, *[12.0] * 22]
    soon, later = (decided(SHOWN, values, TARGET).figures for values in ([12.0] * 24, late))
    assert soon["seeds"] < later["seeds"]
    assert soon["leaderboard"]["n_seeds"] == later["leaderboard"]["n_seeds"] == 10
    assert soon["leaderboard"]["mean"] == pytest.approx(1.0)
    assert later["leaderboard"]["values"] == pytest.approx([1 / 6] * 2 + [1.0] * 8)
    assert later["leaderboard"]["ci_lo"] < later["leaderboard"]["mean"]


@given(st.lists(st.sampled_from([2.0, 12.0]), min_size=24, max_size=24))
def test_seeds_of_the_leaderboard_change_no_decision(values):
    plain, shown = decided(CHECK, values), decided(SHOWN, values, TARGET)
    assert (plain.status, plain.credit) == (shown.status, shown.credit)
    assert plain.figures["seeds"] == shown.figures["seeds"]
    assert ("leaderboard" in shown.figures) == (plain.status == "PASS")


def test_a_leaderboard_without_runs_of_the_reference_is_an_error_of_ours():
    with pytest.raises(ValueError, match="no runs"):
        decided(SHOWN, [12.0] * 24, {"programs": []})


LEVELS = (2.0, 7.0, 12.0)


def test_a_better_seed_never_lowers_the_credit_whatever_the_others_are():
    """Every sequence of seven seeds on three levels, and every single improvement of it."""
    rank = {"FAIL": 0, "INCONCLUSIVE": 1, "PASS": 2}
    found = {values: decided(SMALL, values) for values in itertools.product(LEVELS, repeat=7)}
    assert {outcome.status for outcome in found.values()} == set(rank)
    for values, outcome in found.items():
        for index, value in enumerate(values):
            for better in LEVELS[LEVELS.index(value) + 1 :]:
                improved = found[*values[:index], better, *values[index + 1 :]]
                assert improved.credit >= outcome.credit, (values, index, better)
                assert rank[improved.status] >= rank[outcome.status]


SEED = st.one_of(st.floats(-5, 15), st.just("exception"), st.just(math.nan))


def worth(value):
    return 0.0 if isinstance(value, str) or not math.isfinite(value) else value


@given(st.lists(SEED, min_size=24, max_size=24), st.integers(0, 23), st.floats(0, 20))
def test_a_better_seed_never_lowers_the_credit(values, index, gain):
    better = list(values)
    better[index] = worth(values[index]) + gain
    assert decided(CHECK, better).credit >= decided(CHECK, values).credit


@given(st.lists(SEED, min_size=24, max_size=24))
def test_full_credit_is_a_pass_and_nothing_else_is(values):
    outcome = decided(CHECK, values)
    assert (outcome.credit == 1) == (outcome.status == "PASS")


@pytest.mark.parametrize(
    "wrong",
    [
        {"low": 10.0},
        {"low": 11.0},
        {"better": "lower"},
        {"min_detectable": 0.9},
        {"alpha": 1e-5},
        {"max_seeds": 0},
        {"loss": 0.0},
        {"mutant_max_credit": 1.0},
        {"leaderboard": True},
        {"leaderboard_seeds": 10},
        {"threshold": math.nan},
        {"success_rate": 1.0},
    ],
    ids=str,
)
def test_a_spec_that_cannot_be_meant_is_refused(wrong):
    with pytest.raises(ValueError, match="1 validation error"):
        declare(**wrong)
