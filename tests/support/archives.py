"""Archives made of files, and taken apart in memory as the search in a submission does it."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from harness.errors import ArchiveError
from harness.submissions import Limits, SubmissionProblem
from harness.submissions.archives import Archives
from harness.submissions.members import Budget
from harness.submissions.nodes import Archive, File, Opener
from harness.submissions.sources import SourceParser
from harness.submissions.taking import take
from harness.submissions.unpacker import Unpacker

Files = Mapping[str, bytes]


def zipped(files: Files, method: int = zipfile.ZIP_STORED) -> bytes:
    """A zip archive of some files."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


def tarred(files: Files, links: Sequence[tuple[str, bytes, str]] = ()) -> bytes:
    """A tar.gz archive of some files, and of links: name, type and what each leads to."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        for name, kind, to in links:
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, to
            archive.addfile(info)
    return stream.getvalue()


def laid(path: Path, files: Files) -> Path:
    """The files below a folder."""
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
    return path


@cache
def _parser() -> SourceParser:
    """One for all archives of a test run; it ends with the run."""
    return SourceParser()


class InProcess:
    """What takes archives apart, asked without a process, so that a test can see what it does."""

    def __init__(self) -> None:
        self._answer = Unpacker()

    def ask(
        self, request: Mapping[str, Any], content: bytes, _cpu_s: float
    ) -> tuple[dict[str, Any], bytes]:
        """See :class:`harness.submissions.process.ReadingProcess`."""
        fields, body = self._answer(dict(request), content)
        return fields | {"cpu_s": 0.0}, body

    def end(self) -> None:
        """Nothing runs."""


def unpack(
    name: str, data: bytes, wanted: frozenset[str], limits: Limits
) -> tuple[dict[str, bytes], list[SubmissionProblem]]:
    """What is taken of an archive, and the problems of taking it.

    Raises:
        ArchiveError: the archive cannot be read, or is not to be trusted.
    """
    opener = Opener(wanted, Budget(limits), Archives(InProcess()))
    archive = Archive(name, File(lambda _: data))
    taken = take(opener.children(archive, limits.archive_bytes), opener, _parser())
    return taken.contents, taken.problems


def refusal_of(
    name: str, data: bytes, wanted: frozenset[str], limits: Limits | None = None
) -> tuple[str, str]:
    """Cause and message of what is wrong with an archive, or with a wanted file in it."""
    try:
        _, problems = unpack(name, data, wanted, limits or Limits())
    except ArchiveError as error:
        return error.cause, error.message
    (problem,) = problems
    return problem.cause, problem.message
