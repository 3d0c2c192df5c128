"""The records of a submission and its problems, and the texts that tell students about them."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

_KIB = 1024
_MIB = 1024 * _KIB
#: The largest number of characters of a name that is printed, and of a path.
_DISPLAY_LENGTH = 80
_PATH_LENGTH = 160
#: What a reader obeys or does not see: control characters, characters that change the direction of
#: text, surrogates, and those that Unicode calls default-ignorable (joiners, fillers, variation
#: selectors, tags), with the blank that is none of them.
_UNPRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufff9-\ufffb"
    "\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\u2800"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)


@dataclass(frozen=True)
class Limits:
    """What one submission may hold.

    What is not wanted never counts against ``source_bytes``, ``data_bytes`` and ``total_bytes``;
    the other limits only bound the search.

    Attributes:
        source_bytes, data_bytes: the size of a Python file, and of any other file.
        notebooks, notebook_bytes: how many notebooks are looked into, and their size.
        total_bytes: the size of all files that are taken, counted while they are read or unpacked
            and not taken from the headers of an archive.
        helpers, helper_bytes: the modules that come along with one file: their number, their size.
        depth: how many folders and archives a file may lie in, below the submission itself.
        archive_bytes: the size of an archive as it was handed in.
        packed_bytes: the size of an archive inside a submission.
        archives: how many of those are opened.
        archive_members: the number of members of an archive.
        unpacked_bytes: what is unpacked in the search, wanted or not.
        held_bytes: what of that is held in memory at once.
        entries: how many files and folders are looked at.
    """

    source_bytes: int = 256 * _KIB  # parsing a file takes up to 600 times its size in memory
    data_bytes: int = 8 * _MIB
    notebooks: int = 10
    notebook_bytes: int = 16 * _MIB
    total_bytes: int = 64 * _MIB
    helpers: int = 16
    helper_bytes: int = _MIB
    depth: int = 6
    archive_bytes: int = 256 * _MIB
    packed_bytes: int = 64 * _MIB
    archives: int = 20
    archive_members: int = 50_000
    unpacked_bytes: int = 1024 * _MIB
    held_bytes: int = 512 * _MIB
    entries: int = 100_000

    def of(self, name: str) -> int:
        """The largest size of a file of this name, in bytes."""
        if is_notebook(name):
            return self.notebook_bytes
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


@dataclass(frozen=True)
class Submission:
    """What one subject handed in, read once and held in memory.

    Attributes:
        name: the name of the folder, archive or file, without the suffix of the latter two; of a
            download of a learning platform, the part that names the student. It identifies the
            submission, and may hold any character that a file name can hold.
        path: the folder, archive or file.
        contents: file name -> content of every file that was taken. A module ``utils.py`` that
            comes along with ``elbo.py`` is called ``elbo/utils.py``.
        problems: what keeps it from being run; a problem of one file concerns only the task that
            asks for that file.
        notes: sentences for the student about what was handed in and not taken.
        left: the names of what was handed in and not taken.
    """

    name: str
    path: str
    contents: Mapping[str, bytes] = field(repr=False)
    problems: tuple[SubmissionProblem, ...] = ()
    notes: tuple[str, ...] = ()
    left: tuple[str, ...] = ()

    @property
    def display_name(self) -> str:
        """The name as it may be printed; see :func:`display`."""
        return display(self.name)

    @property
    def files(self) -> dict[str, str]:
        """File name -> SHA-256 of every file that was taken."""
        return {name: sha256_of(content) for name, content in sorted(self.contents.items())}

    @property
    def sha256(self) -> str:
        """A digest of the names and digests of all files that were taken."""
        return sha256_of(json.dumps(sorted(self.files.items())).encode())


def display(text: str, limit: int = _DISPLAY_LENGTH) -> str:
    """A text from a submission, made safe to print.

    Control characters, surrogates, characters that change the direction of text and characters
    that show nothing (so that two names that differ cannot look alike) become U+FFFD, and a text of
    more than 80 characters is cut.
    """
    clean = _UNPRINTABLE.sub("\ufffd", text)
    return clean if len(clean) <= limit else clean[: limit - 1] + "…"


def display_path(parts: Iterable[str]) -> str:
    """A path inside a submission, made safe to print; of a long one the end is kept."""
    clean = _UNPRINTABLE.sub("\ufffd", "/".join(parts))
    return clean if len(clean) <= _PATH_LENGTH else "…" + clean[1 - _PATH_LENGTH :]


def is_notebook(name: str) -> bool:
    """Whether a name is that of a Jupyter notebook."""
    return name.lower().endswith(".ipynb")


def is_source(name: str) -> bool:
    """Whether a name is that of a program: a Python file or a notebook."""
    return name.endswith(".py") or is_notebook(name)


def size_in_words(count: int) -> str:
    """A number of bytes as text, rounded, with its unit: bytes, KiB or MiB."""
    if count >= _MIB:
        return f"{count / _MIB:.4g} MiB"
    return f"{count / _KIB:.4g} KiB" if count >= _KIB else f"{count} bytes"


def sha256_of(content: bytes) -> str:
    """The SHA-256 of some bytes, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()
