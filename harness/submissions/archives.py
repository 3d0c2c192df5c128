"""Takes the wanted files out of an archive; nothing is unpacked to the disk."""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections.abc import Iterable, Sequence

from harness.errors import ArchiveError
from harness.submissions import tars, zips
from harness.submissions.members import Member, damaged, safe_parts, too_big, unsafe
from harness.submissions.records import (
    Limits,
    SubmissionProblem,
    Taken,
    nothing_wanted,
    size_in_words,
)

_ARCHIVE = re.compile(r"\.(zip|tar\.gz|tgz)$", re.IGNORECASE)
_OTHER_ARCHIVE = re.compile(r"\.(tar|tar\.(bz2|xz|zst)|tbz2|txz|7z|rar)$", re.IGNORECASE)

Parts = tuple[str, ...]


def is_archive(name: str) -> bool:
    """Whether a name is that of an archive, of a format that is read or another."""
    return bool(_ARCHIVE.search(name) or _OTHER_ARCHIVE.search(name))


def without_suffix(name: str) -> str:
    """The name of an archive without what tells its format."""
    return _OTHER_ARCHIVE.sub("", _ARCHIVE.sub("", name)) or name


def check_format(name: str) -> None:
    """Raise ArchiveError where an archive of this name is of a format that is not read."""
    if not _ARCHIVE.search(name):
        raise ArchiveError("unreadable-archive", "only .zip and .tar.gz archives are read")


def is_litter(folder: str) -> bool:
    """Whether a folder is what a tool left behind."""
    return folder.startswith(".") or folder in ("__MACOSX", "__pycache__")


def unpack(name: str, data: bytes, wanted: frozenset[str], limits: Limits) -> Taken:
    """Take the wanted files out of the bytes of an archive; its name tells the format.

    Raises:
        ArchiveError: the archive is damaged, or holds something that is not to be trusted.
    """
    reader = zips.members if name.lower().endswith(".zip") else tars.members
    try:
        return _take(list(reader(data, limits)), wanted, limits)
    except zlib.error as error:
        raise damaged(str(error)) from None


def _take(members: Sequence[Member], wanted: frozenset[str], limits: Limits) -> Taken:
    files = _files(members)
    _refuse_lookalikes(files, wanted)
    prefix = _prefix(files, wanted)
    inside = [parts[: len(prefix) + 1] for parts in files if len(parts) > len(prefix) + 1]
    contents: dict[str, bytes] = {}
    problems: list[SubmissionProblem] = []
    for name in sorted(wanted):
        if (*prefix, name) in files:
            if (*prefix, name) in inside:
                raise unsafe(name, "is a file and a folder")
            limit = limits.of(name)
            content = files[*prefix, name].read(limit + 1)
            if sum(map(len, contents.values())) + len(content) > limits.total_bytes:
                raise too_big(limits)
            if len(content) > limit:
                message = f"{name} is larger than {size_in_words(limit)}"
                problems.append(SubmissionProblem("too-large", message, name))
            else:
                contents[name] = content
    if not contents and not problems:
        problems.append(nothing_wanted((parts[-1] for parts in files), wanted))
    return contents, problems


def _files(members: Iterable[Member]) -> dict[Parts, Member]:
    """The members that are files, none of them there twice."""
    files: dict[Parts, Member] = {}
    for member in members:
        parts = safe_parts(member)
        if parts in files and not member.is_folder:
            raise unsafe(member.name, "is in it twice")
        if not member.is_folder:
            files[parts] = member
    return files


def _refuse_lookalikes(files: Iterable[Parts], wanted: frozenset[str]) -> None:
    """Raise ArchiveError where a wanted file has a twin that some file systems would merge."""
    folded = {_folded(name) for name in wanted}
    seen: set[str] = set()
    for parts in files:
        if _folded(parts[-1]) in folded:
            path = _folded("/".join(parts))
            if path in seen:
                what = "has the name of another but for upper case or accents"
                raise unsafe("/".join(parts), what)
            seen.add(path)


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold()


def _prefix(files: Iterable[Parts], wanted: frozenset[str]) -> Parts:
    """The one folder that everything is in, if the wanted files are not at the top."""
    tops = {parts[0] for parts in files if parts[1:] and not is_litter(parts[0])}
    at_the_top = any(len(parts) == 1 and parts[0] in wanted for parts in files)
    return tuple(tops) if len(tops) == 1 and not at_the_top else ()
