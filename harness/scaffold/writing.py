"""Writes a new task: complete and accepted by ``verify``, to be changed into what it shall ask."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from string import Template
from types import MappingProxyType

from harness.errors import UsageError
from harness.files import write_text
from harness.results import make_folder
from harness.spec.catalogue import load_all
from harness.spec.statement import rendered

_ID = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
_LONGEST = 64
_OF_TASK: Mapping[str, str] = MappingProxyType(
    {
        "task.yaml": "task.yaml",
        "README.md": "README.md",
        "starter.py": "starter.py",
        "measure.py": "measure.py",
        "example.yaml": "example.yaml",
    }
)
_OF_REFERENCE: Mapping[str, str] = MappingProxyType(
    {
        "solution.py": "solution.py",
        "variants/products.py": "products.py",
        "variants/loops.py": "loops.py",
        "mistakes.yaml": "mistakes.yaml",
    }
)


def write(name: str, title: str, tasks: Path, reference: Path) -> list[Path]:
    """Writes the files of a new task and returns their paths.

    Args:
        name: the id: words of small letters and digits, joined by hyphens.
        title: one line; the statement's heading.
        tasks, reference: the folders in which those of the task are made.

    Raises:
        UsageError, SpecError: the id or title cannot be used, or something is in the place of the
            task; then nothing is written.
    """
    _refuse(name, title)
    folders = (tasks / name, reference / name)
    for folder in folders:
        if folder.exists() or folder.is_symlink():
            raise UsageError(f"{folder} is there already; choose another id, or move it away")
    with tempfile.TemporaryDirectory(prefix="fairmark-new-") as made:
        drafts = Path(made) / "tasks", Path(made) / "reference"
        _fill(name, {"id": name, "title": title}, *drafts)
        for draft, folder in zip(drafts, folders, strict=True):
            make_folder(folder.parent)
            shutil.copytree(draft / name, folder)
    return [path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()]


def _fill(name: str, words: Mapping[str, str], tasks: Path, reference: Path) -> None:
    """Writes the files below two empty folders, the statement with its tables.

    Raises:
        SpecError: the id cannot be that of a task, as one that hides a module.
    """
    for file, part in _OF_TASK.items():
        _write(tasks / name / file, part, words)
    for file, part in _OF_REFERENCE.items():
        _write(reference / name / file, part, words)
    (task,) = load_all(tasks, reference, [name], with_reference=False)
    statement = tasks / name / "README.md"
    write_text(statement, rendered(statement.read_text(encoding="utf-8"), task))


def _refuse(name: str, title: str) -> None:
    """Raises UsageError where an id or a title cannot be used."""
    if not _ID.fullmatch(name) or len(name) > _LONGEST:
        raise UsageError(
            f"{name!r} is no id of a task: write small letters and digits, words joined by "
            f"hyphens, a letter first, at most {_LONGEST} in all"
        )
    if not title.strip() or not title.isprintable() or any(sign in title for sign in '"\\$#:'):
        raise UsageError(
            f"{title!r} cannot be a title here: one line of text without quotes, colon, backslash, "
            "dollar and number sign; change it in task.yaml afterwards"
        )


def _write(path: Path, part: str, words: Mapping[str, str]) -> None:
    source = resources.files("harness.scaffold").joinpath("files", f"{part}.txt")
    make_folder(path.parent)
    write_text(path, Template(source.read_text(encoding="utf-8")).substitute(words))
