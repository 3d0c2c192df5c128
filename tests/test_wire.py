"""Frames: every message comes back as it was sent, and no byte of a hostile one does harm."""

from __future__ import annotations

import json
import struct
import tracemalloc
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from harness import wire

BUDGET = 1 << 16
DTYPES = st.sampled_from(wire.DTYPES)
SHAPES = arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5)
ARRAYS = st.lists(arrays.arrays(DTYPES, SHAPES), max_size=5)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda children: st.lists(children, max_size=3)
    | st.dictionaries(st.text(max_size=5), children, max_size=3),
    max_leaves=10,
)  # fmt: skip
MESSAGES = st.dictionaries(st.text(max_size=8).filter(lambda key: key != "buffers"), JSON)


class Ended(Exception):
    """The stream has no more bytes: what a transport says, and not a frame's fault."""


def reader(data: bytes) -> Callable[[int], bytes]:
    """``read(n) -> exactly n bytes`` of some bytes; never more than there are."""
    place = 0

    def read(size: int) -> bytes:
        nonlocal place
        assert size >= 0
        if place + size > len(data):
            raise Ended
        place += size
        return data[place - size : place]

    return read


def frame(header: object, body: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<I", len(text)) + text + body


def refusal(data: bytes, budget: int = BUDGET) -> str:
    with pytest.raises(wire.WireError) as caught:
        wire.decode(reader(data), budget)
    return str(caught.value)


@given(MESSAGES, ARRAYS)
def test_what_is_sent_comes_back_bit_for_bit(message, sent):
    read = reader(b"".join(wire.encode(message, sent)))
    found = wire.decode(read, 1 << 20)
    assert found.message == message
    assert [(a.dtype, a.shape, a.tobytes()) for a in found.arrays] == [
        (a.dtype, a.shape, a.tobytes()) for a in sent
    ]
    with pytest.raises(Ended):
        read(1)


@given(MESSAGES, ARRAYS, MESSAGES)
def test_a_frame_reads_no_byte_of_the_next(first, sent, second):
    data = b"".join([*wire.encode(first, sent), *wire.encode(second)])
    read = reader(data)
    assert wire.decode(read, 1 << 20).message == first
    assert wire.decode(read, 1 << 20).message == second


def test_a_decoded_array_is_its_receivers_own_and_writable():
    sent = np.arange(3.0)
    found = wire.decode(reader(b"".join(wire.encode({}, [sent]))), BUDGET).arrays[0]
    found[0] = 7
    assert sent[0] == 0


def test_strided_and_reversed_arrays_are_sent_in_their_logical_order():
    sent = np.arange(12, dtype=np.int64).reshape(3, 4).T[::-1]
    found = wire.decode(reader(b"".join(wire.encode({}, [sent]))), BUDGET).arrays[0]
    assert np.array_equal(found, sent)


@pytest.mark.parametrize(
    "dtype", ["float16", "complex128", "int32", "object", "datetime64[ns]", "S4"]
)
def test_other_dtypes_are_not_sent(dtype):
    with pytest.raises(wire.WireError, match="does not cross"):
        wire.encode({}, [np.zeros(2, dtype=dtype)])


def test_headers_over_the_cap_are_not_sent():
    with pytest.raises(wire.WireError, match="over the cap"):
        wire.encode({"text": "x" * wire.MAX_HEADER})


def test_more_arrays_than_are_read_are_not_sent():
    with pytest.raises(wire.WireError, match="at most 256"):
        wire.encode({}, [np.zeros(())] * (wire.MAX_BUFFERS + 1))


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_numbers_that_json_does_not_have_are_not_sent(number):
    with pytest.raises(wire.WireError, match="not finite"):
        wire.encode({"value": [number]})


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_refused_or_end(data):
    try:
        wire.decode(reader(data), BUDGET)
    except (wire.WireError, Ended):
        pass


@given(st.binary(max_size=100), st.binary(max_size=100))
@settings(max_examples=300)
def test_arbitrary_headers_are_refused_or_end(header, body):
    try:
        wire.decode(reader(frame(header, body)), BUDGET)
    except (wire.WireError, Ended):
        pass


SPECS = st.lists(
    st.one_of(
        JSON,
        st.tuples(
            DTYPES | st.text(max_size=4) | st.sampled_from(["object", "<f8", "O", "V1000000000"]),
            st.lists(st.integers(-5, 5) | st.integers() | JSON, max_size=10),
        ),
    ),
    max_size=6,
)


@given(SPECS | JSON, st.binary(max_size=300))
@settings(max_examples=500)
def test_arbitrary_descriptions_of_buffers_are_refused_or_true(specs, body):
    data = frame({"buffers": specs}, body)
    try:
        found = wire.decode(reader(data), BUDGET)
    except (wire.WireError, Ended):
        return
    assert isinstance(specs, list)
    for array, (dtype, shape) in zip(found.arrays, specs, strict=True):
        assert (array.dtype.name, list(array.shape)) == (dtype, shape)
    assert sum(array.nbytes for array in found.arrays) <= min(BUDGET, len(body))


@given(st.data())
@settings(max_examples=200)
def test_one_flipped_byte_of_a_frame_does_no_more_than_be_refused(data):
    message = {"nonce": 3, "ok": True, "kinds": ["tensor"]}
    whole = bytearray(b"".join(wire.encode(message, [np.arange(6.0).reshape(2, 3)])))
    place = data.draw(st.integers(0, len(whole) - 1))
    whole[place] ^= data.draw(st.integers(1, 255))
    try:
        found = wire.decode(reader(bytes(whole)), BUDGET)
    except (wire.WireError, Ended):
        return
    assert sum(array.nbytes for array in found.arrays) <= BUDGET


@pytest.mark.parametrize("length", [0, 1, wire.MAX_HEADER + 1, 2**31, 2**32 - 1])
def test_the_length_of_a_header_is_checked_before_it_is_read(length):
    assert "are read" in refusal(struct.pack("<I", length))


def test_a_header_of_exactly_the_cap_is_read():
    text = json.dumps({"text": ""})
    padded = json.dumps({"text": "x" * (wire.MAX_HEADER - len(text))}).encode()
    assert len(padded) == wire.MAX_HEADER
    assert wire.decode(reader(frame(padded)), BUDGET).arrays == ()
    assert "are read" in refusal(frame(padded + b" "))


@pytest.mark.parametrize(
    "header",
    [
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": -Infinity}',
        b'{"a": ' + b"9" * 5000 + b"}",
        b"[" * 30_000 + b"]" * 30_000,
        b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
        b"\xff\xfe\x00",
        b'{"a": "\xff"}',
        b"{'a': 1}",
        b'{"a": 1} {}',
        b"  ",
    ],
    ids=lambda header: header[:12].decode("ascii", "replace"),
)
def test_headers_that_are_not_json_are_refused(header):
    assert refusal(frame(header)) == "the header is not JSON"


@pytest.mark.parametrize("header", [b"[]", b"12", b'"ab"', b"null", b"true"])
def test_headers_that_are_no_object_are_refused(header):
    assert refusal(frame(header)) == "the header is not a JSON object"


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (["object", [1]], "allowed dtype"),
        (["<f8", [1]], "allowed dtype"),
        (["float64"], "allowed dtype"),
        (["float64", [1], 0], "allowed dtype"),
        (["float64", 3], "allowed dtype"),
        (["float64", [1] * 9], "allowed dtype"),
        ([["float64"], [1]], "allowed dtype"),
        ({"dtype": "float64"}, "allowed dtype"),
        (["float64", [-1]], "non-negative"),
        (["float64", [-4, -4]], "non-negative"),
        (["float64", [1.0]], "non-negative"),
        (["float64", [True]], "non-negative"),
        (["float64", ["1"]], "non-negative"),
        (["float64", [2**40]], "non-negative"),
        (["float64", [10**4000]], "non-negative"),
        (["float64", [2**31, 2**31]], "overflows"),
        (["uint8", [2**39] * 8], "overflows"),
        (["uint8", [0] + [2**39] * 7], "overflows"),
        (["uint8", [2**39] * 7 + [0]], "overflows"),
    ],
)
def test_buffers_that_lie_are_refused_before_their_bytes_are_read(spec, message):
    assert message in refusal(frame({"buffers": [spec]}))


