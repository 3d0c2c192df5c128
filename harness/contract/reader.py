"""Reads the signatures of a starter as syntax; the starter is never imported."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import get_args

from harness.contract.reserved import HANDLE_NAMES, PROGRAM_NAMES
from harness.contract.types import (
    ArrayType,
    CallableType,
    ClassContract,
    Contract,
    Dim,
    EnvironmentType,
    GeneratorName,
    GeneratorType,
    HandleType,
    NoneType,
    Param,
    ScalarName,
    ScalarType,
    Signature,
    TupleType,
    Type,
)
from harness.errors import Problem, SpecError

_DTYPES = {
    "jaxtyping.Float64": ("float64",),
    "jaxtyping.Float32": ("float32",),
    "jaxtyping.Float": ("float32", "float64"),
    "jaxtyping.Int64": ("int64",),
    "jaxtyping.UInt8": ("uint8",),
    "jaxtyping.Bool": ("bool",),
}
_CALLABLES = ("collections.abc.Callable", "typing.Callable")
_ENVIRONMENTS = ("gymnasium.vector.VectorEnv", "gymnasium.vector.vector_env.VectorEnv")


def read_contract(path: Path) -> Contract:
    """Read the signatures of a starter without running it.

    Raises:
        SpecError: the file cannot be read or parsed, a public signature uses a type that the
            harness cannot send or receive, or a name is reserved; all problems at once.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise _unreadable(str(path), error) from None
    return parse_contract(content, str(path))


def parse_contract(content: bytes, path: str) -> Contract:
    """The signatures of the content of a Python file; ``path`` is for messages.

    Raises:
        SpecError: as for :func:`read_contract`.
    """
    try:
        text = content.decode("utf-8-sig")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except SyntaxError as error:
        message = f"this is not valid Python: {error.msg}"
        place = (path, error.lineno or 1, error.offset or 1)
        raise SpecError([Problem(*place, message, "correct the syntax")]) from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise _unreadable(path, error) from None
    reader = _Reader(path, text, tree)
    contract = reader.contract(tree)
    if reader.problems:
        raise SpecError(sorted(reader.problems, key=lambda problem: (problem.line, problem.col)))
    return contract


def _unreadable(path: str, error: Exception) -> SpecError:
    message = f"the starter cannot be read: {error or type(error).__name__}"
    return SpecError([Problem(path, 1, 1, message, "provide a UTF-8 Python file")])


