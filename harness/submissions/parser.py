"""Parses submitted text, which is read, judged and never run.

It runs in a process of :mod:`harness.submissions.reader`. A request is the content of a file, with
``notebook`` (what :func:`modules` needs) if it is one.
"""

from __future__ import annotations

import ast
import codecs
import json
import re
import warnings
from collections.abc import Callable
from typing import Any

from harness.submissions import formats

#: Whether the process may open files: a codec is loaded when a text declares it.
OPENS_FILES = True
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
    problem = _other_format(content) or _encoding_problem(content)
    if problem is not None:
        return problem
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(content)
    except SyntaxError as error:
        return {"cause": "syntax", "message": error.msg[:500], "line": error.lineno}
    except (ValueError, RecursionError, MemoryError, OverflowError):
        return _problem("syntax", "is nested too deeply for Python's parser")
    imports, relative = _imported(tree)
    return {
        "imports": sorted(imports)[:_MOST_IMPORTS],
        "relative": sorted(relative)[:_MOST_IMPORTS],
    }


def _problem(cause: str, what: str, line: int | None = None) -> dict[str, Any]:
    return {"cause": cause, "what": what, "line": line}


def _other_format(content: bytes) -> dict[str, Any] | None:
    """What the file is, if it is no text of Python's and that can be told; None if not."""
    what = formats.told(content)
    if not what:
        return None
    remedy = {
        formats.NOTEBOOK: "give it the suffix .ipynb",
        formats.WEB_PAGE: "download the file itself, not the page that shows it",
    }
    then = remedy.get(what, "hand in the .py file itself, as plain text")
    return _problem("not-text", f"is {what}, not a Python file; {then}")


def _encoding_problem(content: bytes) -> dict[str, Any] | None:
    """Why the file is not UTF-8 text as Python reads it; None if it is."""
    if codec := _wide(content):
        return _problem("not-text", f"is {codec}, not UTF-8 text; {_SAVE}")
    declared = _declared(content)
    try:
        content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        what = f"is not UTF-8 text: byte 0x{content[error.start]:02x} in line {line}"
        told = "" if declared is None else f", and delete the declaration {declared}"
        return _problem("not-text", f"{what}; {_SAVE}{told}", line)
    if b"\0" in content:
        return _problem("not-text", "holds a NUL byte")
    return None if declared is None else _declaration_problem(declared, content)


def _wide(content: bytes) -> str:
    """UTF-16 or UTF-32, if the content looks like text in it; empty if not."""
    if content.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "UTF-32"
    wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    zeros = [content[place::2].count(0) for place in (0, 1)]  # one of two bytes of each letter
    return "UTF-16" if wide or (not min(zeros) and 3 * max(zeros) > len(content)) else ""


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


#: A line that says for which modules its cell is: "# fairmark: reparam_grad, score_grad".
_MARK = re.compile(r"[ \t]*#[ \t]*fairmark:[ \t]*(?P<names>\S.*)", re.IGNORECASE)
_TAG = "fairmark:"
#: Cells of every module of a notebook: imports, helpers.
_ALL = "all"
#: What only a notebook understands: magics, shell commands, help.
_MAGIC = re.compile(r"\s*(?:[\w.,\[\] ]+=\s*)?[%!?]|.*\?\s*$")
_CELL_MAGIC = re.compile(r"\s*%%(?P<name>\w+)")
#: Cell magics whose cell is Python all the same.
_PYTHON_MAGICS = frozenset({"time", "timeit", "capture", "prun"})
#: Packages that only a notebook has a use for.
_OF_NOTEBOOKS = frozenset({"IPython", "ipywidgets", "google", "otter", "nbgrader"})
#: The ends of lines as Python counts them; ``str.splitlines`` would also split in the middle of a
#: string that holds a form feed or U+2028.
_LINE_END = re.compile(r"\r\n|\r|\n")
_MOST_CELLS = 2000
_MOST_NOTES = 20


