"""The contract of a task: the signatures of its starter, read as syntax and never imported.

Three questions are answered here, all about types and none about values: what does the
starter promise (:func:`read_contract`), does the grader call it as promised (:func:`bind`),
and did the program return what it promised (:func:`check_result`).

Dimension names are jaxtyping's. One rule is stricter than jaxtyping: within one call, a
leading ``...`` stands for the same axes in every argument and in every result.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import EllipsisType
from typing import Literal, TypeAlias, get_args

from harness.errors import FairmarkError, Problem, SpecError

Dim: TypeAlias = "str | int | EllipsisType"
ScalarName = Literal["int", "float", "bool", "str"]
GeneratorName = Literal["torch.Generator", "numpy.random.Generator"]

_DTYPES = {
    "jaxtyping.Float64": ("float64",),
    "jaxtyping.Float32": ("float32",),
    "jaxtyping.Float": ("float32", "float64"),
    "jaxtyping.Int64": ("int64",),
    "jaxtyping.UInt8": ("uint8",),
    "jaxtyping.Bool": ("bool",),
}
_CALLABLES = ("collections.abc.Callable", "typing.Callable")
_WIRE_DTYPE = {"int": "int64", "float": "float64", "bool": "bool"}
_BATCH = "..."


class ContractError(FairmarkError):
    """A measurement calls a program in a way that the starter does not allow."""


@dataclass(frozen=True)
class ArrayType:
    """A tensor: the dtypes that are accepted (numpy's names) and its axes, outermost first."""

    dtypes: tuple[str, ...]
    dims: tuple[Dim, ...]


@dataclass(frozen=True)
class ScalarType:
    """A plain Python number, truth value or string."""

    name: ScalarName


@dataclass(frozen=True)
class GeneratorType:
    """A random generator, built in the worker from an integer that the grader draws."""

    name: GeneratorName


@dataclass(frozen=True)
class CallableType:
    """A function argument: at run time, a named function of the task's given.py."""

    params: tuple[Type, ...]
    returns: Type


@dataclass(frozen=True)
class TupleType:
    """Several results, in order."""

    items: tuple[Type, ...]


@dataclass(frozen=True)
class HandleType:
    """An instance of a class that the same starter defines; it stays in the worker."""

    name: str


@dataclass(frozen=True)
class NoneType:
    """Nothing is returned."""


Type: TypeAlias = (
    "ArrayType | ScalarType | GeneratorType | CallableType | TupleType | HandleType | NoneType"
)


@dataclass(frozen=True)
class Param:
    """One parameter of a signature."""

    name: str
    type: Type
    keyword_only: bool
    has_default: bool


@dataclass(frozen=True)
class Signature:
    """The parameters of a function or method (without ``self``) and what it returns."""

    name: str
    params: tuple[Param, ...]
    returns: Type


@dataclass(frozen=True)
class ClassContract:
    """A class of the starter: how it is built, and its public methods."""

    name: str
    init: Signature
    methods: Mapping[str, Signature]


@dataclass(frozen=True)
class Contract:
    """Everything public that a starter defines."""

    functions: Mapping[str, Signature]
    classes: Mapping[str, ClassContract]


def read_contract(path: Path) -> Contract:
    """Read the signatures of a starter without running it.

    Raises:
        SpecError: the file cannot be read or parsed, or a public signature uses something
            that no program could be called with; every such place at once.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except SyntaxError as error:
        message = f"this is not valid Python: {error.msg}"
        place = (str(path), error.lineno or 1, error.offset or 1)
        raise SpecError([Problem(*place, message, "correct the syntax")]) from None
    except (OSError, ValueError, RecursionError, MemoryError) as error:
        message = f"the starter cannot be read: {error or type(error).__name__}"
        remedy = "provide a UTF-8 Python file"
        raise SpecError([Problem(str(path), 1, 1, message, remedy)]) from None
    reader = _Reader(str(path), text, tree)
    contract = reader.contract(tree)
    if reader.problems:
        raise SpecError(sorted(reader.problems, key=lambda found: (found.line, found.col)))
    return contract


class _Reader:
    """Walks one starter's syntax tree and collects what is wrong with it."""

    def __init__(self, file: str, text: str, tree: ast.Module) -> None:
        self.problems: list[Problem] = []
        self._file = file
        self._lines = text.split("\n")
        self._classes = {node.name for node in tree.body if isinstance(node, ast.ClassDef)}
        self._imported = dict(_imports(tree.body))

    def contract(self, tree: ast.Module) -> Contract:
        functions: dict[str, Signature] = {}
        classes: dict[str, ClassContract] = {}
        for node in tree.body:
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                continue
            if node.name in functions or node.name in classes:
                self._problem(node, f"{node.name} is defined twice", "keep one definition")
            elif node.name.startswith("_"):
                continue
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
            decorators = {self._resolve(found) for found in item.decorator_list}
            if decorators & {"staticmethod", "classmethod", "property"}:
                message = f"{node.name}.{item.name} is not a plain method"
                self._problem(item, message, "the harness calls methods of instances only")
            elif item.name in methods:
                message = f"{node.name}.{item.name} is defined twice"
                self._problem(item, message, "keep one definition")
            elif item.name == "__init__":
                init = self._signature(item, owner=node.name)
            else:
                methods[item.name] = self._signature(item, owner=node.name)
        if any("dataclass" in self._resolve(found) for found in node.decorator_list):
            message = f"the parameters of {node.name} are hidden in a dataclass"
            self._problem(node, message, "write its __init__ with annotated parameters")
        return ClassContract(node.name, init, methods)

    def _signature(
        self, node: ast.FunctionDef | ast.AsyncFunctionDef, owner: str = ""
    ) -> Signature:
        where = f"{owner}.{node.name}" if owner else node.name
        if isinstance(node, ast.AsyncFunctionDef):
            self._problem(node, f"{where} is asynchronous", "write it as a plain def")
        for star in (node.args.vararg, node.args.kwarg):
            if star is not None:
                message = f"{where} takes *{star.arg}, whose types are unknown"
                self._problem(star, message, "name every parameter")
        positional = [*node.args.posonlyargs, *node.args.args]
        required = len(positional) - len(node.args.defaults)
        optional = [index >= required for index in range(len(positional))]
        if owner and not positional:
            self._problem(node, f"{where} has no self", "make self its first parameter")
        params = [
            Param(arg.arg, self._annotation(arg, arg.annotation, where), False, default)
            for arg, default in list(zip(positional, optional, strict=True))[bool(owner) :]
        ]
        for arg, value in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True):
            type_ = self._annotation(arg, arg.annotation, where)
            params.append(Param(arg.arg, type_, True, value is not None))
        return Signature(node.name, tuple(params), self._returns(node, where))

    def _returns(self, node: ast.FunctionDef | ast.AsyncFunctionDef, where: str) -> Type:
        if node.name == "__init__" and node.returns is None:
            return NoneType()
        found = self._annotation(node, node.returns, where)
        leaves = found.items if isinstance(found, TupleType) else (found,)
        if any(leaf == ScalarType("str") for leaf in leaves):
            self._problem(node, f"{where} returns a string", "return numbers or tensors")
        if any(isinstance(leaf, GeneratorType | CallableType) for leaf in leaves):
            message = f"{where} returns something that stays in the program's process"
            self._problem(node, message, "return numbers, tensors or an instance of a class")
        return found

    def _annotation(
        self,
        owner: ast.arg | ast.FunctionDef | ast.AsyncFunctionDef,
        node: ast.expr | None,
        where: str,
    ) -> Type:
        if node is not None:
            return self._type(node)
        what = f"parameter {owner.arg} of" if isinstance(owner, ast.arg) else "the result of"
        self._problem(owner, f"{what} {where} has no type", 'annotate it: Float64[Tensor, "b d"]')
        return NoneType()

    def _type(self, node: ast.expr) -> Type:
        if isinstance(node, ast.Constant) and node.value is None:
            return NoneType()
        if isinstance(node, ast.Subscript):
            return self._subscript(node)
        name = self._resolve(node)
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            name = node.value
        if name in self._classes:
            return HandleType(name)
        for scalar in get_args(ScalarName):
            if name == scalar:
                return ScalarType(scalar)
        for generator in get_args(GeneratorName):
            if name == generator:
                return GeneratorType(generator)
        return self._unsupported(node)

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
            if token == _BATCH and position == 0:
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
            " numpy.random.Generator, Callable[[...], ...] or a class of this file, imported"
            " from where they are defined"
        )
        self._problem(node, message, remedy)
        return NoneType()

    def _resolve(self, node: ast.expr) -> str:
        """The full dotted name that an expression stands for; empty when it is not a name."""
        match node:
            case ast.Name(id=name):
                return self._imported.get(name, name)
            case ast.Attribute(value=value, attr=attr):
                return f"{self._resolve(value)}.{attr}"
            case ast.Call(func=func):
                return self._resolve(func)
        return ""

    def _problem(self, node: ast.arg | ast.expr | ast.stmt, message: str, remedy: str) -> None:
        line = self._lines[node.lineno - 1] if node.lineno <= len(self._lines) else ""
        col = len(line.encode()[: node.col_offset].decode("utf-8", "replace")) + 1
        self.problems.append(Problem(self._file, node.lineno, col, message, remedy))


