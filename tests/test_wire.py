"""Frames: what is sent arrives bit for bit, and no lie of a header is believed."""

import io
import json
import random
import re
import struct
import tracemalloc

import numpy as np
import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from harness.wire import (
    DTYPES,
    MAX_BUFFERS,
    MAX_DEPTH,
    MAX_HEADER,
    MAX_RANK,
    Reader,
    Stream,
    WireError,
    Writer,
    decode,
    encode,
    unsent,
)

BUDGET = 1 << 20
MIB = 1 << 20


class Source:
    """Bytes that end; counts what was asked for."""

    def __init__(self, data):
        self._stream = io.BytesIO(data)
        self.asked = 0

    def read(self, n):
        self.asked += n
        found = self._stream.read(n)
        if len(found) < n:
            raise EOFError
        return found

    @property
    def rest(self):
        return self._stream.read()


def frame(header, body=b""):
    data = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<I", len(data)) + data + body


def decoded(data, budget=BUDGET):
    return decode(Source(data).read, budget)


def claim(dtype, shape):
    return frame({"buffers": [[dtype, shape]]})


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
messages = st.dictionaries(st.text(max_size=8).filter(lambda key: key != "buffers"), json_values)
arrays = st.sampled_from(DTYPES).flatmap(
    lambda name: hnp.arrays(
        np.dtype(name), hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)
    )
)


@given(messages, st.lists(arrays, max_size=4))
def test_what_is_sent_arrives_bit_for_bit(message, sent):
    source = Source(b"".join(encode(message, sent)))
    found = decode(source.read, BUDGET)
    assert found.message == message
    assert len(found.arrays) == len(sent)
    for ours, theirs in zip(found.arrays, sent, strict=True):
        assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape)
        assert ours.tobytes() == theirs.tobytes()
        assert ours.flags.writeable
    assert source.rest == b""


def test_array_that_is_not_contiguous_arrives():
    sent = np.arange(12.0).reshape(3, 4).T[::2]
    (found,) = decoded(b"".join(encode({}, [sent]))).arrays
    np.testing.assert_array_equal(found, sent)


def test_array_of_the_other_byte_order_arrives():
    sent = np.array([1.0, 2.0], dtype=">f8")
    (found,) = decoded(b"".join(encode({}, [sent]))).arrays
    np.testing.assert_array_equal(found, sent)


def attempt(data, budget):
    source = Source(data)
    try:
        decode(source.read, budget)
    except (WireError, EOFError):
        pass
    assert source.asked <= budget + MAX_HEADER + 4


@given(st.binary(max_size=400), st.integers(0, 1000))
def test_arbitrary_bytes_raise_nothing_else_and_read_no_more_than_allowed(data, budget):
    attempt(data, budget)


@given(st.binary(max_size=200), st.integers(0, 1000))
def test_arbitrary_headers_raise_nothing_else(header, budget):
    attempt(frame(header, bytes(50)), budget)


def positive(shape):
    """Leaves out what the test of huge empty shapes is about."""
    return 0 not in shape


dims = st.one_of(
    st.sampled_from([1, 2, 3, 2**31, 2**39, 2**40 - 1, 2**40, -1, 10**30]), json_values
)
specs = st.tuples(
    st.sampled_from([*DTYPES, "object", "float16"]), st.lists(dims, max_size=10).filter(positive)
)


@settings(max_examples=300)
@given(st.lists(st.one_of(specs, json_values), max_size=4), st.integers(0, 1000))
def test_arbitrary_descriptions_of_buffers_raise_nothing_else(buffers, budget):
    attempt(frame({"buffers": buffers}, bytes(2000)), budget)


@pytest.mark.parametrize("shape", [[0, 2**39, 2**39], [0, *[2**40 - 1] * 7]])
def test_empty_array_of_a_huge_shape_is_refused(shape):
    with pytest.raises(WireError):
        decoded(claim("float64", shape))


@pytest.mark.parametrize("length", [0, 1, MAX_HEADER + 1, 2**32 - 1])
def test_length_of_the_header_is_refused_before_the_header_is_read(length):
    source = Source(struct.pack("<I", length) + b"{}" * MAX_HEADER)
    with pytest.raises(WireError):
        decode(source.read, BUDGET)
    assert source.asked == 4


