"""File names that are not UTF-8, as texts that anything can store.

Python reads a byte that is not UTF-8 as half of a surrogate pair, which no text in UTF-8 may hold.
"""

from __future__ import annotations

import re

_MARK = "\uffff"  # a noncharacter of Unicode, which no ordinary name holds
_NO_TEXT = re.compile(f"[\ud800-\udfff{_MARK}]")
_WRITTEN = re.compile(f"{_MARK}([0-9a-f]{{4}})")


def as_text(name: str) -> str:
    """The name, with what cannot be stored written out; the beginnings of names stay beginnings."""
    return _NO_TEXT.sub(lambda match: f"{_MARK}{ord(match[0]):04x}", name)


def as_name(text: str) -> str:
    """The name that :func:`as_text` made this text of."""
    return _WRITTEN.sub(lambda match: chr(int(match[1], 16)), text)