def _imports(body: Sequence[ast.stmt]) -> Iterator[tuple[str, str]]:
    """Pairs of a local name and the dotted name that it was imported from."""
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


def bind(
    signature: Signature, args: Sequence[object], named: Mapping[str, object] | None = None
) -> dict[str, int]:
    """Check what the grader sends, and return the size of every axis that it determines.

    Args:
        signature: the function or method to be called.
        args: the positional arguments: ``(dtype, shape)`` for an array, a Python number,
            truth value or string as itself; anything else stands for a generator, a function
            or a handle.
        named: the arguments given by name.

    Returns:
        A size for every axis name. A parameter ``n: int`` determines the axis ``n``. The axes
        of a leading ``...`` are ``"...0"``, ``"...1"``… and ``"..."`` is how many there are.

    Raises:
        ContractError: the call does not fit the signature; the task's measurement is wrong.
    """
    where = signature.name
    positional = [param for param in signature.params if not param.keyword_only]
    if len(args) > len(positional):
        raise ContractError(f"{where} takes {len(positional)} arguments, {len(args)} were sent")
    given = {param.name: value for param, value in zip(positional, args, strict=False)}
    for name, value in (named or {}).items():
        if name in given or all(param.name != name for param in signature.params):
            reason = "sent twice" if name in given else "not a parameter"
            raise ContractError(f"{where}: {name} is {reason}")
        given[name] = value
    dims: dict[str, int] = {}
    for param in signature.params:
        if param.name in given:
            _bind_one(f"{where}: argument {param.name}", param, given[param.name], dims)
        elif not param.has_default:
            raise ContractError(f"{where}: argument {param.name} is missing")
    return dims