class _Reader:
    """Walks the syntax tree of one starter, and collects its problems in ``problems``."""

    def __init__(self, file: str, text: str, tree: ast.Module) -> None:
        self.problems: list[Problem] = []
        self._file = file
        self._lines = text.split("\n")
        self._classes = {node.name for node in tree.body if isinstance(node, ast.ClassDef)}
        self._imported = dict(_imports(tree.body))

    def contract(self, tree: ast.Module) -> Contract:
        """The contract of the tree; not to be used if there are problems."""
        functions: dict[str, Signature] = {}
        classes: dict[str, ClassContract] = {}
        for node in tree.body:
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                continue
            if node.name in functions or node.name in classes:
                self._problem(node, f"{node.name} is defined twice", "keep one definition")
            elif node.name.startswith("_"):
                continue
            elif node.name in PROGRAM_NAMES:
                self._reserved(node, node.name, PROGRAM_NAMES)
            elif isinstance(node, ast.ClassDef):
                classes[node.name] = self._class(node)
            else:
                functions[node.name] = self._signature(node)
        return Contract(functions, classes)

    def _class(self, node: ast.ClassDef) -> ClassContract:
        init = Signature("__init__", (), NoneType())
        methods: dict[str, Signature] = {}
        for item in node.body:
            if not isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            if item.name != "__init__" and item.name.startswith("_"):
                continue
            decorators = {self._resolve(decorator) for decorator in item.decorator_list}
            if decorators & {"staticmethod", "classmethod", "property"}:
                message = f"{node.name}.{item.name} is not a plain method"
                self._problem(item, message, "the harness calls methods of instances only")
            elif item.name in methods:
                message = f"{node.name}.{item.name} is defined twice"
                self._problem(item, message, "keep one definition")
            elif item.name in HANDLE_NAMES:
                self._reserved(item, f"{node.name}.{item.name}", HANDLE_NAMES)
            elif item.name == "__init__":
                init = self._signature(item, owner=node.name)
            else:
                methods[item.name] = self._signature(item, owner=node.name)
        if any("dataclass" in self._resolve(decorator) for decorator in node.decorator_list):
            message = f"the parameters of {node.name} are hidden in a dataclass"
            self._problem(node, message, "write its __init__ with annotated parameters")
        return ClassContract(node.name, init, methods)

    def _signature(
        self, node: ast.FunctionDef | ast.AsyncFunctionDef, owner: str = ""
    ) -> Signature:
        where = f"{owner}.{node.name}" if owner else node.name
        if isinstance(node, ast.AsyncFunctionDef):
            self._problem(node, f"{where} is asynchronous", "write it as a plain def")
        for variadic in (node.args.vararg, node.args.kwarg):
            if variadic is not None:
                message = f"{where} takes *{variadic.arg}, whose types are unknown"
                self._problem(variadic, message, "name every parameter")
        positional = [*node.args.posonlyargs, *node.args.args]
        required = len(positional) - len(node.args.defaults)
        optional = [index >= required for index in range(len(positional))]
        if owner and not positional:
            self._problem(node, f"{where} has no self", "make self its first parameter")
        self_count = 1 if owner else 0
        params = [
            Param(arg.arg, self._annotation(arg, arg.annotation, where), False, has_default)
            for arg, has_default in list(zip(positional, optional, strict=True))[self_count:]
        ]
        for arg, default in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True):
            type_ = self._annotation(arg, arg.annotation, where)
            params.append(Param(arg.arg, type_, True, default is not None))
        return Signature(node.name, tuple(params), self._returns(node, where))

    def _returns(self, node: ast.FunctionDef | ast.AsyncFunctionDef, where: str) -> Type:
        if node.name == "__init__" and node.returns is None:
            return NoneType()
        returns = self._annotation(node, node.returns, where)
        leaves = returns.items if isinstance(returns, TupleType) else (returns,)
        if any(leaf == ScalarType("str") for leaf in leaves):
            self._problem(node, f"{where} returns a string", "return numbers or tensors")
        if any(isinstance(leaf, GeneratorType | CallableType | EnvironmentType) for leaf in leaves):
            message = f"{where} returns something that stays in the program's process"
            self._problem(node, message, "return numbers, tensors or an instance of a class")
        return returns

    def _annotation(
        self,
        owner: ast.arg | ast.FunctionDef | ast.AsyncFunctionDef,
        node: ast.expr | None,
        where: str,
    ) -> Type:
        if node is not None:
            return self._type(node)
        subject = f"parameter {owner.arg} of" if isinstance(owner, ast.arg) else "the result of"
        message = f"{subject} {where} has no type"
        self._problem(owner, message, 'annotate it: Float64[Tensor, "b d"]')
        return NoneType()

    def _type(self, node: ast.expr) -> Type:
        if isinstance(node, ast.Constant) and node.value is None:
            return NoneType()
        if isinstance(node, ast.Subscript):
            return self._subscript(node)
        name = self._resolve(node)
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            name = node.value
        return self._named(name) or self._unsupported(node)

    def _named(self, name: str) -> Type | None:
        if name in self._classes:
            return HandleType(name)
        if name in _ENVIRONMENTS:
            return EnvironmentType()
        for scalar in get_args(ScalarName):
            if name == scalar:
                return ScalarType(scalar)
        for generator in get_args(GeneratorName):
            if name == generator:
                return GeneratorType(generator)
        return None

    def _subscript(self, node: ast.Subscript) -> Type:
        name, inner = self._resolve(node.value), node.slice
        items = inner.elts if isinstance(inner, ast.Tuple) else [inner]
        if name in _DTYPES:
            return self._array(node, _DTYPES[name], items)
        if name == "tuple" and items:
            return TupleType(tuple(self._type(item) for item in items))
        match name in _CALLABLES, items:
            case True, [ast.List(elts=params), returns]:
                return CallableType(tuple(map(self._type, params)), self._type(returns))
        return self._unsupported(node)

    def _array(
        self, node: ast.Subscript, dtypes: tuple[str, ...], items: Sequence[ast.expr]
    ) -> Type:
        match items:
            case [tensor, ast.Constant(value=str(spec))] if self._resolve(tensor) == "torch.Tensor":
                return ArrayType(dtypes, tuple(self._dims(items[1], spec)))
        return self._unsupported(node)

    def _dims(self, node: ast.expr, spec: str) -> Iterator[Dim]:
        for position, token in enumerate(spec.split()):
            if token == "..." and position == 0:
                yield ...
            elif token.isidentifier() and token != "_":
                yield token
            elif token.isascii() and token.isdecimal():
                yield int(token)
            else:
                message = f"axis {token!r} of {spec!r} is not understood"
                self._problem(node, message, "use names, whole numbers or one leading '...'")

    def _unsupported(self, node: ast.expr) -> Type:
        message = f"the annotation {ast.unparse(node)} is not understood"
        remedy = (
            'use int, float, bool, str, None, Float64[Tensor, "b d"], tuple[...], torch.Generator,'
            " numpy.random.Generator, gymnasium.vector.VectorEnv, Callable[[...], ...] or a class"
            " of this file, imported from where they are defined"
        )
        self._problem(node, message, remedy)
        return NoneType()

    def _resolve(self, node: ast.expr) -> str:
        """The full dotted name of what an expression refers to or calls; empty for others."""
        match node:
            case ast.Name(id=name):
                return self._imported.get(name, name)
            case ast.Attribute(value=value, attr=attr):
                return f"{self._resolve(value)}.{attr}"
            case ast.Call(func=func):
                return self._resolve(func)
        return ""

    def _reserved(self, node: ast.stmt, where: str, names: frozenset[str]) -> None:
        message = f"{where} has the name of a verb that measurements use"
        self._problem(node, message, f"rename it; taken are {', '.join(sorted(names))}")

    def _problem(self, node: ast.arg | ast.expr | ast.stmt, message: str, remedy: str) -> None:
        line = self._lines[node.lineno - 1] if node.lineno <= len(self._lines) else ""
        col = len(line.encode()[: node.col_offset].decode("utf-8", "replace")) + 1
        self.problems.append(Problem(self._file, node.lineno, col, message, remedy))


def _imports(body: Sequence[ast.stmt]) -> Iterator[tuple[str, str]]:
    """Pairs of a local name and the full dotted name that it stands for.

    Imports below ``if TYPE_CHECKING:`` (or any other ``if``) are included.
    """
    for node in body:
        if isinstance(node, ast.If):
            yield from _imports(node.body)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                yield (alias.asname, alias.name) if alias.asname else (top, top)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield alias.asname or alias.name, f"{node.module}.{alias.name}"
