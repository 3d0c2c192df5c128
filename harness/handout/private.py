"""What must never be handed out: private keys, wherever one lies.

A file that is a key, by its content or by its name, is refused anywhere in the tasks folder, also
where it would not be copied: whoever put it there may hand out the folder another way. Keys of the
course that are known are searched for in every byte of a handout.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from harness.errors import UsageError

_KEY = re.compile(rb"\s*[0-9a-fA-F]{64}\s*")
_ARMOURED = b"PRIVATE KEY-----"
_SUFFIXES = (".key", ".pem")
#: No key is larger.
_LARGEST = 16_384


def refuse_keys_below(folder: Path) -> None:
    """Refuses a folder that holds a key, anywhere below it.

    Raises:
        UsageError: it does; the message names the file.
    """
    for path in _files(folder):
        if _is_key(path):
            raise UsageError(
                f"{path} is a private key, or looks like one, in the folder that students get "
                "tasks from; move it out of it and make a handout again. If others may have seen "
                "it, make another key"
            )


def refuse_known_keys(files: Mapping[str, bytes], keys: Iterable[Path]) -> None:
    """Refuses a handout of which a file holds one of the course's keys.

    Raises:
        UsageError: it does, or a key cannot be read.
    """
    for path in keys:
        digits = path.read_bytes().strip().lower()
        if not _KEY.fullmatch(digits):
            continue
        for name, content in files.items():
            if digits in content.lower() or bytes.fromhex(digits.decode()) in content:
                raise UsageError(f"{name} holds the key of {path}; take it out of the file")


def _is_key(path: Path) -> bool:
    if path.suffix.lower() in _SUFFIXES:
        return True
    if path.is_symlink() or path.stat().st_size > _LARGEST:
        return False
    content = path.read_bytes()
    return bool(_KEY.fullmatch(content)) or _ARMOURED in content


def _files(folder: Path) -> Iterator[Path]:
    for where, _, names in os.walk(folder):
        for name in sorted(names):
            path = Path(where, name)
            if path.is_file() or path.is_symlink():
                yield path
