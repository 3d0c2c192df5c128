"""What makes a kind of check: one frozen record with all that the harness asks of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.causes import Cause
from harness.errors import MeasurementError
from harness.kinds.outcome import Evidence, Metrics, Outcome, Values
from harness.records import Array


def _always(check: Any) -> bool:
    del check
    return True


@dataclass(frozen=True)
class Companion:
    """An array that a measurement must return beside a metric, under ``<metric>__<suffix>``.

    Attributes:
        meaning: what the measurement has to put there; ``{metric}`` stands for the metric's name.
        needed_by: whether a check of the kind needs it.
    """

    suffix: str
    meaning: str
    needed_by: Callable[[Any], bool] = _always

    def name(self, metric: str) -> str:
        """The name under which a measurement returns it."""
        return f"{metric}__{self.suffix}"

    def of(self, metrics: Metrics, metric: str) -> Array:
        """The companion of a metric, as it was returned.

        Raises:
            MeasurementError: it was not returned.
        """
        return named(metrics, self.name(metric))

    def describe(self, metric: str) -> str:
        """Its name and what it is, for a message."""
        return f"{self.name(metric)!r}: {self.meaning.format(metric=metric)}"


@dataclass(frozen=True)
class Kind:
    """One kind of check.

    Attributes:
        name: as task.yaml spells it.
        metric: what the metric of such a check holds, for messages.
        reduce: keeps of the metrics what a decision needs; runs where the trial ran.
        decide: the outcome from the statistics of the steps so far; runs where marks are computed.
        causes: those that a decision of this kind may name.
        companions: arrays that the measurement returns beside the metric.
        wanted: what a decision compares a program with, from the check and the statistics of the
            reference alone, so that it is computed once for all programs; None where the kind
            makes nothing of them. :func:`harness.kinds.decide` hands it on as ``Evidence.wanted``.
        of_reference: names of statistics that a decision reads of the reference alone, as a scale
            is; of any other program they are not stored.
        reduced_by: fields of the check that change what :attr:`reduce` returns; they are part of
            the digest of a trial.
        reduced_where_declared: the same for fields that may be left out; the digest of a trial has
            them where they are not.
        revision: raised when :attr:`reduce` stores something else; it is part of the digest of
            a trial, so that what a former revision stored is measured again.
        counts_errors: a program that breaks at a later step is weighed with the other steps; for
            all other kinds an error ends the check.
        required_draws: the draws of one stage with which the check has its declared power; None
            where nothing is drawn.
        has_tolerance: the margin is an error in units of the tolerance.
        trained: its measurement trains or plays whole episodes: too costly for worked examples and
            for programs that know nothing.
        objection: what `verify` must object to in the figures of honest work that passed; empty
            where there is nothing.
    """

    name: str
    metric: str
    reduce: Callable[[Any, Metrics], Values]
    decide: Callable[[Any, Sequence[Evidence]], Outcome]
    causes: tuple[Cause, ...]
    companions: tuple[Companion, ...] = ()
    wanted: Callable[[Any, Mapping[str, Array]], Any] | None = None
    of_reference: tuple[str, ...] = ()
    reduced_by: tuple[str, ...] = ()
    reduced_where_declared: tuple[str, ...] = ()
    revision: int = 1
    counts_errors: bool = False
    required_draws: Callable[[Any], int] | None = None
    has_tolerance: bool = False
    trained: bool = False
    objection: Callable[[Mapping[str, Any]], str] | None = None

    @property
    def messages(self) -> Mapping[Cause, str]:
        """What is said of each cause where a decision says nothing more precise."""
        return {cause: cause.message for cause in self.causes}

    def companions_of(self, check: Any) -> tuple[Companion, ...]:
        """The companions that a check of this kind needs."""
        return tuple(item for item in self.companions if item.needed_by(check))

    def judged(self, statistics: Mapping[str, Array]) -> Values:
        """What is read of the program that is decided on: all but :attr:`of_reference`."""
        return {name: array for name, array in statistics.items() if name not in self.of_reference}


def named(metrics: Metrics, name: str) -> Array:
    """One of the arrays that a measurement returned.

    Raises:
        MeasurementError: it was not returned.
    """
    try:
        return metrics[name]
    except KeyError:
        raise MeasurementError(f"needs {name!r}") from None


def filled(array: Array, name: str, shape: tuple[int, ...]) -> Array:
    """An array of float64 in the shape that is wanted, smaller ones repeated by broadcasting.

    Raises:
        MeasurementError: it does not broadcast to that shape.
    """
    try:
        return np.broadcast_to(array.astype(np.float64), shape).copy()
    except ValueError:
        raise MeasurementError(f"{name} has shape {array.shape}; wanted {shape}") from None