def test_header_of_the_largest_length_is_read():
    text = '{"a":"' + "x" * (MAX_HEADER - 8) + '"}'
    assert len(decoded(frame(text.encode())).message["a"]) == MAX_HEADER - 8


@pytest.mark.parametrize(
    "header",
    [
        b"hello",
        b"\xff\xfe",
        b'{"a":}',
        b"{} {}",
        b"[]",
        b"12",
        b"null",
        b'"buffers"',
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": [-Infinity]}',
        b"[" * 30_000,
        b'{"a":' * 10_000,
        b'{"a":' + b"[" * 20_000 + b"]" * 20_000 + b"}",
        b'{"a": ' + b"9" * 5000 + b"}",
        b'{"a": 18446744073709551616}',
        b'{"a": [[-9223372036854775809]]}',
        b'{"a": 1e999}',
        b'{"a": [-1e400]}',
        b'{"a": 1' + b"0" * 400 + b".5}",
        b'{"a": 1, "a": 2}',
        b'{"a": 1, "\\u0061": 1}',
        b'{"a": {"b": [{"c": 1, "c": 1}]}}',
        b'{"buffers": [], "buffers": []}',
        '{"a": "\u00e9"}'.encode(),
        '{"a": "\u00e9"}'.encode("latin-1"),
        b"\xef\xbb\xbf{}",
        "{}".encode("utf-16"),
        "{}".encode("utf-16-le"),
        "{}".encode("utf-32-be"),
        b'{"a": "\0"}',
        b'{"a": "\x1f"}',
        b"{}\0",
        b"{'a': 1}",
        b'{"a": 01}',
        b'{"a": +1}',
        b'{"a": 0x1}',
        b'{"a": 1_0}',
        b'{"a": "\\ud8"}',
    ],
    ids=lambda header: ascii(header[:24]),
)
def test_header_that_is_no_json_object_is_refused(header):
    with pytest.raises(WireError):
        decoded(frame(header))


@pytest.mark.parametrize("open_, close", ["[]", ('{"a":', "}")])
def test_nesting_is_bounded(open_, close):
    def nested(levels):
        return frame(f'{{"a":{open_ * levels}1{close * levels}}}'.encode())

    deepest = MAX_DEPTH - 1
    assert decoded(nested(deepest)).message["a"]
    for levels in (deepest + 1, 200, 900, 5000):
        with pytest.raises(WireError):
            decoded(nested(levels))


def test_integers_of_64_bits_are_read():
    found = decoded(frame({"least": -(2**63), "most": 2**64 - 1, "seed": 2**63}))
    assert dict(found.message) == {"least": -(2**63), "most": 2**64 - 1, "seed": 2**63}


@pytest.mark.parametrize(
    "text", ["\ud800", "a\udfff", "\udc00\ud800", "\0", "\u202e", "\U0001f600"]
)
def test_words_of_a_program_arrive_as_they_are(text):
    assert decoded(b"".join(encode({"message": text}))).message["message"] == text


@pytest.mark.parametrize(
    "name", ["object", "O", "float16", "<f8", "complex128", "U8", "int32", "uint64", "", None, 8]
)
def test_dtype_outside_the_list_is_refused(name):
    with pytest.raises(WireError):
        decoded(claim(name, [0]))


@pytest.mark.parametrize("dim", [-1, 2**40, 10**40, 2.0, 1e300, True, "3", None, [3]])
def test_odd_dimension_is_refused(dim):
    with pytest.raises(WireError):
        decoded(claim("float64", [dim]), 2**50)


def test_largest_rank_is_read_and_one_more_axis_refused():
    assert decoded(claim("uint8", [1] * MAX_RANK)[:] + b"\7").arrays[0].item() == 7
    with pytest.raises(WireError):
        decoded(claim("uint8", [1] * (MAX_RANK + 1)) + b"\7")


@pytest.mark.parametrize(
    "shape", [[2**39, 2**39], [2**39, 2**39, 0], [2**32, 2**32], [2**31, 2**31, 2], [2**39] * 8]
)
def test_overflowing_shape_is_refused_whatever_the_budget(shape):
    with pytest.raises(WireError):
        decoded(claim("float64", shape), 2**80)


