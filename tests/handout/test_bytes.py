"""No byte of a handout of all tasks comes from a reference: every file is looked through."""

import math
import re
from functools import cache
from pathlib import Path

import pytest

from harness.cli import main
from tests.support.programs import ROOT, TASKS, load

#: Shorter lines say nothing about where they come from.
_NAMES = re.compile(rb"[\w\s,]+")
_LEAST = 28
#: ln 2 and ln 4, which worked examples show as logarithms of a half and a quarter; a value that was
#: computed may lack their last digit.
_LOGARITHMS = math.log(2), math.log(4)
#: How many lines of each program are looked for anywhere, within longer lines too.
_ANYWHERE = 6
_NUMBERS = re.compile(rb"-?\d+\.?\d*(?:e[-+]?\d+)?")
PUBLIC = ("README.md", "starter.py", "measure.py", "given.py", "task.yaml", "example.yaml")
PUBLIC += ("show.py",)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("all") / "handout"
    places = ("--tasks", str(ROOT / "tasks"), "--reference", str(ROOT / "reference"))
    assert main(["handout", str(made), *places]) == 0
    return made


@pytest.fixture(scope="module")
def content(folder):
    return b"\n".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


@pytest.fixture(scope="module")
def lines(content):
    return {line.strip() for line in content.splitlines()}


@pytest.fixture(scope="module")
def numbers(content):
    """Every number that a file shows, without its sign."""
    return {number.lstrip(b"-") for number in _NUMBERS.findall(content)}


@pytest.fixture(scope="module")
def shown(content):
    """Which of the longest lines of all programs, and of all hints, stand anywhere in a file."""
    secrets = (secret for name in TASKS for secret in (*longest_lines(name), *hints_of(name)))
    return standing_in(content, secrets)


def standing_in(content, texts):
    """The texts that the content holds: one pass finds all that have at least 28 bytes."""
    by_start = {}
    for text in texts:
        by_start.setdefault(text[:_LEAST], set()).add(text)
    short = {start for start in by_start if len(start) < _LEAST}
    found = {start for start in short if start in content}
    for at in range(len(content) - _LEAST + 1):
        start = content[at : at + _LEAST]
        if start in by_start:
            found |= {text for text in by_start[start] if content.startswith(text, at)}
    return found


def distinctive(source, known):
    """The lines of a program that are long enough and not in the text that is known.

    A line of names and commas is a part of a signature, which the statement shows.
    """
    found = {line.strip() for line in source.splitlines()} - known
    telling = [line for line in found if len(line) >= _LEAST and not _NAMES.fullmatch(line)]
    return [line for line in telling if not line.startswith(b"from ")]


def longest_lines(name):
    programs = secret_lines(name)
    return [line for each in programs for line in sorted(each, key=len)[-_ANYWHERE:]]


def hints_of(name):
    return [mutant.mistake.hint.encode() for mutant in load(name).reference.mutants]


@cache
def public_lines():
    """The lines of all files that tasks show: a task may be given what another one asks for."""
    paths = (ROOT / "tasks" / task / name for task in TASKS for name in PUBLIC)
    found = (path.read_bytes().splitlines() for path in paths if path.exists())
    return frozenset(line.strip() for lines in found for line in lines)


@cache
def secret_lines(name):
    """The lines by which the programs of a reference are told, program by program."""
    return tuple(_secret_lines(name))


def _secret_lines(name):
    task, known = load(name), public_lines()
    solution = task.reference.solution.files[task.spec.file]
    for program in (task.reference.solution, *task.reference.variants):
        yield distinctive(program.files[task.spec.file], known)
    of_solution = {line.strip() for line in solution.splitlines()}
    for mutant in task.reference.mutants:
        yield distinctive(mutant.program.files[task.spec.file], known | of_solution)


def test_files_are_of_kinds_that_hold_no_bytecode_ledger_or_git_object(folder):
    files = [path for path in folder.rglob("*") if not path.is_dir()]
    suffixes = {path.suffix for path in files}
    assert suffixes <= {".py", ".md", ".yaml", ".json", ".toml", ".j2", ".txt", ".npz", ""}
    assert {path.name for path in files if not path.suffix} <= {"LICENSE", ".gitignore"}
    assert not any(path.is_symlink() for path in folder.rglob("*"))
    folders = {"__pycache__", ".git", "reference", "results", "tests"}
    parts = {part for path in files for part in path.relative_to(folder).parts}
    assert parts & (folders | {"mistakes.yaml", "answers.json"}) == set()


def test_the_whole_harness_travels(folder):
    """Also what is no source: without the bundled images no task that trains on them is marked."""

    def files(root):
        return {
            path.relative_to(root): path.read_bytes()
            for path in root.rglob("*")
            if path.is_file() and "__pycache__" not in path.parts
        }

    assert files(folder / "harness") == files(ROOT / "harness")


def test_the_search_would_find_something(content, lines, numbers):
    """Statements do travel: their lines and fragments are found the same way."""
    statement = (ROOT / "tasks" / "reparam-grad" / "README.md").read_bytes()
    assert all(line.strip() in lines for line in statement.splitlines())
    fragment = max(statement.splitlines(), key=len)[5:-5]
    others = [fragment[:_LEAST] + b"?", fragment[:9] + b"?"]
    assert standing_in(content, [fragment, fragment[:9], *others]) == {fragment, fragment[:9]}
    assert b"2.221691" in numbers  # of the worked example of elbo-gaussian-kl
    assert len(content) > 1_000_000


@pytest.mark.parametrize("name", TASKS)
def test_no_line_of_a_program_of_the_reference(name, lines, shown):
    programs = secret_lines(name)
    assert sum(map(len, programs)) > 20
    assert [line for program in programs for line in program if line in lines] == []
    assert [line for line in longest_lines(name) if line in shown] == []


@pytest.mark.parametrize("name", TASKS)
def test_no_hint_and_no_answer(name, numbers, shown):
    assert [hint for hint in hints_of(name) if hint in shown] == []
    values = {
        repr(abs(value)).encode()
        for mistake in load(name).reference.answers.mistakes.values()
        for statistics in mistake.checks.values()
        for kept in statistics.values()
        for value in kept.values
        if isinstance(value, float) and stands_nowhere_by_chance(value)
    }
    assert len(values) > 3
    assert [value for value in values & numbers if not is_logarithm(value)] == []


def is_logarithm(digits):
    """Whether these are the digits of ln 2 or ln 4."""
    return any(math.isclose(abs(float(digits)), known, rel_tol=1e-14) for known in _LOGARITHMS)


def stands_nowhere_by_chance(value):
    """Whether a number is no sum of a few powers of two, as widths of cells and rounding are."""
    fraction, _ = math.frexp(value)
    rounded = abs(value - round(value, 6)) < 1e-9
    return math.isfinite(value) and not rounded and (fraction * 2**30) % 1 != 0


def test_links_of_its_pages_lead_into_it(folder):
    pages = [*folder.glob("*.md"), *folder.glob("docs/*.md"), *folder.glob("tasks/*/*.md")]
    assert len(pages) > len(TASKS)
    for page in pages:
        for link in links(page):
            target = (page.parent / link).resolve()
            assert target.is_relative_to(folder) and target.exists(), (page, link)


def links(page: Path):
    found = re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8"))
    local = [link.partition("#")[0] for link in found if not re.match(r"[a-z]+:", link)]
    return [link for link in local if link and "<" not in link]
