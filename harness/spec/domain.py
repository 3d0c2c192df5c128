"""The domain of a task: the sizes and values that the statement allows for every argument.

It stands once, under ``domain`` in task.yaml. The statement shows it as a table, measurements draw
from it (:mod:`harness.spec.instances`), and ``verify`` objects to an edge that none reaches.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import (
    Discriminator,
    Field,
    SerializerFunctionWrapHandler,
    Tag,
    model_serializer,
    model_validator,
)

from harness.spec.checks import Model, Name

#: A number that a law always has among its draws; YAML specs have no infinity of their own.
Special: TypeAlias = "float | Literal['inf', '-inf']"

_AXIS = r"^[A-Za-z][A-Za-z0-9_]*$"


@dataclass(frozen=True)
class Bound:
    """What the size of an axis is at least, by that of another: ``axis``, or ``gap`` more."""

    axis: str
    gap: int


class Sizes(Model):
    """The sizes of an axis, or of an argument of type int that counts something.

    ``at_least`` or ``above`` names another axis, whose size this one never falls below or always
    exceeds.
    """

    least: Annotated[int, Field(ge=0)] = 1
    most: Annotated[int, Field(ge=1)]
    at_least: str | None = None
    above: str | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.least > self.most:
            raise ValueError("`least` is larger than `most`")
        if self.at_least is not None and self.above is not None:
            raise ValueError("`at_least` and `above` exclude each other; write one of them")
        return self

    @model_serializer(mode="wrap")
    def _dump_what_is_set(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leaves unset fields out, so that specs without them keep their digests."""
        return {name: value for name, value in dump(self).items() if value is not None}

    @property
    def bound(self) -> Bound | None:
        """What another axis asks of this one."""
        if self.above is not None:
            return Bound(self.above, 1)
        return None if self.at_least is None else Bound(self.at_least, 0)


class Uniform(Model):
    """Numbers between two ends, both included; ``also`` names values in between, or infinite ones.

    With ``log`` the logarithm is uniform. ``meaning`` is added to the statement's table, such as
    "in nats".
    """

    law: Literal["uniform"] = "uniform"
    least: float
    most: float
    also: tuple[Special, ...] = ()
    log: bool = False
    meaning: Annotated[str, Field(max_length=120)] = ""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.least > self.most:
            raise ValueError("`least` is larger than `most`")
        if self.log and self.least <= 0:
            raise ValueError("a logarithm needs `least` above 0")
        return self

    @property
    def edges(self) -> tuple[float, ...]:
        """Every value that has to be among the draws."""
        return tuple(dict.fromkeys((self.least, self.most, *map(float, self.also))))


class Normal(Model):
    """Standard normal noise."""

    law: Literal["normal"]


class _DumpsWhatIsSet(Model):
    """A law whose fields at their defaults are left out, so that specs keep their digests."""

    @model_serializer(mode="wrap")
    def _dump_what_is_set(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {name: value for name, value in dump(self).items() if value}


class Bits(_DumpsWhatIsSet):
    """Zeros and ones, or truth values, each with probability one half.

    With ``some`` at least one along the last axis is a one, or true.
    """

    law: Literal["bits"]
    some: bool = False


class Simplex(_DumpsWhatIsSet):
    """Probabilities: along the last axis none below ``least``, which is among them, and of sum one.

    ``unless`` names a Bool argument of the same call with the same first axes: where it is true,
    any finite numbers stand.
    """

    law: Literal["simplex"]
    least: Annotated[float, Field(ge=0, lt=1)] = 0.0
    unless: Annotated[str, Field(pattern=_AXIS)] | None = None

    @property
    def smallest(self) -> float:
        """The smallest probability."""
        return self.least

    @property
    def edges(self) -> tuple[float, ...]:
        """Every value that has to be among the draws."""
        return (self.least,)


class LogSimplex(Model):
    """Natural logarithms, from ``least`` on, of probabilities whose last axis sums to one."""

    law: Literal["log-simplex"]
    least: Special = "-inf"

    @model_validator(mode="after")
    def _below_one(self) -> Self:
        if not float(self.least) < 0:
            raise ValueError("the logarithm of a probability is below 0; so is `least`")
        return self

    @property
    def smallest(self) -> float:
        """The smallest probability."""
        return math.exp(float(self.least))

    @property
    def edges(self) -> tuple[float, ...]:
        """Every value that has to be among the draws."""
        return (float(self.least),)


class OneHot(Model):
    """A one among zeros along the last axis."""

    law: Literal["one-hot"]


class Index(Model):
    """Whole numbers from 0, below the size of an axis, or a product of sizes such as ``h * w``."""

    law: Literal["index"]
    below: str

    @property
    def axes(self) -> tuple[str, ...]:
        """The axes whose sizes bound it."""
        return tuple(part.strip() for part in self.below.split("*"))


class Prefix(Model):
    """Truth values: along the last axis true first, false after; at least one is true."""

    law: Literal["prefix"]


class Divisor(Model):
    """A whole number that divides the size of an axis; 1 and the size itself are among them."""

    law: Literal["divisor"]
    of: str

    @property
    def axes(self) -> tuple[str, ...]:
        """The axis whose size it divides."""
        return (self.of,)


class Functions(Model):
    """Functions of given.py by name; their parameters are drawn by their own names."""

    law: Literal["functions"]
    names: Annotated[tuple[Name, ...], Field(min_length=1)]


def _law(value: Any) -> str:
    if isinstance(value, Mapping):
        return str(value.get("law", "uniform"))
    return str(getattr(value, "law", "uniform"))


Values: TypeAlias = Annotated[
    Annotated[Uniform, Tag("uniform")]
    | Annotated[Normal, Tag("normal")]
    | Annotated[Bits, Tag("bits")]
    | Annotated[Simplex, Tag("simplex")]
    | Annotated[LogSimplex, Tag("log-simplex")]
    | Annotated[OneHot, Tag("one-hot")]
    | Annotated[Index, Tag("index")]
    | Annotated[Prefix, Tag("prefix")]
    | Annotated[Divisor, Tag("divisor")]
    | Annotated[Functions, Tag("functions")],
    Discriminator(_law),
]

_ARGUMENT = r"^[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)?$"


class Domain(Model):
    """What the statement allows: sizes by axis, values by argument.

    Attributes:
        sizes: axis, or argument of type int, -> its sizes.
        values: argument -> its values; where a name means something else in one place,
            ``function.argument``, ``method.argument`` or ``Class.argument`` (of the constructor).
    """

    sizes: dict[Annotated[str, Field(pattern=_AXIS)], Sizes] = Field(default_factory=dict)
    values: dict[Annotated[str, Field(pattern=_ARGUMENT)], Values] = Field(default_factory=dict)

    def range_of(self, axis: str, known: Mapping[str, int]) -> tuple[int, int]:
        """The smallest and the largest size of an axis where the sizes of others are known.

        The first is the larger one where the known sizes leave none.
        """
        sizes = self.sizes[axis]
        least, most = sizes.least, sizes.most
        if (bound := sizes.bound) is not None and bound.axis in known:
            least = max(least, known[bound.axis] + bound.gap)
        for other, size in known.items():
            declared = self.sizes.get(other)
            bound = declared.bound if declared is not None else None
            if bound is not None and bound.axis == axis:
                most = min(most, size - bound.gap)
        return least, most

    def law(self, owner: str, argument: str) -> Values | None:
        """The values of an argument of a function; None if nothing is said of them."""
        return self.values.get(f"{owner}.{argument}", self.values.get(argument))
