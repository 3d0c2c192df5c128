"""Records survive JSON bit for bit, and a digest tells every change of what is compared."""

import json
from dataclasses import asdict, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from harness.arrays import decode_array, encode_array, finite_or_text
from harness.causes import Cause
from harness.packing import digest_array
from harness.records import Observation, Program, Trial, Verdict, canonical, sha256

DTYPES = ("float64", "float32", "int64", "uint8", "uint64", "bool")
TRIAL = Trial("square", "values", "ada", "submission", 1, 0, "", "ab" * 32)
arrays = st.sampled_from(DTYPES).flatmap(
    lambda name: hnp.arrays(
        np.dtype(name), hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)
    )
)


def through_json(value):
    return json.loads(canonical(value))


def assert_same(found, wanted):
    assert (found.dtype, found.shape) == (wanted.dtype, wanted.shape)
    assert found.tobytes() == wanted.tobytes()


@given(arrays)
def test_array_survives_json_bit_for_bit(array):
    assert_same(decode_array(through_json(encode_array(array))), array)


@pytest.mark.parametrize(
    "array",
    [
        np.array([0x7FF8000000000001, 0xFFF80000DEADBEEF, 0x7FF0000000000123], "u8").view("f8"),
        np.array([np.inf, -np.inf, 0.0, -0.0, 5e-324]),
        np.array([0x7FC00001, 0xFFC12345], dtype=np.uint32).view(np.float32),
        np.array(-0.0),
        np.array(True),
        np.zeros((0, 3)),
        np.array([[True, False]]),
        np.array([0, 255], dtype=np.uint8),
        np.array([0, 2**64 - 1], dtype=np.uint64),
        np.array([-(2**63), 2**63 - 1]),
    ],
    ids=lambda array: f"{array.dtype}{array.shape}",
)
def test_special_values_survive(array):
    assert_same(decode_array(through_json(encode_array(array))), array)


def test_order_in_memory_and_byte_order_do_not_matter():
    array = np.arange(6.0).reshape(2, 3)
    for other in (np.asfortranarray(array), array.astype(">f8"), array.repeat(2, 1)[:, ::2]):
        assert encode_array(other) == encode_array(array)
        assert digest_array(other) == digest_array(array)


@pytest.mark.parametrize(
    "other",
    [
        np.array([1.0, 2.0000000000000004]),
        np.array([2.0, 1.0]),
        np.array([[1.0, 2.0]]),
        np.array([1.0, 2.0], dtype=np.float32),
        np.array([1, 2]),
        np.array([1.0]),
    ],
)
def test_digest_of_an_array_tells_value_shape_and_dtype(other):
    assert digest_array(other) != digest_array(np.array([1.0, 2.0]))


def test_digest_tells_the_zeros_apart():
    assert digest_array(np.array(0.0)) != digest_array(np.array(-0.0))


def observation():
    return Observation(
        TRIAL,
        "ok",
        {"a": {"value": np.array([np.nan, -0.0]), "scale": np.array(3, dtype=np.uint64)}},
        {"x": "ab" * 32},
        transcript=({"call": "f", "results": [1]},),
        circumstances={"seconds": 1.5},
    )


def test_observation_survives_json():
    wanted = observation()
    found = Observation.from_json(through_json(wanted.to_json()))
    assert found.digest == wanted.digest
    assert found.trial == wanted.trial
    for name, array in wanted.statistics["a"].items():
        assert_same(found.statistics["a"][name], array)
    assert found.to_json() == wanted.to_json()


names = st.text(max_size=5)


@given(st.dictionaries(names, st.dictionaries(names, arrays, max_size=3), max_size=3))
def test_any_observation_survives_json(statistics):
    wanted = replace(observation(), statistics=statistics)
    found = Observation.from_json(through_json(wanted.to_json()))
    assert found.digest == wanted.digest
    assert found.to_json() == wanted.to_json()


@pytest.mark.parametrize(
    "change",
    [
        {"outcome": "error"},
        {"cause": "timeout"},
        {"statistics": {}},
        {"statistics": {"b": observation().statistics["a"]}},
        {"statistics": {"a": {**observation().statistics["a"], "value": np.array([np.nan, 0.0])}}},
        {"statistics": {"a": {**observation().statistics["a"], "scale": np.array(3)}}},
        {"statistics": {"a": {**observation().statistics["a"], "other": np.array(3)}}},
        {"metrics": {}},
        {"metrics": {"x": "cd" * 32}},
        {"metrics": {"y": "ab" * 32}},
    ],
)
def test_digest_of_an_observation_tells_what_is_compared(change):
    assert replace(observation(), **change).digest != observation().digest