@pytest.mark.parametrize(
    "spec", [[], ["float64"], ["float64", 3], ["float64", [1], 2], "float64", {"float64": [1]}]
)
def test_description_of_another_form_is_refused(spec):
    with pytest.raises(WireError):
        decoded(frame({"buffers": [spec]}, bytes(64)))


@pytest.mark.parametrize("buffers", [None, 3, "float64", {"float64": [1]}])
def test_list_of_buffers_of_another_form_is_refused(buffers):
    with pytest.raises(WireError):
        decoded(frame({"buffers": buffers}))


def test_body_may_fill_the_budget_and_not_pass_it():
    data = b"".join(encode({}, [np.zeros(8), np.zeros(3, dtype=np.uint8)]))
    assert len(decoded(data, 67).arrays) == 2
    source = Source(data)
    with pytest.raises(WireError, match="67"):
        decode(source.read, 66)
    assert len(source.rest) == 67, "nothing of the body was read"


def test_number_of_buffers_is_bounded():
    many = [["uint8", [0]]] * MAX_BUFFERS
    assert len(decoded(frame({"buffers": many})).arrays) == MAX_BUFFERS
    with pytest.raises(WireError):
        decoded(frame({"buffers": [*many, many[0]]}))


@pytest.mark.parametrize("name", ["float16", "int32", "uint64", "complex128", "object", "U3"])
def test_encode_refuses_what_does_not_cross(name):
    with pytest.raises(WireError, match="does not cross"):
        encode({}, [np.zeros(2, dtype=name)])


def test_encode_refuses_a_header_that_decode_would_refuse():
    encode({"a": "x" * (MAX_HEADER - 21)})
    with pytest.raises(WireError, match="cap"):
        encode({"a": "x" * MAX_HEADER})


def test_more_arrays_than_are_read_are_not_sent():
    encode({}, [np.zeros(())] * MAX_BUFFERS)
    with pytest.raises(WireError, match="at most 256"):
        encode({}, [np.zeros(())] * (MAX_BUFFERS + 1))


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_encode_refuses_numbers_that_json_does_not_have(number):
    with pytest.raises(WireError, match="not finite"):
        encode({"value": [number]})


@pytest.mark.parametrize("number", [2**64, -(2**63) - 1, 10**5000], ids=["above", "below", "long"])
def test_encode_refuses_integers_that_decode_would_refuse(number):
    for value in (number, [number], {"a": (1, number)}):
        with pytest.raises(WireError, match="64 bits"):
            encode({"value": value})


def test_encode_refuses_nesting_that_decode_would_refuse():
    value = 1
    for _ in range(MAX_DEPTH - 1):
        value = [value]
    assert decoded(b"".join(encode({"a": value}))).message["a"] == value
    for _ in range(5000):
        value = (value,)
    with pytest.raises(WireError, match="levels deep"):
        encode({"a": value})


@pytest.mark.parametrize("byte", [2, 0x80, 0xFF])
def test_truth_values_are_zero_or_one(byte):
    # equal arrays have equal bytes, so draws that repeat cannot be made to look different
    assert decoded(claim("bool", [2]) + b"\1\0").arrays[0].tolist() == [True, False]
    with pytest.raises(WireError, match="truth value"):
        decoded(claim("bool", [3]) + bytes([1, byte, 0]))


@pytest.mark.parametrize("shape", [[2**39], [2**20, 2**19], [0, 2**30], [BUDGET + 1]])
def test_a_lie_about_size_allocates_nothing(shape):
    data = claim("uint8", shape)
    tracemalloc.start()
    try:
        attempt(data, BUDGET)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 200_000


