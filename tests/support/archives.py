"""Archives taken apart in memory, as the search in a submission does it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from harness.errors import ArchiveError
from harness.submissions import Limits, SubmissionProblem
from harness.submissions.archives import Archives
from harness.submissions.members import Budget
from harness.submissions.nodes import Archive, File, Opener
from harness.submissions.sources import SourceParser
from harness.submissions.taking import take
from harness.submissions.unpacker import Unpacker


@cache
def _parser() -> SourceParser:
    """One for all archives of a test run; it ends with the run."""
    return SourceParser()


class InProcess:
    """What takes archives apart, asked without a process, so that a test can see what it does."""

    def __init__(self) -> None:
        self._answer = Unpacker()

    def ask(
        self, request: Mapping[str, Any], content: bytes, _cpu_s: float
    ) -> tuple[dict[str, Any], bytes]:
        """See :class:`harness.submissions.process.ReadingProcess`."""
        fields, body = self._answer(dict(request), content)
        return fields | {"cpu_s": 0.0}, body

    def end(self) -> None:
        """Nothing runs."""


def unpack(
    name: str, data: bytes, wanted: frozenset[str], limits: Limits
) -> tuple[dict[str, bytes], list[SubmissionProblem]]:
    """What is taken of an archive, and the problems of taking it.

    Raises:
        ArchiveError: the archive cannot be read, or is not to be trusted.
    """
    opener = Opener(wanted, limits, Budget(limits), Archives(InProcess()))
    archive = Archive(name, File(lambda _: data))
    taken = take(opener.children(archive, limits.archive_bytes), opener, _parser())
    return taken.contents, taken.problems


def refusal_of(
    name: str, data: bytes, wanted: frozenset[str], limits: Limits | None = None
) -> tuple[str, str]:
    """Cause and message of what is wrong with an archive, or with a wanted file in it."""
    try:
        _, problems = unpack(name, data, wanted, limits or Limits())
    except ArchiveError as error:
        return error.cause, error.message
    (problem,) = problems
    return problem.cause, problem.message
