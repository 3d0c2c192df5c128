"""The records of a submission and its problems, and the texts that tell students about them."""

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
#: The largest number of characters of a name that is printed.
_DISPLAY_LENGTH = 80
#: How many names of a submission are compared with those that tasks ask for.
_COMPARED = 100
#: Control characters, characters that change the direction of text, and surrogates.
_UNPRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)


@dataclass(frozen=True)
class Limits:
    """What one submission may hold.

    Attributes:
        source_bytes, data_bytes: the size of a Python file, and of any other file.
        total_bytes: the size of all files together, counted while they are read or unpacked and
            not taken from the headers of an archive.
        archive_bytes: the size of an archive as it was handed in.
        archive_members: the number of members of an archive.
        folder_entries: the number of entries of a folder, whether tasks ask for them or not.
    """

    source_bytes: int = 256 * _KIB  # parsing a file takes up to 600 times its size in memory
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
        cause: the value of the :class:`harness.causes.Cause` stored with the verdict.
        message: one sentence for the student, safe to print.
        file: the name of the file concerned; None if the whole submission is.
        line: the line of a syntax error, from 1.
    """

    cause: str
    message: str
    file: str | None = None
    line: int | None = None


#: File name -> content of the files taken from a submission, and the problems of taking them.
Taken: TypeAlias = tuple[dict[str, bytes], list[SubmissionProblem]]
#: Takes the wanted files from a path; raises ArchiveError where nothing can be taken.
Reader: TypeAlias = Callable[[Path, frozenset[str], Limits], Taken]


@dataclass(frozen=True)
class Submission:
    """What one subject handed in.

    Attributes:
        name: the name of the folder, archive or file, without the suffix of the latter two. It
            identifies the submission, and may hold any character that a file name can hold.
        path: the folder, archive or file.
        files: file name -> SHA-256 of every file that was taken.
        sha256: a digest of the names and digests of all files taken.
        problems: what keeps it from being run; a problem of one file concerns only the task that
            asks for that file.
        reader: takes the files from the path.
        limits: the limits under which the files are read.
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
        """The name as it may be printed; see :func:`display`."""
        return display(self.name)

    def problems_of(self, names: Iterable[str]) -> tuple[SubmissionProblem, ...]:
        """The problems for a task that asks for these files: theirs and the whole submission's."""
        concerned = {None, *names}
        return tuple(problem for problem in self.problems if problem.file in concerned)

    def read(self, names: Iterable[str]) -> dict[str, bytes]:
        """Read again those of the named files that were taken; file name -> content.

        Raises:
            InfrastructureError: a file changed since the submission was found.
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
    """A text from a submission, made safe to print.

    Control characters, surrogates and characters that change the direction of text become U+FFFD,
    and a text of more than 80 characters is cut.
    """
    clean = _UNPRINTABLE.sub("\ufffd", text)
    return clean if len(clean) <= _DISPLAY_LENGTH else clean[: _DISPLAY_LENGTH - 1] + "…"


def size_in_words(count: int) -> str:
    """A number of bytes as text, rounded, with its unit: bytes, KiB or MiB."""
    if count >= _MIB:
        return f"{count / _MIB:.3g} MiB"
    return f"{count / _KIB:.4g} KiB" if count >= _KIB else f"{count} bytes"


def sha256_of(content: bytes) -> str:
    """The SHA-256 of some bytes, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def nothing_wanted(names: Iterable[str], wanted: frozenset[str]) -> SubmissionProblem:
    """The problem of a submission with these file names, none of which a task asks for."""
    message = f"there is no file that a task asks for{nearest(names, wanted)}"
    return SubmissionProblem("empty", message)


def nearest(names: Iterable[str], wanted: frozenset[str]) -> str:
    """The end of a message: which of the names may be meant for which wanted file.

    Only the first 100 names of at most 80 characters are compared, since comparing is slow.
    """
    compared = (name for name in names if len(name) <= _DISPLAY_LENGTH)
    for name in itertools.islice(compared, _COMPARED):
        if name in wanted:
            return f"; {display(name)} lies too deep, put it at the top"
        for close in difflib.get_close_matches(name.lower(), sorted(wanted), n=1):
            return f"; was {display(name)} meant to be {close}?"
    return f"; file names are such as {min(wanted)}" if wanted else ""
