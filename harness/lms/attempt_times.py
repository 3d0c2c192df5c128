"""When the work of a download was handed in, by the platform's own numbers of its people.

A download of Canvas or Moodle itself has no times: they are in what Canvas's API lists of an
assignment's submissions, and in Moodle's grading worksheet.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from harness.classroom import gradescope
from harness.classroom.roster import listed
from harness.errors import UsageError
from harness.files import read_given
from harness.lms.importing import Imported

_LARGEST = 256 * 1024 * 1024


@dataclass(frozen=True)
class TimesByNumber:
    """When work was handed in, by the platform's own number: the newest, and all before it."""

    newest: Mapping[str, datetime]
    earlier: Mapping[str, tuple[datetime, ...]]


def read_submissions(paths: Sequence[Path]) -> TimesByNumber:
    """Times from what Canvas's API lists of an assignment's submissions, as JSON.

    That is ``GET /api/v1/courses/…/assignments/…/submissions``, a file for every page of it; with
    ``include[]=submission_history`` it has earlier attempts too.

    Raises:
        UsageError: it is nothing of the kind, or says two things about one student.
    """
    newest: dict[str, datetime] = {}
    earlier: dict[str, tuple[datetime, ...]] = {}
    for path in paths:
        for user, times in _listed(path):
            if user in newest:
                raise UsageError(
                    f"{path}: user {user} stands twice; give the pages of one list of one "
                    "assignment"
                )
            newest[user] = times[-1]
            earlier[user] = times[:-1]
    return TimesByNumber(newest, earlier)


def _listed(path: Path) -> Iterator[tuple[str, tuple[datetime, ...]]]:
    """The user of every submission of a list, and the times of all attempts in order."""
    try:
        records = json.loads(read_given(path, _LARGEST).decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} is no JSON: {error}") from None
    try:
        for record in records:
            user = str(int(record["user_id"]))
            if record["submitted_at"]:
                place = f"{path}, user {user}"
                newest = gradescope.moment(str(record["submitted_at"]), place)
                yield user, (*_history(record, newest, place), newest)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise UsageError(
            f"{path} is not what Canvas's API lists of submissions: {type(error).__name__} at "
            f"{error}; make a table of times with the columns id and time"
        ) from None


def _history(record: Mapping[str, Any], newest: datetime, place: str) -> tuple[datetime, ...]:
    times = {
        gradescope.moment(str(each["submitted_at"]), place)
        for each in record.get("submission_history") or ()
        if each.get("submitted_at")
    }
    return tuple(sorted(times - {newest}))


def with_times(imported: Imported, times: TimesByNumber) -> Imported:
    """The entries with their times, and who has none that handed something in."""
    entries = [
        replace(
            each,
            at=times.newest.get(each.numbered),
            earlier=times.earlier.get(each.numbered, ()),
        )
        for each in imported.entries
    ]
    timed = {each.submission for each in entries if each.at is not None}
    unknown = [each.id for each in entries if each.submission and each.submission not in timed]
    notices = [f"nothing says when these were handed in: {listed(unknown)}"] if unknown else []
    return Imported(tuple(entries), (*imported.notices, *notices))
