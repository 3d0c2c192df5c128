"""The feedback page: everything a failed check has to say, nothing a hidden one must not."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from harness.records import WITHHELD
from harness.report.feedback import render, write


def test_the_page_of_every_status(build: Any) -> None:
    row = build.every_status()
    assert render(row, build.book(row, phase="feedback")) == (
        Path(__file__).with_name("feedback.md").read_text(encoding="utf-8")
    )


def test_hidden_checks_show_status_points_and_a_fixed_sentence_only(build: Any) -> None:
    verdict = build.verdict(
        "secret", "ERROR", visibility="hidden", message="unseen: 1 / 0",
        hint="unseen", example={"got": "unseen", "call": "unseen"},
    )  # fmt: skip
    row = build.row("ada", build.task(verdict))
    page = render(row, build.book(row))
    assert "- secret: ERROR, 0 of 2 points. The program did not deliver a result.\n" in page
    assert "unseen" not in page


def test_tasks_whose_file_is_missing_take_a_line_each(build: Any) -> None:
    gone = {"cause": "missing-file", "message": "gone.py was not submitted"}
    missing = build.task(
        build.verdict("one", "ERROR", **gone),
        build.verdict("two", "SKIPPED", cause="prerequisite", message="a check before"),
        build.verdict("three", "ERROR", visibility="hidden", **gone),
        id="gone",
    )
    there = build.task(build.verdict("value", "FAIL"), build.verdict("data", "ERROR", **gone))
    row = build.row("ada", missing, there)
    page = render(row, build.book(row))
    assert page.endswith("\n## Not submitted\n\n- gone: gone.py was not submitted, 0 of 6 points\n")
    assert "### one" not in page
    assert "three" not in page
    assert "### data: ERROR (missing-file), 0 of 2 points" in page


def test_a_file_that_could_not_be_loaded_has_one_paragraph(build: Any) -> None:
    broken = {"cause": "exception", "message": "ModuleNotFoundError: cv2"}
    task = build.task(
        build.verdict("value", "ERROR", **broken),
        build.verdict("sum", "ERROR", **broken),
        build.verdict("later", "SKIPPED"),
        build.verdict("secret", "ERROR", visibility="hidden", cause="exception"),
    )
    row = build.row("ada", task)
    page = render(row, build.book(row))
    assert page.count("ModuleNotFoundError") == 1
    assert "### ERROR (exception)\n" in page
    assert "The file could not be loaded; none of its 4 checks was run (8 points).\n" in page
    assert "secret" not in page and "later" not in page


def test_a_starter_that_is_not_filled_in_has_one_paragraph(build: Any) -> None:
    task = build.task(
        *(
            build.verdict(
                name,
                "ERROR",
                cause="exception",
                message=f"NotImplementedError:  (line {line} of kl.py)",
                evidence={WITHHELD: "withheld"},
            )
            for name, line in {"value": 9, "sum": 14, "total": 9}.items()
        ),
        build.verdict("secret", "ERROR", visibility="hidden", cause="exception"),
    )
    row = build.row("ada", task)
    page = render(row, build.book(row))
    assert page.count("###") == page.count("NotImplementedError") == 1
    assert (
        "### ERROR (exception)\n\n"
        "What its checks call is not filled in; none of its 4 checks was passed (8 points).\n\n"
        "- **Result:** NotImplementedError: lines 9, 14 of kl.py\n"
    ) in page
    assert "secret" not in page


def test_a_fact_without_a_value_is_left_out(build: Any) -> None:
    row = build.row()
    assert "Assignment" not in render(row, build.book(row, assignment=""))


def test_a_pass_tells_what_is_to_be_known_all_the_same(build: Any) -> None:
    said = build.task(build.verdict(message="A budget was used up."))
    page = render(build.row("ada", said), build.book())
    assert "Passed: value (2)\n\nvalue: A budget was used up.\n" in page


def test_a_perfect_page_is_short(build: Any) -> None:
    page = render(build.row(), build.book())
    assert "Passed: value (2)\n" in page
    assert "###" not in page
    assert "(provisional)" not in page
    assert page.endswith("\n")
    assert not page.endswith("\n\n")


def test_a_submission_that_could_not_be_read(build: Any) -> None:
    row = build.row("ada", isolation="", problems=("The archive *is* unsafe.",))
    page = render(row, build.book(row))
    assert "> The archive \\*is\\* unsafe.\n" in page
    assert "- Isolation: none\n" in page


def test_calls_and_arrays_are_blocks_of_code(build: Any) -> None:
    example = {
        "call": "import torch\n\nprint(f([*x]))",
        "got": "[[1, 2],\n [3, `4`]]",
        "note": "a*b",
    }
    row = build.row("ada", build.task(build.verdict(status="FAIL", example=example)))
    page = render(row, build.book(row))
    assert "\n\nCall:\n\n```python\nimport torch\n\nprint(f([*x]))\n```\n" in page
    assert "\nCame back:\n\n```\n[[1, 2],\n [3, `4`]]\n```\n" in page
    assert "- **Note:** a\\*b\n" in page


def test_no_text_ends_its_block_of_code(build: Any) -> None:
    example = {"got": "1\n```\n# heading\n````\n2"}
    row = build.row("ada", build.task(build.verdict(status="FAIL", example=example)))
    assert "\n`````\n1\n```\n# heading\n````\n2\n`````\n" in render(row, build.book(row))


def test_hostile_texts_stay_text(build: Any, hostile: tuple[str, ...]) -> None:
    for text in hostile:
        verdict = build.verdict(
            text, "FAIL", message=text, hint=text, cause="wrong",
            example={"call": text, "got": text, "wanted": text, "note": text},
        )  # fmt: skip
        hidden = build.verdict(text, "FAIL", message=text, visibility="hidden")
        task = build.task(verdict, build.verdict(text), hidden, id=text, title=text)
        row = build.row(text, task, problems=(text,), isolation=text, identity="unverified")
        page, blocks = re.subn(
            r"(?ms)^(`{3,})\n(?:(?!^\1$).)*^\1$", "", render(row, build.book(row))
        )
        assert blocks in (0, 3)  # what is nothing but control characters leaves no block
        assert "<" not in page
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\ud800-\udfff]", page)
        assert len(page) < 20_000
        body = page.replace("**Points:", "").replace(" points**", "").replace("of 6**", "")
        body = re.sub(r"- \*\*[A-Z][a-z ]+:\*\*", "", body)
        assert not re.search(r"(?<!\\)(?:\\\\)*[*`_\[\]{}|]", body)
        headings = [line for line in page.split("\n") if line.startswith("#")]
        assert len(headings) == 3


def test_write_is_repeatable(build: Any, tmp_path: Path) -> None:
    row = build.every_status()
    first = write(row, build.book(row), tmp_path / "1.md")
    second = write(row, build.book(row, build.row("zoe")), tmp_path / "2.md")
    assert first.read_bytes() == second.read_bytes()
