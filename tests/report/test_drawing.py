"""Pictures of a task as SVG: the same bytes each time, every pixel in its place, words beside."""

import re
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np

from harness import report
from harness.arrays import encode_array
from harness.redteam.traces import damaged
from harness.report import pictures
from harness.report.grades_json import document
from harness.results import Results

SVG = "{http://www.w3.org/2000/svg}"
LEVELS = np.array([[[[0, 255, 255], [0, 0, 255]]], [[[255, 0, 0], [17, 34, 34]]]], dtype=np.uint8)
IMAGES = {
    "file": "picture-kl.1.svg",
    "title": "Two <images>",
    "alt": "An image above another.",
    "rows": ["first", "<second>"],
    "columns": ["only"],
    "images": encode_array(LEVELS),
}
POINTS = {
    "file": "picture-kl.2.svg",
    "title": "Points",
    "alt": "Two points and one.",
    "groups": ["data", "model"],
    "axes": [["x", 0, 1], ["y", -1.5, 2]],
    "points 1": encode_array(np.array([[0, 0], [1000, 1000]], np.int16)),
    "points 2": encode_array(np.array([[500, 250]], np.int16)),
}


def pixels(path):
    """The runs of a path: (row, column, length)."""
    runs = re.findall(r"M(\d+) (\d+)h(\d+)v1h-(\d+)z", path.get("d"))
    assert all(there == back for _, _, there, back in runs)
    return {(int(y), int(x), int(n)) for x, y, n, _ in runs}


def test_every_pixel_stands_in_its_place():
    root = ElementTree.fromstring(pictures.svg(IMAGES))
    first, second = root.iter(f"{SVG}g")
    (dark,) = first.iter(f"{SVG}path")
    assert pixels(dark) == {(0, 1, 2), (1, 2, 1)}
    assert sorted(map(sorted, map(pixels, second.iter(f"{SVG}path")))) == [
        [(0, 0, 1)], [(1, 0, 1)], [(1, 1, 2)],
    ]  # fmt: skip
    assert len({path.get("fill") for path in second.iter(f"{SVG}path")}) == 3
    texts = [each.text for each in root.iter(f"{SVG}text")]
    assert texts == ["Two <images>", "only", "first", "<second>"]
    assert root.find(f"{SVG}desc").text == root.get("aria-label") == IMAGES["alt"]


def test_pixels_that_are_no_numbers_are_red():
    odd = np.zeros(LEVELS.shape, dtype=bool)
    odd[0, 0, 1, 0] = True
    root = ElementTree.fromstring(pictures.svg({**IMAGES, "odd": encode_array(odd)}))
    (red,) = [each for each in root.iter(f"{SVG}path") if each.get("fill") == "#d7191c"]
    assert pixels(red) == {(1, 0, 1)}


def test_another_image_gives_another_picture_and_the_reference_stands_below():
    wrong = {**IMAGES, "images": encode_array(255 - LEVELS)}
    assert pictures.svg(wrong) != pictures.svg(IMAGES)
    both = pictures.svg({**wrong, "beside": {"images": IMAGES["images"]}})
    root = ElementTree.fromstring(both)
    assert len(list(root.iter(f"{SVG}g"))) == 4
    assert "reference:" in [each.text for each in root.iter(f"{SVG}text")]
    alone = ElementTree.fromstring(pictures.svg(wrong))
    assert int(root.get("height")) > int(alone.get("height"))


def test_groups_of_points_differ_in_colour_and_shape():
    root = ElementTree.fromstring(pictures.svg(POINTS))
    legend, places = {}, {}
    for path in root.iter(f"{SVG}path"):
        key = path.get("stroke"), path.get("stroke-linecap")
        chosen = legend if key not in legend else places
        chosen[key] = re.findall(r"M(\d+) (\d+)h0", path.get("d"))
    assert len(legend) == 2 and len({shape for _, shape in legend}) == 2
    assert sorted(map(len, places.values())) == [1, 2]
    ends = "x from 0 to 1, y from -1.5 to 2"
    assert ends in [each.text for each in root.iter(f"{SVG}text")]
    frame = next(each for each in root.iter(f"{SVG}rect") if each.get("fill") == "none")
    left, top, side = (int(frame.get(name)) for name in ("x", "y", "width"))
    ((low, high),) = [found for found in places.values() if len(found) == 2]
    assert (int(low[0]), int(low[1])) == (left, top + side)
    assert (int(high[0]), int(high[1])) == (left + side, top)
    beside = {name: POINTS[name] for name in ("points 1", "points 2")}
    both = ElementTree.fromstring(pictures.svg({**POINTS, "beside": beside}))
    assert len(list(both.iter(f"{SVG}path"))) == 6


def graded(build, **fields):
    task = replace(build.task(build.verdict("masks")), **fields)
    return build.book(build.row("ada", task))


def test_the_page_shows_them_and_they_are_written_alike(build, tmp_path):
    results = Results(tmp_path)
    book = graded(build, pictures=(IMAGES, POINTS))
    report.write(book, results)
    folder = tmp_path / "submissions" / "ada"
    page = (folder / "feedback.md").read_text(encoding="utf-8")
    assert "\n\nPassed: masks (2)\n\nPictures of what your program" in page
    assert "\n\n![An image above another.](picture-kl.1.svg)\n\n![Two points and one.](p" in page
    before = {each.name: each.read_bytes() for each in folder.iterdir()}
    report.write(book, results)
    assert {each.name: each.read_bytes() for each in folder.iterdir()} == before
    assert list(damaged(results, document(book))) == []
    report.write(graded(build), results)
    assert not list(folder.glob("*.svg"))
    assert "ictures" not in (folder / "feedback.md").read_text(encoding="utf-8")


def test_why_there_are_none_is_said_as_text_alone(build, tmp_path):
    report.write(graded(build, no_pictures="it raised [x](http://y) <b>"), Results(tmp_path))
    page = (tmp_path / "submissions" / "ada" / "feedback.md").read_text(encoding="utf-8")
    assert r"No pictures: it raised \[x\](http:\//y) &lt;b&gt;" in page