def _bind_one(where: str, param: Param, value: object, dims: dict[str, int]) -> None:
    match param.type, value:
        case ArrayType(), (str(dtype), tuple(shape)):
            if dtype not in param.type.dtypes or not _fit(param.type.dims, shape, dims):
                wanted = f"{_dtypes(param.type)} of shape {_shape(param.type.dims, dims)}"
                raise ContractError(
                    f"{where} must be {wanted}, {dtype} of shape {list(shape)} was sent"
                )
        case ScalarType(name="int"), int() if not isinstance(value, bool):
            if dims.setdefault(param.name, value) != value:
                size = dims[param.name]
                raise ContractError(f"{where} is {value}, but the axis {param.name} is {size}")
        case ScalarType(name="float"), float() | int() if not isinstance(value, bool):
            pass
        case (ScalarType(name="bool"), bool()) | (ScalarType(name="str"), str()):
            pass
        case (ArrayType() | ScalarType(), _) | (_, (str(), tuple())):
            wanted = describe(param.type)
            raise ContractError(f"{where} must be {wanted}, {_seen(value)} was sent")


def _seen(value: object) -> str:
    match value:
        case (str(dtype), tuple(shape)):
            return f"{dtype} of shape {list(shape)}"
        case None | bool() | int() | float():
            return f"{type(value).__name__} {value!r}"
    return f"a value of type {type(value).__name__}"


def check_result(
    returns: Type, dims: Mapping[str, int], results: Sequence[tuple[str, tuple[int, ...]]]
) -> str | None:
    """Compare what a program returned with what its contract promises.

    Args:
        returns: the declared type of the result.
        dims: the sizes that :func:`bind` determined. An axis that it left open takes the size
            of its first appearance among the results, and must keep it.
        results: dtype and shape of every array that came back; a Python number counts as an
            array without axes, an instance of a class as none.

    Returns:
        None if everything fits, else one sentence for the student.
    """
    wanted = list(_leaves(returns))
    if len(results) != len(wanted):
        plural = "result" if len(wanted) == 1 else "results"
        names = ", ".join(describe(leaf) for leaf in wanted) or "nothing"
        return f"expected {len(wanted)} {plural} ({names}), got {len(results)}"
    known = dict(dims)
    for index, (leaf, (dtype, shape)) in enumerate(zip(wanted, results, strict=True), start=1):
        expected = f"{_dtypes(leaf)} of shape {_shape(leaf.dims, known)}"
        before = dict(known)
        if dtype in leaf.dtypes and _fit(leaf.dims, shape, known):
            continue
        which = f"result {index} of {len(wanted)}" if len(wanted) > 1 else "the result"
        hints = [*_shape_hints(leaf.dims, shape, before), *_dtype_hints(leaf.dtypes, dtype)]
        sentence = f"{which}: expected {expected}, got {dtype} of shape {list(shape)}"
        return "; ".join([sentence, *hints])
    return None


