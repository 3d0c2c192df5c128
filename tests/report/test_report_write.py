"""All reports of a run: which files, their bytes, and what is left alone."""

from __future__ import annotations

import json
import math
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.arrays import encode_array
from harness.errors import UsageError
from harness.files import write_text
from harness.report import document, write
from harness.report.grades_json import json_value
from harness.results import Results
from tests.support.gradescope_format import validate


def tree(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_files_of_a_run(build: Any, tmp_path: Path) -> None:
    results = tmp_path / "new" / "results"
    written = write(build.book(build.every_status("bob"), build.row("a/../b")), Results(results))
    folders = sorted(path.name for path in (results / "submissions").iterdir())
    assert folders == [folders[0], "bob"]
    assert folders[0].startswith("a-b-")
    assert sorted(tree(results)) == sorted(
        ["gradebook.csv", "grades.csv", "grades.json", "junit.xml", "leaderboard.csv"]
        + [
            f"submissions/{folder}/{name}"
            for folder in folders
            for name in ("feedback.md", "gradescope.json")
        ]
    )
    assert {str(path.relative_to(results)) for path in written} == set(tree(results))
    assert len(written) == 9


def test_writing_twice_changes_nothing_and_leaves_others_alone(build: Any, tmp_path: Path) -> None:
    stale = tmp_path / "submissions" / "departed" / "feedback.md"
    stale.parent.mkdir(parents=True)
    stale.write_text("kept", encoding="utf-8")
    rows = build.every_status("bob"), build.row("ada")
    write(build.book(*rows), Results(tmp_path))
    before = tree(tmp_path)
    write(build.book(*reversed(rows)), Results(tmp_path))
    assert tree(tmp_path) == before
    assert stale.read_text(encoding="utf-8") == "kept"


def with_numbers(build: Any, name: str = "ada", **fields: Any) -> Any:
    arrays = {"x": encode_array(np.arange(200.0)), "b": encode_array(np.array([True, False]))}
    shown = {"call": "f(x)", "file": "example-kl.fails.npz", "arrays": arrays}
    failed = build.verdict("fails", "FAIL", cause="wrong", example=shown, **fields)
    return build.row(name, build.task(failed))


def test_numbers_of_an_example_lie_beside_the_page_and_go_with_it(
    build: Any, tmp_path: Path
) -> None:
    results = Results(tmp_path)
    written = write(build.book(with_numbers(build)), results)
    path = tmp_path / "submissions" / "ada" / "example-kl.fails.npz"
    assert path in written
    with np.load(path) as arrays:
        assert np.array_equal(arrays["x"], np.arange(200.0))
        assert arrays["b"].tolist() == [True, False]
    with zipfile.ZipFile(path) as archive:
        assert {each.date_time[0] for each in archive.infolist()} == {1980}
    before = path.read_bytes()
    path.unlink()
    write(build.book(with_numbers(build)), results)
    assert path.read_bytes() == before
    assert "arrays" not in (tmp_path / "grades.json").read_text(encoding="utf-8")
    own = path.with_name("notes.npz")
    own.write_bytes(b"kept")
    write(build.book(build.row("ada")), results)
    assert not path.exists()
    assert own.read_bytes() == b"kept"
    write(build.book(with_numbers(build)), results)
    results.remove_reports(["ada"], [])
    assert not path.exists()


def test_a_hidden_check_has_no_file_of_numbers(build: Any, tmp_path: Path) -> None:
    write(build.book(with_numbers(build, visibility="hidden")), Results(tmp_path))
    assert not list(tmp_path.rglob("*.npz"))


def test_one_broken_submission_leaves_the_files_of_others(build: Any, tmp_path: Path) -> None:
    good = build.every_status("ada")
    bad = build.row(
        "ada\x1b[2J", build.task(build.verdict(points=math.nan, evidence={"x": object()}))
    )
    write(build.book(good), Results(tmp_path / "1"))
    write(build.book(good, bad), Results(tmp_path / "2"))
    first, second = tree(tmp_path / "1"), tree(tmp_path / "2")
    assert first["submissions/ada/feedback.md"] == second["submissions/ada/feedback.md"]
    assert first["submissions/ada/gradescope.json"] == second["submissions/ada/gradescope.json"]


def test_hostile_texts_everywhere(build: Any, hostile: tuple[str, ...], tmp_path: Path) -> None:
    rows = [
        build.row(
            text,
            build.task(
                build.verdict(
                    "c", "FAIL", message=text, hint=text, cause="wrong",
                    example={"call": text, "got": text}, evidence={"word": text, text: 1},
                )
            ),
            problems=(text,),
        )
        for text in hostile
        if text
    ]  # fmt: skip
    written = write(build.book(*rows), Results(tmp_path))
    assert all(tmp_path in path.resolve().parents for path in written)
    for path in written:
        text = path.read_bytes().decode("utf-8")
        assert "\x1b" not in text
        assert "\u202e" not in text
        if path.suffix == ".json":
            json.loads(text, parse_constant=pytest.fail)
        if path.name == "gradescope.json":
            assert validate(json.loads(text)) == []


def test_grades_json(build: Any, tmp_path: Path) -> None:
    book = build.book(build.every_status(), circumstances={"seconds": 3.5})
    write(book, Results(tmp_path))
    found = json.loads((tmp_path / "grades.json").read_text(encoding="utf-8"))
    assert found == document(book)
    assert list(found) == ["format", "harness", "commit", "run", "submissions", "circumstances"]
    assert (found["format"], found["harness"], found["commit"]) == (1, "0.1.0", "0123abc")
    assert found["circumstances"] == {"seconds": 3.5}
    (row,) = found["submissions"]
    assert (row["points"], row["provisional"], row["tasks"][0]["points"]) == (5.5, True, 3.5)
    fails = row["tasks"][0]["checks"][1]
    assert (fails["id"], fails["hint"]) == ("fails", "Look at the sign.")
    assert fails["example"]["got"] == "1.0"
    assert row["tasks"][1]["checks"][2]["example"] is None


def test_the_name_identifies_the_subject_and_stays(build: Any) -> None:
    (row,) = document(build.book(build.row("a\x1b[0m\ud800")))["submissions"]
    assert row["name"] == "a\x1b[0m\ud800"
    assert row["display_name"] == "a"


def test_equal_gradebooks_give_equal_documents(build: Any) -> None:
    def book(evidence: Any, example: Any, points: float, **circumstances: Any) -> str:
        verdict = build.verdict(points=points, evidence=evidence, example=example)
        made = document(
            build.book(build.row("ada", build.task(verdict)), circumstances=circumstances)
        )
        del made["circumstances"]
        return json.dumps(made)

    first = book({"a": 1, "b": {"c": 1, "d": 2}}, {"got": "1", "call": "f"}, 2, seconds=1)
    assert first == book({"b": {"d": 2, "c": 1}, "a": 1}, {"call": "f", "got": "1"}, 2.0)


def test_values_that_json_lacks() -> None:
    value = {
        "nan": math.nan, "inf": np.float64("inf"), "count": np.int64(3), "yes": np.bool_(True),
        "half": np.float32(0.5), "pair": (1, -math.inf), "array": np.zeros(2), 7: None,
    }  # fmt: skip
    assert json_value(value) == {
        "nan": "nan", "inf": "inf", "count": 3, "yes": True,
        "half": 0.5, "pair": [1, "-inf"], "array": "<ndarray>", "7": None,
    }  # fmt: skip


def test_equal_names_write_nothing(build: Any, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        write(build.book(build.row(), build.row()), Results(tmp_path / "results"))
    assert not (tmp_path / "results").exists()


def test_a_write_that_fails_leaves_the_former_file(tmp_path: Path) -> None:
    path = write_text(tmp_path / "a.txt", "one\r\ntwo\n")
    assert path.read_bytes() == b"one\r\ntwo\n"
    with pytest.raises(UnicodeEncodeError):
        write_text(path, "\ud800")
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="folder"):
        write_text(tmp_path / "folder", "text")
    with pytest.raises(FileNotFoundError):
        write_text(tmp_path / "missing" / "a.txt", "text")
    assert sorted(os.listdir(tmp_path)) == ["a.txt", "folder"]
    assert path.read_bytes() == b"one\r\ntwo\n"
