"""What docs/findings.md names is there: tests, files of the harness, known mistakes."""

import ast
import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "findings.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`([\w/]+\.py)::(\w+)`", PAGE)))
ROWS = re.findall(r"^\| (?!finding|class|---)(.+) \|$", PAGE.split("## Ten small")[0], re.MULTILINE)


def test_tests_are_named():
    assert len(NAMED) > 80
    assert [row for row in ROWS if "::test_" not in row] == []


@pytest.mark.parametrize("file", sorted({file for file, _ in NAMED}))
def test_every_test_that_is_named_exists(file):
    tree = ast.parse((ROOT / "tests" / file).read_text(encoding="utf-8"))
    there = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    assert {name for other, name in NAMED if other == file} - there == set()


def test_every_file_that_is_named_is_one_of_the_harness():
    rest = re.sub(r"`[^`]*`|\([^)]*\)", "", "\n".join(ROWS))
    files = set(re.findall(r"[\w/]+\.(?:py|md\.j2)", rest))
    assert len(files) > 20
    assert {file for file in files if not (ROOT / "harness" / file).is_file()} == set()


def test_every_slip_that_is_named_is_a_known_mistake():
    slips = re.findall(r"`([a-z0-9-]+)/([a-z0-9-]+)`", PAGE)
    assert len(slips) > 12
    for task, slip in slips:
        text = (ROOT / "reference" / task / "mistakes.yaml").read_text(encoding="utf-8")
        assert slip in {mistake["name"] for mistake in yaml.safe_load(text)["mistakes"]}


def test_no_task_depends_on_what_two_sandboxes_can_tell_each_other():
    measured = ROOT.glob("tasks/*/measure.py")
    assert [path for path in measured if "sandbox=True" in path.read_text("utf-8")] == []
