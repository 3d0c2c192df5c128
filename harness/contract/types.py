"""What a contract consists of: the types of arguments and results, and the signatures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import EllipsisType
from typing import Literal, TypeAlias

Dim: TypeAlias = "str | int | EllipsisType"
ScalarName = Literal["int", "float", "bool", "str"]
GeneratorName = Literal["torch.Generator", "numpy.random.Generator"]


@dataclass(frozen=True)
class ArrayType:
    """A tensor: the dtypes that are accepted (numpy's names) and its axes, outermost first.

    An axis is a name, a fixed size, or (the first only) ``...`` for any number of axes.
    """

    dtypes: tuple[str, ...]
    dims: tuple[Dim, ...]


@dataclass(frozen=True)
class ScalarType:
    """A plain Python number, truth value or string."""

    name: ScalarName


@dataclass(frozen=True)
class GeneratorType:
    """A random generator: built in the worker from a seed that the grader draws."""

    name: GeneratorName


@dataclass(frozen=True)
class CallableType:
    """A function: an argument for which measurements pass a function of the task's given.py."""

    params: tuple[Type, ...]
    returns: Type


@dataclass(frozen=True)
class TupleType:
    """Several results, in order."""

    items: tuple[Type, ...]


@dataclass(frozen=True)
class HandleType:
    """An instance of a class that the same starter defines; it stays in the worker."""

    name: str


@dataclass(frozen=True)
class EnvironmentType:
    """A Gymnasium vector environment that the grader serves: an argument, never a result."""


@dataclass(frozen=True)
class NoneType:
    """Nothing is returned."""


Type: TypeAlias = (
    "ArrayType | ScalarType | GeneratorType | CallableType | TupleType | HandleType"
    " | EnvironmentType | NoneType"
)


@dataclass(frozen=True)
class Param:
    """One parameter of a signature."""

    name: str
    type: Type
    keyword_only: bool
    has_default: bool


@dataclass(frozen=True)
class Signature:
    """The parameters of a function or method (without ``self``) and what it returns."""

    name: str
    params: tuple[Param, ...]
    returns: Type


@dataclass(frozen=True)
class ClassContract:
    """A class of the starter: the signature of its constructor, and its public methods."""

    name: str
    init: Signature
    methods: Mapping[str, Signature]


@dataclass(frozen=True)
class Contract:
    """Everything public that a starter defines."""

    functions: Mapping[str, Signature]
    classes: Mapping[str, ClassContract]

    def signatures(self) -> Iterator[tuple[str, Signature]]:
        """Everything that can be called, by its name: functions, classes, methods."""
        yield from self.functions.items()
        for each in self.classes.values():
            yield each.name, each.init
            yield from each.methods.items()

    def arguments(self) -> Iterator[tuple[str, str]]:
        """Every argument, as pairs of the name of what is called and its own."""
        for owner, signature in self.signatures():
            for param in signature.params:
                yield owner, param.name

    def axes(self) -> Iterator[str]:
        """The axes of all arguments, and the arguments of type int, which may be sizes."""
        for _, signature in self.signatures():
            for param in signature.params:
                if isinstance(param.type, ArrayType):
                    yield from (dim for dim in param.type.dims if isinstance(dim, str))
                elif param.type == ScalarType("int"):
                    yield param.name
