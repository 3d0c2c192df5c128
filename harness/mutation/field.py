"""Operators of our field: what goes wrong where tensors, gradients and draws are written down."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from harness.mutation.generic import is_axis
from harness.mutation.keeping import KEEPING
from harness.mutation.source import Function, Operator, Place, owner, text

_TWINS: Mapping[str, tuple[str, ...]] = {
    "sum": ("mean",),
    "mean": ("sum",),
    "max": ("min",),
    "min": ("max",),
    "amax": ("amin",),
    "amin": ("amax",),
    "argmax": ("argmin",),
    "argmin": ("argmax",),
    "ceil": ("floor",),
    "floor": ("ceil",),
    "softmax": ("log_softmax",),
    "log_softmax": ("softmax",),
    "logsigmoid": ("sigmoid",),
    "sigmoid": ("tanh",),
    "cumsum": ("cumprod",),
    "any": ("all",),
    "all": ("any",),
    "log": ("log2", "log1p"),
    "exp": ("exp2", "expm1"),
    "sqrt": ("abs",),
    "zeros": ("ones",),
    "zeros_like": ("ones_like",),
    "ones": ("zeros",),
    "ones_like": ("zeros_like",),
    "randn": ("rand",),
    "rand": ("randn",),
    "logdet": ("det",),
    "trace": ("sum",),
}
_REDUCTIONS = frozenset({"sum", "mean", "amax", "amin", "max", "min", "logsumexp", "prod", "var"})
_UNARY = frozenset({"exp", "log", "sqrt", "square", "abs", "sigmoid", "softplus"})
_DROPPED = frozenset(
    {"exp", "log", "sqrt", "abs", "square", "flip", "cumsum", "T", "clone", "relu", "tanh"}
    | {"sigmoid", "masked_fill", "clamp", "softmax", "log_softmax", "softplus"}
)
_DRAWS = frozenset({"randn", "rand", "randint", "normal", "multinomial", "randn_like", "randperm"})


def _callee(node: ast.AST) -> str:
    """The last name of what a call calls; empty for other nodes."""
    if isinstance(node, ast.Call):
        if isinstance(node.func, ast.Attribute):
            return node.func.attr
        if isinstance(node.func, ast.Name):
            return node.func.id
    return ""


def _is_method(node: ast.Call) -> bool:
    """Whether a call is of a method of some value, not of a function of a module."""
    match node.func:
        case ast.Attribute(value=ast.Name(id="torch" | "math" | "functional" | "F" | "np" | "nn")):
            return False
        case ast.Attribute():
            return True
    return False


def _written(func: str, args: list[str], keywords: list[ast.keyword]) -> str:
    return f"{func}({', '.join([*args, *map(ast.unparse, keywords)])})"


def _arguments(node: ast.Call) -> list[str]:
    return [ast.unparse(item) for item in node.args]


def _renamed(node: ast.Call, name: str) -> str:
    """The call, of a function with another name."""
    before = f"{owner(node.func.value)}." if isinstance(node.func, ast.Attribute) else ""
    return _written(f"{before}{name}", _arguments(node), node.keywords)


def _twin(place: Place) -> Iterator[str]:
    """sum and mean, min and max, log and log₂: a function that has a neighbour."""
    if isinstance(place.node, ast.Call):
        for name in _TWINS.get(_callee(place.node), ()):
            yield _renamed(place.node, name)


def _count(place: Place) -> Iterator[str]:
    """A mean over one more, one fewer: 1/(n-1) for 1/n and the other way round."""
    node = place.node
    if isinstance(node, ast.Call) and _callee(node) == "mean" and _is_method(node):
        mean = ast.unparse(node)
        total = _renamed(node, "sum")
        yield f"{total} / ({total} / {mean} - 1)"
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        match node.right:
            case ast.Name() | ast.Call(func=ast.Name(id="len")) | ast.Subscript():
                yield f"{text(node.left)} / ({text(node.right)} - 1)"
                yield f"{text(node.left)} / ({text(node.right)} + 1)"


def _axis(place: Place) -> Iterator[str]:
    """Another axis, one axis fewer, all axes."""
    if isinstance(place.node, ast.Constant) and is_axis(place) and type(place.node.value) is int:
        yield from (str(axis) for axis in (0, 1, -1) if axis != place.node.value)
    if isinstance(place.parent, ast.keyword) and place.parent.arg in ("dim", "axis"):
        if isinstance(place.node, ast.Tuple) and len(place.node.elts) > 1:
            for index in range(len(place.node.elts)):
                rest = [
                    ast.unparse(item)
                    for item in place.node.elts
                    if item is not place.node.elts[index]
                ]
                yield f"({', '.join(rest)},)"
    if isinstance(place.node, ast.Call) and _callee(place.node) in _REDUCTIONS:
        others = [item for item in place.node.keywords if item.arg not in ("dim", "axis")]
        if len(others) < len(place.node.keywords) and _is_method(place.node):
            yield _written(text(place.node.func), _arguments(place.node), others)


def _keepdim(place: Place) -> Iterator[str]:
    node = place.node
    if isinstance(node, ast.Call) and _callee(node) in _REDUCTIONS:
        others = [item for item in node.keywords if item.arg != "keepdim"]
        if len(others) < len(node.keywords):
            yield _written(text(node.func), _arguments(node), others)
        elif node.keywords:
            args = [*_arguments(node), *map(ast.unparse, node.keywords), "keepdim=True"]
            yield f"{text(node.func)}({', '.join(args)})"


def _broadcast(place: Place) -> Iterator[str]:
    """A new axis at another place; a transposition left out."""
    match place.node:
        case ast.Subscript(value=value, slice=ast.Tuple(elts=items)) if any(map(_is_new, items)):
            parts = [ast.unparse(item) for item in items]
            for index in range(len(parts) - 1):
                if (parts[index] == "None") != (parts[index + 1] == "None"):
                    moved = [*parts]
                    moved[index], moved[index + 1] = moved[index + 1], moved[index]
                    yield f"{text(value)}[{', '.join(moved)}]"
        case ast.Subscript(value=value, slice=ast.Constant(value=None)):
            yield f"{text(value)}[..., None]"
        case ast.Call(func=ast.Attribute(value=value, attr="unsqueeze"), args=[ast.UnaryOp()]):
            yield f"{owner(value)}.unsqueeze(0)"
        case ast.Call(func=ast.Attribute(value=value, attr="unsqueeze"), args=[_]):
            yield f"{owner(value)}.unsqueeze(-1)"
        case ast.Attribute(value=value, attr="T") | ast.Attribute(value=value, attr="mT"):
            yield text(value)


def _is_new(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _left_out(place: Place) -> Iterator[str]:
    """A call of one argument that is forgotten: exp, clamp, flip."""
    node = place.node
    if isinstance(node, ast.Call) and _callee(node) in _DROPPED:
        if _is_method(node) and isinstance(node.func, ast.Attribute):
            yield text(node.func.value)
        elif node.args:
            yield text(node.args[0])
    match node:
        case ast.Call(func=ast.Attribute(attr="where"), args=[test, first, second]):
            yield f"torch.where({ast.unparse(test)}, {ast.unparse(second)}, {ast.unparse(first)})"
            yield text(first)
            yield text(second)


def _scaled(place: Place) -> Iterator[str]:
    """What exp or log is taken of, twice or half as large: σ² for σ, ln σ² for ln σ."""
    node = place.node
    if isinstance(node, ast.Call) and _callee(node) in ("exp", "log"):
        inner = _inner(node)
        if inner is None:
            return
        for factor in ("2", "0.5"):
            if _is_method(node):
                yield f"({factor} * {text(inner)}).{_callee(node)}()"
            else:
                yield f"{text(node.func)}({factor} * {text(inner)})"


def _detached(place: Place) -> Iterator[str]:
    """A gradient that is cut off at a value: the operand of an operation, or an argument."""
    match place.node:
        case ast.Name(ctx=ast.Load(), id=name):
            used = isinstance(place.parent, ast.BinOp) or (
                isinstance(place.parent, ast.Call) and place.node in place.parent.args
            )
            if used and name in _local_names(place.function):
                yield f"{name}.detach()"
        case ast.Call() if isinstance(place.parent, ast.BinOp):
            yield f"{owner(place.node)}.detach()"


def _attached(place: Place) -> Iterator[str]:
    """A ``detach`` or ``no_grad`` that is forgotten."""
    match place.node:
        case ast.Call(func=ast.Attribute(value=value, attr="detach")):
            yield text(value)
        case ast.With(items=[ast.withitem(context_expr=ast.Call() as call)]):
            if _callee(call) == "no_grad":
                yield "\n".join(
                    [f"with {text(call.func).replace('no_grad', 'enable_grad')}():"]
                    + [
                        " " * (place.node.col_offset + 4) + line
                        for item in place.node.body
                        for line in ast.unparse(item).splitlines()
                    ]
                )


def _local_names(function: Function | None) -> frozenset[str]:
    """Parameters of a function, and what it assigns."""
    if function is None:
        return frozenset()
    stored = {
        item.id
        for item in ast.walk(function)
        if isinstance(item, ast.Name) and isinstance(item.ctx, ast.Store)
    }
    return frozenset(stored | {arg.arg for arg in function.args.args})


def tensors(place: Place) -> list[str]:
    """The parameters of a function that are tensors of numbers, or may be: not annotated."""
    if not isinstance(place.node, Function):
        return []
    names = []
    for arg in place.node.args.args:
        annotation = ast.unparse(arg.annotation) if arg.annotation else ""
        if arg.arg != "self" and (not annotation or annotation.startswith("Float")):
            names.append(arg.arg)
    return names


def _first_of_batch(place: Place) -> Iterator[str]:
    """One row for all, one column for all, the second half from the first."""
    for name in tensors(place):
        yield f"{name} = {name}[:1].expand_as({name})"
        yield f"{name} = {name}[..., :1].expand_as({name})"
        yield f"{name} = {name}[[i % ((len({name}) + 1) // 2) for i in range(len({name}))]]"


def _noise(place: Place) -> Iterator[str]:
    """Draws that are shared by samples, rows or columns, mirrored, or of another law."""
    if _callee(place.node) in _DRAWS and not isinstance(place.parent, ast.Attribute):
        draw = ast.unparse(place.node)
        for shared in (":1", ":, :1", "..., :1"):
            yield f"(lambda e: e[{shared}].expand_as(e))({draw})"
        mirrored = "torch.cat([e[: (len(e) + 1) // 2], -e[: len(e) // 2]])"
        yield f"(lambda e: {mirrored})({draw})"
        yield f"0.9 * {draw}"
        yield f"0.1 + {draw}"
        yield f"(lambda e: (e - e.mean(0)) if len(e) > 1 else e)({draw})"


def _generator(place: Place) -> Iterator[str]:
    """A generator that is not the one handed in: the global one, a fixed seed, another state."""
    node = place.node
    if isinstance(node, ast.Call):
        handed = [item for item in node.keywords if item.arg == "generator"]
        if handed:
            others = [item for item in node.keywords if item.arg != "generator"]
            args = _arguments(node)
            yield _written(text(node.func), args, others)
            written = [*args, *map(ast.unparse, others)]
            for made in (
                "torch.Generator().manual_seed(0)",
                f"torch.Generator().manual_seed({owner(handed[0].value)}.initial_seed())",
            ):
                yield f"{text(node.func)}({', '.join([*written, f'generator={made}'])})"


def _squeezed(place: Place) -> Iterator[str]:
    """A result without its axes of size one."""
    result = isinstance(place.parent, ast.Return) and not isinstance(place.node, ast.Tuple)
    of_many = (
        len(place.parents) > 1
        and isinstance(place.parent, ast.Tuple)
        and isinstance(place.parents[1], ast.Return)
    )
    if (result or of_many) and isinstance(place.node, ast.expr):
        yield f"{owner(place.node)}.squeeze()"


def _in_place(place: Place) -> Iterator[str]:
    """An argument that is changed on the way."""
    names = {ast.Add: "add_", ast.Sub: "sub_", ast.Mult: "mul_", ast.Div: "div_"}
    match place.node:
        case ast.BinOp(left=ast.Name(id=name), op=op, right=right) if type(op) in names:
            if place.function and name in {arg.arg for arg in place.function.args.args}:
                yield f"{name}.{names[type(op)]}({ast.unparse(right)})"
        case ast.BinOp(left=left, op=op, right=ast.Name(id=name)) if type(op) in (
            ast.Add,
            ast.Mult,
        ):
            if place.function and name in {arg.arg for arg in place.function.args.args}:
                yield f"{name}.{names[type(op)]}({ast.unparse(left)})"


def _bounds(place: Place) -> Iterator[str]:
    """Clamps, floors and epsilons that are meant to keep numbers finite."""
    node = place.node
    for name in tensors(place):
        yield f"{name} = {name}.clamp(-10, 10)"
        yield f"{name} = {name}.clamp(min=1e-6)"
    if isinstance(node, ast.Call) and _callee(node) in ("exp", "log", "sqrt"):
        name, inner = _callee(node), _inner(node)
        if inner is not None and ast.unparse(node.func).startswith("math."):
            yield f"math.{name}(max({ast.unparse(inner)}, 1e-8))"
        elif inner is not None:
            lower = "-20" if name == "exp" else "1e-12"
            yield f"{owner(inner)}.clamp(min={lower}).{name}()"
            yield f"{owner(inner)}.clamp(max=20).{name}()"
            yield f"({text(inner)} + 1e-8).{name}()"
            yield f"{ast.unparse(node)}.clamp(min={1e-6 if name == 'exp' else -100})"
    match node:
        case ast.BinOp(left=left, op=ast.Div(), right=right) if not isinstance(right, ast.Constant):
            yield f"{text(left)} / ({text(right)} + 1e-8)"
            yield f"{text(left)} / {owner(right)}.clamp(min=1e-8)"


def _inner(node: ast.Call) -> ast.expr | None:
    """What a function of one argument is taken of."""
    if _is_method(node) and isinstance(node.func, ast.Attribute):
        return node.func.value
    return node.args[0] if node.args else None


def _single(place: Place) -> Iterator[str]:
    """Single precision inside."""
    for name in tensors(place):
        yield f"{name} = {name}.float().to({name}.dtype)"
    node = place.node
    if isinstance(node, ast.Call) and _callee(node) in _UNARY | _REDUCTIONS and _is_method(node):
        assert isinstance(node.func, ast.Attribute)
        rest = _written(node.func.attr, _arguments(node), node.keywords)
        yield f"{owner(node.func.value)}.float().{rest}.double()"


#: Every operator of this file.
FIELD = (
    Operator("twin", _twin),
    Operator("count", _count),
    Operator("axis", _axis),
    Operator("keepdim", _keepdim),
    Operator("broadcast", _broadcast),
    Operator("left-out", _left_out),
    Operator("scaled", _scaled),
    Operator("detached", _detached),
    Operator("attached", _attached),
    Operator("batch", _first_of_batch),
    Operator("noise", _noise),
    Operator("generator", _generator),
    Operator("squeeze", _squeezed),
    Operator("in-place", _in_place),
    *KEEPING,
    Operator("bound", _bounds, "clamp"),
    Operator("float32", _single, "float32"),
)
