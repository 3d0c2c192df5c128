"""The worked example of a statement, as data: calls, and what they give.

``example.yaml`` of a task holds it. The statement shows it, a measurement replays it
(``student.example()``), and anybody can replay it at home, since no reference is needed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from harness.contract import (
    ArrayType,
    CallableType,
    Contract,
    GeneratorType,
    HandleType,
    NoneType,
    Param,
    Signature,
    TupleType,
    Type,
)
from harness.environments import Name as EnvironmentName
from harness.errors import FairmarkError
from harness.images import Name as ImageSet
from harness.spec.checks import Model
from harness.spec.instances import GivenFunction, Instances

Array = np.ndarray[Any, np.dtype[Any]]

#: An exact figure may differ by this, relatively and absolutely: it is rounded only by float64.
_ROUNDING = 1e-9
_NAME = r"^[A-Za-z][A-Za-z0-9_]*$"
_CALL = r"^[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)?$"


class ExampleError(FairmarkError):
    """A call of an example does not fit the contract."""


class ExampleCall(Model):
    """One call.

    Attributes:
        call: a function, ``instance.method``, or a class, whose instance is called ``instance``;
            ``instance.load`` puts the arguments, named arrays, into the state of a module.
        arguments: ``with`` in the file. Argument -> number, truth value, nested list, the name of
            a constant, or ``{given: function, with: {parameter: value}}``.
        by: the arguments by which the gradient of the result's sum is meant; none for its value.
        gives: the result; a list of them where the contract returns several.
        places: how many decimal places the figures have that are rounded; None if they are exact.
        note: a remark that the statement shows.
    """

    call: Annotated[str, Field(pattern=_CALL)]
    instance: str | None = Field(alias="as", default=None, pattern=_NAME)
    arguments: dict[str, Any] = Field(alias="with", default_factory=dict)
    by: tuple[str, ...] = ()
    gives: Any = None
    places: Annotated[int, Field(ge=0, le=12)] | None = None
    note: Annotated[str, Field(max_length=120)] = ""

    @property
    def loads(self) -> str:
        """The instance into whose state it puts its arguments; empty if it calls something."""
        owner, _, method = self.call.rpartition(".")
        return owner if method == "load" else ""


class Example(Model):
    """The worked example of one statement.

    Attributes:
        constants: values that several calls share, by name.
        calls: the calls in their order.
    """

    constants: dict[Annotated[str, Field(pattern=_NAME)], Any] = Field(default_factory=dict)
    calls: Annotated[tuple[ExampleCall, ...], Field(min_length=1)]


@dataclass(frozen=True)
class ReadyCall:
    """A call whose arguments are values that can be sent.

    Attributes:
        source: what it was read from.
        signature: the function, method or constructor that is called.
        arguments: in the order of the signature's parameters; of those with a default, only the
            ones that were given.
    """

    source: ExampleCall
    signature: Signature
    arguments: Mapping[str, Any]

    def agrees(self, results: tuple[Any, ...]) -> bool:
        """Whether results are what the example says, up to the places that it shows."""
        wanted = self.wanted()
        return len(wanted) == len(results) and all(
            _agrees(np.asarray(result), figure, self.source.places)
            for result, figure in zip(results, wanted, strict=True)
        )

    @property
    def several(self) -> bool:
        """Whether it gives several results, listed in ``gives``."""
        if self.source.by:
            return len(self.source.by) > 1
        return isinstance(self.signature.returns, TupleType)

    def wanted(self) -> tuple[Array, ...]:
        """The results that the example says, as float64 arrays; none of what returns nothing."""
        source = self.source
        if source.instance is not None or source.loads:
            return ()
        return tuple(map(_floats, source.gives if self.several else [source.gives]))


@dataclass(frozen=True)
class Material:
    """What a task gives its measurements, besides a program.

    Attributes:
        instances: draws from its domain.
        example: the calls of its worked example.
        images: the name of its set of images; None if it declares none.
        environments: the names of the environments that its measurements draw instances of.
    """

    instances: Instances
    example: tuple[ReadyCall, ...]
    images: ImageSet | None = None
    environments: tuple[EnvironmentName, ...] = ()


def ready(example: Example, contract: Contract, given: Contract | None) -> Iterator[ReadyCall]:
    """The calls of an example, held against the contract of its task.

    Raises:
        ExampleError: a call names what does not exist, or lacks an argument.
    """
    classes: dict[str, str] = {}
    for index, call in enumerate(example.calls):
        where = f"calls.{index} ({call.call})"
        signature = _signature(call, contract, classes, where)
        if call.instance is not None:
            classes[call.instance] = call.call
        if call.loads:
            state = {name: _array(value, example) for name, value in call.arguments.items()}
            yield ReadyCall(call, signature, state)
            continue
        unknown = set(call.arguments) - {param.name for param in signature.params}
        if unknown:
            raise ExampleError(f"{where}: {sorted(unknown)[0]} is not a parameter")
        arguments = {}
        for param in signature.params:
            if param.name in call.arguments:
                value = call.arguments[param.name]
                arguments[param.name] = _ready(value, param.type, example, given, where)
            elif isinstance(param.type, GeneratorType):
                raise ExampleError(f"{where}: {param.name} draws; an example has no chance in it")
            elif not param.has_default:
                raise ExampleError(f"{where}: {param.name} is missing")
        made = ReadyCall(call, signature, arguments)
        made.wanted()  # figures that are no numbers are refused here, not when they are compared
        yield made


def _signature(
    call: ExampleCall, contract: Contract, classes: Mapping[str, str], where: str
) -> Signature:
    owner, _, method = call.call.rpartition(".")
    if owner:
        if owner not in classes:
            raise ExampleError(f"{where}: no earlier call makes {owner} (`as: {owner}`)")
        if call.loads:
            return Signature("load", (), NoneType())
        signature = contract.classes[classes[owner]].methods.get(method)
    elif call.call in contract.classes:
        if call.instance is None:
            raise ExampleError(f"{where}: say what the instance is called (`as`)")
        return contract.classes[call.call].init
    else:
        signature = contract.functions.get(call.call)
    if signature is None:
        raise ExampleError(f"{where}: the starter does not define it")
    if call.gives is None:
        raise ExampleError(f"{where}: say what it gives (`gives`)")
    return signature


def _array(value: Any, example: Example) -> Array:
    """A nested list, or the constant of that name, as a float64 array."""
    if isinstance(value, str) and value in example.constants:
        value = example.constants[value]
    return np.array(_floats(value))


def _ready(value: Any, type_: Type, example: Example, given: Contract | None, where: str) -> Any:
    if isinstance(type_, ArrayType):
        return _array(value, example).astype(type_.dtypes[-1])
    if isinstance(value, str) and value in example.constants:
        value = example.constants[value]
    match type_:
        case CallableType():
            return _function(value, type_, example, given, where)
        case HandleType():
            return value
    return float(value) if value in ("inf", "-inf") else value


def _function(
    value: Any, type_: CallableType, example: Example, given: Contract | None, where: str
) -> GivenFunction:
    name, filled = (value, {}) if isinstance(value, str) else (value.get("given"), value)
    if given is None or name not in given.functions:
        raise ExampleError(f"{where}: given.py defines no function {name}")
    values: Mapping[str, Any] = filled.get("with", {})
    rest: tuple[Param, ...] = given.functions[name].params[len(type_.params) :]
    missing = [param.name for param in rest if param.name not in values]
    if missing:
        raise ExampleError(f"{where}: {name} lacks {missing[0]}")
    parameters = (_ready(values[param.name], param.type, example, given, where) for param in rest)
    return GivenFunction(name, tuple(parameters))


def _floats(value: Any) -> Array:
    """A nested list as a float64 array; 'inf' and '-inf' stand for infinities."""
    return np.array(value, dtype=object).astype(np.float64)


def _agrees(result: Array, wanted: Array, places: int | None) -> bool:
    if result.shape != wanted.shape:
        return False
    if places is None:
        tolerance = _ROUNDING * (1 + np.abs(wanted))
    else:
        tolerance = np.full(wanted.shape, 0.5 * 10.0**-places * (1 + _ROUNDING))
    values = result.astype(np.float64)
    with np.errstate(invalid="ignore"):
        same = (values == wanted) | (np.abs(values - wanted) <= tolerance)
    return bool(same.all())


def in_words(example: Example, calls: Iterable[ReadyCall]) -> str:
    """The example as a statement shows it: constants, then each call with what it gives.

    Args:
        calls: its calls as :func:`ready` gives them.
    """
    lines = [f"{name} = {_shown(value)}" for name, value in example.constants.items()]
    lines += [""] if lines else []
    for call in calls:
        lines += _call_in_words(call)
    return "\n".join(lines).rstrip()


def _call_in_words(ready_call: ReadyCall) -> Iterator[str]:
    call = ready_call.source
    arguments = ", ".join(f"{name}={_shown(value)}" for name, value in call.arguments.items())
    text = f"{call.call}({arguments})"
    if call.loads:
        yield f"into the state of {call.loads}: {arguments}"
        return
    if call.instance is not None:
        yield f"{call.instance} = {text}"
        return
    if call.by:
        text = f"gradient of {text} by {', '.join(call.by)}"
    figures = ", ".join(map(_shown, call.gives)) if ready_call.several else _shown(call.gives)
    note = f"    # {call.note}" if call.note else ""
    yield text
    yield f"    -> {figures}{note}"


def _shown(value: Any) -> str:
    match value:
        case list() | tuple():
            return f"[{', '.join(map(_shown, value))}]"
        case {"given": name}:
            values: Mapping[str, Any] = value.get("with", {})
            filled = ", ".join(f"{key}={_shown(item)}" for key, item in values.items())
            return f"partial({name}, {filled})" if filled else str(name)
        case str():
            return value
    return repr(value)
