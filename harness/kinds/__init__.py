"""The closed set of check kinds: what each stores of a measurement and how it decides.

A kind is one frozen :class:`~harness.kinds.record.Kind`, at the end of the file that bears its
name. ``reduce(check, metrics)`` runs where the trial ran and keeps the statistics that a decision
needs; ``decide(check, steps)`` runs wherever marks are computed, from stored statistics alone, or
names the steps that it still needs. Thresholds come from the spec, formulas from
:mod:`harness.statistics`.

==============  ===================================================================================
shared module   what it holds
==============  ===================================================================================
outcome         what a kind reads and answers
record          what makes a kind
comparison      values against a target with a tolerance
training_curve  what is shown of a training in its course
two_stage       tests that fail only on two independent rejections
==============  ===================================================================================
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from harness.errors import MeasurementError
from harness.kinds import (
    bounds,
    causality,
    distribution,
    exact,
    identity,
    independence,
    likelihood,
    moments,
    normalisation,
    property,
    returns,
    seed_success,
    unbiased,
    variance_ratio,
)
from harness.kinds.outcome import Evidence, Metrics, Outcome, Values
from harness.kinds.record import Companion, Kind
from harness.records import COMMON, Array

__all__ = [
    "FIRST",
    "KINDS",
    "Companion",
    "Evidence",
    "Kind",
    "Outcome",
    "counts_errors",
    "decide",
    "of",
    "reduce",
    "require",
    "signature",
    "wanted",
]

#: Every kind, in the order of the documentation.
KINDS = (
    exact.KIND,
    identity.KIND,
    property.KIND,
    normalisation.KIND,
    bounds.KIND,
    causality.KIND,
    moments.KIND,
    unbiased.KIND,
    distribution.KIND,
    independence.KIND,
    variance_ratio.KIND,
    likelihood.KIND,
    returns.KIND,
    seed_success.KIND,
)
_BY_NAME: Mapping[str, Kind] = MappingProxyType({kind.name: kind for kind in KINDS})

#: What every check asks for before anything is known of a program.
FIRST = Outcome("MORE", wants=(COMMON,))


def of(check: Any) -> Kind:
    """The kind of a check."""
    return _BY_NAME[check.kind]


def reduce(check: Any, metrics: Metrics) -> Values:
    """The statistics of one check, as they are stored.

    Raises:
        MeasurementError: the measurement did not return what the kind needs; the message says what
            is missing or unfit, and the error's remedy what to return.
    """
    try:
        return of(check).reduce(check, metrics)
    except (MeasurementError, ValueError) as error:
        raise _unfit(check, metrics, error) from error


def require(check: Any, metrics: Metrics) -> None:
    """Refuses metrics of the reference from which the check could not be decided.

    Raises:
        MeasurementError: as :func:`reduce`; also where the statistics cannot be judged.
    """
    statistics = reduce(check, metrics)
    try:
        decide(check, [Evidence(statistics, statistics)])
    except (ValueError, ArithmeticError) as error:
        raise _unfit(check, metrics, error) from error


def _unfit(check: Any, metrics: Metrics, error: Exception) -> MeasurementError:
    """One sentence for whatever a check cannot use, and what to return instead."""
    return MeasurementError(
        f"check {check.id!r}: {error}; the measurement returned {_described(metrics)}",
        _remedy(check, metrics),
    )


def _described(metrics: Metrics) -> str:
    """The arrays by name, each with its dtype and shape."""
    arrays = (f"{name} ({array.dtype}, {array.shape})" for name, array in sorted(metrics.items()))
    return ", ".join(arrays) or "nothing"


def _remedy(check: Any, metrics: Metrics) -> str:
    """What to return: the arrays that are missing, or all of them where one does not fit."""
    kind = of(check)
    arrays = {check.metric: f"{check.metric!r}: {kind.metric}"}
    for companion in kind.companions_of(check):
        arrays[companion.name(check.metric)] = companion.describe(check.metric)
    missing = [text for name, text in arrays.items() if name not in metrics]
    return f"return {'; '.join(missing or arrays.values())}"


def decide(check: Any, steps: Sequence[Evidence]) -> Outcome:
    """The outcome from the steps so far, in their order; ``MORE`` where others are needed.

    Raises:
        ValueError, ArithmeticError: the statistics cannot be judged; a fault of the harness or of
            the task, never of the program.
    """
    if not steps:
        return FIRST
    kind = of(check)
    if kind.wanted is not None and any(step.wanted is None for step in steps):
        steps = [
            step
            if step.wanted is not None or step.reference is None
            else replace(step, wanted=kind.wanted(check, step.reference))
            for step in steps
        ]
    return kind.decide(check, steps)


def wanted(check: Any, reference: Mapping[str, Array]) -> Any:
    """What a check compares every program with, from the reference's statistics of a step.

    None where the kind makes nothing of them.

    Raises:
        ValueError, ArithmeticError: as :func:`decide`.
        KeyError: a statistic is missing.
    """
    make = of(check).wanted
    return None if make is None else make(check, reference)


def counts_errors(check: Any) -> bool:
    """Whether a program that breaks at a later step is weighed with the other steps."""
    return of(check).counts_errors


def signature(check: Any) -> list[Any]:
    """What of a check shapes its stored statistics; part of the digest of a trial."""
    kind = of(check)
    revision = [f"revision {kind.revision}"] if kind.revision > 1 else []
    fields = (getattr(check, field) for field in kind.reduced_by)
    optional = ((field, getattr(check, field)) for field in kind.reduced_where_declared)
    declared = [[field, model.model_dump()] for field, model in optional if model is not None]
    return [check.id, check.kind, check.metric, *fields, *declared, *revision]
