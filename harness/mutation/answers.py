"""Requests to a program and its answers, kept so that another program can be held against them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from harness import wire
from harness.collect.bare import LocalChannel
from harness.errors import ProgramError
from harness.records import Array
from harness.sandbox.connection import Answer

#: Answers are the same within this share of themselves and this many times what the smallest
#: change of the arguments makes of them. What lies below the last share of the largest entry counts
#: as 0: linear algebra leaves the rounding of other entries there, and not the same twice.
_ROUNDING, _CONDITION, _RESIDUE = 1e-11, 64.0, 1e-15


@dataclass(frozen=True)
class Exchange:
    """A request to a program, its answer, and how far another answer may be off.

    ``error`` says why there is no answer.
    """

    message: Mapping[str, Any]
    arrays: tuple[Array, ...]
    answers: tuple[Array, ...]
    tolerances: tuple[Array, ...] = ()
    error: str = ""

    def differs(self, answers: Sequence[Array]) -> bool:
        """Whether other answers are not these, up to rounding."""
        if len(answers) != len(self.answers):
            return True
        return any(
            _differ(was, now, tolerance)
            for was, now, tolerance in zip(self.answers, answers, self.tolerances, strict=True)
        )

    def __str__(self) -> str:
        sizes = ", ".join(f"{list(array.shape)}" for array in self.arrays)
        verb = "gradient of " if self.message["op"] == "vjp" else ""
        return f"{verb}{self.message['target']['name']} with arrays {sizes}"


@dataclass(frozen=True)
class Episode:
    """Requests that belong together, in their order.

    Attributes:
        target: the function, or the class, that is called.
        fresh: they need a file that was loaded anew, since they number the objects they make.
    """

    target: str
    exchanges: tuple[Exchange, ...]
    fresh: bool = False


@dataclass
class Recorder:
    """A channel that keeps what passes through it."""

    inner: LocalChannel
    kept: list[Exchange] = field(default_factory=list)

    def renew(self, *, sandbox: bool = False) -> None:
        """As that of the inner channel; what is kept begins anew with the objects' numbers."""
        self.inner.renew(sandbox=sandbox)

    def request(
        self, message: Mapping[str, Any], arrays: Sequence[Array], answer: Answer | None = None
    ) -> wire.Frame:
        """As that of the inner channel; request and answer, or error, are kept."""
        copies = tuple(np.array(array) for array in arrays)
        try:
            frame = self.inner.request(message, arrays, answer)
        except ProgramError as error:
            self.kept.append(Exchange(message, copies, (), error=str(error)))
            raise
        self.kept.append(Exchange(message, copies, tuple(np.array(a) for a in frame.arrays)))
        return frame


def with_tolerance(exchange: Exchange, near: Exchange | None) -> Exchange:
    """The exchange with the error of each of its answers that rounding may explain.

    Args:
        near: the same request with arguments that differ by rounding alone: by how much its answers
            differ tells how well they are conditioned. None where there is none; then the largest
            value of an answer stands for its condition.
    """
    tolerances = []
    for index, answer in enumerate(exchange.answers):
        values = np.abs(answer.astype(np.float64))
        values = np.where(np.isfinite(values), values, 0.0)
        largest = float(values.max(initial=0.0))
        residue = _RESIDUE * largest
        tolerance = _ROUNDING * values + np.where(values <= residue, residue, 0.0)
        if near is not None and len(near.answers) > index:
            other = near.answers[index]
            if other.shape == answer.shape:
                with np.errstate(all="ignore"):
                    moved = np.abs(other.astype(np.float64) - answer.astype(np.float64))
                tolerance = tolerance + _CONDITION * np.where(np.isfinite(moved), moved, 0.0)
        elif near is None:
            tolerance = tolerance + _ROUNDING * largest
        tolerances.append(tolerance)
    return Exchange(exchange.message, exchange.arrays, exchange.answers, tuple(tolerances))


def _differ(was: Array, now: Array, tolerance: Array) -> bool:
    if was.shape != now.shape or was.dtype != now.dtype:
        return True
    first, second = was.astype(np.float64), now.astype(np.float64)
    with np.errstate(all="ignore"):
        same = (first == second) | (np.isnan(first) & np.isnan(second))
        near = np.abs(first - second) <= tolerance
    return not bool((same | near).all())
