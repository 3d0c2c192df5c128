"""Draws sizes and arguments from the domain of a task, its edges always among them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import EllipsisType
from typing import Any, Literal, TypeAlias

import numpy as np

from harness.contract import (
    ArrayType,
    CallableType,
    Contract,
    GeneratorType,
    Param,
    ScalarType,
    Signature,
)
from harness.errors import FairmarkError
from harness.spec import mixing, probabilities
from harness.spec.domain import (
    Bits,
    Divisor,
    Domain,
    Functions,
    Index,
    LogSimplex,
    Normal,
    OneHot,
    Prefix,
    Simplex,
    Uniform,
    Values,
)

Array = np.ndarray[Any, np.dtype[Any]]

#: The arguments of one call, in their order.
Call: TypeAlias = tuple[Any, ...]

#: What the arrays of two calls share.
Shared: TypeAlias = Literal["rows", "axes", "nothing"]

#: The largest number of axes that a leading ``...`` stands for in drawn arguments.
_MOST_BATCH_AXES = 2


class DomainError(FairmarkError):
    """The domain says nothing of an axis or an argument that is to be drawn."""


@dataclass(frozen=True)
class GivenFunction:
    """Stands for a function of given.py, its last parameters filled in."""

    name: str
    parameters: tuple[Any, ...]


@dataclass(frozen=True)
class FreshGenerator:
    """Stands for a generator with a seed of its own."""


class Instances:
    """Draws from a domain.

    Args:
        domain: that of the task.
        given: the signatures of given.py, for arguments that are its functions.
    """

    def __init__(self, domain: Domain, given: Contract | None = None) -> None:
        self._domain = domain
        self._given = given

    def sizes(self, axis: str) -> tuple[int, int]:
        """The smallest and the largest size of an axis.

        Raises:
            DomainError: the domain says nothing of it.
        """
        try:
            sizes = self._domain.sizes[axis]
        except KeyError:
            raise DomainError(f"add domain.sizes.{axis} to task.yaml") from None
        return sizes.least, sizes.most

    def size(self, rng: np.random.Generator, axis: str, **known: int) -> int:
        """A size of an axis: in one of four draws the smallest, small ones before large ones.

        Args:
            axis: the axis, or the argument that counts something.
            known: sizes of other axes, for one that the domain relates to them.

        Raises:
            DomainError: the domain says nothing of the axis, or relates it to one that is not
                known, or the known sizes leave none.
        """
        self.sizes(axis)
        bound = self._domain.sizes[axis].bound
        if bound is not None and bound.axis not in known:
            raise DomainError(
                f"{axis} depends on {bound.axis}: write size(rng, {axis!r}, {bound.axis}=…)"
            )
        least, most = self._domain.range_of(axis, known)
        if least > most:
            given = ", ".join(f"{name} = {size}" for name, size in known.items())
            raise DomainError(f"{given} leaves no size to {axis}")
        if rng.random() < 0.25:
            return least
        low = max(least, 1)
        return int(np.clip(np.floor(np.exp(rng.uniform(np.log(low), np.log(most + 1)))), low, most))

    def draw(self, rng: np.random.Generator, argument: str, *shape: int) -> Array:
        """Values of an argument (``f.x`` for that of one function), float64 unless its law says so.

        Every edge of the values is among them, at a random place, if the array has room for all;
        else as many as it has room for. An index or a divisor needs the size that bounds it:
        see :meth:`arguments`.

        Args:
            argument: as it is called in the domain.
            shape: the shape that is wanted; none for a number.

        Raises:
            DomainError: the domain says nothing of the argument.
        """
        law = self._domain.values.get(argument)
        if law is None:
            law = self._domain.values.get(argument.rpartition(".")[2])
        if law is None:
            raise DomainError(f"add domain.values.{argument} to task.yaml")
        return _drawn(law, rng, shape, {})

    def replaced(
        self, first: Call, second: Call, *others: Call, alike: Shared = "rows"
    ) -> list[Call]:
        """The first call; calls in each of which one argument more is that of the second; others.

        So a result that a program keeps by all other arguments comes back, also where it keeps only
        that of the call before. The last of these calls has every argument of the second. Its
        arrays begin and end as those of the first, so that what is kept by shapes, by first or last
        rows or elements comes back, too. The first two calls have arguments of the same sizes.

        Args:
            alike: "rows" leaves the first row (:meth:`first_alike`) and the last one
                (:meth:`last_alike`); "axes" the first slice along every axis
                (:meth:`begun_alike`) and the last row; "nothing" is for arguments that are bound by
                a law which rows of both calls together would break.

        Raises:
            DomainError: the first two have different numbers of arguments.
        """
        if len(first) != len(second):
            numbers = f"{len(first)} arguments and the other {len(second)}"
            raise DomainError(f"one call has {numbers}; both are to be of one function")
        taken = second
        if alike != "nothing":
            begun = self.first_alike if alike == "rows" else self.begun_alike
            taken = self.last_alike(first, begun(first, second))
        calls = ((*taken[:count], *first[count:]) for count in range(len(first) + 1))
        return [*calls, *others]

    @staticmethod
    def one_sided(call: Call) -> list[Call]:
        """The call with all numbers below 0, with all above 0, and with all truth values true.

        Arrays of float64 that have numbers of both signs change, and those of truth values; all
        others, and what is no array, stay as they are. No number leaves the range of its array,
        and different numbers stay different. A call that nothing would change in is left out.
        """
        sides = [tuple(mixing.of_sign(each, sign) for each in call) for sign in (-1, 1)]
        true = tuple(mixing.all_true(each) for each in call)
        return [
            new
            for new in (*sides, true)
            if any(one is not other for one, other in zip(new, call, strict=True))
        ]

    def first_alike(self, first: Call, second: Call) -> Call:
        """The second call, the first row of whose arrays is that of the first one.

        A row is what one index of the first axis gives. In a task that has probabilities, an array
        of one axis that sums to one keeps its sum: its later entries are scaled; so do logarithms
        of probabilities. Arguments other than arrays, arrays of another shape or of one row, and
        such as nothing would be left of that is new, are as they are.

        Raises:
            ValueError: the calls have different numbers of arguments.
        """
        pairs = zip(first, second, strict=True)
        return tuple(mixing.begun(*pair, has_laws=self._has_probabilities) for pair in pairs)

    def last_alike(self, first: Call, second: Call) -> Call:
        """The second call, the last row of whose arrays is that of the first one.

        Probabilities of one axis are as they are, and what :meth:`first_alike` leaves as it is.

        Raises:
            ValueError: the calls have different numbers of arguments.
        """
        pairs = zip(first, second, strict=True)
        return tuple(mixing.ended(*pair, has_laws=self._has_probabilities) for pair in pairs)

    @staticmethod
    def begun_alike(first: Call, second: Call) -> Call:
        """The second call, whose arrays begin as those of the first one along every axis.

        The first row, the first column and so on are those of the first call, so that a result
        that a program keeps by these alone comes back, too. Arguments other than arrays, and
        arrays of another shape, are as they are.

        Raises:
            ValueError: the calls have different numbers of arguments.
        """
        return tuple(mixing.begun_along_axes(*pair) for pair in zip(first, second, strict=True))

    @cached_property
    def _has_probabilities(self) -> bool:
        laws = self._domain.values.values()
        return any(isinstance(law, Simplex | LogSimplex) for law in laws)

    def arguments(
        self,
        signature: Signature,
        rng: np.random.Generator,
        *,
        owner: str = "",
        sizes: Mapping[str, int] | None = None,
    ) -> dict[str, Any]:
        """Arguments for one call, of sizes and values from all of the domain.

        Args:
            signature: the function or method.
            rng: what they are drawn with.
            owner: how the domain calls the signature; its name unless given.
            sizes: axes whose sizes are not to be drawn.

        Returns:
            Parameter -> an array, a Python number, a :class:`GivenFunction` or a
            :class:`FreshGenerator`.

        Raises:
            DomainError: the domain says nothing of a parameter or an axis.
        """
        known, name = dict(sizes or {}), owner or signature.name
        drawn = {param.name: self._argument(param, name, rng, known) for param in signature.params}
        for argument, value in drawn.items():
            law = self._domain.law(name, argument)
            if isinstance(law, Simplex) and law.unless is not None:
                _fill(value, np.asarray(drawn[law.unless]), rng)
        return drawn

    def exchangeable(
        self, owner: str, first: Mapping[str, Any], second: Mapping[str, Any]
    ) -> dict[str, Any]:
        """The second arguments of a function, each of which may stand among the first.

        Both have the same sizes. Where the second alone is excepted from a law (``unless``), its
        values are those of the first, and what either excepts is excepted.
        """
        mixed = dict(second)
        for argument, value in second.items():
            law = self._domain.law(owner, argument)
            if isinstance(law, Simplex) and law.unless is not None:
                excepted = np.asarray(second[law.unless])
                mixed[argument] = np.array(value)
                mixed[argument][excepted] = first[argument][excepted]
                mixed[law.unless] = first[law.unless] | excepted
        return mixed

    def _argument(  # noqa: PLR0911 - one return for each type
        self, param: Param, owner: str, rng: np.random.Generator, known: dict[str, int]
    ) -> Any:
        law = self._domain.law(owner, param.name)
        if isinstance(law, Index | Divisor):
            for axis in law.axes:
                if axis not in known:
                    self._know(axis, rng, known)
        match param.type:
            case GeneratorType():
                return FreshGenerator()
            case CallableType() if isinstance(law, Functions):
                return self._function(law, param.type, rng, known)
            case ScalarType(name="int") if param.name in self._domain.sizes and law is None:
                self._know(param.name, rng, known)
                return known[param.name]
            case ArrayType() if law is not None:
                shape = self._shape(param.type, rng, known)
                return _drawn(law, rng, shape, known).astype(param.type.dtypes[-1])
            case ScalarType(name="int") if law is not None:
                return known.setdefault(param.name, int(np.rint(_drawn(law, rng, (), known))))
            case ScalarType(name="bool") if law is not None:
                return bool(_drawn(law, rng, (), known))
            case ScalarType(name="float") if law is not None:
                return float(_drawn(law, rng, (), known))
        raise DomainError(f"add domain.values.{param.name} (or {owner}.{param.name}) to task.yaml")

    def _know(self, axis: str, rng: np.random.Generator, known: dict[str, int]) -> None:
        """Draws the size of an axis, unless it is known; before it that of what bounds it."""
        self.sizes(axis)
        bound = self._domain.sizes[axis].bound
        if bound is not None and bound.axis not in known:
            self._know(bound.axis, rng, known)
        known.setdefault(axis, self.size(rng, axis, **known))

    def _shape(
        self, type_: ArrayType, rng: np.random.Generator, known: dict[str, int]
    ) -> tuple[int, ...]:
        shape: list[int] = []
        for dim in type_.dims:
            if isinstance(dim, EllipsisType):
                count = known.setdefault("...", int(rng.integers(_MOST_BATCH_AXES + 1)))
                names = [f"...{axis}" for axis in range(count)]
                shape += [known.setdefault(name, int(rng.integers(1, 4))) for name in names]
            elif isinstance(dim, int):
                shape.append(dim)
            else:
                if dim not in known:
                    self._know(dim, rng, known)
                shape.append(known[dim])
        return tuple(shape)

    def _function(
        self, law: Functions, type_: CallableType, rng: np.random.Generator, known: dict[str, int]
    ) -> GivenFunction:
        """A function of given.py; what it takes beyond the type's parameters is filled in."""
        name = str(rng.choice(list(law.names)))
        if self._given is None or name not in self._given.functions:
            raise DomainError(f"given.py defines no function {name}")
        rest = self._given.functions[name].params[len(type_.params) :]
        return GivenFunction(name, tuple(self._argument(param, name, rng, known) for param in rest))


