"""Writing files whole or not at all."""

from __future__ import annotations

import contextlib
import csv
import io
import os
import secrets
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path


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
        if isinstance(error, OSError):  # nobody has asked for the temporary file
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
