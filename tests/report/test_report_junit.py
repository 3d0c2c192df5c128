"""JUnit XML: each status where continuous integration expects it."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from harness.report.junit import render, write


def test_statuses(build: Any) -> None:
    root = ET.fromstring(render(build.book(build.every_status())))
    (suite,) = root
    counts = {"tests": "8", "failures": "3", "errors": "2", "skipped": "1"}
    assert suite.attrib == {"name": "ada", **counts}
    assert root.attrib == {"name": "homework-1", **counts}
    found = [
        (case.attrib["name"], [(child.tag, child.get("type")) for child in case])
        for case in suite.iter("testcase")
    ]
    assert found == [
        ("passes", []),
        ("fails", [("failure", "wrong")]),
        ("undecided", [("failure", "inconclusive")]),
        ("raises", [("error", "exception")]),
        ("skipped", [("skipped", None)]),
        ("ours", [("error", "ungradable")]),
        ("secret", [("failure", "fail")]),
        ("secret-pass", []),
    ]


def test_texts(build: Any) -> None:
    text = render(build.book(build.every_status("a.b")))
    assert 'classname="a_b.kl"' in text
    assert "Hint: Look at the sign." in text
    assert "unseen" not in text
    assert "time" not in text.split(">", 2)[1]


def test_properties(build: Any) -> None:
    root = ET.fromstring(render(build.book(build.every_status())))
    found = {node.attrib["name"]: node.attrib["value"] for node in root.iter("property")}
    assert found["isolation"] == "L3"
    assert found["provisional"] == "true"


def test_hostile_texts_are_well_formed(build: Any, hostile: tuple[str, ...]) -> None:
    rows = [
        build.row(
            f"{index}{text}",
            build.task(build.verdict(text, "ERROR", message=text, cause="exception"), id=text),
            display_name=text,
        )
        for index, text in enumerate(hostile)
    ]
    root = ET.fromstring(render(build.book(*rows)).encode("utf-8"))
    assert len(root) == len(hostile)
    assert all(len(list(suite.iter("error"))) == 1 for suite in root)


def test_equal_gradebooks_give_equal_bytes(build: Any, tmp_path: Path) -> None:
    rows = build.every_status("ada"), build.row("zoe")
    first = write(build.book(*rows), tmp_path / "1.xml")
    second = write(build.book(*rows[::-1], circumstances={"s": 1}), tmp_path / "2.xml")
    assert first.read_bytes() == second.read_bytes()
