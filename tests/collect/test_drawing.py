"""What a show.py returns becomes whole numbers; what is odd about a program's is said in words."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from harness.collect.bare import BareProgram
from harness.errors import MeasurementError, ProgramError
from harness.records import Program
from harness.spec.catalogue import load_all

COURSE = Path(__file__).parents[1] / "course"
(SQUARE,) = load_all(COURSE / "tasks", COURSE / "reference", ["square"])
IMAGES = """
import numpy as np

def show(student, rng):
    images = student.square(np.array({x})).reshape(1, 1, 1, -1)
    return [{{"title": "Squares", "alt": "Some squares.", "images": images, "rows": ["row"]}}]
"""
POINTS = """
import numpy as np

def show(student, rng):
    places = student.square(np.array({x}))
    axes = {{"across": ("a", 0, 4), "up": ("b", 0, 2)}}
    return [{{"title": "Squares", "alt": "Places.", "points": {{"square": places}}, **axes}}]
"""


def drawn(show, program=SQUARE.reference.solution):
    with BareProgram(replace(SQUARE, show=show.encode()), program) as bare:
        return bare.pictures()


def caption(arrays):
    return json.loads(arrays["caption"].tobytes())


def test_brightness_from_zero_to_one_becomes_whole_numbers():
    (picture,) = drawn(IMAGES.format(x=[[0.0, 0.5, 1.0]])).values()
    assert picture["images"].tolist() == [[[[0, 64, 255]]]]
    assert picture["images"].dtype == np.uint8
    assert "odd" not in picture
    assert caption(picture) == {
        "title": "Squares", "alt": "Some squares.", "rows": ["row"], "columns": [],
    }  # fmt: skip


def test_pixels_that_are_none_are_marked_and_counted():
    (picture,) = drawn(IMAGES.format(x="[[np.nan, 2.0, 0.0, 1e200]]")).values()
    assert picture["odd"].tolist() == [[[[True, False, False, True]]]]
    assert picture["images"].tolist() == [[[[0, 255, 0, 0]]]]
    alt = caption(picture)["alt"]
    assert "2 of 4 pixels are not finite" in alt
    assert "1 of 4 pixels are beyond 0 to 1" in alt


def test_points_beyond_the_edge_are_left_out_and_counted():
    places = "[[1.0, 1.0], [2.0, 0.0], [3.0, 0.0], [np.inf, 1.0]]"
    (picture,) = drawn(POINTS.format(x=places)).values()
    assert picture["points 1"].tolist() == [[250, 500], [1000, 0]]
    alt = caption(picture)["alt"]
    assert '1 of 4 points of "square" are not finite' in alt
    assert '1 of 4 points of "square" are beyond the edge' in alt


def test_the_same_program_draws_the_same():
    show = IMAGES.format(x="rng.random((1, 5))")
    first, second = (drawn(show)["1"] for _ in range(2))
    assert first.keys() == second.keys()
    assert all(np.array_equal(first[name], second[name]) for name in first)


def test_what_a_program_raises_is_its_own_error():
    broken = Program("ada", "submission", {SQUARE.spec.file: b"def square(x):\n    return x[:1]\n"})
    with pytest.raises(ProgramError, match=r"square: .* shape"):
        drawn(IMAGES.format(x=[[0.0], [1.0]]), broken)


ONE = '{"title": "t", "alt": "a", "images": np.zeros((1, 1, 2, 2)), "rows": ["r"]}'


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        ("None", "no list of pictures"),
        ("[]", "no list of pictures"),
        (f"[{ONE}] * 7", "no list of pictures"),
        ("[3]", "has the entries"),
        (f"[{ONE} | {{'points': 1}}]", "has the entries"),
        (f"[{ONE} | {{'alt': ''}}]", "a picture's alt"),
        (f"[{ONE} | {{'title': 'x' * 401}}]", "a picture's title"),
        (f"[{ONE} | {{'images': np.zeros((2, 2))}}]", "images of shape"),
        (f"[{ONE} | {{'images': np.zeros((1, 1, 200, 200))}}]", "images of shape"),
        (f"[{ONE} | {{'rows': []}}]", "have names"),
        (f"[{ONE} | {{'columns': ['a', 'b']}}]", "have names"),
        (
            "[{'title': 't', 'alt': 'a', 'points': {'p': np.zeros((4, 3))}, 'across': ('a', 0, 1),"
            " 'up': ('b', 0, 1)}]",
            "points p of shape",
        ),
        (
            "[{'title': 't', 'alt': 'a', 'points': {'p': np.zeros((4, 2))}, 'across': ('a', 1, 1),"
            " 'up': ('b', 0, 1)}]",
            "is no axis",
        ),
    ],
)
def test_what_is_no_picture_is_refused(returned, message):
    with pytest.raises(MeasurementError, match=message):
        drawn(f"import numpy as np\n\ndef show(student, rng):\n    return {returned}\n")
