"""Which entries count as wrong: each is judged by its own size and by what is usual around it."""

from __future__ import annotations

import numpy as np
import pytest

from harness.marking.closeness import ordinary_entry, same, wrong_entries

RNG = np.random.default_rng(1)


def test_an_extreme_row_does_not_excuse_the_others() -> None:
    reference = RNG.normal(size=(200, 3))
    reference[7] = 1e26
    own = reference * (1 + 1e-6)
    own[7] = reference[7]
    wrong = wrong_entries(own, reference)
    assert wrong.sum() == 199 * 3
    assert not wrong[7].any()


def test_a_column_of_another_size_does_not_excuse_the_others() -> None:
    reference = RNG.normal(size=(50, 2)) * [1.0, 1e12]
    own = reference + np.array([1e-7, 0.0])
    assert wrong_entries(own, reference).sum() == 50


@pytest.mark.parametrize("shape", [(), (1,), (5,), (4, 3), (2, 3, 4)])
def test_rounding_is_excused_everywhere(shape: tuple[int, ...]) -> None:
    reference = RNG.normal(size=shape)
    assert same(reference * (1 + 4e-16), reference)
    assert not same(reference.astype(np.float32).astype(np.float64), reference)


def test_what_cancels_to_nearly_nothing_is_judged_by_its_neighbours() -> None:
    reference = np.array([[1.0, 2.0, 3e-17], [4.0, 5.0, 0.0]])
    own = np.array([[1.0, 2.0, -5e-17], [4.0, 5.0, 1e-17]])
    assert same(own, reference)


def test_a_sparse_array_is_judged_by_what_is_not_zero() -> None:
    reference = np.zeros((6, 4))
    reference[2, 1] = 3.0
    own = reference + 1e-17
    assert same(own, reference)
    own[4, 2] = 1e-6
    assert np.argwhere(wrong_entries(own, reference)).tolist() == [[4, 2]]


def test_infinities_and_nan_equal_themselves_alone() -> None:
    reference = np.array([np.nan, np.inf, -np.inf, 1.0])
    assert same(reference, reference)
    for place in range(3):
        own = reference.copy()
        own[place] = 1e300
        assert wrong_entries(own, reference).sum() == 1
    assert wrong_entries(-reference, reference).tolist() == [False, True, True, True]


def test_other_shapes_are_never_the_same() -> None:
    assert not same(np.zeros(3), np.zeros((3, 1)))


def test_the_row_that_is_shown_is_an_ordinary_one() -> None:
    reference = np.ones((5, 2))
    own = reference * np.array([[1.0], [1.1], [1.2], [1e30], [np.inf]])
    assert ordinary_entry(own, reference, wrong_entries(own, reference))[0] == 2
