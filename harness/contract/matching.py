"""Compares calls and results with a signature: dtypes and shapes, never values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import EllipsisType

from harness.contract.types import (
    ArrayType,
    CallableType,
    Dim,
    EnvironmentType,
    GeneratorType,
    HandleType,
    NoneType,
    Param,
    ScalarType,
    Signature,
    TupleType,
    Type,
)
from harness.errors import FairmarkError

#: The dtype as which a Python number of each type comes back from the worker.
_WIRE_DTYPE = {"int": "int64", "float": "float64", "bool": "bool"}
#: The key under which a table of axis sizes holds how many axes a leading ``...`` stands for.
_BATCH = "..."


class ContractError(FairmarkError):
    """A measurement calls a program in a way that the starter does not allow."""


def bind(
    signature: Signature, args: Sequence[object], named: Mapping[str, object] | None = None
) -> dict[str, int]:
    """Check the arguments of a call, and return the size of every axis that they determine.

    Args:
        signature: the function or method to be called.
        args: the positional arguments. An array is given as ``(dtype, shape)``; a Python number,
            truth value or string as itself. Any other value stands for a generator, a function
            or a handle; it fits every parameter that is not an array or a scalar.
        named: the arguments given by name.

    Returns:
        Axis name -> size. A parameter ``n: int`` determines the axis ``n``. The axes that a
        leading ``...`` stands for are named ``"...0"``, ``"...1"`` and so on, outermost first;
        ``"..."`` maps to their number.

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
            _bind_argument(f"{where}: argument {param.name}", param, given[param.name], dims)
        elif not param.has_default:
            raise ContractError(f"{where}: argument {param.name} is missing")
    return dims


def _bind_argument(where: str, param: Param, value: object, dims: dict[str, int]) -> None:
    """Check one argument, and add the sizes that it determines to ``dims``."""
    match param.type, value:
        case ArrayType(), (str(dtype), tuple(shape)):
            if dtype not in param.type.dtypes or not _fit(param.type.dims, shape, dims):
                expected = f"{_dtypes(param.type)} of shape {_shape(param.type.dims, dims)}"
                raise ContractError(
                    f"{where} must be {expected}, {dtype} of shape {list(shape)} was sent"
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
            expected = describe(param.type)
            raise ContractError(f"{where} must be {expected}, {_describe_value(value)} was sent")


def _describe_value(value: object) -> str:
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
        dims: the axis sizes that :func:`bind` returned. An axis that is not among them takes the
            size that it has in the first result with it, and must have it in all others.
        results: dtype and shape of every array that came back. A Python number counts as an
            array without axes; an instance of a class is left out.

    Returns:
        None if everything fits, else one sentence for the student.
    """
    declared = list(_leaves(returns))
    if len(results) != len(declared):
        plural = "result" if len(declared) == 1 else "results"
        names = ", ".join(describe(leaf) for leaf in declared) or "nothing"
        return f"expected {len(declared)} {plural} ({names}), got {len(results)}"
    known = dict(dims)
    for index, (leaf, (dtype, shape)) in enumerate(zip(declared, results, strict=True), start=1):
        expected = f"{_dtypes(leaf)} of shape {_shape(leaf.dims, known)}"
        before = dict(known)
        if dtype in leaf.dtypes and _fit(leaf.dims, shape, known):
            continue
        which = f"result {index} of {len(declared)}" if len(declared) > 1 else "the result"
        hints = [*_shape_hints(leaf.dims, shape, before), *_dtype_hints(leaf.dtypes, dtype)]
        sentence = f"{which}: expected {expected}, got {dtype} of shape {list(shape)}"
        return "; ".join([sentence, *hints])
    return None


def _leaves(returns: Type) -> Iterator[ArrayType]:
    """The arrays that come back for a declared result, in order."""
    match returns:
        case TupleType():
            for item in returns.items:
                yield from _leaves(item)
        case ScalarType() if returns.name in _WIRE_DTYPE:
            yield ArrayType((_WIRE_DTYPE[returns.name],), ())
        case ArrayType():
            yield returns


def _fit(dims: tuple[Dim, ...], shape: Sequence[int], known: dict[str, int]) -> bool:
    """Whether a shape fits; if it does, the sizes that it determines are added to ``known``."""
    names: list[str | int] = [dim for dim in dims if not isinstance(dim, EllipsisType)]
    sizes = dict(known)
    if len(names) < len(dims):
        extra = sizes.setdefault(_BATCH, max(len(shape) - len(names), 0))
        names = [*(f"{_BATCH}{axis}" for axis in range(extra)), *names]
    if len(names) != len(shape):
        return False
    for name, size in zip(names, shape, strict=True):
        expected = sizes.setdefault(name, size) if isinstance(name, str) else name
        if expected != size:
            return False
    known.update(sizes)
    return True


def _shape_hints(
    dims: tuple[Dim, ...], shape: tuple[int, ...], known: Mapping[str, int]
) -> Iterator[str]:
    """A remedy for a wrong shape, if one change of its axes makes it fit."""

    def fits(candidate: Sequence[int]) -> bool:
        return _fit(dims, candidate, dict(known))

    if fits(shape):
        return
    without_axis = {
        axis: (*shape[:axis], *shape[axis + 1 :]) for axis in reversed(range(len(shape)))
    }
    for axis, rest in without_axis.items():
        if shape[axis] == 1 and fits(rest):
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
    for axis, rest in without_axis.items():
        if fits(rest):
            twice = shape[axis] in rest
            yield "there is one axis too many: " + (
                "were [b] and [b, 1] combined into [b, b]?" if twice else f"reduce over axis {axis}"
            )
            return


def _dtype_hints(accepted: tuple[str, ...], actual: str) -> Iterator[str]:
    """A remedy for a wrong dtype."""
    if actual in accepted:
        return
    if actual == "float32":
        yield "compute in float64: give new tensors the dtype of the arguments"
    elif actual in ("int64", "uint8", "int32", "int16", "int8") and "float64" in accepted:
        yield "integers were returned: convert to floating point before computing"
    else:
        yield f"convert with .to(torch.{accepted[-1]})"


def _dtypes(array: ArrayType) -> str:
    return " or ".join(array.dtypes)


def _label(dim: Dim, known: Mapping[str, int]) -> str:
    """An axis as messages write it, with its size where that is known: ``b=3``."""
    if isinstance(dim, EllipsisType):
        sizes = [str(known[f"{_BATCH}{axis}"]) for axis in range(known.get(_BATCH, 0))]
        return ", ".join(sizes) if _BATCH in known else _BATCH
    return f"{dim}={known[dim]}" if isinstance(dim, str) and dim in known else str(dim)


def _shape(dims: tuple[Dim, ...], known: Mapping[str, int]) -> str:
    return f"[{', '.join(label for dim in dims if (label := _label(dim, known)))}]"


def describe(type_: Type) -> str:
    """Name a type in words, such as ``float64 tensor [b, d]``."""
    match type_:
        case ScalarType() | GeneratorType():
            words: str = type_.name
        case ArrayType():
            words = f"{_dtypes(type_)} tensor {_shape(type_.dims, {})}"
        case CallableType():
            params = ", ".join(map(describe, type_.params))
            words = f"function ({params}) -> {describe(type_.returns)}"
        case TupleType():
            words = f"tuple ({', '.join(map(describe, type_.items))})"
        case HandleType():
            words = f"instance of {type_.name}"
        case EnvironmentType():
            words = "vector environment"
        case NoneType():
            words = "nothing"
    return words