def _drawn(  # noqa: PLR0911 - one return for each law
    law: Values, rng: np.random.Generator, shape: tuple[int, ...], known: Mapping[str, int]
) -> Array:
    match law:
        case Uniform():
            return _with_edges(law, rng, shape)
        case Normal():
            return np.asarray(rng.normal(size=shape))
        case Bits(some=some):
            bits = np.asarray(rng.integers(0, 2, shape).astype(np.float64))
            return _with_some(bits, rng) if some else bits
        case Index():
            below = math.prod(_size(known, axis) for axis in law.axes)
            return np.asarray(rng.integers(0, below, shape))
        case Divisor(of=of):
            size = _size(known, of)
            return np.asarray(
                rng.choice([part for part in range(1, size + 1) if size % part == 0], shape)
            )
        case Prefix():
            lengths = rng.integers(1, shape[-1] + 1, (*shape[:-1], 1))
            return np.asarray(np.arange(shape[-1]) < lengths)
        case Simplex() | LogSimplex():
            return probabilities.drawn(law, rng, shape)
        case OneHot():
            return np.asarray(np.eye(shape[-1])[rng.integers(shape[-1], size=shape[:-1])])
    raise DomainError(f"the law {law.law} gives no numbers")


def _with_some(bits: Array, rng: np.random.Generator) -> Array:
    """Bits [..., n], a one at a random place of every last axis that had none."""
    rows = bits.reshape(-1, bits.shape[-1])
    empty = np.flatnonzero(~rows.any(axis=-1))
    rows[empty, rng.integers(0, rows.shape[-1], empty.size)] = 1.0
    return rows.reshape(bits.shape)


def _fill(values: Array, where: Array, rng: np.random.Generator) -> None:
    """Puts numbers that are no probabilities where something is true, 0 among them."""
    values[where] = rng.integers(-2, 3, values[where].shape) * rng.choice([0.5, 1.0, 1e3])


def _with_edges(law: Uniform, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    if law.log:
        drawn = np.exp(rng.uniform(np.log(law.least), np.log(law.most), shape))
    else:
        drawn = rng.uniform(law.least, law.most, shape)
    values = np.array(drawn, dtype=np.float64)
    flat = values.reshape(-1)
    edges = rng.permutation(np.array(law.edges, dtype=np.float64))
    count = min(flat.size, edges.size)
    # a single number is an edge in half of the draws, so that ordinary ones are tried as well
    if flat.size > 1 or rng.random() < 0.5:
        flat[rng.choice(flat.size, count, replace=False)] = edges[:count]
    return flat.reshape(shape)


def _size(known: Mapping[str, int], axis: str) -> int:
    if axis not in known:
        raise DomainError(f"what is bounded by the size of {axis} is drawn with the whole call")
    return known[axis]