def _leaves(returns: Type) -> Iterator[ArrayType]:
    match returns:
        case TupleType():
            for item in returns.items:
                yield from _leaves(item)
        case ScalarType() if returns.name in _WIRE_DTYPE:
            yield ArrayType((_WIRE_DTYPE[returns.name],), ())
        case ArrayType():
            yield returns


def _fit(dims: tuple[Dim, ...], shape: Sequence[int], known: dict[str, int]) -> bool:
    """Whether a shape fits; if so, ``known`` also holds the sizes found on the way."""
    names: list[str | int] = [dim for dim in dims if not isinstance(dim, EllipsisType)]
    found = dict(known)
    if len(names) < len(dims):
        extra = found.setdefault(_BATCH, max(len(shape) - len(names), 0))
        names = [*(f"{_BATCH}{axis}" for axis in range(extra)), *names]
    if len(names) != len(shape):
        return False
    for name, size in zip(names, shape, strict=True):
        wanted = found.setdefault(name, size) if isinstance(name, str) else name
        if wanted != size:
            return False
    known.update(found)
    return True


def _shape_hints(
    dims: tuple[Dim, ...], shape: tuple[int, ...], known: Mapping[str, int]
) -> Iterator[str]:
    def fits(candidate: Sequence[int]) -> bool:
        return _fit(dims, candidate, dict(known))

    if fits(shape):
        return
    drops = {axis: (*shape[:axis], *shape[axis + 1 :]) for axis in reversed(range(len(shape)))}
    for axis, dropped in drops.items():
        if shape[axis] == 1 and fits(dropped):
            yield f"squeeze axis {axis}, which has size 1"
            return
    if fits(shape[::-1]) or any(
        fits((*shape[:axis], shape[axis + 1], shape[axis], *shape[axis + 2 :]))
        for axis in range(len(shape) - 1)
    ):
        yield "the axes are in another order: transpose"
        return
    for axis, dim in enumerate(dims):
        size = dim if isinstance(dim, int) else known.get(str(dim))
        if size is not None and fits((*shape[:axis], size, *shape[axis:])):
            verb = "add it with unsqueeze" if size == 1 else "do not reduce over it"
            yield f"the axis {_label(dim, known)} is missing: {verb}"
            return
    for axis, dropped in drops.items():
        if fits(dropped):
            twice = shape[axis] in dropped
            yield "there is one axis too many: " + (
                "were [b] and [b, 1] combined into [b, b]?" if twice else f"reduce over axis {axis}"
            )
            return


def _dtype_hints(wanted: tuple[str, ...], seen: str) -> Iterator[str]:
    if seen in wanted:
        return
    if seen == "float32":
        yield "compute in float64: give new tensors the dtype of the arguments"
    elif seen in ("int64", "uint8", "int32", "int16", "int8") and "float64" in wanted:
        yield "integers were returned: convert to floating point before computing"
    else:
        yield f"convert with .to(torch.{wanted[-1]})"


def _dtypes(array: ArrayType) -> str:
    return " or ".join(array.dtypes)


def _label(dim: Dim, known: Mapping[str, int]) -> str:
    if isinstance(dim, EllipsisType):
        sizes = [str(known[f"{_BATCH}{axis}"]) for axis in range(known.get(_BATCH, 0))]
        return ", ".join(sizes) if _BATCH in known else _BATCH
    return f"{dim}={known[dim]}" if isinstance(dim, str) and dim in known else str(dim)


def _shape(dims: tuple[Dim, ...], known: Mapping[str, int]) -> str:
    return f"[{', '.join(label for dim in dims if (label := _label(dim, known)))}]"


def describe(type_: Type) -> str:
    """Name a type in words, such as ``float64 tensor [b, d]``."""
    match type_:
        case ArrayType():
            return f"{_dtypes(type_)} tensor {_shape(type_.dims, {})}"
        case CallableType():
            params = ", ".join(map(describe, type_.params))
            return f"function ({params}) -> {describe(type_.returns)}"
        case TupleType():
            return f"tuple ({', '.join(map(describe, type_.items))})"
        case HandleType():
            return f"instance of {type_.name}"
        case NoneType():
            return "nothing"
    return type_.name
