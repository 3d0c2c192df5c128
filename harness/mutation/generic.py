"""Operators that suit any program: arithmetic, comparisons, constants, terms, statements."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from harness.mutation.source import Operator, Place, owner, text

_TERMS: Mapping[type[ast.operator], tuple[str, ...]] = {
    ast.Add: ("{a} - {b}", "{a}", "{b}", "{a} + {b} + {b}"),
    ast.Sub: ("{a} + {b}", "{a}", "-{b}", "{b} - {a}", "{a} - {b} - {b}"),
    ast.Mult: ("{a} / {b}", "{a}", "{b}", "{a} * {b} * {b}", "-{a} * {b}"),
    ast.Div: ("{a} * {b}", "{a}", "{b} / {a}", "{a} / {b} / {b}", "-{a} / {b}"),
    ast.Pow: ("{a}", "{a} * {b}", "{a} ** ({b} + 1)", "-{a} ** {b}", "{owner}.abs()"),
    ast.MatMult: ("{a} @ {b} * 2", "-{a} @ {b}", "{a}", "{b}", "{b} @ {a}"),
    ast.FloorDiv: ("-(-{a} // {b})", "{a} / {b}"),
    ast.Mod: ("{a} // {b}", "{a}"),
    ast.BitOr: ("{a} & {b}", "{a}", "{b}"),
    ast.BitAnd: ("{a} | {b}", "{a}", "{b}"),
}
_COMPARISONS: Mapping[type[ast.cmpop], tuple[str, ...]] = {
    ast.Lt: ("<=", ">"),
    ast.LtE: ("<", ">="),
    ast.Gt: (">=", "<"),
    ast.GtE: (">", "<="),
    ast.Eq: ("!=", ">="),
    ast.NotEq: ("==",),
    ast.In: ("not in",),
    ast.NotIn: ("in",),
    ast.Is: ("is not",),
    ast.IsNot: ("is",),
}


def _terms(place: Place) -> Iterator[str]:
    """Another sign; a term or factor that is dropped or stands twice."""
    if isinstance(place.node, ast.BinOp):
        for form in _TERMS.get(type(place.node.op), ()):
            left, right = place.node.left, place.node.right
            yield form.format(a=text(left), b=text(right), owner=owner(left))


def _unary(place: Place) -> Iterator[str]:
    match place.node:
        case ast.UnaryOp(op=ast.USub() | ast.Not() | ast.Invert(), operand=operand):
            yield text(operand)


def _sign_of_result(place: Place) -> Iterator[str]:
    if isinstance(place.parent, ast.Return) or _is_part_of_result(place):
        if isinstance(place.node, ast.expr) and not isinstance(place.node, ast.Tuple):
            yield f"-{text(place.node)}"


def _is_part_of_result(place: Place) -> bool:
    return (
        len(place.parents) > 1
        and isinstance(place.parent, ast.Tuple)
        and isinstance(place.parents[1], ast.Return)
    )


def _comparison(place: Place) -> Iterator[str]:
    match place.node:
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            for other in _COMPARISONS[type(op)]:
                yield f"{text(left)} {other} {text(right)}"


def _logic(place: Place) -> Iterator[str]:
    match place.node:
        case ast.BoolOp(op=op, values=values):
            other = " or " if isinstance(op, ast.And) else " and "
            yield other.join(map(text, values))
            yield from map(text, values)
        case ast.IfExp(test=test, body=body, orelse=orelse):
            yield f"{text(orelse)} if {text(test)} else {text(body)}"
            yield text(body)
            yield text(orelse)


def _condition(place: Place) -> Iterator[str]:
    """A branch that is always taken, or never."""
    match place.parent:
        case ast.If(test=test) | ast.While(test=test) if test is place.node:
            yield f"not {text(test)}"
            if isinstance(place.parent, ast.If):
                yield "True"
            yield "False"


def _constant(place: Place) -> Iterator[str]:
    """½, 2, ln 2π, n ± 1: the neighbours of a number, its double and its half."""
    value = getattr(place.node, "value", None)
    if not isinstance(place.node, ast.Constant) or is_axis(place):
        return
    if isinstance(value, bool):
        yield str(not value)
    elif isinstance(value, int):
        yield str(value + 1)
        yield str(value - 1)
        if isinstance(place.parent, ast.BinOp) and value > 1:
            yield str(2 * value)
    elif isinstance(value, float):
        yield repr(2 * value)
        yield repr(value / 2)
        yield repr(-value if value else 1.0)
        if value not in (0.0, 1.0):
            yield "1.0"


def is_axis(place: Place) -> bool:
    """Whether a constant says along which axis something is done; it has operators of its own."""
    return any(
        isinstance(parent, ast.keyword) and parent.arg in ("dim", "axis")
        for parent in place.parents[:3]
    )


def _statement(place: Place) -> Iterator[str]:
    """A statement that is left out."""
    match place.node:
        case ast.AugAssign() | ast.Expr() | ast.Continue() | ast.Break():
            yield "pass"
        case ast.Assign(targets=[ast.Name(id=name)], value=value) if name in names_in(value):
            yield "pass"
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]):
            yield "pass"
    match place.node:
        case ast.Continue():
            yield "break"
        case ast.AugAssign(target=target, op=op, value=value):
            other = "-" if isinstance(op, ast.Add) else "+"
            yield f"{ast.unparse(target)} {other}= {ast.unparse(value)}"
            yield f"{ast.unparse(target)} = {ast.unparse(value)}"


def names_in(node: ast.AST) -> frozenset[str]:
    """The names that an expression reads."""
    return frozenset(item.id for item in ast.walk(node) if isinstance(item, ast.Name))


def _swapped(place: Place) -> Iterator[str]:
    """Two neighbouring arguments, exchanged."""
    if isinstance(place.node, ast.Call):
        args = list(map(ast.unparse, place.node.args))
        keywords = [ast.unparse(item) for item in place.node.keywords]
        for index in range(len(args) - 1):
            other = [*args[:index], args[index + 1], args[index], *args[index + 2 :]]
            if not any(item.startswith("*") for item in args[index : index + 2]):
                yield f"{text(place.node.func)}({', '.join([*other, *keywords])})"


def _swapped_parameters(place: Place) -> Iterator[str]:
    """Two parameters of one type, exchanged for the whole of a function."""
    if isinstance(place.node, ast.FunctionDef) and "." not in place.unit:
        params = [arg for arg in place.node.args.args if arg.annotation is not None]
        typed = [(arg.arg, ast.unparse(arg.annotation)) for arg in params if arg.annotation]
        for index, (first, type_) in enumerate(typed):
            for second, other in typed[index + 1 :]:
                if type_ == other:
                    yield f"{first}, {second} = {second}, {first}"
                    break


def _slices(place: Place) -> Iterator[str]:
    """A slice or an index that is off by one."""
    match place.node:
        case ast.Subscript(value=value, slice=ast.Slice(lower, upper, step)) if step is None:
            low = ast.unparse(lower) if lower else ""
            high = ast.unparse(upper) if upper else ""
            yield f"{text(value)}[{low or 0} + 1 :{high}]"
            if lower:
                yield f"{text(value)}[{low} - 1 :{high}]"
                yield f"{text(value)}[:{high}]"
            if upper:
                yield f"{text(value)}[{low}: ({high}) - 1]"
                yield f"{text(value)}[{low}: ({high}) + 1]"
                yield f"{text(value)}[{low}:]"
        case ast.Call(func=ast.Name(id="range"), args=args):
            for index, argument in enumerate(args):
                for offset in ("+ 1", "- 1"):
                    parts = [ast.unparse(item) for item in args]
                    parts[index] = f"{text(argument)} {offset}"
                    yield f"range({', '.join(parts)})"
        case ast.Call(func=ast.Name(id="reversed"), args=[argument]):
            yield text(argument)


#: Every operator of this file.
GENERIC = (
    Operator("term", _terms),
    Operator("unary", _unary),
    Operator("sign", _sign_of_result),
    Operator("comparison", _comparison),
    Operator("logic", _logic),
    Operator("condition", _condition),
    Operator("constant", _constant),
    Operator("statement", _statement),
    Operator("swap", _swapped),
    Operator("parameters", _swapped_parameters),
    Operator("slice", _slices),
)
