"""What the readers of zip and tar archives share: members, budgets, and the two ways to refuse."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from harness.errors import ArchiveError
from harness.submissions.records import Limits, display, size_in_words

#: The longest name of a member, in bytes, its folders included.
LONGEST_NAME = 1024


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
    """How many bytes are unpacked and held for one submission, whoever asks for them."""

    limits: Limits
    unpacked: int = 0
    held: int = 0

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


def safe_parts(member: Member) -> tuple[str, ...]:
    """The folders and the name of a member; empty where it has no name.

    A backslash separates folders as a slash does: PowerShell's Compress-Archive writes it.

    Raises:
        ArchiveError: the name leads out of the archive's folder. No honest tool writes such a name,
            so the whole archive is refused.
    """
    name = member.name.replace("\\", "/")
    parts = tuple(part for part in name.split("/") if part not in ("", "."))
    if name.startswith("/") or re.match("[A-Za-z]:", name):
        raise unsafe(member.name, "has an absolute path")
    if ".." in parts:
        raise unsafe(member.name, "leaves the archive's folder")
    return parts


def unsafe(name: str, what: str) -> ArchiveError:
    """The error of a member that is not to be trusted."""
    message = f"the archive's member {display(name)} {what}; pack plain files anew"
    return ArchiveError("unsafe-archive", message)


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
