"""When work was handed in: from a table of times or Gradescope's metadata, never from a clock here.

| file | read as |
|---|---|
| ``times.csv`` | columns ``id`` and ``time``, and ``submission`` where attempts have names |
| ``submission_metadata.yml`` | of Gradescope's *Export Submissions*, earlier attempts included |
| ``submission_metadata.json`` | what Gradescope gives an autograder about the one submission |

Every time has a zone; one without is refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from harness.classroom import gradescope, table
from harness.errors import UsageError
from harness.files import read_given
from harness.spec.schedule import moment_text
from harness.submissions import downloads

GRADESCOPE = downloads.METADATA
#: In place of a name, where a file is about the one submission that is graded.
THE_ONE = "*"
_HEAD = "id,time (`import` makes such a table of a learning platform's)"


@dataclass(frozen=True)
class Attempt:
    """Something that a student or group handed in.

    Attributes:
        student: the id, or the name that the submission has on its platform; empty where a file is
            about the one submission that is graded.
        submission: the name of its folder or archive; empty where only its time is known.
        place: where it stands, for messages.
        sha256: the digest of what was handed in, where it was seen; by it a later run that is told
            no times knows it again.
    """

    student: str
    at: datetime
    submission: str
    place: str = ""
    sha256: str = ""

    @property
    def text(self) -> str:
        """When it was, as reports show it."""
        return moment_text(self.at)


@dataclass(frozen=True)
class Times:
    """All attempts that a file tells of, and what whoever gave it should know."""

    attempts: tuple[Attempt, ...] = ()
    notices: tuple[str, ...] = ()


def beside(paths: Sequence[Path]) -> Times:
    """The times in Gradescope's metadata, in the one folder or archive of it that is graded.

    It may lie in folders that hold nothing else. Of those who have no folder beside it nothing is
    taken: a student could hand in such a file with times of anybody.

    Raises:
        UsageError: they are there and cannot be read.
    """
    metadata = [path / GRADESCOPE for path in paths if (path / GRADESCOPE).is_file()]
    if len(metadata) == 1:
        return _of_folders(read(metadata[0]), downloads.folders(metadata[0].parent))
    if len(paths) != 1:
        return Times()
    try:
        download = downloads.read(paths[0])
    except UsageError:  # no download of a platform; what else it may be is not said here
        return Times()
    if download.metadata is None:
        return Times()
    times = Times(tuple(_of_gradescope(download.metadata, f"{paths[0]}, {GRADESCOPE}")))
    require_distinct(times.attempts)
    return _of_folders(times, download.folders)


def _of_folders(times: Times, folders: Iterable[str]) -> Times:
    """The attempts of those who have one of these folders."""
    here = frozenset(folders)
    return replace(times, attempts=tuple(each for each in times.attempts if each.student in here))


def read(path: Path) -> Times:
    """The attempts that a file tells of.

    Raises:
        UsageError: it cannot be read, a time has no zone, or one student has two attempts with one
            time.
    """
    if path.suffix == ".json":
        times = Times(tuple(_of_json(path)))
    elif path.suffix in (".yml", ".yaml"):
        times = Times(tuple(_of_gradescope(_metadata(path), str(path))))
    else:
        rows = table.read(path, "the table of times", ("id", "time"), _HEAD, ("submission",))
        attempts = [
            Attempt(
                table.unguarded(row.cells["id"]),
                gradescope.moment(row.cells["time"], f"{path}:{row.line}"),
                table.unguarded(row.cells.get("submission", "")),
                f"{path}:{row.line}",
            )
            for row in rows.rows
        ]
        times = Times(tuple(attempts), rows.notices)
    require_distinct(times.attempts)
    return replace(times, attempts=tuple(_with_submissions(times.attempts)))


def _with_submissions(attempts: Sequence[Attempt]) -> Iterator[Attempt]:
    """The attempts; of a student's that have no names the last is the submission of that name."""
    named = {each.student for each in attempts if each.submission}
    last = {each.student: each for each in sorted(attempts, key=lambda each: each.at)}
    for each in attempts:
        is_last = each.student not in named and last[each.student] is each
        yield replace(each, submission=each.student) if is_last else each


def require_distinct(attempts: Sequence[Attempt]) -> None:
    """Refuses what leaves open which attempt came first, or which time a submission has.

    Raises:
        UsageError: two attempts of a student have one time, or one submission has two.
    """
    by_time: dict[tuple[str, datetime], Attempt] = {}
    by_name: dict[str, Attempt] = {}
    for attempt in attempts:
        first = by_time.setdefault((attempt.student, attempt.at), attempt)
        if first is not attempt:
            raise UsageError(
                f"{attempt.place}: {attempt.student} has two attempts at {attempt.text}, the other "
                f"at {first.place}; nobody can tell which came first: correct or remove one"
            )
        if attempt.submission:
            named = by_name.setdefault(attempt.submission, attempt)
            if named is not attempt:
                raise UsageError(
                    f"{attempt.place}: the submission {attempt.submission} has two times, the "
                    f"other at {named.place}; give each attempt a folder of its own"
                )


def _metadata(path: Path) -> bytes:
    return read_given(path, gradescope.LARGEST)


def _of_json(path: Path) -> Iterator[Attempt]:
    """The attempts of what Gradescope gives an autograder.

    Raises:
        UsageError: it is something else.
    """
    try:
        document = json.loads(_metadata(path).decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} is no metadata of Gradescope: {error}") from None
    if isinstance(document, list):
        raise UsageError(
            f"{path} is a list: what Canvas's API says of submissions is read by "
            "`import canvas DOWNLOAD --submissions FILE`, which makes a table of times of it"
        )
    try:
        yield from _of_the_one(document, str(path))
    except (AttributeError, KeyError, TypeError) as error:
        raise gradescope.not_laid_out(str(path), error) from None


def _of_gradescope(content: bytes, whole: str) -> Iterator[Attempt]:
    """The attempts of Gradescope's metadata of an export.

    Raises:
        UsageError: the file is not laid out as Gradescope does.
    """
    for record in gradescope.read(content, whole):
        place = f"{whole}, {record.folder}"
        yield from (Attempt(record.folder, at, "", place) for at in record.earlier)
        yield Attempt(record.folder, record.at, record.folder, place)


def _of_the_one(record: Mapping[str, Any], place: str) -> Iterator[Attempt]:
    for earlier in record.get("previous_submissions") or ():
        yield Attempt("", gradescope.moment(str(earlier["submission_time"]), place), "", place)
    yield Attempt("", gradescope.moment(str(record["created_at"]), place), THE_ONE, place)
