"""Arguments of a call: made from what crosses the wire, and held against it once the call is over.

A program works on copies. What it leaves of them is compared by content with what the grader sent,
so a change is seen whichever way it was made: by an operator, a view, ``.numpy()`` or ``.data``.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

import numpy as np
import torch

from harness import wire
from harness.worker.explanation import PAGE, Refusal

#: Bytes up to which two arrays are compared as strings: numpy's comparison costs more to begin.
_SMALL = 32 * 1024
#: Characters of a signature that a message shows; default values may be of any length.
_LONGEST_SIGNATURE = 500


class Holder(Protocol):
    """What arguments are made from: the worker, after it has received a request."""

    directory: Path
    given: ModuleType | None
    objects: list[object]
    arrays: tuple[wire.Array, ...]

    def receive(self) -> Mapping[str, Any]: ...

    def send(self, message: Mapping[str, Any], arrays: Sequence[wire.Array] = ()) -> None: ...


@dataclass(frozen=True)
class _Lent:
    """A tensor that the program is given, and the array that it was made from."""

    name: str
    sent: wire.Array
    tensor: torch.Tensor

    @property
    def changed(self) -> bool:
        tensor = torch.Tensor.detach(self.tensor)
        if tuple(tensor.shape) != self.sent.shape or tensor.layout != torch.strided:
            return True
        left = tensor.numpy()
        return left.dtype != self.sent.dtype or not _same_bytes(self.sent, left)


@dataclass
class Arguments:
    """The arguments of one call.

    Attributes:
        args: those by place.
        named: those by name.
    """

    args: list[Any] = field(default_factory=list)
    named: dict[str, Any] = field(default_factory=dict)
    _lent: list[_Lent] = field(default_factory=list)

    @classmethod
    def of(cls, holder: Holder, message: Mapping[str, Any]) -> Arguments:
        """Makes the arguments that a request describes; every array is a copy of its own."""
        made, seed = cls(), message["seed"]
        made.args = [made._argument(holder, spec, seed) for spec in message["args"]]
        named = message["named"].items()
        made.named = {name: made._argument(holder, spec, seed) for name, spec in named}
        return made

    def passed_to(self, function: Callable[..., Any], name: str) -> Any:
        """What a function answers to them.

        Raises:
            Refusal: the function cannot be called with them, or changed one of them in place.
            BaseException: whatever the function raises.
        """
        self._expect_to_fit(function, name)
        answer = function(*self.args, **self.named)
        self.expect_unchanged(name)
        return answer

    def expect_unchanged(self, name: str) -> None:
        """Checks that every tensor holds what it held when it was handed over.

        Raises:
            Refusal: one does not; the error names it.
        """
        for lent in self._lent:
            if lent.changed:
                raise Refusal(
                    "changed-argument",
                    f"{name} changed its argument {lent.name} in place: clone it first "
                    f"({lent.name} = {lent.name}.clone()) or use an operation that returns a new "
                    f"tensor ({PAGE})",
                )

    def _expect_to_fit(self, function: Callable[..., Any], name: str) -> None:
        try:
            signature = inspect.signature(function)
        except (TypeError, ValueError):
            return
        try:
            signature.bind(*self.args, **self.named)
        except TypeError as error:
            shown = str(signature)
            if len(shown) > _LONGEST_SIGNATURE:
                shown = f"{shown[:_LONGEST_SIGNATURE]}…"
            raise Refusal(
                "signature", f"{name}{shown} cannot be called as the statement says: {error}"
            ) from None

    def _argument(  # noqa: PLR0911 - one answer a kind of argument
        self, holder: Holder, spec: Mapping[str, Any], seed: int
    ) -> Any:
        match spec["t"]:
            case "tensor":
                sent = holder.arrays[spec["i"]]
                tensor = torch.from_numpy(sent.copy())
                self._lent.append(_Lent(spec["name"], sent, tensor))
                return tensor
            case "value":
                return spec["v"]
            case "float":
                return float.fromhex(spec["v"])
            case "torch.Generator":
                generator = torch.Generator().manual_seed(spec["seed"])
                if spec.get("used"):
                    torch.rand(1, generator=generator)
                return generator
            case "numpy.random.Generator":
                numbers = np.random.default_rng(spec["seed"])
                if spec.get("used"):
                    numbers.random()
                return numbers
            case "handle":
                return holder.objects[spec["id"]]
            case "file":
                return str(holder.directory / spec["name"])
            case "environment":
                from harness.worker.environment import ServedVectorEnv  # here: imports gymnasium

                return ServedVectorEnv(holder, spec, seed)
        parameters = [torch.from_numpy(holder.arrays[index].copy()) for index in spec["params"]]
        function = getattr(holder.given, spec["name"])
        return lambda *args: function(*args, *parameters)


def _same_bytes(one: wire.Array, other: wire.Array) -> bool:
    """Whether two arrays of one dtype and shape are equal bit for bit, NaN and -0 included."""
    if one.nbytes <= _SMALL:
        return one.tobytes() == other.tobytes()
    words = f"u{one.itemsize}"
    return bool((one.view(words) == other.view(words)).all())
