"""Which files an autograder holds, and what is in each.

Gradescope keeps an autograder's files to the course, and the container that marks a submission
holds them beside it: so its autograder has the references, out of reach of the submitted code at
level L2 and above. Classroom 50 publishes an autograder's files: its autograder is a handout, and
what compares with a reference is marked by the course later.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path

from harness.errors import UsageError
from harness.handout import contents as handouts
from harness.spec.load import LoadedTask
from harness.spec.models import Assignment

#: The time of every file in an archive.
_NO_TIME = (1980, 1, 1, 0, 0, 0)
#: What an author or a tool leaves beside the files of a reference.
_LITTER = ("__pycache__", ".git", ".ipynb_checkpoints")


def gradescope(
    tasks: Sequence[LoadedTask], assignment: Assignment, file: Path, references: Path
) -> dict[str, bytes]:
    """The files of autograder.zip.

    Args:
        file: the YAML file of the assignment.
        references: the folder with a folder for each task.

    Raises:
        UsageError: the assignment cannot be marked one submission at a time, or a file is a link.
    """
    _refuse_groups(assignment)
    files = handouts.of_course(tasks, [file])
    for task in tasks:
        for path in sorted((references / task.id).rglob("*")):
            if path.is_file() and not set(path.parts) & set(_LITTER):
                name = f"reference/{task.id}/{path.relative_to(references / task.id)}"
                files[name] = handouts.content(path)
    files["setup.sh"] = _page("setup.txt", assignment, extras=handouts.extras(tasks))
    files["run_autograder"] = _page("run_autograder.txt", assignment)
    return dict(sorted(files.items()))


def classroom50(
    tasks: Sequence[LoadedTask], assignment: Assignment, file: Path
) -> handouts.Handout:
    """The files of the folder ``CLASSROOM/autograders/ASSIGNMENT``, and whose hints are missing.

    Raises:
        UsageError: see :func:`gradescope`.
    """
    _refuse_groups(assignment)
    marked = handouts.with_hints(tasks, [file])
    files = dict(marked.files)
    files["autograder.py"] = _page("autograder.txt", assignment, extras=handouts.extras(tasks))
    return handouts.Handout(dict(sorted(files.items())), marked.without_hints)


def gradescope_marks(documents: Mapping[str, str]) -> dict[str, bytes]:
    """The files of an autograder that gives submissions of Gradescope marks that were made before.

    It runs nothing that was handed in, and holds the marks of the class.

    Args:
        documents: the name of a submission in Gradescope's export -> its results.json.
    """
    files = {f"marks/{name}.json": text.encode() for name, text in documents.items()}
    for name, page in (
        ("setup.sh", "setup_marks.txt"),
        ("run_autograder", "run_marks.txt"),
        ("give_mark.py", "give_mark.txt"),
    ):
        files[name] = _text(page).encode()
    return dict(sorted(files.items()))


def packed(files: Mapping[str, bytes]) -> bytes:
    """The files as autograder.zip; equal files are equal bytes."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo(name, _NO_TIME)
            info.external_attr = (0o755 if _executable(name) else 0o644) << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, content)
    return stream.getvalue()


def _refuse_groups(assignment: Assignment) -> None:
    if assignment.groups:
        raise UsageError(
            f"assignment {assignment.id} is handed in by groups, which only a roster knows; a "
            "platform marks one submission at a time. Leave `groups` out of a copy of it that is "
            "marked there"
        )


def _page(name: str, assignment: Assignment, extras: str = "") -> bytes:
    text = _text(name)
    return text.replace("{assignment}", assignment.id).replace("{extras}", extras).encode()


def _text(name: str) -> str:
    return resources.files("harness.autograders").joinpath("pages", name).read_text("utf-8")


def _executable(name: str) -> bool:
    """Whether a file of an autograder is run by its name."""
    return name in ("setup.sh", "run_autograder")
