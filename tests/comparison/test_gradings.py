"""Pools, gradings counted from them, and their bounds."""

import numpy as np
import pytest
from scipy.stats import binomtest

from harness.comparison.gradings import Entrant, clopper_pearson, rates, spread, tally
from harness.comparison.pools import DrawPool, RunPool
from harness.comparison.schemes import AllCloseDraws, AllCloseRuns, AllSeeds, WelchRuns


def test_bounds_are_clopper_and_pearsons():
    for events, trials in ((0, 40), (3, 40), (40, 40)):
        wanted = binomtest(events, trials).proportion_ci(0.95, "exact")
        assert clopper_pearson(events, trials, 0.95) == pytest.approx((wanted.low, wanted.high))
    for events, trials in ((-1, 5), (6, 5), (0, 0)):
        with pytest.raises(ValueError, match="wanted"):
            clopper_pearson(events, trials, 0.95)


def test_runs_are_dealt_with_replacement(rng):
    pool = RunPool.of(np.arange(4.0))
    hands = pool.deal(3, rng)
    dealt = [tuple(next(hands)) for _ in range(2000)]
    assert {len(set(hand)) for hand in dealt} == {1, 2, 3}
    assert np.bincount(np.ravel(dealt)) == pytest.approx(np.full(4, 1500), abs=140)


def test_draws_are_dealt_without_replacement(rng):
    pool = DrawPool.of(np.arange(24.0).reshape(6, 4, 1))
    assert pool.units == 24
    hands = pool.deal(7, rng)  # two blocks
    dealt = [next(hands) for _ in range(3)]
    assert sorted(np.ravel(dealt).tolist()) == [0, 1, 2, 3, 4, 5]
    with pytest.raises(ValueError, match="holds 24 draws; a grading takes 25"):
        next(pool.deal(25, rng))


def test_draws_are_measured_on_demand_and_once():
    asked = []

    def block(index):
        asked.append(index)
        return np.full((4, 2), float(index))

    draws = DrawPool(block, 4, 10).take([7, 3, 5])
    assert len(draws) == 12
    assert asked == []
    assert draws[:3][:, 0].tolist() == [7, 7, 7]
    assert draws[2:6][:, 1].tolist() == [7, 7, 3, 3]
    assert asked == [7, 3]
    with pytest.raises(ValueError, match="follow each other"):
        draws[::2]


def test_pools_refuse_other_shapes():
    for make in (
        lambda: RunPool.of([]),
        lambda: RunPool.of([[1.0]]),
        lambda: DrawPool.of(np.ones((2, 3))),
        lambda: DrawPool.of(np.ones((0, 3, 1))),
    ):
        with pytest.raises(ValueError, match="wanted"):
            make()


def test_several_schemes_grade_the_same_units(rng):
    pool = RunPool.of(np.repeat([200.0, 20.0], [50, 50]))
    two, three = tally(
        [Entrant(AllSeeds(2, 150.0, "higher")), Entrant(AllSeeds(3, 150.0, "higher"))],
        pool,
        4000,
        rng,
    )
    assert three.passed < two.passed  # who passes three has passed two
    assert two.passed / 4000 == pytest.approx(0.25, abs=0.03)
    assert (two.used, three.used) == (2.0, 3.0)
    assert two.interval[0] < two.failed < two.interval[1]
    assert (two.disjoint, three.disjoint) == (50, 33)


def test_a_common_seed_pairs_the_units(rng):
    values = rng.standard_normal(30)
    other = rng.permutation(values)
    assert rates(AllCloseRuns(3), RunPool.of(values), RunPool.of(values), 50, rng) == (50, 50)
    assert rates(AllCloseRuns(3), RunPool.of(other), RunPool.of(values), 50, rng)[0] < 5
    draws = rng.standard_normal((20, 5, 2))
    pool = DrawPool.of(draws)
    assert rates(AllCloseDraws(5), pool, DrawPool.of(draws), 30, rng) == (30, 30)
    assert rates(AllCloseDraws(5), pool, DrawPool.of(draws[::-1]), 30, rng) == (0, 30)


def test_the_same_generator_gives_the_same_counts(normal_runs):
    own, stored = normal_runs(), normal_runs()
    scheme = WelchRuns(5, 20, "higher")
    found = [rates(scheme, own, stored, 300, np.random.default_rng(3)) for _ in range(2)]
    assert found[0] == found[1]


def test_one_stored_reference_is_kept_for_all_its_gradings(rng):
    """Half of the stored references are far too good: under these everybody fails."""
    stored = DrawPool.of(np.array([[[0.1], [-0.1]], [[9.1], [8.9]]]))

    class Beats(AllSeeds):
        @property
        def reference(self):
            return 2

        def judge(self, own, reference, rng):
            found = super().judge(own, reference, rng)
            return type(found)(bool(own[:1][0] > reference.mean()), 1)

    own = RunPool.of(np.full(10, 5.0))
    entrant = Entrant(Beats(1, 0.0, "higher"), stored)
    assert sorted(spread(entrant, own, 2, 20, rng).tolist()) == [0.0, 1.0]
    passed, gradings = rates(entrant.scheme, own, stored, 400, rng)
    assert passed == gradings / 2  # on average the two references hide each other


def test_what_cannot_be_counted_is_refused(rng):
    pool = RunPool.of(np.ones(5))
    with pytest.raises(ValueError, match="needs a pool"):
        rates(WelchRuns(2, 2, "higher"), pool, None, 5, rng)
    with pytest.raises(ValueError, match="gradings"):
        rates(AllSeeds(2, 0.0, "higher"), pool, None, 0, rng)
    with pytest.raises(ValueError, match="no stored reference"):
        spread(Entrant(AllSeeds(2, 0.0, "higher")), pool, 5, 5, rng)
    with pytest.raises(ValueError, match="no stored reference"):
        spread(Entrant(AllCloseRuns(1), pool), pool, 5, 5, rng)
