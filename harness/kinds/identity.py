"""Kind ``identity``: a residual between answers of one program is zero, up to rounding."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from harness.kinds.comparison import CAUSES, SCALE, compare, condition_scale
from harness.kinds.outcome import Evidence, Metrics, Outcome, Values
from harness.kinds.record import Kind, named
from harness.spec.checks import IdentityCheck
from harness.statistics.exact import Wanted, tolerance


def reduce(check: IdentityCheck, metrics: Metrics) -> Values:
    """The residuals and their condition scales S, whole."""
    return {
        "residual": named(metrics, check.metric),
        "scale": condition_scale(metrics, check.metric),
    }


def decide(check: IdentityCheck, steps: Sequence[Evidence]) -> Outcome:
    """PASS where every residual is zero within c·eps·S."""
    own = steps[0].own
    tol = tolerance(own["scale"], float(np.finfo(check.precision).eps), check.c)
    return compare(own["residual"], Wanted.of(np.zeros(own["residual"].shape), tol))


KIND = Kind(
    name="identity",
    metric="residuals that are zero in exact arithmetic, at least one",
    reduce=reduce,
    decide=decide,
    causes=CAUSES,
    companions=(SCALE,),
    has_tolerance=True,
)
