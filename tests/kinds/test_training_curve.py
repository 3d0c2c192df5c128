"""Learning curves: when a training first solved its environment, how long episodes lasted."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import kinds
from harness.errors import MeasurementError
from harness.kinds import Evidence, seed_success, training_curve
from harness.records import Step
from harness.spec.checks import SeedSuccessCheck

BUDGET = 1000


def declare(solved):
    return SeedSuccessCheck(
        id="a", measurement="m", metric="x", points=1.0, kind="seed-success", against="target",
        target="runs.json", better="higher", threshold=10.0, low=0.0, success_rate=0.9,
        min_detectable=0.3, alpha=3e-6, beta=0.05, loss=1e-3, max_seeds=24, solved=solved,
    )  # fmt: skip


CHECK = declare({"episodes": 3, "mean": 10.0})


def metrics(ends, lengths, value=5.0):
    return {
        "x": np.asarray(value),
        training_curve.ENDS: np.array(ends, dtype=np.int64),
        training_curve.LENGTHS: np.array(lengths, dtype=np.int64),
        training_curve.BUDGET: np.asarray(BUDGET),
    }


def test_it_is_solved_when_the_last_episode_of_the_first_good_stretch_ends():
    found = kinds.reduce(CHECK, metrics([100, 150, 200, 420, 900], [9, 12, 8, 11, 30]))
    assert float(found["first_solved"]) == 420  # 12, 8, 11
    assert float(found["value"]) == 5.0
    assert float(found["budget"]) == BUDGET


def test_a_training_that_never_solves_it_has_no_first_time():
    for lengths in ([9, 9, 9, 9], [50, 50], []):
        found = kinds.reduce(CHECK, metrics(range(100, 100 + len(lengths)), lengths))
        assert np.isnan(found["first_solved"])


def test_a_curve_has_the_mean_of_the_last_episodes_at_each_share_of_the_budget():
    found = kinds.reduce(CHECK, metrics([100, 150, 200, 420, 900], [9, 12, 9, 12, 30]))
    shares = np.arange(1, training_curve.POINTS + 1) * BUDGET / training_curve.POINTS
    assert np.isnan(found["curve"][shares < 200]).all()
    assert set(found["curve"][(shares >= 200) & (shares < 420)]) == {10.0}
    assert set(found["curve"][(shares >= 420) & (shares < 900)]) == {11.0}
    assert set(found["curve"][shares >= 900]) == {17.0}


@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(1, 25)), max_size=40),
    st.integers(2, 6),
    st.integers(1, 20),
)
def test_both_are_what_a_plain_loop_finds(episodes, window, mean):
    ends = np.cumsum([gap for gap, _ in episodes]).tolist()
    lengths = [length for _, length in episodes]
    stretches = [
        (ends[last - 1], sum(lengths[last - window : last]) / window)
        for last in range(window, len(lengths) + 1)
    ]
    found = kinds.reduce(declare({"episodes": window, "mean": float(mean)}), metrics(ends, lengths))
    first = next((end for end, length in stretches if length >= mean), np.nan)
    assert np.array_equal(found["first_solved"], first, equal_nan=True)
    for number, shown in enumerate(found["curve"], start=1):
        before = [
            length for end, length in stretches if end <= BUDGET * number / len(found["curve"])
        ]
        assert np.array_equal(shown, before[-1] if before else np.nan, equal_nan=True)


def test_the_evidence_has_every_seed_and_a_broken_one_has_no_curve():
    solved = metrics([100, 150, 200], [9, 12, 9], 11.0), metrics([100], [9], 11.0)
    steps = [
        Evidence(kinds.reduce(CHECK, each), step=Step(1, index))
        for index, each in enumerate(solved)
    ]
    steps.append(Evidence({}, step=Step(1, 2), error="exception"))
    steps += [Evidence(steps[0].own, step=Step(1, index)) for index in range(3, 24)]
    shown = kinds.decide(CHECK, steps).figures["training"]
    assert shown["first_solved"][:4] == [200, None, None, 200]
    assert shown["budget"] == BUDGET
    assert [len(curve) for curve in shown["curves"][:4]] == [
        training_curve.POINTS, training_curve.POINTS, 0, training_curve.POINTS,
    ]  # fmt: skip
    assert shown["curves"][0][3:6] == [None, 10.0, 10.0]


def test_nothing_is_marked_by_it():
    """The same values come to the same decision, whatever the course of the trainings."""
    plain = declare(None)
    values = [11.0, 11.0, 2.0, 11.0, 3.0] * 5
    with_curves = [
        Evidence(kinds.reduce(CHECK, metrics([9], [9], value)), step=Step(1, index))
        for index, value in enumerate(values)
    ]
    without = [
        Evidence(kinds.reduce(plain, {"x": np.asarray(value)}), step=Step(1, index))
        for index, value in enumerate(values)
    ]
    found, wanted = kinds.decide(CHECK, with_curves), kinds.decide(plain, without)
    assert (found.status, found.credit, found.message) == (
        wanted.status, wanted.credit, wanted.message,
    )  # fmt: skip
    assert set(found.figures) - set(wanted.figures) == {"training"}


def test_what_is_stored_depends_on_the_declaration_and_its_digest_says_so():
    plain, other = declare(None), declare({"episodes": 3, "mean": 11.0})
    signatures = [kinds.signature(each) for each in (plain, CHECK, other)]
    assert signatures[0] == ["a", "seed-success", "x"]
    assert len({str(each) for each in signatures}) == 3
    assert "solved" not in CHECK.model_dump()  # of what a mark depends on
    assert set(seed_success.reduce(plain, {"x": np.asarray(1.0)})) == {"value"}


def test_a_training_whose_episodes_were_not_counted_is_a_fault_of_the_task():
    with pytest.raises(MeasurementError, match=training_curve.ENDS):
        kinds.reduce(CHECK, {"x": np.asarray(1.0)})
