"""Looks through one submission: where the wanted files are, and what else was handed in."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from harness.errors import ArchiveError
from harness.submissions.members import is_archive
from harness.submissions.nodes import (
    Archive,
    Container,
    File,
    Node,
    Odd,
    Opener,
    Parts,
    is_hidden,
    is_litter,
)


@dataclass(frozen=True)
class Place:
    """Where something lies in a submission: the folders and archives on the way, and its name."""

    parts: Parts
    node: Node

    @property
    def name(self) -> str:
        """The last of the parts."""
        return self.parts[-1]


@dataclass
class Contents:
    """What a submission holds.

    Attributes:
        wanted: file name -> every place where a file of that name lies.
        odd: file name -> the first thing of that name that is no file.
        files: the files, wanted or not, by their parts; of two with the same parts the last.
        others: what nobody wants and is never taken, such as links.
        unread: the archives and folders that could not be looked into, and why.
        hidden: what was not looked into for a dot before its name.
        hollow: the archives and folders that hold nothing.
        depth_reached: whether folders lie deeper than is looked.
        cut: whether there was more than is looked at.
    """

    wanted: dict[str, list[Place]] = field(default_factory=dict)
    odd: dict[str, ArchiveError] = field(default_factory=dict)
    files: dict[Parts, File] = field(default_factory=dict)
    others: list[Parts] = field(default_factory=list)
    unread: list[tuple[Parts, ArchiveError]] = field(default_factory=list)
    hidden: list[Parts] = field(default_factory=list)
    hollow: list[Parts] = field(default_factory=list)
    depth_reached: bool = False
    cut: bool = False


def look_through(start: Sequence[tuple[str, Node]], opener: Opener) -> Contents:
    """Everything below the children of a submission, level by level, litter left out.

    Archives are folders here. What cannot be read is noted and costs nothing else.
    """
    contents = Contents()
    limits = opener.limits
    archives = entries = 0
    queue: deque[tuple[Parts, Container | None]] = deque([((), None)])
    while queue:
        parts, container = queue.popleft()
        if isinstance(container, Archive):
            archives += 1
            if archives > limits.archives:
                contents.cut = True
                continue
        try:
            children = (
                start if container is None else opener.children(container, limits.packed_bytes)
            )
        except ArchiveError as error:
            contents.unread.append((parts, error))
            continue
        if not children:
            contents.hollow.append(parts)
        for name, node in children:
            wanted = name in opener.wanted
            entries += 1
            if entries > limits.entries and not wanted:
                contents.cut = True
                continue
            if is_litter(name):
                if is_hidden(name):
                    contents.hidden.append((*parts, name))
                continue
            place = Place((*parts, name), node)
            _note(contents, place, wanted=wanted)
            if not isinstance(node, File | Odd):
                if len(place.parts) > limits.depth:
                    contents.depth_reached = True
                else:
                    queue.append((place.parts, node))
    return contents


def _note(contents: Contents, place: Place, *, wanted: bool) -> None:
    node = place.node
    if isinstance(node, File):
        contents.files[place.parts] = node
        if wanted:
            contents.wanted.setdefault(place.name, []).append(place)
    elif isinstance(node, Odd):
        if wanted:
            contents.odd.setdefault(place.name, node.error)
        else:
            contents.others.append(place.parts)
    elif wanted and not is_archive(place.name):
        error = ArchiveError("unsafe-file", f"{place.name} is a folder, not a file")
        contents.odd.setdefault(place.name, error)
