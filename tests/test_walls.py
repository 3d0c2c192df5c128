"""The rules of the house: which room may import which, read from the syntax of every file.

Nothing is imported here, so an import inside a function counts as one at the top of its file.
"""

import ast
from collections import defaultdict
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

#: What runs submitted code, or decides how it is confined while it runs.
RUNS_CODE = {"collect", "sandbox", "worker", "isolation"}
#: room -> rooms and files that it must never import, directly or by way of others.
NEVER_REACHES = {
    "marking": RUNS_CODE,
    "kinds": RUNS_CODE,
    "statistics": {"spec", "kinds", "marking", "report", *RUNS_CODE},
    "spec": {"kinds", "statistics", "marking", *RUNS_CODE},
    "handout": RUNS_CODE,
    "scaffold": RUNS_CODE,
    "autograders": {"grading", "verbs", *RUNS_CODE},
    "classroom": {"report", "grading", "verbs", *RUNS_CODE},
    "lms": {"grading", "verbs", *RUNS_CODE},
    "report": {"spec", "kinds", "ledger", *RUNS_CODE},
    "isolation": {"sandbox", "collect", "worker", "marking"},
    "sandbox": {"collect", "marking", "kinds", "statistics"},
    "mutation": {"proving", "grading"},
    "wire": {"records", "errors"},
}
#: file or room -> everything of the harness that it may import.
IMPORTS_ONLY = {
    "report": {
        "report", "marking.gradebook", "records", "arrays", "causes", "statistics", "files",
        "results", "errors",
    },
    "worker": {"worker", "wire"},
    "images": {"images", "errors"},
    "environments": {"environments", "errors"},
    "wire": set(),
    "errors": {"causes"},
}  # fmt: skip
#: What may import the command line: nothing but the module that starts it.
STARTS_CLI = {"__main__"}


@cache
def files():
    """Every file of the harness by its dotted name below ``harness``; the package itself is ''."""
    found = {}
    for path in (ROOT / "harness").rglob("*.py"):
        parts = path.relative_to(ROOT / "harness").with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def imports():
    """file -> the files of the harness that it imports, wherever the import stands."""
    return {name: frozenset(imported_by(path)) for name, path in files().items()}


def imported_by(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}:{node.lineno}: a relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        for name in names:
            top, _, inside = name.partition(".")
            if top == "harness":
                yield inside if inside in files() else inside.rpartition(".")[0]


def room(name):
    """The folder of a file, or the file itself where it lies flat; '' is the package."""
    return name.partition(".")[0]


def reached(start):
    """Every file that is loaded once one of these is, packages on the way included."""
    seen, waiting = set(), list(start)
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += imports()[name]
            parent = name.rpartition(".")[0]
            waiting += [parent] if parent else []
    return seen


def inside(names, place):
    return [name for name in names if name == place or name.startswith(f"{place}.")]


def circle(graph):
    """The nodes of one circle, or nothing."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return error.args[1]
    return []


def test_the_tests_see_the_imports():
    assert "wire" in imports()["sandbox.connection"]
    assert "records" in imports()["marking.score"]
    assert len(files()) > 100


def test_no_circle_between_files():
    assert circle(imports()) == []


def test_no_circle_between_rooms():
    graph = defaultdict(set)
    for name, targets in imports().items():
        graph[room(name)] |= {room(target) for target in targets} - {room(name)}
    assert circle(graph) == []


@pytest.mark.parametrize("place", NEVER_REACHES)
def test_a_room_does_not_reach_what_it_must_not(place):
    assert inside(files(), place)
    loaded = reached(inside(files(), place))
    assert sorted(name for name in loaded if room(name) in NEVER_REACHES[place]) == []


@pytest.mark.parametrize("place", IMPORTS_ONLY)
def test_a_room_imports_only_what_it_may(place):
    allowed = IMPORTS_ONLY[place]
    strangers = [
        (name, target)
        for name in inside(files(), place)
        for target in imports()[name]
        if not any(inside([target], one) for one in allowed) and target != ""
    ]
    assert strangers == []


def test_nobody_but_the_start_imports_the_command_line():
    assert {name for name, targets in imports().items() if "cli" in targets} == STARTS_CLI


def test_rules_name_rooms_that_exist():
    rooms = {room(name) for name in files()}
    assert set(NEVER_REACHES) <= rooms
    for forbidden in NEVER_REACHES.values():
        assert forbidden <= rooms


def test_a_circle_would_be_found():
    """The tests above can fail."""
    assert set(circle({"a": {"b"}, "b": {"c"}, "c": {"a"}})) == {"a", "b", "c"}
