"""The Gradescope document, and that its validator can fail on every rule."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.report.gradescope import document, write
from tests.support.gradescope_format import validate


@pytest.fixture
def made(build: Any) -> dict[str, Any]:
    row = build.every_status()
    return document(row, build.book(row, phase="feedback"), seconds=1.5)


def test_the_document_is_valid(build: Any, made: dict[str, Any]) -> None:
    assert validate(made) == []
    assert validate(made, max_points=16.0) == []
    assert validate(json.loads(json.dumps(made, allow_nan=False))) == []


def test_scores_add_up(made: dict[str, Any]) -> None:
    assert made["score"] == sum(test["score"] for test in made["tests"]) == 5.5
    assert sum(test["max_score"] for test in made["tests"]) == 16.0


def test_every_check_is_a_test_with_its_place(made: dict[str, Any]) -> None:
    numbers = [test["number"] for test in made["tests"]]
    assert numbers == ["1.1", "1.2", "1.3", "1.4", "2.1", "2.2", "2.3", "2.4"]
    assert [test["status"] for test in made["tests"]] == ["passed"] + ["failed"] * 6 + ["passed"]
    assert made["tests"][1]["name"] == "kl/fails"
    assert made["tests"][1]["tags"] == ["kl", "exact", "fail"]


def test_execution_time_is_a_number_or_absent(build: Any, made: dict[str, Any]) -> None:
    assert made["execution_time"] == 1.5
    assert isinstance(made["execution_time"], float)
    assert "execution_time" not in document(build.row(), build.book())


def test_hidden_checks_wait_and_tell_nothing(made: dict[str, Any]) -> None:
    seen = [test["visibility"] for test in made["tests"]]
    assert seen == ["visible"] * 6 + ["after_published"] * 2
    assert "unseen" not in json.dumps(made)
    assert "some checks are hidden" in made["output"]
    assert "leaderboard" not in made


def test_without_hidden_checks_the_total_shows(build: Any) -> None:
    assert "hidden" not in document(build.row(), build.book())["output"]


def test_a_failed_visible_check_gets_the_feedback(made: dict[str, Any]) -> None:
    output = made["tests"][1]["output"]
    assert output.split("\n")[0] == "Result: It is off by one."
    assert output.endswith("Hint: Look at the sign.")
    assert made["tests"][1]["output_format"] == "text"
    assert "output" not in made["tests"][0]


def test_an_ungradable_check_is_provisional(made: dict[str, Any]) -> None:
    test = made["tests"][5]
    assert (test["score"], test["status"]) == (0.0, "failed")
    assert "provisional" in test["output"]
    assert "The sandbox did not start." in test["output"]
    assert test["extra_data"]["provisional"] is True
    assert test["tags"][-1] == "provisional"
    assert made["extra_data"]["provisional"] is True


def test_the_top_says_what_the_marks_are_worth(build: Any, made: dict[str, Any]) -> None:
    assert "L3" in made["output"]
    assert "feedback phase are provisional" in made["output"]
    extra = made["extra_data"]
    assert (extra["key_sha256"], extra["harness_sha256"]) == ("c" * 64, "d" * 64)
    assert (extra["submission_sha256"], extra["phase"]) == ("ab" * 32, "feedback")
    assert document(build.row(), build.book())["extra_data"]["provisional"] is False


@pytest.mark.parametrize("points", [math.nan, math.inf])
def test_no_mark_that_is_no_number_gets_through(build: Any, points: float) -> None:
    verdict = build.verdict(points=points, evidence={"gap": math.nan}, seeds_used=math.nan)
    row = build.row("ada", build.task(verdict))
    made = document(row, build.book(row))
    assert validate(made) == []
    assert (made["score"], made["tests"][0]["status"]) == (0.0, "failed")


def test_thirds_still_add_up(build: Any) -> None:
    verdicts = [build.verdict(f"c{place}", "FAIL", points=1 / 3) for place in range(30)]
    row = build.row("ada", build.task(*verdicts))
    assert validate(document(row, build.book(row))) == []


def test_a_submission_without_tasks(build: Any) -> None:
    row = build.row("ada", build.task(), problems=("The archive is unsafe.",))
    made = document(row, build.book(row))
    assert validate(made) == []
    assert "The archive is unsafe." in made["output"]


def test_hostile_texts_are_valid(build: Any, hostile: tuple[str, ...], tmp_path: Path) -> None:
    for text in hostile:
        verdict = build.verdict(
            f"c{text}", "FAIL", message=text, hint=text, cause="wrong",
            example={"call": text, "got": text, "wanted": text, "note": text},
        )  # fmt: skip
        row = build.row(text, build.task(verdict), problems=(text,), isolation=text, sha256=text)
        path = write(row, build.book(row), tmp_path / "gradescope.json")
        assert path.stat().st_size < 150_000  # JSON spells a character in six
        assert validate(json.loads(path.read_text(encoding="utf-8"))) == []


def test_a_time_that_is_no_number_is_refused(build: Any, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON"):
        write(build.row(), build.book(), tmp_path / "gradescope.json", seconds=math.nan)
    assert list(tmp_path.iterdir()) == []


def put(*path: str | int, to: Any) -> Callable[[dict[str, Any]], None]:
    def change(made: Any) -> None:
        for step in path[:-1]:
            made = made[step]
        made[path[-1]] = to

    return change


def take(*path: str | int) -> Callable[[dict[str, Any]], None]:
    def change(made: Any) -> None:
        for step in path[:-1]:
            made = made[step]
        del made[path[-1]]

    return change


def both(*changes: Callable[[dict[str, Any]], None]) -> Callable[[dict[str, Any]], None]:
    return lambda made: [change(made) for change in changes] and None


WRONG: list[tuple[Callable[[dict[str, Any]], None], str]] = [
    (put("execution_time", to="0.01"), "document.execution_time: must be a number"),
    (put("execution_time", to=True), "document.execution_time: must be a number"),
    (put("execution_time", to=math.nan), "document.execution_time: nan is not JSON"),
    (put("execution_time", to=-1), "execution_time: must not be negative"),
    (put("score", to="5.5"), "document.score: must be a number"),
    (put("score", to=5.6), "document.score: differs from the sum"),
    (put("tests", 1, "score", to=0.6), "document.score: differs from the sum"),
    (put("scores", to=1), "document.scores: Gradescope knows no such key"),
    (put("output", to=["a"]), "document.output: must be a text"),
    (put("output", to="\x1b[0m"), "document.output: the text holds control"),
    (put("output", to="a\ud800"), "document.output: the text holds control"),
    (put("output", to="a\u202e"), "document.output: the text holds control"),
    (put("output_format", to="markdown"), "document.output_format: must be one of text, html"),
    (put("visibility", to="shown"), "document.visibility: must be one of hidden"),
    (put("stdout_visibility", to=None), "document.stdout_visibility: must be one of"),
    (put("extra_data", to=[]), "document.extra_data: must be a mapping"),
    (put("extra_data", "deep", to=[{"x": math.inf}]), "extra_data.deep[0].x: inf is not JSON"),
    (put("extra_data", 3, to=1), "document.extra_data: the key 3 must be a text"),
    (put("extra_data", "x", to={1}), "document.extra_data.x: set is not JSON"),
    (put("tests", to={}), "document.tests: must be a list"),
    (put("tests", 0, to="kl"), "tests[0]: must be a mapping"),
    (put("tests", 0, "score", to=None), "tests[0].score: must be a number"),
    (put("tests", 0, "max_score", to=-2), "tests[0].max_score: must not be negative"),
    (put("tests", 0, "max_score", to=3), "tests[0]: passed, but score and max_score differ"),
    (put("tests", 1, "status", to="passed"), "tests[1]: passed, but score and max_score differ"),
    (take("tests", 1, "max_score"), "tests[1]: a score needs its max_score"),
    (put("tests", 0, "status", to="PASS"), "tests[0].status: must be one of passed, failed"),
    (put("tests", 0, "number", to=1.1), "tests[0].number: must be a text"),
    (put("tests", 0, "tags", to="kl"), "tests[0].tags: must be a list"),
    (put("tests", 0, "tags", to=[1]), "tests[0].tags: must be texts"),
    (put("tests", 0, "visible", to=True), "tests[0].visible: Gradescope knows no such key"),
    (put("tests", 0, "visibility", to="after"), "tests[0].visibility: must be one of"),
    (put("tests", 0, "name_format", to="rst"), "tests[0].name_format: must be one of"),
    (put("leaderboard", to="x"), "document.leaderboard: must be a list"),
    (put("leaderboard", to=[1]), "leaderboard[0]: must be a mapping"),
    (put("leaderboard", to=[{"value": 1}]), "leaderboard[0]: must have a name"),
    (put("leaderboard", to=[{"name": "a"}]), "leaderboard[0].value: must be a number or a text"),
    (
        put("leaderboard", to=[{"name": "a", "value": math.nan}]),
        "leaderboard[0].value: nan is not JSON",
    ),
    (
        put("leaderboard", to=[{"name": "a", "value": 1, "order": "down"}]),
        "leaderboard[0].order: must be one of asc, desc",
    ),
    (both(take("score"), take("tests")), "document: must have a score or tests"),
    (both(take("score"), take("tests", 2, "score")), "since not every test has one"),
]


@pytest.mark.parametrize(("change", "problem"), WRONG, ids=[problem for _, problem in WRONG])
def test_the_validator_can_fail(
    made: dict[str, Any], change: Callable[[dict[str, Any]], None], problem: str
) -> None:
    wrong = copy.deepcopy(made)
    change(wrong)
    assert any(problem in found for found in validate(wrong)), validate(wrong)


def test_the_validator_wants_a_mapping_and_the_points() -> None:
    assert validate([]) == ["document: must be a mapping"]
    assert validate({"score": 1, "tests": []}, max_points=2) == [
        "tests: max_score must add up to 2"
    ]


def test_what_gradescope_allows_is_valid() -> None:
    board = [{"name": "loss", "value": 0.5, "order": "asc"}, {"name": "stars", "value": "*****"}]
    assert validate({"score": 1, "leaderboard": board}) == []
    assert validate({"tests": [{"score": 1, "max_score": 2}]}) == []
    assert validate({"score": 3, "tests": [{"name": "informational", "output": "a\n\tb"}]}) == []