class _Cell:
    """A code cell: its number among them, what it is marked for, and its lines."""

    def __init__(self, number: int, cell: dict[str, Any]) -> None:
        source = cell.get("source", "")
        text = "".join(map(str, source)) if isinstance(source, list) else str(source)
        self.number = number
        self.lines = _LINE_END.split(text) if text else []
        metadata = cell.get("metadata")
        metadata = metadata if isinstance(metadata, dict) else {}
        tags = metadata.get("tags")
        tags = [tag for tag in tags if isinstance(tag, str)] if isinstance(tags, list) else []
        marks = [match["names"] for line in self.lines if (match := _MARK.fullmatch(line))]
        marks += [tag[len(_TAG) :] for tag in tags if tag.lower().startswith(_TAG)]
        self.names = {_module(name) for mark in marks for name in re.split(r"[,\s]+", mark) if name}
        nbgrader = metadata.get("nbgrader")
        self.of_nbgrader = isinstance(nbgrader, dict) and nbgrader.get("solution") is True
        self.of_otter = "otter_answer_cell" in tags
        self.left_out: list[str] = []

    def clean(self) -> None:
        """Replaces the lines that only a notebook understands, each by one that does nothing."""
        magic = _CELL_MAGIC.match(self.lines[0]) if self.lines else None
        if magic and magic["name"] not in _PYTHON_MAGICS:
            self.left_out.append(f"a cell of %%{magic['name'][:_LONGEST_NAME]}")
            self.lines = []
        tree = self._parsed()
        for node in tree.body if tree else ():
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            else:
                continue
            if {name.partition(".")[0] for name in names} <= _OF_NOTEBOOKS:
                for line in range(node.lineno - 1, node.end_lineno or node.lineno):
                    self._leave_out(line)

    def only_imports(self) -> bool:
        """Whether a clean cell holds imports and nothing else."""
        tree = self._parsed()
        imports = (ast.Import, ast.ImportFrom)
        return tree is not None and all(isinstance(node, imports) for node in tree.body)

    def _parsed(self) -> ast.Module | None:
        """The cell as Python; lines are left out until it is, or until no line can be."""
        while True:
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    return ast.parse("\n".join(self.lines))
            except SyntaxError as error:
                line = (error.lineno or 0) - 1
                if not 0 <= line < len(self.lines) or not _MAGIC.match(self.lines[line]):
                    return None
                self._leave_out(line)
            except (ValueError, RecursionError, MemoryError, OverflowError):
                return None

    def _leave_out(self, line: int) -> None:
        text = self.lines[line]
        self.left_out.append(text.strip()[:_LONGEST_NAME])
        self.lines[line] = text[: len(text) - len(text.lstrip())] + "pass"


def modules(content: bytes, names: list[str], stem: str, head: str, above: str) -> dict[str, Any]:
    """The modules that the cells of a notebook make up.

    A cell is marked for a module by a line ``# fairmark: name`` or by a tag ``fairmark:name``, for
    all modules of the notebook by ``all``. A notebook without any mark that has the name of a
    module and solution cells of nbgrader is that module: these cells, and those that only import.

    Args:
        names: the modules that are asked for.
        stem: the name of the notebook without its suffix.
        head: the first line of a module.
        above: the line above each cell; ``{cell}`` stands for its number.

    Returns:
        ``modules`` (name -> text), ``notes`` (what was left out of them) and ``kind``, whose
        solution cells it has: "nbgrader", "otter" or "". Or what is wrong with it.
    """
    try:
        code = _code_cells(content)
    except _NoNotebook as error:
        return _problem("not-text", str(error), error.line)
    cells = [_Cell(number, cell) for number, cell in enumerate(code[:_MOST_CELLS], 1)]
    for cell in cells:
        cell.clean()
    chosen = _chosen(cells, names, _module(stem))
    texts = {}
    for name, taken in chosen.items():
        parts = [head]
        for cell in taken:
            parts += [above.replace("{cell}", str(cell.number)), *cell.lines]
        texts[name] = "\n".join(parts) + "\n"
    used = {cell.number for taken in chosen.values() for cell in taken}
    notes = [
        f"code cell {cell.number}: {'; '.join(cell.left_out[:10])}"
        for cell in cells
        if cell.number in used and cell.left_out
    ]
    unknown = {name for cell in cells for name in cell.names} - {*names, _ALL}
    notes += [
        f"cells marked for {name[:_LONGEST_NAME]}, which nothing here asks for"
        for name in sorted(unknown)
    ]
    kind = "nbgrader" if any(cell.of_nbgrader for cell in cells) else ""
    kind = kind or ("otter" if any(cell.of_otter for cell in cells) else "")
    return {"modules": texts, "notes": notes[:_MOST_NOTES], "kind": kind}


