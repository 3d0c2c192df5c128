"""Gradescope's ``submission_metadata.yml``: who handed in which folder of an export, and when."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import yaml

from harness.errors import UsageError
from harness.spec.schedule import read_moment

LARGEST = 64 * 1024 * 1024


@dataclass(frozen=True)
class Granted:
    """The dates that Gradescope has for whoever handed in, where they are later than everybody's.

    Attributes:
        due: None where it is that of everybody.
        late_due: until when Gradescope takes work; None where it is that of everybody.
    """

    due: datetime | None
    late_due: datetime | None


def granted(record: Mapping[str, Any], place: str) -> Granted:
    """The extension in what Gradescope gives an autograder; of several submitters the longest.

    ``users[].assignment`` has the dates of the student, ``assignment`` those of everybody. The
    former is missing in older files, and in Gradescope's documentation.

    Raises:
        UsageError: a date has no zone, or the file is laid out otherwise.
    """
    try:
        usual = record.get("assignment") or {}
        own = [each.get("assignment") or {} for each in record.get("users") or ()]
        due, late_due = (
            _latest([each.get(name) for each in own], usual.get(name), place)
            for name in ("due_date", "late_due_date")
        )
    except (AttributeError, TypeError) as error:
        raise not_laid_out(place, error) from None
    return Granted(due, late_due)


def _latest(own: Sequence[object], usual: object, place: str) -> datetime | None:
    """The latest of some dates; None where it is not later than that of everybody."""
    latest = max((moment(str(each), place) for each in own if each), default=None)
    if latest is None or (usual and latest <= moment(str(usual), place)):
        return None
    return latest


@dataclass(frozen=True)
class Submitter:
    """Somebody who handed in; empty texts where Gradescope does not know."""

    name: str
    sid: str
    email: str


@dataclass(frozen=True)
class Record:
    """One folder of an export.

    Attributes:
        at: when its files were handed in.
        earlier: when those that they replaced were.
    """

    folder: str
    at: datetime
    earlier: tuple[datetime, ...]
    submitters: tuple[Submitter, ...]


def read(content: bytes, place: str) -> tuple[Record, ...]:
    """The folders that the metadata of an export is about.

    Args:
        place: the file, for messages.

    Raises:
        UsageError: it is not laid out as Gradescope does, or a time has no zone.
    """
    if len(content) > LARGEST:
        raise UsageError(f"{place} is larger than {LARGEST // 2**20} MiB; is it the right file?")
    try:
        # The base loader makes texts of everything and knows no tag that could do anything.
        document = yaml.load(content.decode("utf-8-sig"), yaml.BaseLoader)
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        reason = str(error).partition("\n")[0]
        raise UsageError(f"{place} is no metadata of Gradescope: {reason}") from None
    try:
        return tuple(_record(name, each, place) for name, each in document.items())
    except (AttributeError, KeyError, TypeError) as error:
        raise not_laid_out(place, error) from None


def not_laid_out(place: str, error: Exception) -> UsageError:
    """The error of metadata that lacks something."""
    return UsageError(
        f"{place} is not laid out as Gradescope's metadata: {type(error).__name__} at {error}; "
        "give a table of times with the columns id and time instead"
    )


def moment(text: str, place: str) -> datetime:
    """A time, which has to have a zone.

    Raises:
        UsageError: it has none, or is no time.
    """
    try:
        return read_moment(text)
    except ValueError as error:
        raise UsageError(f"{place}: {error}") from None


def _record(folder: str, record: Mapping[str, Any], place: str) -> Record:
    earlier = tuple(_at(each, f"{place}, {folder}") for each in record.get(":history") or ())
    at = _at(record, f"{place}, {folder}")
    return Record(folder, at, earlier, tuple(_submitters(record)))


def _submitters(record: Mapping[str, Any]) -> Iterator[Submitter]:
    for each in record.get(":submitters") or ():
        # the base loader reads an empty value and null as these texts
        texts = [str(each.get(key) or "").strip() for key in (":name", ":sid", ":email")]
        yield Submitter(*("" if text in ("null", "~") else text for text in texts))


def _at(record: Mapping[str, Any], place: str) -> datetime:
    created = record[":created_at"]
    if isinstance(created, Mapping):  # how Ruby writes a time of Rails
        created = created["utc"]
    return moment(str(created), place)
