"""The text of a program, its functions, and the places at which a change can be made.

A change replaces one expression or statement by another text and leaves the rest of the file as it
is. Annotations, decorators and docstrings are no places.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

from harness.errors import Problem, SpecError
from harness.records import Program, sha256
from harness.spec.load import LoadedTask

#: What a change is about: a cast to single precision and a bound or offset that is meant to keep
#: numbers finite are counted apart from the others.
Family = Literal["plain", "clamp", "float32", "state"]
#: The unit of what stands outside of functions.
MODULE = "module"
_DIGITS = 6
_SHOWN = 120
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Place:
    """A node of a program, and what surrounds it.

    Attributes:
        unit: the outermost function it stands in, ``Class.method`` for a method.
        parents: the nodes around it, the innermost first.
        function: the innermost function around it.
    """

    node: ast.AST
    unit: str
    parents: tuple[ast.AST, ...]
    function: Function | None

    @property
    def parent(self) -> ast.AST:
        """The node directly around it."""
        return self.parents[0]


#: From a place to the texts that may stand there instead.
Rule = Callable[[Place], Iterator[str]]


@dataclass(frozen=True)
class Operator:
    """One way of changing programs.

    Attributes:
        rule: for expressions and statements it yields replacements of the node; for a function
            what is put in front of its body, or, where it begins with ``@``, of its definition.
    """

    name: str
    rule: Rule
    family: Family = "plain"


@dataclass(frozen=True)
class Change:
    """A program with one change.

    Attributes:
        name: file, unit, operator and a digest of what is replaced by what: edits elsewhere in the
            file leave it as it is.
        unit: the outermost function that is changed.
        line: where, in the file as it was.
        old, new: what is replaced, and by what, each in one line.
        within: the line that holds it.
    """

    name: str
    program: Program = field(repr=False, compare=False)
    unit: str
    operator: str
    family: Family
    line: int
    old: str
    new: str
    within: str

    def __str__(self) -> str:
        return f"{self.name} (line {self.line}, `{self.within}`): `{self.old}` becomes `{self.new}`"


def text(node: ast.AST) -> str:
    """An expression as it can stand anywhere: in parentheses unless it needs none."""
    plain = ast.Name | ast.Call | ast.Attribute | ast.Subscript
    number = isinstance(node, ast.Constant) and not isinstance(node.value, complex)
    written = ast.unparse(node)
    return written if isinstance(node, plain) or number else f"({written})"


def owner(node: ast.AST) -> str:
    """An expression as it can stand before a dot: ``2.abs()`` is no Python, ``(2).abs()`` is."""
    written = text(node)
    return f"({written})" if isinstance(node, ast.Constant) and written[0] != "(" else written


def label(program: Program) -> str:
    """How names of changes call a program: ``solution``, or the name of the variant's file."""
    return "solution" if program.role == "reference" else program.name.rpartition("/")[2]