class Zeros:
    """As many zeros as are asked for, behind a header; holds none of them."""

    def __init__(self, head):
        self._head = io.BytesIO(head)
        self.largest = 0

    def read(self, n):
        self.largest = max(self.largest, n)
        found = self._head.read(n)
        return found + bytes(n - len(found)) if len(found) < n else found


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_large_body_is_held_once(dtype):
    size = np.dtype(dtype).itemsize
    source = Zeros(claim(dtype, [64 * MIB // size]))
    tracemalloc.start()
    try:
        (found,) = decode(source.read, 64 * MIB).arrays
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found.nbytes == 64 * MIB
    assert source.largest <= MIB, "a body is read in pieces"
    assert peak < 68 * MIB


def test_several_large_bodies_are_held_once():
    source = Zeros(frame({"buffers": [["uint8", [16 * MIB]], ["float64", [2 * MIB]]] * 2}))
    tracemalloc.start()
    try:
        decode(source.read, 64 * MIB)
        assert tracemalloc.get_traced_memory()[1] < 68 * MIB
    finally:
        tracemalloc.stop()


def test_a_large_array_is_sent_without_a_copy():
    sent = np.zeros((8, MIB))
    tracemalloc.start()
    try:
        buffers = encode({}, [sent])
        assert tracemalloc.get_traced_memory()[1] < MIB
    finally:
        tracemalloc.stop()
    sent[7, -1] = 1.0
    assert bytes(buffers[-1][-8:]) == struct.pack("<d", 1.0)


@given(st.data())
def test_one_changed_byte_is_refused_or_stays_within_the_budget(data):
    sent = [np.arange(6.0).reshape(2, 3), np.array([True, False])]
    whole = bytearray(b"".join(encode({"nonce": 3, "ok": True, "kinds": ["tensor"] * 2}, sent)))
    whole[data.draw(st.integers(0, len(whole) - 1))] ^= data.draw(st.integers(1, 255))
    attempt(bytes(whole), 100)


# Frames that follow each other: a header that equals the one before is left out


def sent_in_turn(frames):
    """The bytes of each frame of one writer, and what one reader makes of them all."""
    writer = Writer()
    parts = [b"".join(writer.encode(*frame)) for frame in frames]
    source = Source(b"".join(parts))
    reader = Reader(source.read, BUDGET)
    found = [reader.decode() for _ in frames]
    assert source.rest == b""
    return parts, found


STEP = {"op": "environment", "id": 0, "verb": "step"}
pool = st.tuples(
    st.sampled_from([{}, STEP, {**STEP, "id": 1}, {"ok": True}, {"ok": 1}, {"a": [1]}, {"a": 1.0}]),
    st.lists(
        st.sampled_from([np.zeros(3), np.ones(3), np.zeros((3, 1)), np.zeros(3, dtype=bool)])
        | arrays,
        max_size=2,
    ),
)


@given(st.lists(pool, max_size=8))
def test_frames_that_follow_each_other_arrive_as_each_alone(frames):
    _, found = sent_in_turn(frames)
    for (message, sent), ours in zip(frames, found, strict=True):
        alone = decoded(b"".join(encode(message, sent)))
        assert json.dumps(ours.message) == json.dumps(alone.message)  # True is not 1 there
        for one, other in zip(ours.arrays, alone.arrays, strict=True):
            assert (one.dtype, one.shape, one.tobytes()) == (
                other.dtype,
                other.shape,
                other.tobytes(),
            )
            assert one.flags.writeable


def test_a_header_that_equals_the_one_before_is_left_out():
    frames = [(STEP, [np.arange(4)]), (dict(STEP), [np.arange(4) + 1]), (STEP, [np.arange(5)])]
    parts, found = sent_in_turn(frames)
    assert [len(part) for part in parts] == [103, 36, 111]
    assert [frame.arrays[0].tolist() for frame in found] == [
        [0, 1, 2, 3],
        [1, 2, 3, 4],
        [*range(5)],
    ]


@pytest.mark.parametrize(
    "other",
    [
        ({"ok": 1}, np.zeros(2)),
        ({"ok": True, "more": None}, np.zeros(2)),
        ({"ok": True}, np.zeros(2, dtype=np.float32)),
        ({"ok": True}, np.zeros((2, 1))),
    ],
)
def test_a_header_that_differs_in_anything_is_sent(other):
    message, array = other
    _, (_, found, _) = sent_in_turn(
        [({"ok": True}, [np.zeros(2)]), (message, [array]), ({"ok": True}, [np.zeros(2)])]
    )
    assert [type(value) for value in found.message.values()] == list(map(type, message.values()))
    assert (found.arrays[0].dtype, found.arrays[0].shape) == (array.dtype, array.shape)


def test_a_message_that_can_change_is_sent_anew_every_time():
    message = {"names": ["a"]}
    writer = Writer()
    first = writer.encode(message)
    message["names"].append("b")
    assert b'"b"' in b"".join(writer.encode(message))
    assert b"".join(writer.encode({"names": ["a"]})) == b"".join(first)


def test_what_is_made_of_one_frame_does_not_reach_the_next():
    source = Source(b"".join(encode(STEP)) + bytes(4))
    reader = Reader(source.read, BUDGET)
    reader.decode().message.clear()
    assert dict(reader.decode().message) == STEP


def test_an_array_that_does_not_cross_leaves_no_header_behind():
    writer = Writer()
    writer.encode({"ok": True}, [np.zeros(2)])
    with pytest.raises(WireError):
        writer.encode({"ok": True}, [np.zeros(2, dtype=np.int32)])
    with pytest.raises(WireError):
        writer.encode({"ok": True}, [np.zeros(2, dtype=np.int32)])
    assert len(b"".join(writer.encode({"ok": True}, [np.zeros(2)]))) > 4 + 16, "the whole header"


def test_a_first_header_that_is_left_out_is_refused():
    source = Source(bytes(400))
    with pytest.raises(WireError):
        Reader(source.read, BUDGET).decode()
    assert source.asked == 4


def test_a_header_after_which_another_came_is_not_the_last_one():
    # one with a list is not kept, and the one before it no longer either
    source = Source(frame({"a": 1}) + frame({"a": [1]}) + bytes(4))
    reader = Reader(source.read, BUDGET)
    assert [reader.decode().message["a"] for _ in range(2)] == [1, [1]]
    with pytest.raises(WireError):
        reader.decode()


@pytest.mark.parametrize("byte", [2, 0xFF])
def test_truth_values_are_looked_at_in_every_frame(byte):
    said = {"buffers": [["bool", [2]]]}
    reader = Reader(Source(frame(said, b"\0\1") + bytes(4) + bytes([0, byte])).read, BUDGET)
    reader.decode()
    with pytest.raises(WireError, match="truth value"):
        reader.decode()


@given(st.lists(st.binary(min_size=1, max_size=90), max_size=9), st.data())
def test_a_stream_gives_what_came_in_whatever_pieces(pieces, data):
    whole, waiting = b"".join(pieces), list(pieces)

    def receive(view):
        piece = waiting.pop(0)
        view[: len(piece)] = piece
        return len(piece)

    stream = Stream(receive)
    found = b""
    while len(found) < len(whole):
        found += stream.read(data.draw(st.integers(0, len(whole) - len(found))))
    assert (found, stream.rest) == (whole, 0)


def test_a_stream_has_room_for_what_is_larger_than_it():
    chance = random.Random(1)
    whole = chance.randbytes(3 * MIB)
    source = io.BytesIO(whole)
    stream = Stream(lambda view: source.readinto(view[: chance.randrange(1, 1 << 17)]))
    sizes = [4, 70, 1 << 17, 0, 5, MIB, 40_000, 1 << 15, MIB]
    assert b"".join(bytes(stream.read(size)) for size in sizes) == whole[: sum(sizes)]
    assert source.tell() == sum(sizes) + stream.rest


@given(st.lists(st.binary(max_size=9), max_size=6), st.integers(0, 60))
def test_what_is_left_of_a_sending_is_the_rest(buffers, sent):
    whole = b"".join(buffers)
    assert b"".join(unsent(buffers, min(sent, len(whole)))) == whole[sent:]
    assert not unsent(buffers, len(whole))


# Thousands of damaged frames: an answer or a WireError comes out, and little is held meanwhile

CAP = 64 * 1024
MOST = 1 << 20
# the same examples in every run; too slow an example says only that the machine is busy
FUZZ = settings(derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow])

FRAMES = [
    b"".join(encode(message, sent))
    for message, sent in [
        ({"nonce": 1, "ok": True}, []),
        ({"nonce": 7, "ok": True, "kinds": ["tensor", "float"]}, [np.ones((3, 4)), np.array(2.5)]),
        ({"nonce": 2, "ok": False, "cause": "exception", "message": 'a\ud800"\\'}, []),
        ({"op": "environment", "id": 0, "verb": "step"}, [np.arange(5), np.array([True, False])]),
        (
            {"nonce": 3, "ok": True, "names": ["w", "b"], "more": {"x": [1.5, -2, None]}},
            [np.zeros((2, 0, 3), dtype=np.float32), np.zeros(30, dtype=np.uint8)],
        ),
    ]
]
TOKENS = [
    *(b"1e999", b"-1e999", b"-1", b"0", b"1.0", b"NaN", b"Infinity", b"null", b"true", b"{}"),
    *(b"[]", b'"x"', b'"object"', b'"float64"', b'"bool"', b'"\\ud800"', b"1099511627775"),
    *(b"1099511627776", b"549755813888", b"18446744073709551616", b"9" * 30, b"9" * 5000),
    *(b"[" * 40 + b"]" * 40, b"[" * 900 + b"]" * 900, b"[" * 30_000, b'{"a":' * 500),
    *(b'["float64",[0,549755813888,549755813888]]', b'["uint8",[65537]]', b'{"a":1,"a":1}'),
    *("\u00e9".encode(), b"\xff", b"\0", b",", b":", b'"'),
]
TOKEN = re.compile(rb'"[^"]*"|-?[0-9][0-9.e+-]*|true|false|null|[\[\]{},:]')
LENGTHS = [0, 1, 2, MAX_HEADER, MAX_HEADER + 1, 2**31, 2**32 - 1]


def damaged(number, changes):
    """A valid frame, changed a few times in its tokens, its bytes or its length."""
    chance = random.Random(number)
    data = chance.choice(FRAMES)
    length = struct.unpack("<I", data[:4])[0]
    header, body = bytearray(data[4 : 4 + length]), bytearray(data[4 + length :])
    said = None
    for _ in range(changes):
        part = chance.choice([header, header, body])
        at = chance.randrange(len(part) + 1)
        match chance.randrange(9):
            case 0 | 5 | 6 if at < len(part):
                part[at] ^= 1 << chance.randrange(8)
            case 1:
                del part[at:]
            case 2:
                part[at:at] = part[chance.randrange(len(part) + 1) :][:40]
            case 3:
                said = chance.choice([*LENGTHS, len(header) - 1, len(header) + 1])
            case 4:
                body += bytes(chance.randrange(CAP))
            case _:
                places = [found.span() for found in TOKEN.finditer(bytes(header))]
                if places:
                    start, end = chance.choice(places)
                    header[start:end] = chance.choice(TOKENS)
    return struct.pack("<I", len(header) if said is None else max(0, said)) + header + body


def measured(data):
    """Decodes; says what came of it. Anything but a frame, a WireError or an end is a defect."""
    source = Source(data)
    tracemalloc.start()
    try:
        found = decode(source.read, CAP)
    except WireError as error:
        assert str(error).isascii()
        assert len(str(error)) < 200
        return "refused"
    except EOFError:
        return "ended"
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < MOST
        assert source.asked <= CAP + MAX_HEADER + 4
    assert sum(array.nbytes for array in found.arrays) <= CAP
    assert b"".join(encode(found.message, found.arrays))
    return "read"


def check_damaged(number, changes):
    measured(damaged(number, changes))


def check_random(data, framed):
    measured(frame(data, bytes(100)) if framed else data)


given_damage = given(st.integers(0, 2**64 - 1), st.integers(1, 5))
given_bytes = given(st.binary(max_size=600), st.booleans())


def test_damage_is_of_many_kinds():
    assert {measured(data) for data in FRAMES} == {"read"}
    found = [measured(damaged(number, 1)) for number in range(500)]
    assert min(found.count(kind) for kind in ("read", "refused", "ended")) > 10


test_damaged_frames = settings(FUZZ, max_examples=5000)(given_damage(check_damaged))
test_random_frames = settings(FUZZ, max_examples=1000)(given_bytes(check_random))


@pytest.mark.slow
@pytest.mark.parametrize("part", range(20))
def test_a_hundred_thousand_frames(part):
    many = settings(FUZZ, derandomize=False, max_examples=5000)
    seed(part)(many(given_damage(check_damaged)))()
    seed(part)(settings(many, max_examples=1000)(given_bytes(check_random)))()
