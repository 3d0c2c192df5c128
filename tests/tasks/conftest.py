"""What the tests of several tasks share."""

import importlib.util
from pathlib import Path

import pytest

from harness.records import Program

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def load_module():
    """Imports a file of the checkout by its path, under a name of its own."""

    def load(path):
        name = "_".join(path.relative_to(ROOT).with_suffix("").parts).replace("-", "_")
        spec = importlib.util.spec_from_file_location(name, path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load


@pytest.fixture(scope="session")
def honest_programs():
    """Everything that has to pass a task: solution, variants, complete submission."""

    def programs(task):
        complete = ROOT / "submissions" / "complete"
        files = {name: (complete / name).read_bytes() for name in task.spec.wanted_files}
        submission = Program("complete", "submission", files)
        return [task.reference.solution, *task.reference.variants, submission]

    return programs