@pytest.mark.parametrize(
    "change", [{"message": "other"}, {"transcript": ()}, {"circumstances": {"seconds": 9.0}}]
)
def test_digest_of_an_observation_leaves_out_what_is_for_people(change):
    assert replace(observation(), **change).digest == observation().digest


def test_digest_does_not_depend_on_the_order_of_statistics():
    statistics = observation().statistics["a"]
    turned = dict(reversed(list(statistics.items())))
    assert list(turned) != list(statistics)
    assert replace(observation(), statistics={"a": turned}).digest == observation().digest


@pytest.mark.parametrize(
    ("status", "points"), [("UNGRADABLE", None), ("FAIL", 0.0), ("PASS", 1.25)]
)
def test_verdict_survives_json(status, points):
    wanted = Verdict(
        "ada", "square", "value", status, Cause.WRONG, points, 2.0, "visible",
        {"worst": "nan", "index": [0, 1]}, "no", "hint", {"call": "f(1)"}, 2,
    )  # fmt: skip
    found = Verdict.from_json(through_json(wanted.to_json()))
    assert found == wanted
    assert asdict(found) == asdict(wanted)


def verdict(**fields):
    values = {
        "submission": "ada", "task": "square", "check": "value", "status": "FAIL",
        "cause": Cause.WRONG, "points": 0.0, "max_points": 2.0, "visibility": "hidden",
        "message": "shaped by a run", "hint": "a hint", "example": {"call": "f(1)"},
    }  # fmt: skip
    return Verdict(**{**values, **fields})


@pytest.mark.parametrize("status", ["PASS", "FAIL", "INCONCLUSIVE", "ERROR", "SKIPPED"])
@pytest.mark.parametrize("cause", list(Cause))
@pytest.mark.parametrize("before_running", [True, False])
def test_a_hidden_verdict_tells_only_what_was_known_before_anything_ran(
    status, cause, before_running
):
    made = verdict(status=status, cause=cause, before_running=before_running)
    told = before_running and status == "ERROR" and cause.before_running
    assert made.message == ("shaped by a run" if told else "")
    assert (made.hint, made.example) == ("", None)


def test_a_visible_verdict_keeps_what_it_is_given():
    made = verdict(visibility="visible")
    assert (made.message, made.hint) == ("shaped by a run", "a hint")
    assert made.example == {"call": "f(1)"}


@pytest.mark.parametrize("points", [None, np.nan, np.inf, -np.inf])
def test_a_mark_that_is_no_number_is_ungradable_and_ours(points):
    made = verdict(visibility="visible", points=points)
    assert (made.status, made.cause, made.points) == ("UNGRADABLE", Cause.MARK_UNUSABLE, None)
    assert made.message == Cause.MARK_UNUSABLE.message


def test_an_ungradable_verdict_has_no_points():
    assert verdict(status="UNGRADABLE", cause="not-run", points=1.0).points is None


@pytest.mark.parametrize("record", ["observation", "verdict"])
def test_a_cause_that_does_not_exist_is_refused(record):
    with pytest.raises(ValueError, match="made-up"):
        verdict(cause="made-up") if record == "verdict" else replace(observation(), cause="made-up")


def test_program_digests_are_of_contents_by_name():
    program = Program("ada", "submission", {"b.py": b"2", "a.py": b"1"})
    assert program.all_digests == {"a.py": sha256(b"1"), "b.py": sha256(b"2")}
    assert program.digests(("b.py", "missing.py")) == {"b.py": sha256(b"2")}
    assert program.digests(()) == {}


def test_program_digest_tells_names_and_contents_and_nothing_else():
    def digest(files, name="ada"):
        return Program(name, "submission", files).sha256

    wanted = digest({"a.py": b"1", "b.py": b"2"})
    assert digest({"b.py": b"2", "a.py": b"1"}) == wanted
    assert digest({"a.py": b"1", "b.py": b"2"}, "bob") == wanted
    others = [{"a.py": b"2", "b.py": b"1"}, {"a.py": b"1"}, {"a.py": b"1", "c.py": b"2"}, {}]
    assert wanted not in {digest(files) for files in others}


def test_canonical_refuses_nan_and_ignores_the_order_of_keys():
    assert canonical({"b": 1, "a": "é"}) == '{"a":"\\u00e9","b":1}'
    with pytest.raises(ValueError, match="float"):
        canonical([float("nan")])


@pytest.mark.parametrize(
    ("number", "text"), [(np.nan, "nan"), (np.inf, "inf"), (-np.inf, "-inf"), (1.5, 1.5)]
)
def test_finite_or_text(number, text):
    assert finite_or_text(number) == text
    canonical(finite_or_text(number))
