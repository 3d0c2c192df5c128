"""Something holds in every entry."""

import numpy as np
import pytest

from harness import kinds
from harness.errors import MeasurementError
from harness.spec import checks as spec

COMMON = {"id": "a", "measurement": "m", "metric": "x", "points": 1.0}
PROPERTY = spec.PropertyCheck(**COMMON, kind="property")


def test_property(decide, verdict):
    assert verdict(PROPERTY, {"x": np.ones((2, 3), dtype=bool)}) == ("PASS", "")
    broken = decide(PROPERTY, {"x": np.array([[True, True], [False, False]])})
    assert (broken.status, broken.cause) == ("FAIL", "wrong")
    assert broken.figures == {"broken": 2, "of": 4, "index": [1, 0]}


def test_property_of_a_scalar(verdict):
    assert verdict(PROPERTY, {"x": np.array(True)})[0] == "PASS"
    assert verdict(PROPERTY, {"x": np.array(False)})[0] == "FAIL"


def test_empty_property_is_an_error_of_ours(decide):
    with pytest.raises(ValueError, match="no entry"):
        decide(PROPERTY, {"x": np.zeros(0, dtype=bool)})


@pytest.mark.parametrize("array", [np.ones(3), np.ones(3, dtype=np.uint8)])
def test_property_that_is_not_boolean_is_an_error_of_ours(array):
    with pytest.raises(MeasurementError, match="boolean"):
        kinds.reduce(PROPERTY, {"x": array})
