"""Comparisons without noise: errors of honest work and of mistakes, in units of the rounding."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.statistics import exact, moments, two_stage, unbiased
from simulations.base import (
    AGREEING,
    NOTHING,
    PRINTED,
    STAGE,
    Axes,
    Claim,
    Floats,
    Rng,
    Row,
    agree,
    figure,
    rate,
    t_level,
)

Precision = type[np.floating[Any]]
Reals = NDArray[np.floating[Any]]
PRECISIONS: tuple[Precision, ...] = (np.float32, np.float64)
ALLOWED = 16.0
HONEST = Axes(
    "Honest error",
    "tolerance c, in eps·S",
    "instances on which honest work exceeds it",
    "xy",
    at_x={3.2: "most that verify accepts", ALLOWED: "tolerance"},
)


def exceeding(series: str, errors: Floats, never: float = ALLOWED / 5) -> Iterator[Row]:
    """How often errors exceed so many eps·S, which they never do from ``never`` on."""
    for c in (0.06, 0.125, 0.25, 0.5, 1, 2, 3.2, 16):
        found = errors > c
        claim = PRINTED if c == 1 and found.any() else NOTHING
        yield rate("size", series, c, found, Claim(most=0.0) if c >= never else claim)


def divergence(mean: Floats, lv: Floats, precision: Precision) -> dict[str, Reals]:
    """KL(N(mean, exp lv) || N(0, 1)) by two honest formulas and two mistakes, "instance"."""
    m: Reals = mean.astype(precision)
    v: Reals = lv.astype(precision)
    one = precision(1)
    half, square, variance = precision(0.5), m * m, np.exp(v)
    return {
        "terms": half * (variance + square - one - v).sum(axis=1),
        "sums": half * ((square + variance).sum(axis=1) - (one + v).sum(axis=1)),
        "sign of log σ²": half * (variance + square - one + v).sum(axis=1),
        "KL reversed": half * ((one + square) / variance - one + v).sum(axis=1),
    }


def divergence_unit(mean: Floats, lv: Floats, precision: Precision) -> Floats:
    scale = 0.5 * (np.exp(lv) + mean**2 + 1 + np.abs(lv)).sum(axis=1)
    return exact.tolerance(scale, float(np.finfo(precision).eps), 1.0)


def divergence_errors(rng: Rng, precision: Precision, total: int = 20_000) -> Iterator[Row]:
    """Both formulas in one precision against the first in extended precision, 64 coordinates."""
    mean, lv = rng.standard_normal((2, total, 64)).astype(precision)
    right = divergence(mean, lv, np.longdouble)["terms"].astype(np.float64)
    unit = divergence_unit(mean.astype(np.float64), lv.astype(np.float64), precision)
    for name in ("terms", "sums"):
        value = divergence(mean, lv, precision)[name].astype(np.float64)
        errors = np.abs(value - right) / unit
        held = zip(value[:AGREEING], right, unit, strict=False)
        agree("exact", errors, [exact.worst_ratio(*one).ratio for one in held])
        yield from exceeding(f"KL by {name}, {precision.__name__}", errors)


def bellman_errors(rng: Rng, precision: Precision, total: int = 20_000) -> Floats:
    """max over 4 actions of r + γ Σ p v, 50 states: the error in eps·S."""
    reward, value = rng.standard_normal((total, 4)), 20 * rng.standard_normal((total, 50))
    law, gamma = rng.dirichlet(np.ones(50), (total, 4)), precision(0.99)
    parts: list[Reals] = [part.astype(precision) for part in (reward, law, value)]
    r, p, v = parts
    backed = (r + gamma * np.einsum("nas,ns->na", p, v)).max(axis=1)
    r, p, v = (part.astype(np.longdouble) for part in parts)
    right = (r + np.longdouble(gamma) * (p * v[:, None]).sum(axis=2)).max(axis=1)
    scale = (np.abs(r) + (p * np.abs(v[:, None])).sum(axis=2)).max(axis=1).astype(np.float64)
    unit = exact.tolerance(scale, float(np.finfo(precision).eps), 1.0)
    errors: Floats = np.abs(backed.astype(np.float64) - right.astype(np.float64)) / unit
    return errors


@figure(
    "exact",
    size=HONEST,
    power=Axes(
        "Mistakes: median gap, 5 to 95 %",
        "size s of the parameters, drawn from s·N(0, 1)",
        "gap, in tolerances",
        "xy",
        at_y={1: "tolerance", 100: "asked by verify"},
    ),
)
def exact_gaps(rng: Rng) -> Iterator[Row]:
    for precision in PRECISIONS:
        yield from divergence_errors(rng, precision)
        yield from exceeding(f"Bellman, {precision.__name__}", bellman_errors(rng, precision))
    for size in np.geomspace(1e-5, 1, 11).tolist():
        mean, lv = size * rng.standard_normal((2, 500, 64))
        found = divergence(mean, lv, np.longdouble)
        for name, precision in itertools.product(
            ("sign of log σ²", "KL reversed"), PRECISIONS[::-1]
        ):
            unit = ALLOWED * divergence_unit(mean, lv, precision)
            gap = np.abs(found[name] - found["terms"]).astype(np.float64) / unit
            low, middle, high = np.quantile(gap, (0.05, 0.5, 0.95)).tolist()
            yield Row("power", f"{name}, {precision.__name__}", size, middle, low, high)


Bandit = tuple[Floats, Floats, Floats]


def bandit(rng: Rng, arms: int = 5) -> Bandit:
    """Probabilities "arm", their scores "arm arm" and expected rewards "arm" of a softmax."""
    logits = rng.standard_normal(arms)
    law = np.exp(logits - logits.max())
    law /= law.sum()
    return law, np.eye(arms) - law, rng.standard_normal(arms)


def gradient(case: Bandit, baseline: Floats | float) -> moments.Moments:
    """Exact moments of REINFORCE, the reward being off by 1 or -1 with equal probability."""
    law, score, reward = case
    outcomes = [score * (reward + sign - baseline)[:, None] for sign in (1, -1)]
    return moments.weighted_moments(np.concatenate(outcomes), np.tile(law / 2, 2))


def mean_error(right: moments.Moments, other: moments.Moments) -> float:
    """The largest error of the mean in eps·S, as a ``moments`` check counts it."""
    scale = np.maximum(right.mean_scale, other.mean_scale)
    unit = exact.tolerance(scale, float(np.finfo(np.float64).eps), 1.0)
    return exact.worst_ratio(other.mean, right.mean, unit).ratio


@figure(
    "moments",
    size=HONEST,
    power=Axes(
        "A baseline that depends on the action",
        "bias, in standard deviations of one draw",
        "programs in which it is found",
        "x",
        at_x={0.1: "min_detectable of max-t"},
    ),
)
def moments_found(rng: Rng) -> Iterator[Row]:
    errors = defaultdict(list)
    for _ in range(1500):
        law, score, reward = case = bandit(rng)
        right = gradient(case, 0.0)
        weight = law * (score**2).sum(axis=1)
        best = float(weight @ reward / weight.sum())
        for name, baseline in (("mean", float(law @ reward)), ("best", best), ("1,000", 1000.0)):
            errors[f"baseline: {name}"].append(mean_error(right, gradient(case, baseline)))
    for name, found in errors.items():
        never = ALLOWED if name == "baseline: 1,000" else ALLOWED / 5
        yield from exceeding(name, np.array(found), never)
    n = unbiased.required_n(STAGE, two_stage.stage_beta(0.01), 0.1, 5)
    for bias in np.geomspace(1e-17, 1, 18).tolist():
        enumerated, sampled = zip(*(found_at(rng, bias, n) for _ in range(400)), strict=True)
        yield rate("power", "enumerated", bias, np.array(enumerated))
        yield rate("power", f"max-t, 2 × {n:,} draws", bias, np.array(sampled))


def found_at(rng: Rng, bias: float, n: int) -> tuple[bool, bool]:
    """Whether one program's bias is found by enumeration, and by two stages of n draws."""
    case, baseline = bandit(rng), rng.standard_normal(5)
    right, wrong = gradient(case, 0.0), gradient(case, baseline)
    unit = np.abs(wrong.mean - right.mean).max() / math.sqrt(right.variance.max())
    other = gradient(case, bias / unit * baseline)
    shift = (np.abs(other.mean - right.mean) / np.sqrt(other.variance)).max()
    drawn = shift * math.sqrt(n) + rng.standard_normal(2)
    return mean_error(right, other) > ALLOWED, bool((drawn > t_level(n, 5)(STAGE)).all())
