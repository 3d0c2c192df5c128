"""A recorded call as Python that a student can run beside the submitted file.

The batch is cut to one row where the calls are too long otherwise: the axis that contracts call
``b`` holds rows that do not depend on each other (docs/authoring.md). Nothing else is cut, since a
shorter sum or a smaller matrix would be another call. Where the numbers are still too many to be
read, they are left to a file that the snippet loads.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from harness.arrays import decode_array
from harness.contract import ArrayType, GeneratorType, Signature, TupleType, Type
from harness.records import Array
from harness.spec.load import LoadedTask

#: The axis of a contract along which rows are independent.
BATCH = "b"
#: How many numbers a snippet may hold; those of a call with more go to a file beside it.
MOST_NUMBERS = 128
#: Bytes of such a file; a call that needs more is described in words.
MOST_BYTES = 64 * 1024
#: A call with at most this many numbers is shown with all of its rows.
_FEW_NUMBERS = 24
_WIDTH = 92

Entry = Mapping[str, Any]


def array_of(value: Any) -> Array | None:
    """The array that a transcript's value holds; None for others, also for arrays too large."""
    return decode_array(value) if isinstance(value, Mapping) and "data" in value else None


def literal(array: Array) -> str:
    """An array as nested lists of numbers that lose nothing."""
    if array.ndim == 0:
        return repr(array.item())
    with np.printoptions(floatmode="unique", threshold=2**31, linewidth=_WIDTH):
        return np.array2string(array, separator=", ")


@dataclass(frozen=True)
class Snippet:
    """Code that repeats a call.

    Attributes:
        text: the code.
        arrays: what it loads from the file beside it, by name; empty where it needs none.
    """

    text: str
    arrays: Mapping[str, Array] = field(default_factory=dict)


@dataclass
class _Writing:
    """A snippet while it is written.

    Attributes:
        file: the file that arrays go to; empty where all stand in the code.
        arrays: what went there so far.
    """

    file: str = ""
    arrays: dict[str, Array] = field(default_factory=dict)

    def tensor(self, name: str, array: Array) -> str:
        """A tensor as code; ``name`` is what the array is called in the file."""
        if not self.file or not array.ndim:
            return f"torch.tensor({literal(array)}, dtype=torch.{array.dtype.name})"
        key = name
        while key in self.arrays:  # an instance may have had the same argument before
            key += "_"
        self.arrays[key] = array
        return f'torch.from_numpy(arrays["{key}"])'


@dataclass(frozen=True)
class Row:
    """One row of a batch.

    Attributes:
        index: its place.
        count: how many rows the batch has.
    """

    index: int
    count: int


