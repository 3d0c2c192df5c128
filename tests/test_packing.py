"""Arrays survive being packed bit for bit, whatever their dtype, shape and order in memory."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from harness.packing import pack, unpack

DTYPES = ("float64", "float32", "int64", "uint8", "uint64", "bool", "<U3")
arrays = st.sampled_from(DTYPES).flatmap(
    lambda name: hnp.arrays(
        np.dtype(name), hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)
    )
)
names = st.text(max_size=5)


@given(st.dictionaries(names, st.dictionaries(names, arrays, max_size=4), max_size=3))
def test_statistics_survive_bit_for_bit(statistics):
    layout, data = pack(statistics)
    found = unpack(json.loads(json.dumps(layout)), data)
    assert {check: list(each) for check, each in found.items()} == {
        check: list(each) for check, each in statistics.items()
    }
    for check, each in statistics.items():
        for name, wanted in each.items():
            array = found[check][name]
            assert (array.dtype, array.shape) == (wanted.dtype, wanted.shape)
            assert array.tobytes() == wanted.tobytes()


def test_order_in_memory_and_byte_order_do_not_matter():
    array = np.arange(6.0).reshape(2, 3)
    for other in (np.asfortranarray(array), array.astype(">f8"), array.repeat(2, 1)[:, ::2]):
        assert pack({"a": {"v": other}}) == pack({"a": {"v": array}})


def test_bytes_that_do_not_fit_are_refused():
    layout, data = pack({"a": {"v": np.arange(3.0)}})
    with pytest.raises(ValueError, match="buffer"):
        unpack(layout, data[:-8])
