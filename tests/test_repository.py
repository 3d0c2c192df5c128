"""The project's own files agree with each other: version, commands, hooks and issue templates."""

import ast
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

import harness
from harness.cli import VERBS
from harness.machine import environment

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
TEMPLATES = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))


def sessions():
    """The names of the sessions of noxfile.py, read from its syntax."""
    tree = ast.parse((ROOT / "noxfile.py").read_text(encoding="utf-8"))
    names = set()
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef):
            continue
        for decorator in function.decorator_list:
            if ast.unparse(decorator) in ("nox.session", "SHARED"):
                names.add(function.name)
            elif isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "nox.session":
                given = {word.arg: ast.unparse(word.value) for word in decorator.keywords}
                names.add(given.get("name", function.name).strip("'"))
    return names


def test_the_newest_heading_of_the_changes_is_this_version_or_unreleased():
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    version, state = re.findall(r"^## (\S+) \((.+)\)$", changes, re.MULTILINE)[0]
    if state != "unreleased":
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", state)
        assert version == harness.__version__


def test_the_version_stands_in_one_place():
    assert "version" in PROJECT["project"]["dynamic"]
    assert PROJECT["tool"]["hatch"]["version"]["path"] == "harness/__init__.py"


def test_every_verb_has_a_session():
    assert set(VERBS) <= sessions()


def test_the_pages_name_no_session_that_does_not_exist():
    pages = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")]
    pages.append(ROOT / "docs" / "releasing.md")
    text = "\n".join(page.read_text(encoding="utf-8") for page in pages)
    named = set(re.findall(r"nox -s ([a-z]+)\b(?!-\d)", text))
    assert named
    assert named <= sessions()


def test_the_console_script_is_the_command_line():
    module, _, name = PROJECT["project"]["scripts"]["fairmark"].partition(":")
    call = f"import sys; from {module} import {name}; sys.exit({name}())"  # as pip's script does
    command = [sys.executable, "-c", call, "--version"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == harness.__version__


def test_hooks_are_local_and_fetch_nothing():
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    assert [repository["repo"] for repository in config["repos"]] == ["local"]
    for hook in config["repos"][0]["hooks"]:
        assert hook["language"] == "system"
        assert hook["entry"].startswith(".nox/lint/bin/")


def test_the_tools_of_development_are_pinned():
    pins = [pin for group in PROJECT["dependency-groups"].values() for pin in group]
    loose = [pin for pin in pins if isinstance(pin, str) and "==" not in pin]
    assert loose == []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_issue_templates_can_be_filled_in(path):
    template = yaml.safe_load(path.read_text(encoding="utf-8"))
    if path.stem == "config":
        assert set(template) == {"blank_issues_enabled"}
        return
    assert template["name"]
    assert template["description"]
    fields = [item for item in template["body"] if item["type"] != "markdown"]
    ids = [item["id"] for item in fields]
    assert len(ids) == len(set(ids)) > 0
    assert all(item["attributes"]["label"] for item in fields)


def test_the_version_of_python_is_part_of_what_a_trial_depends_on():
    assert json.loads(environment())["python"] == "{}.{}".format(*sys.version_info[:2])
