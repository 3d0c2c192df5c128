"""Which files a handout holds, and what is in each.

Every file is named here or follows from a task: nothing is copied because it lies somewhere. So
what an author leaves beside a task, what Python leaves beside a module and what git leaves anywhere
stays at home.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import harness
from harness.errors import UsageError
from harness.marking import costs, hints
from harness.marking.costs import Costs
from harness.report.sanitise import SENTENCE_LIMIT, clean
from harness.seeds import PUBLIC_KEY
from harness.spec import sealed
from harness.spec.load import LoadedTask

_ALWAYS = ("task.yaml", "README.md", "starter.py", "measure.py")
#: The files of a task that students get; those after the first four where there are any.
TASK_FILES = (*_ALWAYS, "given.py", "example.yaml", "show.py")
#: Pages for students, to which statements and each other link.
PAGES = ("docs/where-your-code-runs.md", "docs/handing-in.md")
#: What of harness/ travels: its source, and the sets of images that come with it.
_SOURCES = (".py", ".j2", ".txt", ".npz")
#: Where the starters lie, ready to be filled in.
MINE = "submissions/mine"
_TABLES = ("build-system", "project", "tool.hatch")
_IGNORED = ".venv/\n.nox/\n__pycache__/\n*.egg-info/\nresults/\n"


@dataclass(frozen=True)
class Handout:
    """A handout as it will be written.

    Attributes:
        files: path below the folder -> content.
        without_hints: the tasks whose stored answers are missing or out of date.
    """

    files: Mapping[str, bytes]
    without_hints: tuple[str, ...]


def handout(
    tasks: Sequence[LoadedTask],
    assignments: Sequence[Path],
    title: str,
    points: Mapping[str, float],
    rules: Sequence[str] = (),
) -> Handout:
    """The handout of some tasks.

    Args:
        tasks: loaded with their references, of which only the sealed hints go in.
        assignments: the files of those assignments that go in.
        title: what the handout is called in its README.
        points: what a task is worth where the assignment differs from the task's spec.
        rules: what its README says of the assignment besides, a line each.

    Raises:
        UsageError: the harness lies outside of a checkout, or one of the files is a link.
    """
    marked = with_hints(tasks, assignments)
    files = dict(marked.files)
    files |= {f"{MINE}/{task.spec.file}": task.starter for task in tasks}
    files["noxfile.py"] = _page("noxfile.txt").encode()
    files["README.md"] = _readme(tasks, title, points, rules)
    return Handout(dict(sorted(files.items())), marked.without_hints)


def with_hints(tasks: Sequence[LoadedTask], assignments: Sequence[Path]) -> Handout:
    """What marks tasks where their references are not at hand: the files of :func:`of_course` and
    the sealed hints.
    """
    files = of_course(tasks, assignments)
    files[".gitignore"] = _IGNORED.encode()
    without_hints = []
    for task in tasks:
        boxes = hints.sealed(task)
        if boxes is None:
            without_hints.append(task.id)
        else:
            files[f"tasks/{task.id}/{sealed.FILE}"] = boxes.model_dump_json().encode() + b"\n"
    return Handout(files, tuple(without_hints))


def of_course(tasks: Sequence[LoadedTask], assignments: Sequence[Path]) -> dict[str, bytes]:
    """The harness, tasks as students see them, and files of assignments, by path."""
    files = _of_harness()
    for path in assignments:
        files[f"tasks/assignments/{path.name}"] = content(path)
        term = path.parents[1] / "term.yaml"  # without it a rule for late days cannot be read
        if term.is_file():
            files["tasks/term.yaml"] = content(term)
    for task in tasks:
        files |= _of_task(task)
    folders = {Path(task.path).parents[1] for task in tasks}
    if usual := {name: took for each in folders for name, took in costs.usual(each).items()}:
        files[f"tasks/{costs.FILE}"] = costs.text(costs.kept(usual, Costs(), tasks)).encode()
    return files


def extras(tasks: Sequence[LoadedTask]) -> str:
    """The extras of the package that these tasks are marked with, as pip takes them."""
    atari = any("ale_py" in task.measure.decode() for task in tasks)
    return "atari,isolation" if atari else "isolation"


def shown(files: Mapping[str, bytes]) -> str:
    """How many files and how large, for people."""
    return f"{len(files)} files, {sum(map(len, files.values())) / 2**20:.1f} MiB"


def _of_task(task: LoadedTask) -> dict[str, bytes]:
    folder = Path(task.path).parent
    return {
        f"tasks/{task.id}/{name}": content(folder / name)
        for name in TASK_FILES
        if (folder / name).exists()
    }


def _of_harness() -> dict[str, bytes]:
    """The harness as it is here, so that its digest is that of the course, and how to install it.

    Raises:
        UsageError: it was installed without the files of its checkout.
    """
    package = Path(harness.__file__).parent
    root = package.parent
    names = ["LICENSE", "pyproject.toml", *PAGES]
    if missing := [name for name in names if not (root / name).is_file()]:
        raise UsageError(
            f"{root} has no {missing[0]}: a handout is made from a checkout of Fairmark, not from "
            "an installed package; run `python -m harness handout` there"
        )
    files = {
        str(path.relative_to(root)): content(path)
        for path in sorted(package.rglob("*"))
        if path.suffix in _SOURCES and "__pycache__" not in path.parts
    }
    files |= {name: content(root / name) for name in ("LICENSE", *PAGES)}
    files["pyproject.toml"] = _project((root / "pyproject.toml").read_text(encoding="utf-8"))
    return files


def _project(text: str) -> bytes:
    """Those tables of pyproject.toml by which the package is built, comments included."""
    kept = "".join(
        table
        for table in _tables(text)
        if any(table.startswith((f"[{name}]", f"[{name}.")) for name in _TABLES)
    )
    tomllib.loads(kept)
    return kept.encode()


def _tables(text: str) -> Iterator[str]:
    """The text cut at the lines that begin a table."""
    lines: list[str] = []
    for line in text.splitlines(keepends=True):
        if line.startswith("[") and lines:
            yield "".join(lines)
            lines = []
        lines.append(line)
    yield "".join(lines)


def _readme(
    tasks: Sequence[LoadedTask], title: str, points: Mapping[str, float], rules: Sequence[str]
) -> bytes:
    """The README of a handout, with its tasks."""
    rows = "\n".join(
        f"| [{clean(task.spec.title, SENTENCE_LIMIT)}](tasks/{task.id}/README.md) | "
        f"`{MINE}/{task.spec.file}` | {points.get(task.id, task.points):g} |"
        for task in tasks
    )
    # the quickest task to be marked is a good one to begin with
    first = min(tasks, key=lambda task: (task.spec.tier == "training", len(task.spec.checks)))
    return (
        _page("README.txt")
        .replace("{title}", clean(title, SENTENCE_LIMIT))
        .replace("{tasks}", rows)
        .replace("{rules}", "".join(f"- {line}\n" for line in rules) + "\n" if rules else "")
        .replace("{first}", first.id)
        .replace("{file}", f"{MINE}/{first.spec.file}")
        .replace("{extras}", extras(tasks))
        .replace("{key}", hashlib.sha256(PUBLIC_KEY.secret).hexdigest())
        .encode()
    )


def _page(name: str) -> str:
    return resources.files("harness.handout").joinpath("pages", name).read_text(encoding="utf-8")


def content(path: Path) -> bytes:
    """The content of a file that goes into a handout.

    Raises:
        UsageError: it is a link, which could lead to what must stay at home.
    """
    if path.is_symlink():
        raise UsageError(
            f"{path} is a symbolic link, and a handout follows none: put the file itself there"
        )
    return path.read_bytes()
