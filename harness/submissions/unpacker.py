"""Takes archives apart, in a process of :mod:`harness.submissions.reader`.

Requests (``do``) are ``open``, with an archive behind it, which lists what it holds and keeps it
under a number, and ``read``, one of its members. Both come with the limits and with what was
unpacked and held for the submission so far, and both answers with what it is now.
"""

from __future__ import annotations

import codecs
import json
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from harness.errors import ArchiveError
from harness.submissions import formats, tars, zips
from harness.submissions.members import (
    Budget,
    Member,
    damaged,
    is_absolute,
    is_archive,
    safe_parts,
    too_large,
    unsafe,
)
from harness.submissions.records import Limits, is_source

OPENS_FILES = False
#: How many folders may lie between the top of an archive and a file that is looked at.
_DEEPEST_MEMBER = 12
#: How many members of a wanted name are listed beyond the number of those that are looked at.
_MOST_ALIKE = 100
#: A name counts once more for every so many characters.
_LONG = 256

#: What a member is: a file, a folder, or something that is never taken.
FILE, FOLDER, ODD = range(3)


class Unpacker:
    """Answers requests about archives, and holds those that are open."""

    def __init__(self) -> None:
        self._budget = Budget(Limits())
        self._open: dict[int, dict[int, Member]] = {}

    def __call__(self, request: dict[str, Any], content: bytes) -> tuple[dict[str, Any], bytes]:
        """The fields of an answer and the bytes behind it; see :mod:`harness.submissions.archives`.

        ``cause`` and ``message`` say why an archive or a member is refused; ``memory`` is true
        where there was too little.
        """
        for number in request["forget"]:
            self._open.pop(number, None)
        # the one budget that the members of every open archive count on
        self._budget.limits = Limits(**request["limits"])
        self._budget.unpacked, self._budget.held = request["unpacked"], request["held"]
        fields: dict[str, Any] = {}
        body = b""
        try:
            body = (
                self._opened(request, content) if request["do"] == "open" else self._read(request)
            )
        except zlib.error as error:
            refused = damaged(str(error))
            fields = {"cause": refused.cause, "message": refused.message}
        except ArchiveError as error:
            fields = {"cause": error.cause, "message": error.message}
        except MemoryError:
            self._open.clear()
            fields = {"memory": True}
        except Exception as error:  # an archive that breaks its reader must not end the whole run
            message = f"the archive cannot be read ({type(error).__name__})"
            fields = {"cause": "unreadable-archive", "message": message}
        return fields | {"unpacked": self._budget.unpacked, "held": self._budget.held}, body

    def _opened(self, request: dict[str, Any], data: bytes) -> bytes:
        """What an archive holds, as JSON: a list of number, kind, path, and why it is odd."""
        self._budget.hold(len(data))
        limits, wanted = self._budget.limits, frozenset(request["wanted"])
        if _is_zip(request["name"], data):
            members = zips.members(data, limits, self._budget)
        else:
            members = tars.members(data, limits, _keeper(wanted, limits), self._budget)
        listed = []
        kept: dict[int, Member] = {}
        for number, kind, parts, member in _first(members, request["most"], wanted):
            entry: list[int | str] = [number, kind, "/".join(parts)]
            if kind == ODD:
                refusal = member.refusal or "has an absolute path"
                entry.append(unsafe(member.name, refusal).message)
            elif kind == FILE:
                kept[number] = member
            listed.append(entry)
        self._open[request["number"]] = kept
        return json.dumps(listed).encode()

    def _read(self, request: dict[str, Any]) -> bytes:
        member = self._open[request["number"]][request["member"]]
        limit = request["limit"]
        content = member.read(limit + 1)
        if len(content) > limit:
            raise too_large(safe_parts(member)[-1], limit)
        return content


def _is_zip(name: str, data: bytes) -> bool:
    """Whether an archive is a zip, by what it is and not by what it is called, or else a tar.gz.

    Raises:
        ArchiveError: it is neither.
    """
    if not data:
        raise damaged("it is an empty file; see that it was uploaded whole")
    what = formats.told(data)
    if what not in ("", formats.ZIP, formats.GZIP):
        message = f"this is {what}, whatever its name says; only .zip and .tar.gz archives are read"
        raise ArchiveError("unreadable-archive", message)
    return what == formats.ZIP or (not what and name.lower().endswith(".zip"))


def _keeper(wanted: frozenset[str], limits: Limits) -> tars.Keep:
    def kept(path: str) -> int:
        """How many bytes of a member of a tar archive may be asked for later."""
        name = path.replace("\\", "/").rpartition("/")[2]
        if is_archive(name):
            return limits.packed_bytes + 1
        return limits.of(name) + 1 if name in wanted or is_source(name) else 0

    return kept


def _first(
    members: Iterable[Member], most: int, wanted: frozenset[str]
) -> Iterator[tuple[int, int, tuple[str, ...], Member]]:
    """The members that are looked at, about so many with the folders that they lie in.

    No number of others hides those of wanted names, nor what is wrong with the archive.
    """
    count = 0
    folders: set[tuple[str, ...]] = set()
    alike: Counter[str] = Counter()
    for number, member in enumerate(members):
        parts = safe_parts(member, wanted)
        if not parts or len(parts) > _DEEPEST_MEMBER:
            continue
        if count >= most:
            alike[parts[-1]] += parts[-1] in wanted
            if not 0 < alike[parts[-1]] <= _MOST_ALIKE:
                continue
        is_odd = member.refusal or is_absolute(member)
        kind = ODD if is_odd else FOLDER if member.is_folder else FILE
        around = {parts[:depth] for depth in range(1, len(parts) + (kind == FOLDER))} - folders
        folders |= around
        count += (kind != FOLDER) + len(around) + len(member.name) // _LONG
        yield number, kind, parts, member


def reader() -> Callable[[dict[str, Any], bytes], tuple[dict[str, Any], bytes]]:
    """What answers requests; see :mod:`harness.submissions.reader`."""
    codecs.lookup("cp437")  # of names in zip archives; no file can be opened later
    return Unpacker()
