"""Decisions of whole kinds where they combine several tests: what marks, through harness.kinds."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from harness import kinds
from harness.feasibility import required_draws
from harness.kinds import Evidence
from harness.records import COMMON, OWN
from harness.spec.checks import (
    NOMINAL_SHARE,
    IndependenceCheck,
    LikelihoodCheck,
    Stochastic,
)
from harness.statistics.likelihood import ExcessPlan, bounded_excess_n
from simulations.base import (
    NOMINAL,
    QUOTED,
    Claim,
    Draw,
    Floats,
    Rng,
    Row,
    Truths,
    at,
    exponential,
    normal,
    rate,
)

#: What every check of a simulation is called; the metric is ``x``.
NAMED: Mapping[str, Any] = {"id": "c", "measurement": "m", "metric": "x", "points": 1.0}
Stored = Mapping[str, Any]
CORRELATED, PLACES = 0.2, 4
MARGIN, SPREAD, FOUND, RARE, SHARE = 0.02, 0.5, 0.1, 5.0, 0.02
#: Nats by which the reference is above the floor. Programs that spread by .5 about it are possible
#: from .1 on: the mean of exp(floor - nll) is then at most 1.
ABOVE = 0.2


def at_level(check: Stochastic, level: float) -> Stochastic:
    """The check whose stages run at this level; specs allow small ones only, plots show all."""
    return check.model_copy(update={"stage_alpha": level / NOMINAL_SHARE})


def reduced(check: Stochastic, draws: Floats) -> Stored:
    """What the kind stores of draws."""
    return kinds.reduce(check, {"x": draws})


def stage_rejects(check: Stochastic, stored: Stored) -> bool:
    """Whether the first stage of a kind rejects: it then asks for the second."""
    return kinds.decide(check, [Evidence(stored, step=COMMON)]).status == "MORE"


def fails(check: Stochastic, first: Stored, second: Stored) -> bool:
    """What the kind decides from both stages."""
    steps = [Evidence(first, step=COMMON), Evidence(second, step=OWN)]
    return kinds.decide(check, steps).status == "FAIL"


def checks_fail(check: Stochastic, stored: Sequence[Stored]) -> Truths:
    """For every two stages whether the check fails."""
    pairs = zip(stored[::2], stored[1::2], strict=True)
    return np.array([fails(check, *pair) for pair in pairs])


def kind_sizes(
    series: str, check: Stochastic, stored: Sequence[Stored], growth: float
) -> Iterator[Row]:
    """How often stages of a kind reject right programs, at most ``growth`` times the level."""
    for level in NOMINAL:
        leveled = at_level(check, level)
        found = np.array([stage_rejects(leveled, one) for one in stored])
        claim = Claim(most=growth * level, quoted=level == QUOTED)
        yield rate("size", f"kind, {series}", level, found, claim)


def independence_kind(rng: Rng, stages: int = 10_000, checks: int = 400) -> Iterator[Row]:
    """Neighbours' correlations and dependence at every lag, at half the level each."""
    check = IndependenceCheck(
        **NAMED, kind="independence", dimensions=PLACES, stage_alpha=1e-3, beta=0.05,
        min_detectable=CORRELATED,
    )  # fmt: skip

    for name, draw in (("normal", normal), ("exponential", exponential)):
        stored = [reduced(check, draw(rng, (500, PLACES))) for _ in range(stages)]
        yield from kind_sizes(f"{name}, n = 500, d = {PLACES}", check, stored, 3.0)
    needed = required_draws(check)
    for name, lag in (("one of 6 pairs", 0), ("the 7th draw before", 7)):
        for rho in np.linspace(0, 0.3, 7).round(4).tolist():
            stored = []
            for _ in range(2 * checks):
                x = rng.standard_normal((needed, PLACES))
                x[:, 1] = rho * np.roll(x[:, 0], lag) + math.sqrt(1 - rho**2) * x[:, 1]
                stored.append(reduced(check, x))
            claim = at(rho, CORRELATED, 0.95)
            yield rate(
                "power", f"kind, {name}, n = {needed:,}", rho, checks_fail(check, stored), claim
            )


def mean_check(level: float) -> tuple[LikelihoodCheck, int]:
    """A check of the mean excess at this level, and the images that it needs."""
    check = LikelihoodCheck(
        **NAMED, kind="likelihood", against="reference", compare="mean", margin_nats=MARGIN,
        min_detectable=FOUND, spread_nats=SPREAD, rare_nats=RARE, rare_share=SHARE, beta=0.01,
    ).model_copy(update={"floor_alpha": level})  # fmt: skip
    return check, bounded_excess_n(
        ExcessPlan(MARGIN, SPREAD, FOUND, RARE, SHARE, stage_alpha=level, stage_beta=0.01)
    )


def likelihood_fails(check: LikelihoodCheck, floor: Floats, excess: Floats) -> bool:
    """The decision about a program whose images exceed those of a reference above the floor."""
    nll = floor + ABOVE
    own = kinds.reduce(check, {"x": nll + excess, "x__floor": floor})
    reference = kinds.reduce(check, {"x": nll, "x__floor": floor})
    return kinds.decide(check, [Evidence(own, reference=reference)]).status == "FAIL"


def likelihood_kind(rng: Rng, programs: int = 10_000, wrong: int = 500) -> Iterator[Row]:
    """Floor, rare images and bounded mean, as the kind decides with ``compare: mean``."""

    def judged(
        check: LikelihoodCheck, n: int, draw: Callable[[], Floats], repetitions: int
    ) -> Truths:
        floor = 0.5 * rng.standard_normal(n) ** 2
        return np.array([likelihood_fails(check, floor, draw()) for _ in range(repetitions)])

    def within(law: Draw, n: int, mean: float = MARGIN, spread: float = SPREAD) -> Floats:
        excess = mean + spread * law(rng, (n,))
        return np.clip(excess, mean - RARE, mean + RARE * 0.9)  # right ones have no rare image

    laws: tuple[tuple[str, Draw, float], ...] = (
        ("normal", normal, 1.5),
        ("exponential", exponential, 2.0),
    )
    for name, law, growth in laws:
        for level in NOMINAL:
            check, n = mean_check(level)
            found = judged(check, n, partial(within, law, n), programs)
            claim = Claim(most=growth * level, quoted=level == QUOTED)
            yield rate("size", f"kind, mean, {name} excess", level, found, claim)
    check, n = mean_check(1e-6)
    for name, spread in (("sd .5", 0.5), ("sd 2", 2.0)):
        for distance in (0.003, 0.01, 0.02, 0.04, 0.06, 0.08, FOUND, 0.2, 0.3):
            found = judged(check, n, partial(within, normal, n, distance, spread), wrong)
            claim = at(distance, FOUND, 0.99)
            yield rate("power", f"kind, mean, {name}, n = {n:,}", distance, found, claim)