@pytest.mark.parametrize("specs", [3, "ab", {}, None, [["uint8", []]] * 257])
def test_lists_of_buffers_that_cannot_be_used_are_refused(specs):
    assert "list of buffers" in refusal(frame({"buffers": specs}))


def test_bodies_over_the_budget_are_refused_in_all():
    half = ["uint8", [BUDGET // 2]]
    body = bytes(BUDGET)
    assert len(wire.decode(reader(frame({"buffers": [half, half]}, body)), BUDGET).arrays) == 2
    assert "at most 65536" in refusal(frame({"buffers": [half, half, ["bool", []]]}, body))


@pytest.mark.parametrize("claimed", [[2**39], [2**20, 2**19], [0, 2**30], [2**16 + 1]])
def test_a_lie_about_size_allocates_nothing(claimed):
    data = frame({"buffers": [["uint8", claimed]]})
    tracemalloc.start()
    try:
        try:
            wire.decode(reader(data), BUDGET)
        except (wire.WireError, Ended):
            pass
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 100_000


@pytest.mark.parametrize("byte", [2, 3, 0x80, 0xFF])
def test_truth_values_are_zero_or_one(byte):
    # any other byte is true to one loop of numpy and two or 255 to another
    assert "truth value" in refusal(frame({"buffers": [["bool", [2]]]}, bytes([1, byte])))