class Source:
    """The module of a program.

    Args:
        folder: that of the task's reference, for messages.

    Attributes:
        path: where the module lies.

    Raises:
        SpecError: it is not valid Python.
    """

    def __init__(self, task: LoadedTask, program: Program, folder: Path) -> None:
        self._task = task
        self._program = program
        self._bytes = program.files[task.spec.file]
        self.path = folder / _file(program)
        try:
            self._tree = ast.parse(self._bytes)
        except (SyntaxError, ValueError) as error:
            line = getattr(error, "lineno", None) or 1
            reason = getattr(error, "msg", None) or str(error)
            message = f"{label(program)} of {task.id} cannot be parsed: {reason}"
            remedy = "correct it: only what is valid Python can be mutated"
            raise SpecError([Problem(str(self.path), line, 1, message, remedy)]) from None

    @cached_property
    def places(self) -> tuple[Place, ...]:
        """Every place, from top to bottom."""
        return tuple(_places(self._tree, MODULE, (), None))

    @cached_property
    def calls(self) -> dict[str, frozenset[str]]:
        """Unit -> the units of the same file whose names it contains."""
        units = {place.unit for place in self.places} | {MODULE}
        short = {unit.rpartition(".")[2]: unit for unit in units}
        callees: dict[str, set[str]] = {unit: set() for unit in units}
        for place in self.places:
            match place.node:
                case ast.Name(id=name) | ast.Attribute(attr=name) if name in short:
                    callees[place.unit].add(short[name])
                case ast.Name(id=name):
                    callees[place.unit] |= {unit for unit in units if unit.startswith(f"{name}.")}
        return {unit: frozenset(others) for unit, others in callees.items()}

    def unit_of_line(self, line: int) -> str:
        """The unit of a function that begins in a line; the module's where none does."""
        return self._units.get(line, MODULE)

    @cached_property
    def _units(self) -> dict[int, str]:
        """Every line that a function spans, decorators included -> its unit."""
        lines: dict[int, str] = {}
        for place in self.places:
            if isinstance(place.node, Function):
                first = min([place.node.lineno, *(d.lineno for d in place.node.decorator_list)])
                lines |= dict.fromkeys(
                    range(first, (place.node.end_lineno or first) + 1), place.unit
                )
        return lines

    def changes(self, operators: tuple[Operator, ...]) -> list[Change]:
        """Every change that some operator makes, each text once."""
        seen = {self._bytes}
        names: dict[str, int] = {}
        changes = []
        for place in self.places:
            for operator in operators:
                for new in operator.rule(place):
                    changed = self._changed(place, new)
                    if changed not in seen:
                        seen.add(changed)
                        changes.append(self._change(place, operator, new, changed, names))
        return changes

    def _change(
        self, place: Place, operator: Operator, new: str, changed: bytes, names: dict[str, int]
    ) -> Change:
        node = place.node
        if isinstance(node, Function):
            old = f"def {node.name}"
            digest = sha256(f"{[arg.arg for arg in node.args.args]} {new}")
        else:
            old = " ".join(ast.unparse(node).split())
            around = ast.unparse(place.parent) if isinstance(place.parent, ast.expr) else ""
            digest = sha256(f"{around}: {old} -> {new}")
        name = f"{label(self._program)}/{place.unit}/{operator.name}-{digest[:_DIGITS]}"
        names[name] = names.get(name, 0) + 1
        if names[name] > 1:  # the same text twice in one function
            name += f"-{names[name]}"
        files = {**self._program.files, self._task.spec.file: changed}
        return Change(
            name,
            Program(f"{self._task.id}/changed", "mutant", files),
            place.unit,
            operator.name,
            operator.family,
            getattr(node, "lineno", 1),
            old,
            _short(new),
            _short(self._line(getattr(node, "lineno", 1))),
        )

    def _line(self, number: int) -> str:
        return self._bytes.splitlines()[number - 1].decode("utf-8", "replace").strip()

    def _changed(self, place: Place, new: str) -> bytes:
        node = place.node
        if isinstance(node, Function):
            first = node if new.startswith("@") else _first_statement(node)
            decorators = node.decorator_list if first is node else []
            line = min([first.lineno, *(item.lineno for item in decorators)])
            indent = " " * first.col_offset
            start = end = self._offset(line, 0)
            block = "".join(f"{indent}{part}\n" for part in new.removeprefix("@").splitlines())
            if self._bytes[start : start + len(indent)].strip():  # def f(): return x
                return self._bytes
            return self._bytes[:start] + block.encode() + self._bytes[end:]
        assert isinstance(node, ast.expr | ast.stmt)
        start = self._offset(node.lineno, node.col_offset)
        end = self._offset(node.end_lineno or node.lineno, node.end_col_offset or 0)
        written = new if isinstance(node, ast.stmt) else f"({new})"
        return self._bytes[:start] + written.encode() + self._bytes[end:]

    def _offset(self, line: int, column: int) -> int:
        return self._starts[line - 1] + column

    @cached_property
    def _starts(self) -> list[int]:
        """The offset of each line."""
        starts = [0]
        for line in self._bytes.splitlines(keepends=True):
            starts.append(starts[-1] + len(line))
        return starts


def _file(program: Program) -> Path:
    return Path("solution.py" if program.role == "reference" else f"variants/{label(program)}.py")


def _short(words: str) -> str:
    """A text in one line of at most 120 characters."""
    line = " ".join(words.split())
    return line if len(line) <= _SHOWN else f"{line[: _SHOWN - 1]}…"


def _first_statement(function: Function) -> ast.stmt:
    """The first statement of a function that is no docstring; the docstring where it is alone."""
    first = function.body[0]
    return function.body[1] if _is_text(first) and len(function.body) > 1 else first


def _is_text(node: ast.AST) -> bool:
    """Whether a statement is a docstring or another bare constant."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _places(
    node: ast.AST, unit: str, parents: tuple[ast.AST, ...], function: Function | None
) -> Iterator[Place]:
    for child in _children(node):
        inside, within = unit, function
        if isinstance(child, Function):
            within = child
            if function is None:
                owner = node.name + "." if isinstance(node, ast.ClassDef) else ""
                inside = f"{owner}{child.name}"
        if isinstance(child, ast.expr | ast.stmt) and not _is_text(child):
            yield Place(child, inside, (node, *parents), within)
        yield from _places(child, inside, (node, *parents), within)


def _children(node: ast.AST) -> Iterator[ast.AST]:
    """The children of a node that are part of what it computes."""
    left_out: tuple[str, ...] = ("annotation", "returns", "decorator_list", "type_params")
    if isinstance(node, ast.JoinedStr | ast.Import | ast.ImportFrom):
        return
    if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
        return
    for name, value in ast.iter_fields(node):
        if name in left_out:
            continue
        values = value if isinstance(value, list) else [value]
        yield from (item for item in values if isinstance(item, ast.AST))
