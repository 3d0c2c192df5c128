"""The process that parses submitted text: read, judged and never run.

Started by :mod:`harness.submissions.sources` as a script, without the harness on its path. A
request on its input is a line of JSON (``bytes``: how many bytes follow; ``cpu_s``: how much
processor time they may take) and the bytes of a file; the answer on its output is a line of JSON. A
text that takes longer ends the process: the kernel sends SIGPROF.
"""

from __future__ import annotations

import ast
import codecs
import json
import re
import resource
import signal
import sys
import warnings
from typing import Any

_MEMORY_BYTES = 1 << 30
_MOST_IMPORTS = 1000
_LONGEST_NAME = 100
#: PEP 263: a comment in the first line, or in the second if the first is blank or a comment.
_DECLARED = re.compile(rb"[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
_UTF8 = re.compile(r"utf[-_]8(?:[-_].*)?", re.IGNORECASE)
_BLANK = re.compile(rb"[ \t\f]*(?:#.*)?$")
#: Where a statement can stand in another; an expression holds none.
_BLOCKS = ("body", "orelse", "finalbody", "handlers", "cases")
_SAVE = "save it as UTF-8 (in VS Code: UTF-8 in the status bar, Save with Encoding)"


def answer(content: bytes) -> dict[str, Any]:
    """What is wrong with a source file (``cause``, ``message``, ``line``), or what it imports."""
    found = _encoding_problem(content)
    if found is not None:
        return found
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(content)
    except SyntaxError as error:
        return {"cause": "syntax", "message": error.msg[:500], "line": error.lineno}
    except (ValueError, RecursionError, MemoryError, OverflowError):
        return _problem("syntax", "is nested too deeply for Python's parser")
    return {"imports": sorted(_imported(tree))[:_MOST_IMPORTS]}


def _problem(cause: str, what: str, line: int | None = None) -> dict[str, Any]:
    return {"cause": cause, "what": what, "line": line}


def _encoding_problem(content: bytes) -> dict[str, Any] | None:
    """Why the file is not UTF-8 text as Python reads it; None if it is."""
    declared = _declared(content)
    try:
        content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return _problem("not-text", f"is UTF-16, not UTF-8 text; {_SAVE}")
        line = content[: error.start].count(b"\n") + 1
        what = f"is not UTF-8 text: byte 0x{content[error.start]:02x} in line {line}"
        told = "" if declared is None else f", and delete the declaration {declared}"
        return _problem("not-text", f"{what}; {_SAVE}{told}", line)
    if b"\0" in content:
        return _problem("not-text", "holds a NUL byte")
    return None if declared is None else _declaration_problem(declared, content)


def _declaration_problem(declared: str, content: bytes) -> dict[str, Any] | None:
    """Why Python does not read UTF-8 text as it is meant under a declaration; None if it does.

    Codecs are compared by what they are, not by how they are spelled. One that is another than
    UTF-8 is fine as long as the text is the same in both: ASCII text in a codec that begins with
    ASCII. Latin-1 reads every byte, so Python runs such a file too.
    """
    if content.startswith(codecs.BOM_UTF8) and not _UTF8.fullmatch(declared):
        # here Python does compare spellings
        what = f"begins with a byte-order mark, so Python refuses the encoding {declared}"
        return _problem("not-text", f"{what}; delete that declaration, or {_SAVE}", 1)
    if _is_the_same(declared, content):
        return None
    what = f"declares the encoding {declared} and is not text of it alone; {_SAVE}"
    return _problem("not-text", f"{what} and delete that declaration", 1)


def _declared(content: bytes) -> str | None:
    for line in content.removeprefix(codecs.BOM_UTF8)[:4096].splitlines()[:2]:
        match = _DECLARED.match(line)
        if match:
            return match[1].decode("ascii", "replace")[:_LONGEST_NAME]
        if not _BLANK.match(line):
            return None
    return None


def _is_the_same(declared: str, content: bytes) -> bool:
    """Whether Python reads UTF-8 text under a declaration, and as it is meant."""
    try:
        codec = codecs.lookup(declared).name
    except (LookupError, ValueError):
        return True  # there is no such codec; the parser says so
    if codec in ("utf-8", "utf-8-sig"):
        return True
    plain = bytes(range(128))
    try:
        begins_with_ascii = plain.decode(codec) == plain.decode("ascii")
    except (LookupError, ValueError):
        return False  # no codec of texts
    return codec == "iso8859-1" or (content.isascii() and begins_with_ascii)


def _imported(tree: ast.Module) -> set[str]:
    """The first part of the name of every module that is imported, wherever the import stands."""
    names: set[str] = set()
    blocks: list[ast.AST] = [tree]
    while blocks:
        block = blocks.pop()
        for field in _BLOCKS:
            for node in getattr(block, field, ()):
                if isinstance(node, ast.Import):
                    names |= {alias.name.partition(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    names.add(node.module.partition(".")[0])
                else:
                    blocks.append(node)
    return {name for name in names if len(name) <= _LONGEST_NAME}


def main() -> None:
    """Answers requests until the input ends."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the grader ends it by closing its input
    while line := sys.stdin.buffer.readline():
        request = json.loads(line)
        content = sys.stdin.buffer.read(request["bytes"])
        signal.setitimer(signal.ITIMER_PROF, request["cpu_s"])
        reply = json.dumps(answer(content))
        signal.setitimer(signal.ITIMER_PROF, 0)
        sys.stdout.write(reply + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
