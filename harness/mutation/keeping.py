"""Operators that keep the results of a function: by the shapes or by a part of its arguments."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from harness.mutation.source import Function, Operator, Place

_MEMO = """\
@def _remembered(function, seen={{}}):
    def call(*args, **named):
        key = tuple({key} for a in args)
        if key not in seen:
            seen[key] = function(*args, **named)
        return seen[key]
    return call
@_remembered"""

#: Where gradients are asked for nothing is kept: it would raise, and so be noticed by chance. The
#: arguments are kept, too, so that no other object gets an id that stands in a key.
_KEPT = """\
@def _kept(function, seen={{}}):
    def whole(a):
        if isinstance(a, (list, tuple)):
            return [whole(item) for item in a]
        if hasattr(a, "__closure__"):
            cells = [cell.cell_contents for cell in a.__closure__ or ()]
            return [a.__qualname__, whole(cells)]
        a = a.detach().numpy() if hasattr(a, "detach") else a
        if hasattr(a, "tobytes"):
            return [a.shape, a.tobytes()]
        return a if isinstance(a, (int, float, str)) else id(a)

    def call(*args, **named):
        if any(getattr(a, "requires_grad", False) for a in args):
            return function(*args, **named)
        key = repr([{key} for i, a in enumerate([*args, *named.values()])])
        if key not in seen:
            seen[key] = args, named, function(*args, **named)
        return seen[key][2]
    return call
@_kept"""
_STORED = "            seen[key] = args"
_FORGET = "            seen.clear()\n"
_SIZE = 'getattr(a, "shape", 0)'


def kept_by(part: str) -> str:
    """A decorator that keeps results by the shapes of the arguments and a part of every array.

    Args:
        part: an expression in an array ``a`` of one axis or more, such as ``a[:1]``.
    """
    return _KEPT.format(key=f'({_SIZE}, whole({part}) if getattr(a, "ndim", 0) else whole(a))')


def kept_without_one(place: Place, *, call_before: bool = False) -> Iterator[str]:
    """Decorators that keep results by all arguments but one; none for a function of a single one.

    Args:
        place: one of which :func:`keeps_parts` holds.
        call_before: keep the result of the call before alone.
    """
    assert isinstance(place.node, Function)
    count = len(place.node.args.args)
    for left_out in range(count) if count > 1 else ():
        kept = _KEPT.format(key=f"i == {left_out} or whole(a)")
        yield kept.replace(_STORED, _FORGET + _STORED) if call_before else kept


def _state(place: Place) -> Iterator[str]:
    """A result that is kept: by the shapes of the arguments, by the first call."""
    if _can_keep(place):
        yield _MEMO.format(key='getattr(a, "shape", type(a))')
        yield _MEMO.format(key="type(a)")


def _parts(place: Place) -> Iterator[str]:
    """A result that is kept by a part of its arguments.

    By the first row of every array, by its first number, by all arguments but one.
    """
    if keeps_parts(place):
        yield kept_by("a[:1]")
        yield kept_by("a.flatten()[:1]")
        yield from kept_without_one(place)


def keeps_parts(place: Place) -> bool:
    """Whether results can be kept by parts of tensors: a parameter is one, or has no annotation."""
    if not isinstance(place.node, Function) or not _can_keep(place):
        return False
    params = [arg for arg in place.node.args.args if arg.arg != "self"]
    return any(not arg.annotation or "Tensor" in ast.unparse(arg.annotation) for arg in params)


def _can_keep(place: Place) -> bool:
    """Whether a place is a function of the module or a method, whose results can be kept."""
    return (
        isinstance(place.node, Function)
        and not place.node.name.startswith("__")
        and isinstance(place.parent, ast.Module | ast.ClassDef)
    )


#: Every operator of this file.
KEEPING = (Operator("state", _state, "state"), Operator("kept", _parts, "state"))
