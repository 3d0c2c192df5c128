"""The closed set of check kinds: what each stores of a measurement and how it decides.

A kind is a pair of pure functions. ``reduce(check, metrics)`` runs where the trial ran and keeps
the sufficient statistics; ``decide(check, steps)`` runs wherever the grade is computed, from
stored numbers alone, or names the steps that it still needs. Thresholds come from the spec,
statistics from :mod:`harness.statistics`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from harness.errors import MeasurementError
from harness.kinds import deterministic, likelihood, returns, stochastic, training
from harness.kinds.outcome import Evidence, Metrics, Outcome, Values
from harness.records import COMMON

__all__ = ["FIRST", "KINDS", "Evidence", "Kind", "Outcome", "decide", "reduce", "signature"]

#: What every check asks for before anything is known of a program.
FIRST = Outcome("MORE", wants=(COMMON,))


@dataclass(frozen=True)
class Kind:
    """The two functions of a kind, and which fields of its checks shape what is stored.

    ``counts_errors``: a program that breaks at a later step is weighed, not ended.
    """

    reduce: Callable[[Any, Metrics], Values]
    decide: Callable[[Any, Sequence[Evidence]], Outcome]
    reduced_by: tuple[str, ...] = ()
    counts_errors: bool = False


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "exact": Kind(deterministic.reduce_exact, deterministic.decide_exact),
        "identity": Kind(deterministic.reduce_identity, deterministic.decide_identity),
        "property": Kind(deterministic.reduce_property, deterministic.decide_property),
        "normalisation": Kind(
            deterministic.reduce_normalisation, deterministic.decide_normalisation
        ),
        "bounds": Kind(deterministic.reduce_bounds, deterministic.decide_bounds),
        "causality": Kind(deterministic.reduce_causality, deterministic.decide_causality),
        "moments": Kind(deterministic.reduce_moments, deterministic.decide_moments, ("statistic",)),
        "unbiased": Kind(stochastic.reduce_unbiased, stochastic.decide_unbiased),
        "distribution": Kind(
            stochastic.reduce_distribution, stochastic.decide_distribution, ("law", "categories")
        ),
        "independence": Kind(stochastic.reduce_independence, stochastic.decide_independence),
        "variance-ratio": Kind(stochastic.reduce_variance_ratio, stochastic.decide_variance_ratio),
        "likelihood": Kind(likelihood.reduce, likelihood.decide),
        "returns": Kind(returns.reduce, returns.decide),
        "seed-success": Kind(training.reduce, training.decide, counts_errors=True),
    }
)


def reduce(check: Any, metrics: Metrics) -> Values:
    """The sufficient statistics of one check, as they are stored.

    Raises:
        MeasurementError: the measurement did not return what the kind needs.
    """
    try:
        return KINDS[check.kind].reduce(check, metrics)
    except ValueError as error:
        raise MeasurementError(f"{check.id}: {error}") from error


def decide(check: Any, steps: Sequence[Evidence]) -> Outcome:
    """The outcome from the steps seen so far, in their order; ``MORE`` where others are needed.

    Raises:
        ValueError, ArithmeticError: stored numbers cannot be judged; an error of ours.
    """
    return KINDS[check.kind].decide(check, steps) if steps else FIRST


def counts_errors(check: Any) -> bool:
    """Whether a program that breaks at a later step is weighed with the others."""
    return KINDS[check.kind].counts_errors


def signature(check: Any) -> list[Any]:
    """What of a check shapes its stored statistics; part of the trial key."""
    kind = KINDS[check.kind]
    return [check.id, check.kind, check.metric, *(getattr(check, name) for name in kind.reduced_by)]
