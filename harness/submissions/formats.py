"""What some bytes are by how they begin, whatever the name of their file says."""

from __future__ import annotations

import re

ZIP, GZIP, NOTEBOOK, WEB_PAGE = "a zip archive", "a gzip file", "a notebook", "a web page"
TAR, BZIP2 = "a plain tar archive", "a bzip2 file"
#: No Python file begins with one of these.
_BEGINNINGS = (
    (b"PK\3\4", ZIP),
    (b"PK\5\6", ZIP),
    (b"\x1f\x8b", GZIP),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!\x1a\x07", "a rar archive"),
    (b"\xfd7zXZ\0", "an xz file"),
    (b"\x28\xb5\x2f\xfd", "a zstd file"),
    (b"%PDF-", "a PDF file"),
    (b"{\\rtf", "rich text (RTF)"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Office document"),
    (b"\0\5\x16\7", "a file that macOS keeps about another"),
)
#: What holds other files, whatever opens it.
ARCHIVES = frozenset({ZIP, GZIP, TAR, BZIP2, *(_what for _, _what in _BEGINNINGS[3:7])})
_WEB_PAGE = re.compile(rb"\s*<(!doctype html|html)\b", re.IGNORECASE)
_NOTEBOOK = re.compile(rb"\s*\{\s*\"(cells|metadata|nbformat|nbformat_minor)\"\s*:")


def told(content: bytes) -> str:
    """What a file is, if that can be told by its beginning and is no text of Python's; or empty."""
    for beginning, what in _BEGINNINGS:
        if content.startswith(beginning):
            return what
    if content[:3] == b"BZh" and content[4:10] == b"1AY&SY":
        return BZIP2
    if content[257:262] == b"ustar" and b"\0" in content[:257]:
        return TAR
    if _WEB_PAGE.match(content):
        return WEB_PAGE
    is_notebook = _NOTEBOOK.match(content) and b'"cells"' in content and b'"nbformat"' in content
    return NOTEBOOK if is_notebook else ""
