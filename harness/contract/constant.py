"""Writes programs that keep a task's contract and answer every call without knowing the task."""

from __future__ import annotations

from types import EllipsisType

from harness.contract.types import (
    ArrayType,
    Contract,
    NoneType,
    ScalarType,
    Signature,
    TupleType,
    Type,
)

_HEAD = '''"""Every number is {number}, of the shape and dtype asked for, with a graph."""

import math

import torch

_LARGEST = {{torch.int64: 2.0**53, torch.int32: 2.0**31 - 1, torch.uint8: 255.0}}


def _numbers(shape, given, count):
    index = torch.arange(math.prod(shape), dtype=torch.float64)
    rows = max(shape[0], 1) if shape else 1
    first, last = (given[place].repeat(1 + len(index) // len(given[place]))[: len(index)]
                   for place in (0, -1))
    return torch.zeros_like(index) + ({number})


def _answer(arguments, dims, results, several):
    sizes, graph, given, count = {{"...": ()}}, 0.0, [], 1
    for argument, names in zip(arguments, dims):
        if isinstance(argument, torch.Tensor) and names is not None:
            lead = argument.ndim - len(names) + ("..." in names)
            if "..." in names:
                sizes["..."] = argument.shape[:lead]
                names = names[1:]
                sizes.update(zip(names, argument.shape[lead:]))
            else:
                sizes.update(zip(names, argument.shape))
            if argument.numel():
                given.append(argument.detach().reshape(-1).to(torch.float64))
            if argument.is_floating_point() and argument.numel():
                graph = graph + 0.0 * torch.nan_to_num(argument).sum()
        elif isinstance(argument, int) and names:
            sizes[names[0]] = count = argument
    given = given or [torch.ones(1, dtype=torch.float64)]
    made = []
    for dtype, names in results:
        if names is None:
            number = _numbers((1,), given, count)[0]
            kind = {{"int": int, "float": float, "bool": bool, "str": str}}[dtype]
            number = number if kind is float else torch.nan_to_num(number).clamp(-1e15, 1e15)
            made.append(kind(number))
            continue
        shape = []
        for name in names:
            shape += sizes["..."] if name == "..." else [sizes.get(name, name)]
        shape = [size if isinstance(size, int) else 2 for size in shape]
        dtype = getattr(torch, dtype)
        numbers = _numbers(shape, given, count)
        if dtype in _LARGEST:
            numbers = torch.nan_to_num(numbers).clamp(-_LARGEST[dtype], _LARGEST[dtype])
        made.append(numbers.reshape(shape).to(dtype))
        if made[-1].is_floating_point():
            made[-1] = made[-1] + graph
    return tuple(made) if several else made[0]
'''


def constant_program(contract: Contract, value: float) -> str:
    """The Python source of a program in whose results every number is ``value``.

    See :func:`ignorant_program`.
    """
    return ignorant_program(contract, repr(float(value)))


def ignorant_program(contract: Contract, number: str) -> str:
    """The Python source of a program whose results are filled with ``number``.

    Shapes follow the arguments; an axis whose size they do not determine has size 2. Results are
    connected to the arguments in autograd's graph, with gradient zero, so that a check can object
    to nothing but the values.

    Args:
        number: a Python expression of ``index`` (the entries of a result counted from 0, float64),
            ``rows`` (the size of its first axis), ``first`` and ``last`` (the numbers of the first
            and the last array among the arguments, repeated to its length), ``count`` (the last
            whole number among them), ``math`` and ``torch``.
    """
    parts = [_HEAD.format(number=number)]
    parts += [_function(signature) for signature in contract.functions.values()]
    for class_ in contract.classes.values():
        methods = [_function(signature, "self") for signature in class_.methods.values()]
        start = "def __init__(self, *args, **kwargs):\n    super().__init__()\n"
        body = "\n".join([start, *methods])
        indented = "\n".join(f"    {line}" if line else "" for line in body.splitlines())
        parts.append(f"class {class_.name}(torch.nn.Module):\n{indented}\n")
    return "\n\n".join(parts)


def _function(signature: Signature, *bound: str) -> str:
    """The source of one function; ``bound`` holds ``self`` for a method."""
    parameters = [
        f"{item.name}=None" if item.has_default else item.name for item in signature.params
    ]
    head = f"def {signature.name}({', '.join([*bound, *parameters])}):\n"
    if isinstance(signature.returns, NoneType):
        return head + "    return None\n"
    several = isinstance(signature.returns, TupleType)
    items = (
        signature.returns.items
        if isinstance(signature.returns, TupleType)
        else (signature.returns,)
    )
    names = ", ".join(item.name for item in signature.params)
    dims = [_axes(item.type, item.name) for item in signature.params]
    results = [_result(item) for item in items]
    return head + f"    return _answer([{names}], {dims!r}, {results!r}, {several})\n"


def _axes(type_: Type, name: str) -> list[str | int] | None:
    """The axes whose sizes an argument determines: an argument ``n: int`` determines axis ``n``."""
    if isinstance(type_, ArrayType):
        return ["..." if isinstance(dim, EllipsisType) else dim for dim in type_.dims]
    return [name] if type_ == ScalarType("int") else None


def _result(type_: Type) -> tuple[str, list[str | int] | None]:
    """The dtype and axes of a result; for a plain number, its Python type and None."""
    if isinstance(type_, ArrayType):
        return type_.dtypes[-1], _axes(type_, "")
    return type_.name if isinstance(type_, ScalarType) else "int", None
