"""What kinds share that compare values with a target, entry by entry, up to a tolerance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from harness.arrays import finite_or_text
from harness.causes import Cause
from harness.errors import MeasurementError
from harness.kinds.outcome import Evidence, Metrics, Outcome
from harness.kinds.record import Companion, filled, named
from harness.records import Array
from harness.statistics.exact import Wanted, tolerance

#: What a comparison can say against a program.
CAUSES = (Cause.WRONG, Cause.NOT_FINITE)

#: The condition scale S, in whose units rounding is excused.
SCALE = Companion("scale", "the sum of the absolute terms of {metric}, from the inputs alone")


def condition_scale(metrics: Metrics, name: str) -> Array:
    """S of a metric, in the metric's shape.

    Raises:
        MeasurementError: it is missing, of another shape, negative or not finite.
    """
    value, scale = named(metrics, name), SCALE.of(metrics, name).astype(np.float64)
    if not (np.isfinite(scale).all() and (scale >= 0).all()):
        raise MeasurementError(f"{SCALE.name(name)} holds entries that are not finite and >= 0")
    return filled(scale, SCALE.name(name), value.shape)


def reference_of(evidence: Evidence) -> Any:
    """The statistics of the reference.

    Raises:
        ValueError: there are none.
    """
    if evidence.reference is None:
        raise ValueError("a comparison with the reference without its observation")
    return evidence.reference


def within_rounding(reference: Mapping[str, Array], name: str, precision: str, c: float) -> Wanted:
    """A statistic of the reference, and C·eps·S of it, S the reference's own.

    Raises:
        ValueError: no entry, NaN among the reference's, or a scale that is no scale.
    """
    allowed = tolerance(reference["scale"], float(np.finfo(precision).eps), c)
    return Wanted.of(reference[name], allowed)


def compare_with_reference(value: Array, evidence: Evidence) -> Outcome:
    """:func:`compare` with what the kind wanted of the reference.

    Raises:
        ValueError: there is no reference, or shapes differ.
    """
    if evidence.wanted is None:
        raise ValueError("a comparison with the reference without its observation")
    return compare(value, evidence.wanted)


def compare(value: Array, wanted: Wanted) -> Outcome:
    """PASS where every entry lies within its tolerance; the margin is the largest ratio.

    Raises:
        ValueError: shapes that differ.
    """
    worst = wanted.worst(value)
    got, target = value[worst.index], wanted.value[worst.index]
    figures = {
        "worst": finite_or_text(worst.ratio),
        "index": list(worst.index),
        "got": finite_or_text(float(got)),
        "wanted": finite_or_text(float(target)),
    }
    if worst.within:
        return Outcome("PASS", Cause.NONE, 1.0, worst.ratio, figures)
    with np.errstate(all="ignore"):
        right = (value == wanted.value) | (np.abs(value - wanted.value) <= wanted.tolerance)
    count = int(right.size - np.count_nonzero(right))
    # an infinity or NaN is the program's own only where the target is finite
    finite = np.isfinite(got) or not np.isfinite(target)
    cause = Cause.WRONG if finite else Cause.NOT_FINITE
    message = f"{count} of {right.size} numbers {'is' if count == 1 else 'are'} not as expected"
    if cause == Cause.WRONG:
        message += f"; the largest error is {worst.ratio:.2g} times what rounding excuses"
    else:
        message = f"{cause.message}: {message}"
    return Outcome("FAIL", cause, 0.0, worst.ratio, figures, message)
