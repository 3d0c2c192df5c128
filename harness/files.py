"""Reading files that others gave, and writing files whole or not at all."""

from __future__ import annotations

import contextlib
import csv
import io
import os
import secrets
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from harness.errors import UsageError

_MIB = 2**20


def read_given(path: Path, largest: int) -> bytes:
    """The content of a file that somebody gave.

    Args:
        largest: how many bytes it may have.

    Raises:
        UsageError: it cannot be read, or is larger.
    """
    try:
        with path.open("rb") as stream:  # no more than that: it may be a device without an end
            content = stream.read(largest + 1)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    if len(content) > largest:
        raise UsageError(f"{path} is larger than {largest // _MIB} MiB; is it the right file?")
    return content


def csv_text(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table as CSV: its header and its rows, the lines ended by a line feed."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return stream.getvalue()


def read_csv(path: Path, columns: Sequence[str]) -> list[dict[str, str]]:
    """The rows of a table of ours; none where there is no file, or one with other columns."""
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as stream:
        reader = csv.DictReader(stream)
        return list(reader) if tuple(reader.fieldnames or ()) == tuple(columns) else []


def write_text(path: Path, text: str) -> Path:
    """Write a text as UTF-8 with its line ends as they are, as :func:`write_bytes` does.

    Raises:
        OSError: the folder is missing or cannot be written.
    """
    return write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, data: bytes) -> Path:
    """Write a file, replacing it in one step.

    A reader sees the former content or the new one. On an error the former content stays and no
    temporary file is left. Returns the path.

    Raises:
        OSError: the folder is missing or cannot be written.
    """
    temporary = path.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        with temporary.open("xb") as stream:
            stream.write(data)
        os.replace(temporary, path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):  # names the file that was asked for
            raise type(error)(error.errno, error.strerror, str(path)) from None
        raise
    return path


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> Path:
    """Write rows under a header as :func:`write_text` does; what a row lacks stays empty.

    Raises:
        ValueError: a row has a column that is not among ``columns``.
        OSError: the folder is missing or cannot be written.
    """
    stream = io.StringIO(newline="")
    writer = csv.DictWriter(stream, columns, lineterminator="\n", restval="")
    writer.writeheader()
    writer.writerows(rows)
    return write_text(path, stream.getvalue())