@dataclass(frozen=True)
class Recorded:
    """A call of a transcript beside the signature that it was made under.

    Attributes:
        entry: what the transcript holds.
        signature: that of the function, method or constructor.
        before: the calls that the same instance had before, its constructor first.
    """

    task: LoadedTask
    entry: Entry
    signature: Signature
    before: tuple[Recorded, ...] = ()

    @property
    def name(self) -> str:
        """What is called, without ``gradient of``."""
        return str(self.entry["call"]).removeprefix("gradient of ")

    def axes(self, label: str) -> Sequence[object]:
        """The axes of an argument, or of the cotangent; none for what is no array."""
        types: dict[str, Type] = {param.name: param.type for param in self.signature.params}
        types["cotangent"] = self.signature.returns
        return _axes(types.get(label))

    def result_axes(self, index: int) -> Sequence[object]:
        """The axes of a result."""
        by = self.entry.get("by") or ()
        if by:
            return self.axes(by[index])
        returns = self.signature.returns
        leaves = returns.items if isinstance(returns, TupleType) else (returns,)
        return _axes(leaves[index]) if index < len(leaves) else ()

    def numbers(self, row: Row | None = None) -> float:
        """How many numbers the arguments hold; infinite where an array was too large to record."""
        own = sum(
            _size(part, axes, row)
            for label, value in self.entry["args"]
            for part, axes in self._parts(label, value)
        )
        return own + sum(each.numbers() for each in self.before)

    def _parts(self, label: str, value: Any) -> Iterator[tuple[Any, Sequence[object]]]:
        """An argument with its axes, or the constants of a function of given.py with theirs."""
        if isinstance(value, Mapping) and "given" in value:
            for constant, (_, type_) in zip(value["parameters"], self._given(value), strict=True):
                yield constant, _axes(type_)
        else:
            yield value, self.axes(label)

    def _given(self, value: Entry) -> list[tuple[str, Type]]:
        """Names and types of the parameters of a function of given.py that are filled in."""
        count = len(value["parameters"])
        contract = self.task.given_contract
        params = contract.functions[value["given"]].params if contract and count else ()
        return [(param.name, param.type) for param in params[len(params) - count :]]

    def code(self, row: Row | None, file: str) -> Snippet | None:
        """The whole snippet; None where it would be too large, or needs what cannot be written.

        Args:
            row: the row of the batch that is left of it.
            file: the name of the file that its arrays go to where they are too long to be read.
        """
        numbers = self.numbers(row)
        if numbers == float("inf"):
            return None
        writing = _Writing(file if numbers > MOST_NUMBERS else "")
        texts: list[str] = []
        for call in (*self.before, self):
            arguments = call._arguments(row if call is self else None, writing)
            if arguments is None:
                return None
            texts.append(call._statement(arguments, shown=call is self))
        if sum(array.nbytes for array in writing.arrays.values()) > MOST_BYTES:
            return None
        if writing.arrays:
            texts.insert(0, f'arrays = numpy.load("{file}")')
        lines = [*_imports(self, "\n".join(texts)), "", *texts]
        return Snippet("\n".join(lines), writing.arrays)

    def _arguments(self, row: Row | None, writing: _Writing) -> dict[str, str] | None:
        written = {}
        for label, value in self.entry["args"]:
            text = self._written(label, value, row, writing)
            if text is None:
                return None
            written[label] = text
        return written

    def _written(self, label: str, value: Any, row: Row | None, writing: _Writing) -> str | None:
        array = array_of(value)
        if array is not None:
            return writing.tensor(label, cut(array, self.axes(label), row))
        match value:
            case {"seed": seed}:
                return self._generator(label, seed)
            case {"given": _}:
                return self._function(label, value, row, writing)
            case str() if value in ("inf", "-inf", "nan"):
                return f'float("{value}")'
            case bool() | int() | float():
                return repr(value)
        return None

    def _function(self, label: str, value: Entry, row: Row | None, writing: _Writing) -> str | None:
        """A function of given.py with its constants; None where one is too large to be recorded."""
        filled = []
        for (name, _), (constant, axes) in zip(
            self._given(value), self._parts(label, value), strict=True
        ):
            array = array_of(constant)
            if array is None:
                return None
            filled.append(f"{name}={writing.tensor(f'{label}.{name}', cut(array, axes, row))}")
        function = f"given.{value['given']}"
        return f"partial({function}, {', '.join(filled)})" if filled else function

    def _generator(self, label: str, seed: int) -> str:
        types = {param.name: param.type for param in self.signature.params}
        if types[label] == GeneratorType("numpy.random.Generator"):
            return f"numpy.random.default_rng({seed})"
        return f"torch.Generator().manual_seed({seed})"

    def _statement(self, arguments: Mapping[str, str], *, shown: bool) -> str:
        """The call with its arguments; of the call that is shown, its result is printed."""
        by = self.entry.get("by") or ()
        lines = [f"{label} = {text}" for label, text in arguments.items()]
        call = f"{self.name}({', '.join(label for label in arguments if label != 'cotangent')})"
        if self.entry.get("instance") is not None:
            if self.name in self.task.contract.classes:
                return "\n".join([*lines, f"made = {call}"])
            call = f"made.{call}"
        if by:
            leaves = ", ".join(by)
            lines += [f"{label}.requires_grad_()" for label in by]
            call = f"torch.autograd.grad({call}, [{leaves}], cotangent)"
        return "\n".join([*lines, f"print({call})" if shown else call])


def recorded(task: LoadedTask, transcript: Sequence[Entry]) -> list[Recorded]:
    """The calls of a transcript with their signatures, in order."""
    signatures = dict(task.contract.signatures())
    history: dict[int, tuple[Recorded, ...]] = {}
    calls = []
    for entry in transcript:
        name = str(entry["call"]).removeprefix("gradient of ")
        instance = entry.get("instance")
        before = history.get(instance, ()) if instance is not None else ()
        call = Recorded(task, entry, signatures[name], before)
        if instance is not None:
            history[instance] = (*before, Recorded(task, entry, signatures[name]))
        calls.append(call)
    return calls


def batch_row(
    call: Recorded, result: int, index: Sequence[int], shape: Sequence[int]
) -> Row | None:
    """The row of the batch that an entry of a result lies in; None where the call stays whole."""
    axes = call.result_axes(result)
    if BATCH not in axes or len(axes) != len(index) or call.before:
        return None
    axis = list(axes).index(BATCH)
    if shape[axis] < 2 or call.numbers() <= _FEW_NUMBERS:
        return None
    return Row(index[axis], shape[axis])


def _size(value: Any, axes: Sequence[object], row: Row | None) -> float:
    """How many numbers a recorded value holds; infinite for an array too large to be recorded."""
    array = array_of(value)
    if array is not None:
        return cut(array, axes, row).size
    return float("inf") if isinstance(value, str) and " array of shape " in value else 1


def cut(array: Array, axes: Sequence[object], row: Row | None) -> Array:
    """An array with one row of its batch left, which stays an axis of size one."""
    if row is None or BATCH not in axes or len(axes) != array.ndim:
        return array
    axis = list(axes).index(BATCH)
    return np.take(array, [row.index], axis=axis)


def _axes(type_: Type | None) -> Sequence[object]:
    return type_.dims if isinstance(type_, ArrayType) else ()


def _imports(call: Recorded, text: str) -> list[str]:
    spec = call.task.spec
    made = [each.name for each in call.before if each.name in call.task.contract.classes]
    lines = ["from functools import partial"] if "partial(" in text else []
    lines += ["from math import inf, nan"] if "inf" in text or "nan" in text else []
    lines += ["import numpy"] if "numpy." in text else []
    lines += ["import torch"]
    lines += ["import given"] if "given." in text else []
    lines.append(f"from {spec.module} import {', '.join(dict.fromkeys(made or [call.name]))}")
    return [*lines, "torch.set_printoptions(precision=12)"]
