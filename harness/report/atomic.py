"""Files that are there as a whole or not at all."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def write_text(path: Path, text: str) -> Path:
    """Write a text as UTF-8 with its line ends as they are, replacing the file in one step.

    A reader sees the former content or the new one. On an error the former content stays and no
    temporary file is left. Returns the path.

    Raises:
        OSError: the folder is missing or cannot be written.
    """
    data = text.encode("utf-8")
    temporary = path.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        with temporary.open("xb") as stream:
            stream.write(data)
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return path