class _NoNotebook(Exception):
    """What is wrong with a notebook; ``line`` is that of its JSON."""

    def __init__(self, what: str, line: int | None = None) -> None:
        super().__init__(what)
        self.line = line


def _code_cells(content: bytes) -> list[dict[str, Any]]:
    """The code cells of a notebook.

    Raises:
        _NoNotebook: there are none to be read, and why.
    """
    try:
        # no whole number of it is used, and Python refuses to read one of 4,300 digits
        notebook = json.loads(content.decode("utf-8-sig"), parse_int=float)
    except UnicodeDecodeError:
        raise _NoNotebook(f"is no notebook: not UTF-8 text; {_SAVE}") from None
    except json.JSONDecodeError as error:
        raise _NoNotebook("is no notebook: not JSON", error.lineno) from None
    except RecursionError:
        raise _NoNotebook("is no notebook: it is nested too deeply") from None
    if isinstance(notebook, dict) and "worksheets" in notebook:
        raise _NoNotebook("is a notebook of format 3; open it in Jupyter and save it")
    entries = notebook.get("cells") if isinstance(notebook, dict) else None
    if not isinstance(entries, list):
        raise _NoNotebook("is no notebook: it has no cells")
    if (language := _language(notebook)) not in ("", "python"):
        raise _NoNotebook(f"is a notebook in {language[:_LONGEST_NAME]}, not in Python")
    return [each for each in entries if isinstance(each, dict) and each.get("cell_type") == "code"]


def _chosen(cells: list[_Cell], names: list[str], stem: str) -> dict[str, list[_Cell]]:
    """The cells of each module that the notebook has."""
    marked = {name for cell in cells for name in cell.names}
    if marked:
        return {
            name: [cell for cell in cells if cell.names & {name, _ALL}]
            for name in names
            if name in marked or (name == stem and _ALL in marked)
        }
    if stem in names and any(cell.of_nbgrader for cell in cells):
        return {stem: [cell for cell in cells if cell.of_nbgrader or cell.only_imports()]}
    return {}


def _module(name: str) -> str:
    """The name of a module, however it was written: ``reparam-grad``, ``reparam_grad.py``."""
    return name.strip().removesuffix(".py").replace("-", "_")


def _language(notebook: dict[str, Any]) -> str:
    metadata = notebook.get("metadata")
    for part, name in (("language_info", "name"), ("kernelspec", "language")):
        entry = metadata.get(part) if isinstance(metadata, dict) else None
        if isinstance(entry, dict) and isinstance(entry.get(name), str):
            return str(entry[name]).lower()
    return ""


def _imported(tree: ast.Module) -> tuple[set[str], set[str]]:
    """The first part of the name of every module that is imported, wherever the import stands.

    The second set has those that are imported with a dot before their name.
    """
    names: set[str] = set()
    relative: set[str] = set()
    blocks: list[ast.AST] = [tree]
    while blocks:
        block = blocks.pop()
        for field in _BLOCKS:
            for node in getattr(block, field, ()):
                if isinstance(node, ast.Import):
                    names |= {alias.name.partition(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    names.add(node.module.partition(".")[0])
                elif isinstance(node, ast.ImportFrom):
                    named = [node.module] if node.module else [each.name for each in node.names]
                    relative |= {name.partition(".")[0] for name in named}
                else:
                    blocks.append(node)
    short, dotted = (
        {name for name in found if len(name) <= _LONGEST_NAME} for found in (names, relative)
    )
    return short, dotted


def reply_to(content: bytes, notebook: dict[str, Any] | None) -> dict[str, Any]:
    """What is answered of a text; one that breaks its reader costs itself and no other."""
    try:
        return answer(content) if notebook is None else modules(content, **notebook)
    except Exception as error:
        return _problem("not-text", f"cannot be read here ({type(error).__name__})")


def reader() -> Callable[[dict[str, Any], bytes], tuple[dict[str, Any], bytes]]:
    """What answers requests; see :mod:`harness.submissions.reader`."""
    return lambda request, content: (reply_to(content, request.get("notebook")), b"")
