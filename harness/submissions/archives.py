"""Archives as the grader sees them: lists of members, and the bytes of those that are asked for.

What an archive holds is found out in a process of its own (:mod:`harness.submissions.unpacker`),
with limits on processor time and memory, which is started for the first archive of a run. An
archive that takes too long ends that process and costs nobody but the submission that it is in:
what others had open is opened anew.
"""

from __future__ import annotations

import contextlib
import json
import zlib
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import cache, partial
from typing import Any

from harness.errors import ArchiveError
from harness.submissions.members import SUBMISSION_S, Budget
from harness.submissions.process import Asked, Asking, EndedError, ReadingProcess
from harness.submissions.records import Limits, size_in_words
from harness.submissions.unpacker import FILE

#: Processor seconds for one archive. An honest .tar.gz of 236 MiB (560 MiB of numbers as text)
#: takes three.
ARCHIVE_S = 10.0
_MEMORY_BYTES = 2 << 30
_AGAIN = "see that the machine has memory left and grade again"


@dataclass(frozen=True)
class Entry:
    """What an archive holds under one path.

    Attributes:
        read: at most that many bytes of a file's content; None for a folder.
        odd: why it is never taken; empty where nothing speaks against it.
    """

    parts: tuple[str, ...]
    read: Callable[[int], bytes] | None
    odd: str = ""


@dataclass
class _Opened:
    """An archive that the process holds under a number, or held until it ended.

    Attributes:
        data: reads the archive once more, from where it lies.
        request: the fields of the request that opened it.
        check: what the archive is known again by.
    """

    data: Callable[[], bytes]
    request: dict[str, Any]
    check: int
    budget: Budget


class Archives(Asking):
    """Opens archives, in one process that is started when it is first needed."""

    def __init__(self, asked: Asked | None = None) -> None:
        process = ReadingProcess("unpacker", "submitted archives", _MEMORY_BYTES)
        super().__init__(asked or process)
        self._last = 0
        self._there: set[int] = set()
        self._forgotten: set[int] = set()
        self._turn: Budget | None = None

    def charge(self, budget: Budget) -> None:
        """Says for which submission archives are read from now on."""
        self._turn = budget

    @contextlib.contextmanager
    def passing(self) -> Iterator[None]:
        """What is opened inside is not held any longer than that."""
        before = self._last
        try:
            yield
        finally:
            self._forgotten |= {number for number in self._there if number > before}

    def open(
        self,
        name: str,
        read: Callable[[int], bytes],
        most_bytes: int,
        wanted: frozenset[str],
        budget: Budget,
    ) -> list[Entry]:
        """What the archive of this name holds, in its order.

        Args:
            read: reads at most so many bytes of it from where it lies.
            wanted: the names that are asked for; no number of others hides them.
            budget: of the submission that it is read for; what is listed counts on it.

        Raises:
            ArchiveError: it cannot be read, or is not to be trusted.
            InfrastructureError: the process could not be started.
        """
        self.charge(budget)
        data = read(most_bytes)
        most = max(0, budget.limits.entries + 1 - budget.listed)
        request = {"do": "open", "name": name, "wanted": sorted(wanted), "most": most}
        opened = _Opened(partial(read, most_bytes), request, zlib.crc32(data), budget)
        listed = json.loads(_twice(lambda: self._opened(opened, data, budget)))
        budget.listed += len(listed)
        return [self._entry(opened, *each) for each in listed]

    def _entry(self, opened: _Opened, member: int, kind: int, path: str, odd: str = "") -> Entry:
        read = partial(self._read, opened, member) if kind == FILE else None
        return Entry(tuple(path.split("/")), read, odd)

    def _opened(self, opened: _Opened, data: bytes, budget: Budget) -> bytes:
        self._last += 1
        opened.request["number"] = self._last
        listed = self._ask(opened.request, data, budget)
        self._there.add(self._last)
        return listed

    def _read(self, opened: _Opened, member: int, limit: int) -> bytes:
        budget = self._turn or opened.budget

        def once() -> bytes:
            if opened.request["number"] not in self._there - self._forgotten:
                self._open_again(opened, budget)
            number = opened.request["number"]
            request = {"do": "read", "number": number, "member": member, "limit": limit}
            return self._ask(request, b"", budget)

        return _twice(once)

    def _open_again(self, opened: _Opened, budget: Budget) -> None:
        """Opens an archive that went with the process that held it.

        One that several submissions lie in is no submission's own, so none of them pays for it.
        """
        data = opened.data()
        if zlib.crc32(data) != opened.check:
            message = "an archive changed while it was read; grade again once it is complete"
            raise ArchiveError("harness-error", message)
        again = Budget(budget.limits)
        if opened.budget is budget:
            again.cpu_s = budget.cpu_s
        try:
            self._opened(opened, data, again)
        finally:
            if opened.budget is budget:
                budget.cpu_s = again.cpu_s

    def _ask(self, request: dict[str, Any], content: bytes, budget: Budget) -> bytes:
        """The bytes of an answer; what it costs is counted on the budget."""
        cpu_s = min(budget.cpu_s, ARCHIVE_S)
        if cpu_s <= 0:
            raise _slow("what was handed in takes", SUBMISSION_S)
        asked = request | {
            "limits": _fields(budget.limits),
            "unpacked": budget.unpacked,
            "held": budget.held,
            "forget": sorted(self._forgotten & self._there),
        }
        try:
            fields, body = self._asked.ask(asked, content, cpu_s)
        except EndedError as ended:
            self._lost()
            if ended.slow:
                budget.cpu_s -= cpu_s
                raise _slow("the archive takes", ARCHIVE_S) from None
            if ended.broken:
                message = "the archive ends the process that reads it; pack plain files anew"
                raise ArchiveError("unreadable-archive", message) from None
            message = f"the process that reads archives was ended ({ended}); {_AGAIN}"
            raise _LostError("harness-error", message) from None
        self._there -= self._forgotten
        self._forgotten.clear()
        budget.unpacked, budget.held = fields["unpacked"], fields["held"]
        budget.cpu_s -= fields["cpu_s"]
        if "memory" in fields:
            self._lost()
            message = f"the archive takes more than {size_in_words(_MEMORY_BYTES)} to be read"
            raise _LostError("unsafe-archive", message)
        if "cause" in fields:
            raise ArchiveError(fields["cause"], fields["message"])
        return body

    def _lost(self) -> None:
        self._asked.end()
        self._there.clear()
        self._forgotten.clear()


class _LostError(ArchiveError):
    """The process ended, perhaps by what it did before; a new one may answer."""


@cache
def _fields(limits: Limits) -> dict[str, int]:
    return asdict(limits)


def _twice(ask: Callable[[], bytes]) -> bytes:
    try:
        return ask()
    except _LostError:
        return ask()


def _slow(what: str, seconds: float) -> ArchiveError:
    message = f"{what} longer than {seconds:g} s to read; pack plain files anew"
    return ArchiveError("unsafe-archive", message)
