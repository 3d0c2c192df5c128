"""Kind ``causality``: outputs depend on the inputs that they must depend on, and on no others."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from harness.arrays import finite_or_text
from harness.causes import Cause
from harness.errors import MeasurementError
from harness.kinds.outcome import Evidence, Metrics, Outcome, Values
from harness.kinds.record import Companion, Kind, named
from harness.spec.checks import CausalityCheck

ALLOWED = Companion("allowed", "a mask of {metric}'s shape, true where an influence is allowed")
REQUIRED = Companion("required", "a mask of {metric}'s shape, true where there must be one")
SIZE = Companion("scale", "the size of the outputs, in the unit of {metric}")


def reduce(check: CausalityCheck, metrics: Metrics) -> Values:
    """The largest influence that is not allowed, and how many required ones are missing."""
    influence = named(metrics, check.metric).astype(np.float64)
    allowed = ALLOWED.of(metrics, check.metric).astype(bool)
    required = REQUIRED.of(metrics, check.metric).astype(bool)
    scale = SIZE.of(metrics, check.metric)
    if influence.shape != allowed.shape or influence.shape != required.shape:
        raise MeasurementError(
            f"{check.metric} has shape {influence.shape}, its masks {allowed.shape} and "
            f"{required.shape}; wanted one shape"
        )
    if (required & ~allowed).any() or allowed.all() or not required.any():
        raise MeasurementError(
            f"the masks of {check.metric} must forbid some influence, require some, and require "
            "none that they forbid"
        )
    if scale.size == 0:
        raise MeasurementError(f"{SIZE.name(check.metric)} has no entry")
    return {
        # np.max propagates NaN, so that an influence that is NaN fails
        "forbidden": np.asarray(np.max(influence[~allowed])),
        "missing": np.asarray(np.count_nonzero(~(influence[required] > 0)), dtype=np.int64),
        "required": np.asarray(np.count_nonzero(required), dtype=np.int64),
        "scale": np.asarray(np.max(scale), dtype=np.float64),
    }


def decide(check: CausalityCheck, steps: Sequence[Evidence]) -> Outcome:
    """PASS where no forbidden influence exceeds the tolerance and no required one is missing."""
    own = steps[0].own
    forbidden, scale = float(own["forbidden"]), float(own["scale"])
    missing = int(own["missing"])
    figures = {
        "forbidden_influence": finite_or_text(forbidden),
        "missing_influences": missing,
        "required_influences": int(own["required"]),
    }
    if not (np.isfinite(forbidden) and np.isfinite(scale)):
        return Outcome("FAIL", Cause.NOT_FINITE, 0.0, float("inf"), figures)
    margin = 0.0
    if forbidden > 0:
        margin = forbidden / (check.tolerance * scale) if scale > 0 else float("inf")
    if not margin <= 1:
        allowed = check.tolerance * scale
        message = f"{Cause.LEAK.message}: by {forbidden:.3g}, where {allowed:.3g} is allowed"
        return Outcome("FAIL", Cause.LEAK, 0.0, margin, figures, message)
    if missing:
        message = (
            f"{Cause.BLIND.message}: {missing} of {int(own['required'])} influences are missing"
        )
        return Outcome("FAIL", Cause.BLIND, 0.0, float("inf"), figures, message)
    return Outcome("PASS", Cause.NONE, 1.0, margin, figures)


KIND = Kind(
    name="causality",
    metric="the largest change of each output under a change of each input",
    reduce=reduce,
    decide=decide,
    causes=(Cause.LEAK, Cause.BLIND, Cause.NOT_FINITE),
    companions=(ALLOWED, REQUIRED, SIZE),
)
