"""Draws one after another and far out: dependence at every lag, counts beyond quantiles."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from harness.statistics import dependence, tails, two_stage
from simulations.base import (
    NOMINAL,
    QUOTED,
    STAGE,
    Claim,
    Floats,
    Rng,
    Row,
    at,
    both,
    check_power,
    exponential,
    figure,
    normal,
    rate,
    stage_size,
)

RHO, LAG = 0.2, 7
LOST = 0.5


def levels(
    series: str, summaries: Sequence[Any], stage: Callable[..., Any], growth: float
) -> Iterator[Row]:
    """Rejection rates of a stage at all nominal levels, at most ``growth`` times the level."""
    for level in NOMINAL:
        found = np.array([stage(summary, level).rejects for summary in summaries])
        yield rate("size", series, level, found, claim(level, growth))


def claim(level: float, growth: float) -> Claim:
    return Claim(most=growth * level, quoted=level == QUOTED)


def uniform(rng: Rng, shape: tuple[int, ...]) -> Floats:
    return rng.random(shape)


@figure(
    "dependence",
    size=stage_size(),
    power=check_power(f"correlation with the {LAG}th draw before, one of 3 coordinates", RHO),
)
def lags(rng: Rng) -> Iterator[Row]:
    for name, draw in (("normal", normal), ("exponential", exponential)):
        stored = [dependence.summarise_dependence(draw(rng, (500, 4))) for _ in range(20_000)]
        yield from levels(f"{name}, n = 500", stored, dependence.dependence_stage, 3.0)
    n = dependence.dependence_required_n(STAGE, two_stage.stage_beta(0.05), RHO, 3)
    for rho in (0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3):
        rejects = []
        for _ in range(2_000):
            x = rng.standard_normal((n, 3))
            x[:, 2] = rho * np.roll(x[:, 0], LAG) + math.sqrt(1 - rho**2) * x[:, 2]
            summary = dependence.summarise_dependence(x)
            rejects.append(dependence.dependence_stage(summary, STAGE).rejects)
        yield rate("power", f"normal, n = {n:,}", rho, both(np.array(rejects)), at(rho, RHO, 0.93))


@figure(
    "tails",
    size=stage_size(),
    power=check_power("share that is lost of the mass beyond one 1 % quantile", LOST),
)
def far_draws(rng: Rng) -> Iterator[Row]:
    for law, draw in (("normal", normal), ("uniform", uniform)):
        stored = [tails.summarise_tails(draw(rng, (2_000, 2)), law) for _ in range(20_000)]
        yield from levels(f"{law}, n = 2,000", stored, tails.tail_stage, 1.0)
    for lost in (0.0, 0.125, 0.25, 0.375, 0.5, 0.75):
        rejects = []
        for _ in range(400):
            x = rng.random((16_000, 6))
            gone = (x[:, 0] > 0.99) & (rng.random(len(x)) < lost)
            x[gone, 0] = rng.uniform(0.5, 0.9, int(gone.sum()))
            summary = tails.summarise_tails(x, "uniform")
            rejects.append(tails.tail_stage(summary, STAGE).rejects)
        yield rate(
            "power", "uniform, n = 16,000", lost, both(np.array(rejects)), at(lost, LOST, 0.9)
        )
