"""Calls of the functions that measurements call, with arguments from all of the task's domain.

Where the domain says nothing of a function, the calls of the measurements are taken instead, whole
and with axes cut to sizes one and two.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from harness.collect.bare import LocalChannel
from harness.collect.proxy import ProgramProxy
from harness.contract import ArrayType, ContractError, HandleType, NoneType, Signature
from harness.errors import ProgramError
from harness.mutation.answers import Episode, Exchange, Recorder, with_tolerance
from harness.records import Array
from harness.spec.instances import DomainError, FreshGenerator, GivenFunction
from harness.spec.load import LoadedTask

#: Sizes that are drawn for each function; calls of each, with other values.
SIZES, VALUES = 36, 2
#: Of so many sizes one argument after another is exchanged as well.
_EXCHANGED = 4
#: Calls of one object.
_OF_OBJECT = 6
#: Recorded calls of a function that are kept where its domain is not declared.
_RECORDED = 12
#: Numbers in the arrays of such a call: larger ones are tried with their axes cut only.
_LARGEST = 20_000
_EPS = float(np.finfo(np.float64).eps)


class Episodes:
    """Calls of every function that a measurement calls, and what the program answers.

    Attributes:
        broken: what it raised where the domain promises an answer.
        drawn: what was called with arguments from the domain.
    """

    def __init__(
        self, task: LoadedTask, channel: LocalChannel, recorded: Mapping[str, Sequence[Exchange]]
    ) -> None:
        self._task = task
        self._recorder = Recorder(channel)
        self._recorded = recorded
        self._rng = np.random.default_rng([len(task.id), *task.id.encode()])
        self.broken: list[str] = []
        self.drawn: set[str] = set()

    def all(self) -> Iterator[Episode]:
        """Every episode."""
        calls, wrt = _called(self._recorded)
        for name, signature in self._task.contract.functions.items():
            if name in calls:
                try:
                    yield from self._of_function(signature, wrt.get(name, ()))
                except (DomainError, ContractError):
                    yield from self._from_recorded(signature, calls[name])
        for name in self._task.contract.classes:
            try:
                yield from self._of_class(name)
            except (DomainError, ContractError):
                yield from self._recorded_objects(name)

    def _of_function(
        self, signature: Signature, wrt: tuple[tuple[int, ...], ...]
    ) -> Iterator[Episode]:
        if self._task.spec.domain is None:
            raise DomainError("no domain")
        for number in range(SIZES):
            sizes: dict[str, int] = {}
            calls = []
            for _ in range(VALUES):
                student = self._student()
                drawn = self._task.instances.arguments(signature, self._rng, sizes=sizes)
                calls.append(drawn)
                sizes = _sizes(signature, drawn)
                arguments = [_sent(student, value) for value in drawn.values()]
                self.drawn.add(signature.name)
                kept = self._kept(partial(getattr(student, signature.name), *arguments))
                for by in wrt if kept and len(kept[-1].answers) == 1 else ():
                    cotangent = self._rng.normal(size=kept[0].answers[0].shape)
                    gradient = partial(student.vjp, signature.name, arguments, by, cotangent)
                    kept += self._kept(gradient)
                for exchange in kept:
                    yield from self._episode(signature.name, exchange)
            if number < _EXCHANGED:
                yield from self._exchanged(signature.name, *calls[:2])

    def _exchanged(
        self, name: str, first: Mapping[str, Any], second: Mapping[str, Any]
    ) -> Iterator[Episode]:
        """Calls after the first, each with one argument more of the second, begun and ended alike.

        What is kept by some arguments, or by a part of them, shows in them alone. A promise that
        the domain does not know may not hold of them, so nothing is said of what they raise.
        They are drawn with a generator of their own, so that those which follow stay what they are.
        """
        usual, self._rng = self._rng, np.random.default_rng([len(name), *name.encode()])
        student = self._student()
        found: list[Episode] = []
        instances = self._task.instances
        second = instances.exchangeable(name, first, second)
        for call in instances.replaced(tuple(first.values()), tuple(second.values()))[1:]:
            self._recorder.kept.clear()
            try:
                getattr(student, name)(*(_sent(student, value) for value in call))
            except ProgramError:
                continue
            for exchange in tuple(self._recorder.kept):
                found += self._episode(name, exchange)
        self._rng = usual
        yield from found

    def _of_class(self, name: str) -> Iterator[Episode]:
        if self._task.spec.domain is None:
            raise DomainError("no domain")
        called = _methods_called(self._recorded, name)
        contract = self._task.contract.classes[name]
        methods = [
            each
            for method, each in contract.methods.items()
            if method in called and not isinstance(each.returns, NoneType | HandleType)
        ]
        for _ in range(SIZES if methods else 0):
            self._recorder.renew()
            student = self._student()
            arguments = self._task.instances.arguments(contract.init, self._rng, owner=name)
            sizes = _sizes(contract.init, arguments)
            self._recorder.kept.clear()
            try:
                handle = student.new(name, *(_sent(student, item) for item in arguments.values()))
                for index in self._rng.integers(len(methods), size=_OF_OBJECT):
                    method = methods[index]
                    drawn = self._task.instances.arguments(method, self._rng, sizes=sizes)
                    values = [_sent(student, value) for value in drawn.values()]
                    getattr(handle, method.name)(*values)
            except ProgramError as error:
                self.broken.append(f"{name}: {error}")
                continue
            kept = [with_tolerance(item, None) for item in self._recorder.kept]
            self.drawn.add(name)
            yield Episode(name, tuple(kept), fresh=True)

    def _from_recorded(self, signature: Signature, calls: Sequence[Exchange]) -> Iterator[Episode]:
        """Calls of the measurements, whole and with every axis cut to one and to two."""
        chosen = self._rng.permutation(len(calls))[:_RECORDED]
        for index in chosen:
            for arrays in _cuts(signature, calls[index]):
                if sum(array.size for array in arrays) > _LARGEST:
                    continue
                exchange = self._answered(calls[index].message, arrays)
                if not exchange.error:
                    yield from self._episode(signature.name, exchange)

    def _recorded_objects(self, name: str) -> Iterator[Episode]:
        """What measurements do with objects of a class, as it was recorded."""
        for exchanges in self._recorded.values():
            made = [item for item in exchanges if _is_new(item, name)]
            if made and not any(item.error or _served(item) for item in exchanges):
                kept = [with_tolerance(item, None) for item in exchanges]
                yield Episode(name, tuple(kept), fresh=True)

    def _student(self) -> ProgramProxy:
        task = self._task
        return ProgramProxy(self._recorder, task.contract, self._rng, material=task.material)

    def _kept(self, call: Callable[[], Any]) -> list[Exchange]:
        """The exchanges of a call; what it raises is remembered."""
        self._recorder.kept.clear()
        try:
            call()
        except ProgramError as error:
            self.broken.append(str(error))
        return list(self._recorder.kept)

    def _episode(self, target: str, exchange: Exchange) -> Iterator[Episode]:
        if exchange.error:
            return
        signs = self._rng.choice([-1.0, 1.0], size=64)
        moved = [
            array * (1 + 2 * _EPS * np.resize(signs, array.shape))
            if array.dtype.kind == "f"
            else array
            for array in exchange.arrays
        ]
        with np.errstate(all="ignore"):
            near = self._answered(exchange.message, tuple(moved))
            yield Episode(target, (with_tolerance(exchange, near),))

    def _answered(self, message: Mapping[str, Any], arrays: tuple[Array, ...]) -> Exchange:
        self._recorder.kept.clear()
        try:
            self._recorder.request(message, arrays)
        except ProgramError:
            pass
        return self._recorder.kept[-1]


def _called(
    recorded: Mapping[str, Sequence[Exchange]],
) -> tuple[dict[str, list[Exchange]], dict[str, tuple[tuple[int, ...], ...]]]:
    """Function -> the recorded calls; function -> the sets of arguments it is differentiated by."""
    calls: dict[str, list[Exchange]] = {}
    wrt: dict[str, dict[tuple[int, ...], None]] = {}
    for exchanges in recorded.values():
        for exchange in exchanges:
            message = exchange.message
            if message["op"] not in ("call", "vjp") or "handle" in message["target"]:
                continue
            if exchange.error or _served(exchange):
                continue
            name = message["target"]["name"]
            calls.setdefault(name, []).append(exchange)
            if message["op"] == "vjp":
                wrt.setdefault(name, {})[tuple(message["wrt"])] = None
    return calls, {name: tuple(sets) for name, sets in wrt.items()}


def _methods_called(recorded: Mapping[str, Sequence[Exchange]], name: str) -> set[str]:
    """The methods of a class that measurements call."""
    called = set()
    for exchanges in recorded.values():
        made = [item.message["target"]["name"] for item in exchanges if item.message["op"] == "new"]
        for item in exchanges:
            handle = item.message.get("target", {}).get("handle")
            if handle is not None and handle < len(made) and made[handle] == name:
                called.add(item.message["target"]["name"])
    return called


def _is_new(exchange: Exchange, name: str) -> bool:
    message = exchange.message
    return bool(message["op"] == "new" and message["target"]["name"] == name)


def _served(exchange: Exchange) -> bool:
    """Whether a request hands over an environment, which cannot be replayed."""
    values = [*exchange.message.get("args", ()), *exchange.message.get("named", {}).values()]
    return any(item.get("t") == "environment" for item in values)


def _sizes(signature: Signature, drawn: Mapping[str, Any]) -> dict[str, int]:
    """The sizes of all axes that some arguments have; of ``int`` parameters, their values."""
    sizes: dict[str, int] = {}
    for param in signature.params:
        value = drawn[param.name]
        if isinstance(param.type, ArrayType):
            if ... not in param.type.dims:
                named = zip(param.type.dims, value.shape, strict=True)
                sizes |= {dim: size for dim, size in named if isinstance(dim, str)}
        elif isinstance(value, int) and not isinstance(value, bool):
            sizes[param.name] = value
    return sizes


def _sent(student: ProgramProxy, value: Any) -> Any:
    """A drawn argument as a call takes it."""
    if isinstance(value, FreshGenerator):
        return student.generator()
    if isinstance(value, GivenFunction):
        return student.given(value.name, *value.parameters)
    return value


def _cuts(signature: Signature, exchange: Exchange) -> Iterator[tuple[Array, ...]]:
    """The arrays of a call: whole, and with every named axis cut to one and to two."""
    yield exchange.arrays
    types = [param.type for param in signature.params]
    dims: dict[int, tuple[Any, ...]] = {}
    for spec, type_ in zip(exchange.message["args"], types, strict=False):
        if spec["t"] == "tensor" and isinstance(type_, ArrayType):
            dims[spec["i"]] = type_.dims
    if exchange.message["op"] == "vjp":
        return
    for axis in dict.fromkeys(
        dim for each in dims.values() for dim in each if isinstance(dim, str)
    ):
        for size in (1, 2):
            arrays = list(exchange.arrays)
            for index, names in dims.items():
                arrays[index] = _cut(arrays[index], names, axis, size)
            yield tuple(arrays)


def _cut(array: Array, names: tuple[Any, ...], axis: str, size: int) -> Array:
    """An array with the axes of one name cut to a size; ``names`` are those of all its axes."""
    for number, name in enumerate(names):
        if name == axis:
            array = array.take(range(min(size, array.shape[number])), axis=number)
    return array
