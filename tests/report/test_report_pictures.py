"""Pictures of failed checks: drawn alike each time, linked with their words, gone when passed."""

from xml.etree import ElementTree

import numpy as np

from harness import report
from harness.arrays import encode_array
from harness.report import pictures
from harness.results import Results

SVG = "{http://www.w3.org/2000/svg}"
CELLS = np.array([[0, 255, 48], [0, 0, 255]], dtype=np.uint8)
WRONG = np.array([[False, False, True], [False, False, False]])
PICTURE = {
    "file": "picture-kl.masks.svg",
    "title": "causal_mask(radius=1) <& more>",
    "alt": "2 x 3 cells. 1 differs: row 1 column 3.",
    "panels": [
        {"title": title, "cells": encode_array(CELLS), "wrong": encode_array(wrong)}
        for title, wrong in (("came back", WRONG), ("wanted", np.zeros_like(WRONG)))
    ],
}


def graded(build, **fields):
    verdict = build.verdict("masks", "FAIL", example={"got": "1", "picture": PICTURE}, **fields)
    return build.book(build.row("ada", build.task(verdict)))


def test_every_cell_is_drawn_and_what_is_wrong_is_framed():
    root = ElementTree.fromstring(pictures.svg(PICTURE))
    squares = [each for each in root.iter(f"{SVG}rect") if each.get("stroke")]
    assert len(squares) == 2 * CELLS.size
    framed = [each for each in squares if each.get("stroke-width") == "2"]
    assert len(framed) == 1
    dark = [each for each in squares if each.get("fill") == "#08306b"]
    assert len(dark) == 2 * 2
    assert framed[0].get("fill") not in ("#08306b", "#f7fbff")
    assert root.find(f"{SVG}desc").text == PICTURE["alt"] == root.get("aria-label")
    assert root.find(f"{SVG}title").text == PICTURE["title"]


def test_the_page_shows_it_and_says_what_it_shows(build, tmp_path):
    report.write(graded(build), Results(tmp_path))
    folder = tmp_path / "submissions" / "ada"
    page = (folder / "feedback.md").read_text(encoding="utf-8")
    assert f"\n![{PICTURE['alt']}](picture-kl.masks.svg)\n" in page
    assert (folder / "picture-kl.masks.svg").is_file()


def test_written_again_it_has_the_same_bytes_and_passed_it_goes(build, tmp_path):
    report.write(graded(build), Results(tmp_path))
    path = tmp_path / "submissions" / "ada" / "picture-kl.masks.svg"
    before = path.read_bytes()
    report.write(graded(build), Results(tmp_path))
    assert path.read_bytes() == before
    (path.parent / "mine.svg").write_text("")
    report.write(
        build.book(build.row("ada", build.task(build.verdict("masks")))), Results(tmp_path)
    )
    assert sorted(each.name for each in path.parent.glob("*.svg")) == ["mine.svg"]


def test_a_hidden_check_has_none(build, tmp_path):
    report.write(graded(build, visibility="hidden"), Results(tmp_path))
    assert not list(tmp_path.rglob("*.svg"))
    page = (tmp_path / "submissions" / "ada" / "feedback.md").read_text(encoding="utf-8")
    assert "picture" not in page


def test_every_seed_is_a_dot_above_or_below_the_line():
    seeds = {"values": [1.0, 4.0, -2.0], "threshold": 3.0, "low": 0.0, "band": [3.5, 5.0]}
    picture = {"file": "p.svg", "title": "learns", "alt": "three seeds", "seeds": seeds}
    root = ElementTree.fromstring(pictures.svg(picture))
    dots = [float(each.get("cy")) for each in root.iter(f"{SVG}circle")]
    wanted, low = (float(each.get("y1")) for each in root.iter(f"{SVG}line"))
    assert [height < wanted for height in dots] == [False, True, False]
    assert [height < low for height in dots] == [True, True, False]
    band = [each for each in root.iter(f"{SVG}rect")][1]
    begin, height = float(band.get("y")), float(band.get("height"))
    assert begin < dots[1] < begin + height < wanted
    labels = sorted(float(each.get("y")) for each in root.iter(f"{SVG}text"))
    assert np.diff(labels).min() >= 12  # none lies over another
    alike = {**seeds, "values": [3.0], "low": 3.0, "band": None}
    assert "nan" not in pictures.svg({**picture, "seeds": alike})


def test_learning_curves_stand_below_over_the_band_of_the_reference():
    seeds = {"values": [160.0, 26.0], "threshold": 150.0, "low": 26.0, "band": None}
    training = {
        "budget": 1000,
        "wanted": 150.0,
        "first_solved": [500, None],
        "curves": [[None, 40.0, None, 160.0], []],
        "band": [None, [30.0, 60.0], [60.0, 90.0], [100.0, 170.0]],
    }
    picture = {"file": "p.svg", "title": "learns", "alt": "two seeds", "seeds": seeds}
    plain = ElementTree.fromstring(pictures.svg(picture))
    root = ElementTree.fromstring(pictures.svg({**picture, "training": training}))
    assert int(root.get("height")) > int(plain.get("height"))
    lines = [each.get("points").split() for each in root.iter(f"{SVG}polyline")]
    assert [len(points) for points in lines] == [1, 1]  # the gap between them is not closed
    (polygon,) = (each.get("points").split() for each in root.iter(f"{SVG}polygon"))
    assert len(polygon) == 2 * 3
    # the height of a curve's last point is above that of `solved`, where its dot lies in the middle
    *_, dot = root.iter(f"{SVG}circle")
    x, y = float(dot.get("cx")), float(dot.get("cy"))
    assert x == float(lines[0][0].split(",")[0])  # half of the budget
    assert float(lines[1][0].split(",")[1]) < y < float(lines[0][0].split(",")[1])
    texts = [each.text for each in root.iter(f"{SVG}text")]
    assert {"solved: 150", "reference"} <= set(texts)
    assert "0 to 1,000 steps; the middle half of the reference's runs" in texts
    none = {**training, "band": None, "first_solved": [None, None]}
    assert "polygon" not in pictures.svg({**picture, "training": none})
