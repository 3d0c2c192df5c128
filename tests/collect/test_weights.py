"""A state that a statement fixes: every kind of entry that is not what it is to be."""

import numpy as np
import pytest

from harness.collect import weights
from harness.errors import ProgramError

SHAPES = {"layer.weight": (2, 3), "layer.bias": (2,)}
WRONG = {
    "missing": ({"layer.bias": None}, "layer.bias is missing (wanted: layer.weight, layer.bias)"),
    "too-many": ({"beta": np.zeros(1, np.float32)}, "beta is an entry too many"),
    "shape": (
        {"layer.weight": np.zeros((3, 2), np.float32)},
        "layer.weight is float32 [3, 2], not float32 [2, 3],",
    ),
    "double": ({"layer.bias": np.zeros(2)}, "layer.bias is float64 [2], not float32 [2],"),
    "half": ({"layer.bias": np.zeros(2, np.float16)}, "layer.bias is float16 [2]"),
    "integers": ({"layer.bias": np.zeros(2, np.int64)}, "layer.bias is int64 [2]"),
    "nan": ({"layer.bias": np.array([0, np.nan], np.float32)}, "layer.bias holds numbers that are"),
    "infinite": ({"layer.bias": np.array([0, -np.inf], np.float32)}, "layer.bias holds numbers"),
}


def state():
    return {name: np.ones(shape, np.float32) for name, shape in SHAPES.items()}


def test_the_state_of_the_statement_is_taken():
    weights.require("Model", state(), SHAPES)


@pytest.mark.parametrize("case", WRONG)
def test_any_other_is_refused_in_words(case):
    change, words = WRONG[case]
    changed = {name: array for name, array in {**state(), **change}.items() if array is not None}
    with pytest.raises(ProgramError) as refused:
        weights.require("Model", changed, SHAPES)
    assert refused.value.cause == "bad-output"
    assert words in str(refused.value)
    assert str(refused.value).endswith("in the state of Model")
