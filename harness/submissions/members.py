"""What the readers of zip and tar archives share: members, and the two ways to refuse them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from harness.errors import ArchiveError
from harness.submissions.records import Limits, display, size_in_words

#: The longest name of a member, in bytes, its folders included.
LONGEST_NAME = 1024

# What moves a cursor or turns the direction of a text, and what ends a line.
_OBEYED = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb]"
)


@dataclass(frozen=True)
class Member:
    """A member of an archive.

    Attributes:
        refusal: why it cannot be accepted; empty where nothing speaks against it.
        read: at most that many bytes of its content, counted as they are unpacked.
    """

    name: str
    is_folder: bool
    refusal: str
    read: Callable[[int], bytes]


def safe_parts(member: Member) -> tuple[str, ...]:
    """The folders and the name of a member; raises ArchiveError where it is not to be trusted."""
    name = member.name
    parts = tuple(part for part in name.split("/") if part not in ("", "."))
    if member.refusal:
        raise unsafe(name, member.refusal)
    if name.startswith("/") or re.match("[A-Za-z]:", name):
        raise unsafe(name, "has an absolute path")
    if ".." in parts:
        raise unsafe(name, "leaves the archive's folder")
    if "\\" in name:
        raise unsafe(name, "has a backslash in its name")
    if _OBEYED.search(name):
        raise unsafe(name, "has a control character in its name")
    if not parts and not member.is_folder:
        raise unsafe(name, "has no name")
    return parts


def unsafe(name: str, what: str) -> ArchiveError:
    """The error of a member that is not to be trusted."""
    message = f"the archive's member {display(name)} {what}; pack plain files anew"
    return ArchiveError("unsafe-archive", message)


def damaged(what: str) -> ArchiveError:
    """The error of an archive that contradicts itself or its format."""
    return ArchiveError("unreadable-archive", f"the archive is damaged: {what}")


def too_big(limits: Limits) -> ArchiveError:
    """The error of an archive that holds too many bytes."""
    message = f"the archive unpacks to more than {size_in_words(limits.total_bytes)}"
    return ArchiveError("unsafe-archive", message)


def too_many(limits: Limits) -> ArchiveError:
    """The error of an archive that holds too many files."""
    message = f"the archive has more than {limits.archive_members} members"
    return ArchiveError("unsafe-archive", message)


def check_length(name: bytes) -> None:
    """Raise ArchiveError where a name is longer than any that is read."""
    if len(name) > LONGEST_NAME:
        shown = name[:LONGEST_NAME].decode("utf-8", "replace")
        raise unsafe(shown, f"has a name of more than {LONGEST_NAME} bytes")
