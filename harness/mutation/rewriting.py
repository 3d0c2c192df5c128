"""Honest rewritings: what another student writes for the same formula.

Algebraic forms, the order of operands and of sums, functions written out. Whether a rewriting is
honest at the edges of a domain as well is not decided here: see :mod:`harness.mutation.honesty`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from harness.mutation.source import Operator, Place, owner, text


def _method(node: ast.AST, *names: str) -> tuple[ast.expr, ast.Call] | None:
    """What a method of one of these names is called of, and the call."""
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id="torch" | "math" | "F"))):
            return None
        case ast.Call(func=ast.Attribute(value=value, attr=attr)) if attr in names:
            return value, node
    return None


def _function(node: ast.AST, *names: str) -> tuple[ast.expr, ast.Call] | None:
    """The first argument of a function of torch with one of these names, and the call."""
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id="torch"), attr=attr), args=[first, *_]):
            return (first, node) if attr in names else None
    return None


def _of(node: ast.AST, *names: str) -> ast.expr | None:
    """What a function of one argument is taken of, however it is called."""
    parts = _method(node, *names) or _function(node, *names)
    if parts is None or len(parts[1].args) + len(parts[1].keywords) > 1:
        return None
    return parts[0]


def _dim(call: ast.Call) -> str | None:
    """The one axis that a call names, as text."""
    dims = [item.value for item in call.keywords if item.arg in ("dim", "axis")]
    others = [item for item in call.keywords if item.arg not in ("dim", "axis")]
    match dims:
        case [ast.Constant(value=int()) | ast.UnaryOp()] if not others:
            return ast.unparse(dims[0])
    return None


def _commuted(place: Place) -> Iterator[str]:
    match place.node:
        case ast.BinOp(left=left, op=ast.Add() | ast.Mult() as op, right=right):
            if not any(isinstance(item, ast.List | ast.Tuple) for item in (left, right)):
                yield f"{text(right)} {'+' if isinstance(op, ast.Add) else '*'} {text(left)}"
        case ast.BinOp(left=left, op=ast.Sub(), right=right):
            yield f"-{text(right)} + {text(left)}"


def _regrouped(place: Place) -> Iterator[str]:
    """(a + b) + c as a + (b + c), a (b + c) as a b + a c, a / b as a (1 / b)."""
    match place.node:
        case ast.BinOp(
            left=ast.BinOp(left=a, op=ast.Add() | ast.Sub() as inner, right=b),
            op=ast.Add() | ast.Sub() as outer,
            right=c,
        ):
            first = "" if isinstance(inner, ast.Add) else "-"
            second = "+" if isinstance(outer, ast.Add) else "-"
            yield f"{text(a)} + ({first}{text(b)} {second} {text(c)})"
            yield f"({text(a)} {second} {text(c)}) + ({first}{text(b)})"
        case ast.BinOp(left=ast.BinOp(left=a, op=ast.Mult(), right=b), op=ast.Mult(), right=c):
            yield f"{text(a)} * ({text(b)} * {text(c)})"
        case ast.BinOp(left=a, op=ast.Div(), right=b):
            yield f"{text(a)} * (1 / {text(b)})"
    match place.node:
        case ast.BinOp(
            left=a, op=ast.Mult(), right=ast.BinOp(left=b, op=ast.Add() | ast.Sub() as op, right=c)
        ):
            sign = "+" if isinstance(op, ast.Add) else "-"
            yield f"{text(a)} * {text(b)} {sign} {text(a)} * {text(c)}"
        case ast.BinOp(
            left=ast.BinOp(left=a, op=ast.Add() | ast.Sub() as op, right=b), op=ast.Div(), right=c
        ):
            sign = "+" if isinstance(op, ast.Add) else "-"
            yield f"{text(a)} / {text(c)} {sign} {text(b)} / {text(c)}"


def _squares(place: Place) -> Iterator[str]:
    match place.node:
        case ast.BinOp(left=base, op=ast.Pow(), right=ast.Constant(value=2)):
            yield f"{text(base)} * {text(base)}"
            match base:
                case ast.BinOp(left=a, op=ast.Sub(), right=b):
                    yield f"{text(a)} ** 2 - 2 * {text(a)} * {text(b)} + {text(b)} ** 2"
                case ast.BinOp(left=a, op=ast.Div(), right=b):
                    yield f"{text(a)} ** 2 / {text(b)} ** 2"
                case ast.BinOp(left=a, op=ast.Mult(), right=b):
                    yield f"{text(a)} ** 2 * {text(b)} ** 2"


def _exponentials(place: Place) -> Iterator[str]:
    """exp of sums and multiples, taken apart and put together; log of products and ratios."""
    match place.node:
        case ast.BinOp(left=left, op=ast.Mult() | ast.Div() as op, right=right):
            a, b = _of(left, "exp"), _of(right, "exp")
            if a is not None and b is not None:
                yield f"({text(a)} {'+' if isinstance(op, ast.Mult) else '-'} {text(b)}).exp()"
            elif b is not None:
                yield f"{text(left)} {'/' if isinstance(op, ast.Mult) else '*'} (-{text(b)}).exp()"
    inner = _of(place.node, "exp")
    match inner:
        case ast.BinOp(left=ast.Constant(value=2), op=ast.Mult(), right=half):
            yield f"{owner(half)}.exp() ** 2"
            yield f"{owner(half)}.exp() * {owner(half)}.exp()"
        case ast.BinOp(left=a, op=ast.Add(), right=b):
            yield f"{owner(a)}.exp() * {owner(b)}.exp()"
        case ast.BinOp(left=a, op=ast.Sub(), right=b):
            yield f"{owner(a)}.exp() / {owner(b)}.exp()"
    inner = _of(place.node, "log")
    match inner:
        case ast.BinOp(left=a, op=ast.Div(), right=b) if not _is_number(a):
            yield f"{owner(a)}.log() - {owner(b)}.log()"
        case ast.BinOp(left=a, op=ast.Mult(), right=b) if not (_is_number(a) or _is_number(b)):
            yield f"{owner(a)}.log() + {owner(b)}.log()"


def _is_number(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) or "math." in ast.unparse(node)


def _reductions(place: Place) -> Iterator[str]:
    """Sums in another order; a mean as a sum that is divided."""
    parts = _method(place.node, "sum", "mean")
    if parts is None:
        return
    value, call = parts
    dim = _dim(call)
    name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    if dim is not None and name == "sum":
        yield f"{owner(value)}.flip({dim}).sum(dim={dim})"
        yield f"{owner(value)}.cumsum({dim}).select({dim}, -1)"
        halves = "t[..., ::2].sum(-1) + t[..., 1::2].sum(-1)"
        yield f"(lambda t: {halves})({owner(value)}.movedim({dim}, -1))"
        yield f"torch.einsum('...i->...', {owner(value)}.movedim({dim}, -1))"
    if dim is not None and name == "mean":
        yield f"(lambda t: t.sum(dim={dim}) / t.shape[{dim}])({text(value)})"
        yield f"{owner(value)}.flip({dim}).mean(dim={dim})"
    if name == "mean" and not call.args and not call.keywords:
        yield f"(lambda t: t.sum() / t.numel())({text(value)})"
    if not call.args and not call.keywords:
        yield f"{owner(value)}.flatten().flip(0).{name}()"


def _written_out(place: Place) -> Iterator[str]:
    """logsumexp, softmax and log-softmax by hand, the largest entry taken out first."""
    node = place.node
    parts = _method(node, "logsumexp", "softmax", "log_softmax") or _function(
        node, "logsumexp", "softmax", "log_softmax"
    )
    if parts is None:
        return
    value, call = parts
    dim = _dim(call)
    if dim is None:
        return
    assert isinstance(call.func, ast.Attribute)
    largest = f"t.amax({dim}, keepdim=True)"
    log_sum = f"m + (t - m).exp().sum({dim}, keepdim=True).log()"
    forms = {
        "logsumexp": f"(lambda t, m: ({log_sum}).squeeze({dim}))",
        "softmax": f"(lambda t, m: (t - m).exp() / (t - m).exp().sum({dim}, keepdim=True))",
        "log_softmax": f"(lambda t, m: t - ({log_sum}))",
    }
    written = f"(lambda t: {forms[call.func.attr]}(t, {largest}))({text(value)})"
    yield written


def _products(place: Place) -> Iterator[str]:
    """A matrix product as a sum of products; the operands of einsum in the other order."""
    match place.node:
        case ast.BinOp(left=a, op=ast.MatMult(), right=b):
            many = "(p[..., None] * q).sum(-2)"
            yield f"(lambda p, q: {many} if q.dim() > 1 else (p * q).sum(-1))({text(a)}, {text(b)})"
        case ast.Call(
            func=ast.Attribute(value=ast.Name(id="torch"), attr="einsum"),
            args=[ast.Constant(value=str(form)), a, b],
        ) if form.count(",") == 1:
            left, _, result = form.partition("->")
            first, second = left.split(",")
            yield f"torch.einsum('{second},{first}->{result}', {ast.unparse(b)}, {ast.unparse(a)})"


def _longer(place: Place) -> Iterator[str]:
    """A sum by way of numpy's longdouble, where no gradient is taken."""
    parts = _method(place.node, "sum", "mean")
    if parts is None or (dim := _dim(parts[1])) is None:
        return
    name = "sum" if ast.unparse(parts[1].func).endswith("sum") else "mean"
    there = f"t.numpy().astype('longdouble').{name}({dim})"
    back = f"t.new_tensor(__import__('numpy').asarray({there}, dtype='float64'))"
    yield f"(lambda t: t.{name}({dim}) if t.requires_grad else {back})({text(parts[0])})"


#: Every rewriting.
REWRITINGS = (
    Operator("commuted", _commuted),
    Operator("regrouped", _regrouped),
    Operator("square", _squares),
    Operator("exponential", _exponentials),
    Operator("reduction", _reductions),
    Operator("written-out", _written_out),
    Operator("product", _products),
    Operator("longdouble", _longer),
)
