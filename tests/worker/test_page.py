"""The page that tells students where their code runs says what is so."""

import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

from harness.isolation.parts import PROCESSES
from harness.sandbox import monitor, output
from harness.spec.models import Limits
from harness.worker import explanation

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "where-your-code-runs.md").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
#: Distribution, version and module of every package that the page promises.
PACKAGES = re.findall(r"^\| ([\w-]+) \| ([\d.]+) \| `(\w+)` \|$", PAGE, re.MULTILINE)


def limit(name):
    """The default that the page's table gives to a limit."""
    (found,) = re.findall(rf"^\| {name}[^|]* \| ([\d,]+)(?: s| MiB| KiB)? \|", PAGE, re.MULTILINE)
    return int(found.replace(",", ""))


def test_the_packages_are_the_pinned_ones():
    assert PACKAGES
    assert {f"{name}=={version}" for name, version, _ in PACKAGES} <= set(PROJECT["dependencies"])


def test_the_packages_are_the_installed_ones():
    for name, version, _ in PACKAGES:
        assert metadata.version(name).partition("+")[0] == version, name


def test_a_message_names_the_same_packages():
    assert tuple(module for _, _, module in PACKAGES) == explanation.MODULES
    assert explanation.PAGE.split()[1] == "docs/where-your-code-runs.md"


def test_the_packages_can_be_imported(lab):
    source = "\n".join(f"import {module}" for _, _, module in PACKAGES)
    with lab.trial("imports", source=source):
        pass


def test_the_oldest_python_is_the_projects():
    assert f"Python {PROJECT['requires-python'].removeprefix('>=')} or newer" in PAGE


@pytest.mark.parametrize(
    ("row", "value"),
    [
        ("importing your file", Limits().call_s),
        ("all calls of one measurement", Limits().trial_s),
        ("memory", Limits().memory_mib),
        ("results of one call", Limits().result_mib),
        ("processes", PROCESSES),
        ("what you print", output.OUTPUT_CAP_BYTES / 1024),
    ],
)
def test_the_limits_are_those_of_the_code(row, value):
    assert limit(row) == value


def test_the_limits_of_files_and_of_recursion_are_those_that_a_program_meets(lab):
    source = (
        "import resource, sys\n"
        "def scalars(i, x, b, s):\n"
        "    sys.setrecursionlimit(10**6)\n"
        "    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]\n"
        "    return files, float(sys.getrecursionlimit()), b\n"
    )
    with lab.trial("limits", source=source) as student:
        files, recursion, _ = student.scalars(0, 0.0, True, "")
    assert (limit("open files"), limit("recursion")) == (files, recursion)


def test_the_size_of_the_working_folder_is_that_of_the_code():
    assert f"{monitor.SCRATCH_MIB} MiB and {monitor.MAX_FILES:,} files" in PAGE.replace("\n", " ")
