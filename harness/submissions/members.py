"""What the readers of zip and tar archives share: members, budgets, and the two ways to refuse."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass

from harness.errors import ArchiveError
from harness.submissions.records import Limits, display, size_in_words

#: The longest name of a member, in bytes, its folders included.
LONGEST_NAME = 1024
#: Processor seconds for all archives of one submission.
SUBMISSION_S = 20.0
_ARCHIVE = re.compile(r"\.(zip|tar\.gz|tgz)$", re.IGNORECASE)
#: How a path begins that names a drive of Windows, and one that begins at a root.
_DRIVE, _ROOT = re.compile("[A-Za-z]:"), re.compile(r"([A-Za-z]:)?[/\\]")
_OTHER_ARCHIVE = re.compile(r"\.(tar|tar\.(bz2|xz|zst)|tbz2|txz|7z|rar)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Member:
    """A member of an archive.

    Attributes:
        refusal: why it cannot be taken; empty where nothing speaks against it.
        read: at most that many bytes of its content, counted as they are unpacked.
    """

    name: str
    is_folder: bool
    refusal: str
    read: Callable[[int], bytes]


@dataclass
class Budget:
    """What is spent on one submission, and by its limits may be.

    Attributes:
        unpacked, held: bytes that were unpacked, and of these how many are kept in memory.
        listed: the files and folders that were found.
        cpu_s: the processor time that is left for its archives.
    """

    limits: Limits
    unpacked: int = 0
    held: int = 0
    listed: int = 0
    cpu_s: float = SUBMISSION_S

    def unpack(self, count: int) -> None:
        """Counts unpacked bytes; raises ArchiveError where they are too many."""
        self.unpacked += count
        if self.unpacked > self.limits.unpacked_bytes:
            raise _too_big("unpacks to", self.limits.unpacked_bytes)

    def hold(self, count: int) -> None:
        """Counts bytes that are kept in memory; raises ArchiveError where they are too many."""
        self.held += count
        if self.held > self.limits.held_bytes:
            raise _too_big("holds archives and Python files of", self.limits.held_bytes)


def safe_parts(member: Member, wanted: Collection[str] = ()) -> tuple[str, ...]:
    """The folders and the name of a member; empty where it has no name.

    A backslash separates folders as a slash does: PowerShell's Compress-Archive writes it. Of a
    member with an absolute path the name alone is left, and of such a folder nothing.

    Raises:
        ArchiveError: the name leads out of the archive's folder, or to a wanted file from a
            root or a drive: the whole archive is refused.
    """
    name = member.name.replace("\\", "/")
    parts = tuple(part for part in name.split("/") if part not in ("", "."))
    if ".." in parts:
        raise unsafe(member.name, "leaves the archive's folder")
    is_drive = bool(_DRIVE.match(name))
    if not parts or not (is_drive or is_absolute(member)):
        return parts
    if not {*parts, _DRIVE.sub("", parts[0])}.isdisjoint(wanted):
        also = " (a letter and a colon are a drive)" if is_drive else ""
        raise unsafe(member.name, f"has an absolute path{also}")
    if is_absolute(member):
        return () if member.is_folder else parts[-1:]
    return parts


def is_absolute(member: Member) -> bool:
    """Whether the path of a member begins at a root: such a member is never taken.

    ``A:B`` is a name as good as another: macOS writes the slash of a name as a colon.
    """
    return bool(_ROOT.match(member.name))


def unsafe(name: str, what: str) -> ArchiveError:
    """The error of a member that is not to be trusted."""
    message = f"the archive's member {display(name)} {what}; pack plain files anew"
    return ArchiveError("unsafe-archive", message)


def too_large(name: str, limit: int) -> ArchiveError:
    """The error of a file of more bytes than it may have."""
    return ArchiveError("too-large", f"{display(name)} is larger than {size_in_words(limit)}")


def damaged(what: str) -> ArchiveError:
    """The error of an archive that contradicts itself or its format."""
    return ArchiveError("unreadable-archive", f"the archive is damaged: {what}")


def too_many(limits: Limits) -> ArchiveError:
    """The error of an archive that holds too many files."""
    message = f"the archive has more than {limits.archive_members} members"
    return ArchiveError("unsafe-archive", message)


def _too_big(does: str, limit: int) -> ArchiveError:
    message = f"what was handed in {does} more than {size_in_words(limit)}"
    return ArchiveError("unsafe-archive", message)


def refused_length(name: bytes) -> str:
    """Why a name is too long to be read; empty where it is not."""
    return f"has a name of more than {LONGEST_NAME} bytes" if len(name) > LONGEST_NAME else ""


def is_read(name: str) -> bool:
    """Whether a name is that of an archive of a format that is read."""
    return bool(_ARCHIVE.search(name))


def is_archive(name: str) -> bool:
    """Whether a name is that of an archive, of a format that is read or another."""
    return is_read(name) or bool(_OTHER_ARCHIVE.search(name))


def without_suffix(name: str) -> str:
    """The name of an archive without what tells its format."""
    return _OTHER_ARCHIVE.sub("", _ARCHIVE.sub("", name)) or name
