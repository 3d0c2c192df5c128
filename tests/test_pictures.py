"""Pictures of a task end to end: a good and a wrong submission, and the same bytes ever after."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
COURSE = ROOT / "tests" / "course"
SHOW = """
import numpy as np

def show(student, rng):
    x = rng.uniform(0.0, 1.0, (5, 4))
    images = np.stack([x, student.square(x)]).reshape(2, 5, 2, 2)
    alt = f"Five images above their squares, whose mean is {images[1].mean():.3g}."
    return [{"title": "Squares", "alt": alt, "images": images, "rows": ["x", "square"]}]
"""
SOLUTION = (COURSE / "reference" / "square" / "solution.py").read_text(encoding="utf-8")
PROGRAMS = {
    "good": SOLUTION,
    "wrong": SOLUTION.replace("def total", "square = lambda x: x * x * x\n\n\ndef total"),
    "none": SOLUTION.replace("def total", "square = lambda x: x * float('nan')\n\n\ndef total"),
    "picky": "seen = []\n"
    + SOLUTION.replace(
        "def total",
        "_square = square\n\n\ndef square(x):\n    if x.shape == (5, 4):\n"
        "        raise ValueError('five rows')\n    return _square(x)\n\n\ndef total",
    ),
}


def harness(folder, *words):
    tasks = ["--tasks", str(folder / "tasks"), "--reference", str(folder / "reference")]
    done = subprocess.run(
        [sys.executable, "-m", "harness", *words, *tasks, "--results", str(folder / "results")],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode in (0, 1), done.stderr
    return done


def written(folder):
    """feedback.md and pictures of every submission."""
    found = {}
    for path in sorted((folder / "results" / "submissions").glob("*/*")):
        if path.suffix in (".md", ".svg"):
            found[f"{path.parent.name}/{path.name}"] = path.read_bytes()
    return found


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    for name in ("tasks", "reference"):
        shutil.copytree(COURSE / name / "square", folder / name / "square")
    (folder / "tasks" / "square" / "show.py").write_text(SHOW, encoding="utf-8")
    for name, text in PROGRAMS.items():
        (folder / "class" / name).mkdir(parents=True)
        (folder / "class" / name / "square.py").write_text(text, encoding="utf-8")
    key = folder / "feedback.key"
    key.write_text("5e" * 32)
    words = ["--task", "square", "--key-file", str(key), "--jobs", "1"]
    harness(folder, "grade", str(folder / "class"), *words)
    return folder


def page(graded, name):
    return written(graded)[f"{name}/feedback.md"].decode()


def test_good_and_wrong_programs_have_pictures_with_words(graded):
    files = written(graded)
    good, wrong = (files[f"{name}/picture-square.1.svg"] for name in ("good", "wrong"))
    assert good != wrong
    assert b"reference:" in wrong and b"reference:" not in good
    for name in ("good", "wrong"):
        assert re.search(
            r"!\[Five images above their squares, .*\]\(picture-sq", page(graded, name)
        )
    squares = [
        float(re.search(r"mean is ([\d.]+)\.", page(graded, name))[1]) for name in ("good", "wrong")
    ]
    assert squares[0] > squares[1]  # cubes of numbers below one are smaller


def test_what_is_no_number_is_counted_and_red(graded):
    assert "20 of 40 pixels are not finite" in page(graded, "none")
    assert b"#d7191c" in written(graded)["none/picture-square.1.svg"]


def test_a_program_that_breaks_there_loses_its_picture_and_no_mark(graded):
    assert "picky/picture-square.1.svg" not in written(graded)
    assert "No pictures: " in page(graded, "picky") and "five rows" in page(graded, "picky")
    assert (
        re.search(r"Points: [\d.]+ of", page(graded, "picky"))[0]
        == re.search(r"Points: [\d.]+ of", page(graded, "good"))[0]
    )


def test_scored_and_reported_again_they_have_the_same_bytes(graded):
    before = written(graded)
    assert sum(name.endswith(".svg") for name in before) >= 3
    for path in (graded / "results" / "submissions").glob("*/*.svg"):
        path.unlink()
    harness(graded, "score")
    assert written(graded) == before
    for path in (graded / "results" / "submissions").glob("*/*.svg"):
        path.write_text("something else")
    harness(graded, "report")
    assert written(graded) == before


def test_marks_are_those_without_show_py(graded, tmp_path):
    """Another show.py runs nothing again but the pictures."""
    marks = json.loads((graded / "results" / "grades.json").read_text(encoding="utf-8"))
    show = graded / "tasks" / "square" / "show.py"
    show.write_text(SHOW.replace("Five images", "Another five"), encoding="utf-8")
    key = str(graded / "feedback.key")
    words = ["--task", "square", "--key-file", key, "--jobs", "1"]
    done = harness(graded, "grade", str(graded / "class"), *words)
    show.write_text(SHOW, encoding="utf-8")
    # one a program, and the reference's beside those that failed
    assert re.search(r"^(\d+) trials in", done.stderr, re.M)[1] == str(len(PROGRAMS) + 1)
    after = json.loads((graded / "results" / "grades.json").read_text(encoding="utf-8"))
    assert after["submissions"] == marks["submissions"]
    assert "Another five" in page(graded, "good")
