"""What a submission is, what may be wrong with it, and the words for it."""

from __future__ import annotations

import difflib
import hashlib
import itertools
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from harness.errors import ArchiveError, InfrastructureError

_KIB = 1024
_MIB = 1024 * _KIB
_DISPLAY_LENGTH = 80
_COMPARED = 100
_UNSHOWABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)


@dataclass(frozen=True)
class Limits:
    """What one submission may hold; the archive limits count what is really unpacked.

    ``folder_entries`` bounds a submission that is a folder, wanted or not.
    """

    source_bytes: int = 256 * _KIB  # parsing takes up to 600 times as much memory
    data_bytes: int = 8 * _MIB
    total_bytes: int = 64 * _MIB
    archive_bytes: int = 64 * _MIB
    archive_members: int = 1000
    folder_entries: int = 10_000

    def of(self, name: str) -> int:
        """The largest size of a file of this name, in bytes."""
        return self.source_bytes if name.endswith(".py") else self.data_bytes


@dataclass(frozen=True)
class SubmissionProblem:
    """Why a submission, or one file of it, cannot be run.

    Attributes:
        cause: the word stored with the verdict.
        message: one sentence for the student, safe to print.
        file: the file that it is about; None where it is the whole submission.
        line: the line of a syntax error, from 1.
    """

    cause: str
    message: str
    file: str | None = None
    line: int | None = None


Taken: TypeAlias = tuple[dict[str, bytes], list[SubmissionProblem]]
Reader: TypeAlias = Callable[[Path, frozenset[str], Limits], Taken]


@dataclass(frozen=True)
class Submission:
    """What one subject handed in.

    Attributes:
        name: the identity, exactly as found; it may hold anything that a file name can hold.
        path: the folder, archive or file.
        files: SHA-256 of every file that was taken, by name.
        sha256: a digest of the names and digests of all files taken.
        problems: what is wrong; a problem of one file concerns only the task it belongs to.
        reader: how the files are taken from the path.
        limits: what they were read under.
    """

    name: str
    path: str
    files: Mapping[str, str]
    sha256: str
    problems: tuple[SubmissionProblem, ...]
    reader: Reader = field(repr=False)
    limits: Limits = field(default=Limits(), repr=False)

    @property
    def display_name(self) -> str:
        """The name as it may be printed: no control or direction characters, at most 80."""
        return display(self.name)

    def problems_of(self, names: Iterable[str]) -> tuple[SubmissionProblem, ...]:
        """The problems that concern a task that asks for these files."""
        wanted = {None, *names}
        return tuple(problem for problem in self.problems if problem.file in wanted)

    def read(self, names: Iterable[str]) -> dict[str, bytes]:
        """The content of those of the named files that were taken.

        Raises:
            InfrastructureError: a file is no longer what it was when the submission was found.
        """
        wanted = frozenset(names) & frozenset(self.files)
        try:
            contents, _ = self.reader(Path(self.path), wanted, self.limits)
        except ArchiveError:
            contents = {}
        for name in sorted(wanted):
            if name not in contents or sha256_of(contents[name]) != self.files[name]:
                message = f"{display(self.path)}: {name} changed since the run began"
                raise InfrastructureError(f"{message}; leave submissions alone until it ends")
        return contents


def display(text: str) -> str:
    """A text of a submission as it may be printed: unprintable characters are U+FFFD."""
    clean = _UNSHOWABLE.sub("\ufffd", text)
    return clean if len(clean) <= _DISPLAY_LENGTH else clean[: _DISPLAY_LENGTH - 1] + "…"


def size_in_words(count: int) -> str:
    """A number of bytes, rounded, with its unit."""
    if count >= _MIB:
        return f"{count / _MIB:.3g} MiB"
    return f"{count / _KIB:.4g} KiB" if count >= _KIB else f"{count} bytes"


def sha256_of(content: bytes) -> str:
    """The SHA-256 of some bytes, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def nothing_wanted(names: Iterable[str], wanted: frozenset[str]) -> SubmissionProblem:
    """The problem of a submission that has none of the wanted files."""
    message = f"there is no file that a task asks for{nearest(names, wanted)}"
    return SubmissionProblem("empty", message)


def nearest(names: Iterable[str], wanted: frozenset[str]) -> str:
    """A clause that helps out: the wanted name that one of these may be meant to be.

    Only the first names are compared, and no long ones: comparing is slow.
    """
    compared = (name for name in names if len(name) <= _DISPLAY_LENGTH)
    for name in itertools.islice(compared, _COMPARED):
        if name in wanted:
            return f"; {display(name)} lies too deep, put it at the top"
        for close in difflib.get_close_matches(name.lower(), sorted(wanted), n=1):
            return f"; was {display(name)} meant to be {close}?"
    return f"; file names are such as {min(wanted)}" if wanted else ""
