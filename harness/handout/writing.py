"""Puts a handout on the disk, whole or not at all, and never over anything."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.errors import UsageError


def refuse_place(folder: Path, sources: Sequence[Path]) -> None:
    """Refuses a place for a handout at which something lies, or which is part of the course.

    Args:
        sources: folders of the course below which no handout belongs.

    Raises:
        UsageError: the message says what lies there and what to do.
    """
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise UsageError(f"{folder} is there and is no folder; name one that does not exist yet")
    if folder.is_dir() and (names := sorted(os.listdir(folder))):
        raise UsageError(
            f"{folder} is not empty (it holds {names[0]}): nothing was written. Name a folder that "
            "does not exist yet, or remove what is in this one yourself"
        )
    real = folder.resolve()
    for source in sources:
        if real.is_relative_to(source.resolve()):
            raise UsageError(f"{folder} lies below {source}, a part of the course; name another")


def write(folder: Path, files: Mapping[str, bytes]) -> None:
    """Writes all files below a folder that is missing or empty; on an error there is nothing.

    Raises:
        UsageError: something has come to lie there meanwhile.
        OSError: it cannot be written.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    made = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}")
    try:
        for name, content in files.items():
            path = made / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        try:
            os.rename(made, folder)  # replaces an empty folder; fails where there is a file in it
        except OSError as error:
            if not folder.exists():
                raise
            raise UsageError(f"{folder} is not empty any more; nothing was written") from error
    finally:
        shutil.rmtree(made, ignore_errors=True)
