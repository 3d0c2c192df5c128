"""When answers count as the same."""

import numpy as np
import pytest

from harness.mutation.answers import Exchange, with_tolerance


def exchange(answer: np.ndarray) -> Exchange:
    return Exchange({"op": "call", "target": {"name": "f"}}, (), (answer,))


@pytest.mark.parametrize(
    ("was", "now", "differs"),
    [
        ([3.0, -2.0], [3.0, -2.0 * (1 + 1e-12)], False),
        ([3.0, -2.0], [3.0, -2.0 * (1 + 1e-9)], True),
        ([3.0, 2e-17], [3.0, -5e-17], False),  # 0, but for the rounding of the other entry
        ([3.0, 0.0], [3.0, 1e-14], True),
        ([3.0, 1e-12], [3.0, 2e-12], True),
        ([0.0, 0.0], [0.0, 1e-300], True),
        ([np.inf, 2e-17], [np.inf, -5e-17], True),
    ],
)
def test_rounding_makes_no_difference_and_nothing_larger_is_rounding(
    was: list[float], now: list[float], differs: bool
) -> None:
    first, second = np.array(was), np.array(now)
    known = with_tolerance(exchange(first), near=exchange(first))
    assert known.differs([second]) is differs


def test_an_answer_that_its_arguments_determine_badly_may_be_off_by_more() -> None:
    answer, near = np.array([1.0, 1.0]), np.array([1.0, 1.0 + 1e-8])
    known = with_tolerance(exchange(answer), near=exchange(near))
    assert not known.differs([np.array([1.0, 1.0 + 5e-7])])
    assert known.differs([np.array([1.0 + 5e-7, 1.0])])


def test_another_shape_kind_or_number_of_answers_differs() -> None:
    answer = np.array([1.0, 2.0])
    known = with_tolerance(exchange(answer), near=None)
    assert known.differs([answer[None]])
    assert known.differs([answer.astype(np.float32)])
    assert known.differs([answer, answer])
    assert not known.differs([answer.copy()])
