"""Downloads of learning platforms: whose a file is, and what it was called when it was handed in.

| platform | what it downloads | the student |
|---|---|---|
| Canvas | ``doejane_LATE_12345_678910_elbo-2.py``, flat, several a student | ``doejane_12345`` |
| Canvas, anonymous | ``anon_aB3dE_678910_elbo.py`` | ``anon_aB3dE`` |
| Canvas, a group | ``redteam_12345_678910_elbo.py``, a member's number | ``redteam_12345`` |
| Moodle | ``Jane Doe_123_assignsubmission_file_/elbo.py``, or flat | ``Jane Doe_123`` |
| Moodle, a team | ``Red team_45_assignsubmission_file_/elbo.py``, its number | ``Red team_45`` |
| Moodle, no group | ``Default group_assignsubmission_file_/elbo.py`` | ``Default group`` |
| Gradescope | ``submission_123/elbo.py`` beside ``submission_metadata.yml`` | ``submission_123`` |
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

from harness.submissions.nodes import Archive, File, Given, Node, file_or_archive

Platform = Literal["canvas", "moodle", "gradescope"]
PLATFORMS: tuple[Platform, ...] = get_args(Platform)

_CANVAS = re.compile(
    r"(?P<who>.+?)(?P<late>_LATE)?_(?P<user>\d+)_(?P<upload>\d+)_(?P<name>.+)", re.DOTALL
)
#: An anonymous id is five letters and digits; one of digits alone is read as a user's.
_CANVAS_ANONYMOUS = re.compile(
    r"(?P<late>LATE_)?(?P<who>anon)_(?P<user>(?=\d*[A-Za-z])[A-Za-z0-9]{5})_(?P<upload>\d+)_"
    r"(?P<name>.+)",
    re.DOTALL,
)
_MOODLE = re.compile(
    r"(?P<who>.+?)(?:_(?P<user>\d+))?_assignsubmission_(?:file|onlinetext)_?(?P<name>.*)",
    re.DOTALL,
)
GRADESCOPE_FOLDER = re.compile(r"submission_\d+")
#: Canvas puts a number behind the name of a file that was handed in again.
_AGAIN = re.compile(r"(?P<stem>.+?)(?:-\d+)+(?P<suffix>(?:\.\w+){1,2})", re.DOTALL)


@dataclass(frozen=True)
class Named:
    """What Canvas or Moodle put into the name of one entry of a download.

    Attributes:
        who: the student's name, as the platform writes it into names; a group's for some groups.
        user: the number of the student: Canvas's user, Moodle's participant of one assignment; or
            Canvas's anonymous id, or the number of Moodle's group. Empty for those without a group.
        upload: Canvas's number of the uploaded file; empty for Moodle.
        own: what the entry was called when it was handed in.
        late: whether Canvas marks it so.
    """

    platform: Platform
    who: str
    user: str
    own: str
    upload: str = ""
    late: bool = False

    @property
    def student(self) -> str:
        """The name of the submission."""
        return f"{self.who}_{self.user}" if self.user else self.who


def named(name: str, *, is_file: bool) -> Named | None:
    """What the name of an entry tells; None where neither Canvas nor Moodle made it."""
    match = _MOODLE.fullmatch(name)
    if match:
        return Named("moodle", match["who"], match["user"] or "", match["name"] or "files")
    if not is_file:
        return None
    match = _CANVAS_ANONYMOUS.fullmatch(name) or _CANVAS.fullmatch(name)
    if not match:
        return None
    again = _AGAIN.fullmatch(match["name"])
    own = again["stem"] + again["suffix"] if again else match["name"]
    late = match["late"] is not None
    return Named("canvas", match["who"], match["user"], own, match["upload"], late)


@dataclass(frozen=True)
class _Part:
    """One entry of a download: the student that it names, and what it was called."""

    student: str
    name: str
    downloaded: str
    node: Node


def are_downloaded(children: Iterable[tuple[str, Node]]) -> bool:
    """Whether the entries of a folder have the names that a platform gives to submissions."""
    return any(
        _part(name, node) is not None
        or (GRADESCOPE_FOLDER.fullmatch(name) and not isinstance(node, File | Archive))
        for name, node in children
    )


def by_student(children: Iterable[tuple[str, Node]]) -> list[tuple[str, Node]]:
    """The entries of a folder, those of one student together under the student's name."""
    together: dict[str, list[_Part]] = {}
    others: list[tuple[str, Node]] = []
    for name, node in children:
        part = _part(name, node)
        if part is None:
            others.append((name, node))
        else:
            together.setdefault(part.student, []).append(part)
    return others + [(student, _joined(parts)) for student, parts in together.items()]


def _part(name: str, node: Node) -> _Part | None:
    parts = named(name, is_file=isinstance(node, File | Archive))
    if parts is None:
        return None
    return _Part(parts.student, parts.own, name, _renamed(parts.own, node))


def _renamed(name: str, node: Node) -> Node:
    file = node.file if isinstance(node, Archive) else node
    return file_or_archive(name, file) if isinstance(file, File) else node


def _joined(parts: list[_Part]) -> Node:
    """One folder with the entries; where a student has nothing but a folder, that one.

    Two that were called alike lie in folders with their downloaded names, so that both are named.
    """
    if len(parts) == 1 and not isinstance(parts[0].node, File | Archive):
        return parts[0].node
    alike = Counter(part.name for part in parts)
    return Given(
        [
            (part.name, part.node)
            if alike[part.name] == 1
            else (part.downloaded, Given([(part.name, part.node)]))
            for part in parts
        ]
    )
