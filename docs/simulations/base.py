"""Points of a figure, how they are counted, and the laws that are drawn from."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from harness.statistics import laws, sequential, unbiased

Floats = NDArray[np.float64]
Truths = NDArray[np.bool_]
Rng = np.random.Generator
Draw = Callable[[Rng, tuple[int, ...]], Floats]

#: Nominal levels; the first is that of a stage with the usual bound of 1e-3.
NOMINAL = (2e-4, 1e-3, 3e-3, 0.01, 0.05)
STAGE = NOMINAL[0]
#: The level of whose measured size the page speaks.
QUOTED = 0.01
#: Samples on which a formula is held against the library.
AGREEING = 200
#: Numbers that are drawn at once.
_CHUNK = 4_000_000


@dataclass(frozen=True)
class Claim:
    """What docs/statistics.md says of a rate: bounds that it keeps, whether it is printed."""

    least: float | None = None
    most: float | None = None
    quoted: bool = False


NOTHING = Claim()
PRINTED = Claim(quoted=True)


@dataclass(frozen=True)
class Row:
    """One point of a figure; the columns of its CSV.

    ``y`` with its two-sided 95 % bounds (Clopper & Pearson 1934) is a rate of ``events`` where
    ``repetitions`` is not 0.
    """

    panel: str
    series: str
    x: float
    y: float
    low: float
    high: float
    events: int = 0
    repetitions: int = 0
    least: float | None = None
    most: float | None = None
    quoted: int = 0


@dataclass(frozen=True)
class Axes:
    """One panel: its labels, its scales, the lines that are marked.

    Attributes:
        log: the axes that are logarithmic.
        nominal: draw the nominal level, and for a ``stage`` the declared bound too.
    """

    title: str
    x: str
    y: str
    log: str = ""
    nominal: Literal["", "level", "stage"] = ""
    at_x: dict[float, str] = field(default_factory=dict)
    at_y: dict[float, str] = field(default_factory=dict)


Simulation = Callable[[Rng], Iterator[Row]]


@dataclass(frozen=True)
class Figure:
    simulate: Simulation
    panels: dict[str, Axes]


FIGURES: dict[str, Figure] = {}


def figure(name: str, **panels: Axes) -> Callable[[Simulation], Simulation]:
    """Registers a simulation, whose rows name one of the panels each."""

    def register(simulate: Simulation) -> Simulation:
        FIGURES[name] = Figure(simulate, panels)
        return simulate

    return register


def stage_size(what: str = "stages that reject a right program") -> Axes:
    return Axes("Size", "nominal level", what, "xy", "stage")


def level_size(what: str) -> Axes:
    return Axes("Size", "nominal level", what, "xy", "level")


def check_power(x: str, declared: float) -> Axes:
    marked = {declared: "min_detectable"}
    return Axes("Power", x, "checks that fail (both stages reject)", at_x=marked)


def rate(
    panel: str, series: str, x: float, found: Truths | tuple[int, int], claim: Claim = NOTHING
) -> Row:
    """A row from truth values, or from events and repetitions."""
    events, total = found if isinstance(found, tuple) else (int(found.sum()), found.size)
    low = sequential.tolerance_bound(events, total, 0.975)
    high = 1 - sequential.tolerance_bound(total - events, total, 0.975)
    said = (claim.least, claim.most, int(claim.quoted))
    return Row(panel, series, x, events / total, low, high, events, total, *said)


def curve(panel: str, series: str, x: float, y: float, claim: Claim = NOTHING) -> Row:
    """A row that is computed, not counted."""
    return Row(panel, series, x, y, y, y, 0, 0, claim.least, claim.most, int(claim.quoted))


def sizes(
    series: str, statistic: Floats, critical: Callable[[float], float], growth: float | None = 1.0
) -> Iterator[Row]:
    """Rejection rates at all nominal levels, of which ``growth`` times the level is claimed."""
    for level in NOMINAL:
        claim = Claim(most=growth and growth * level, quoted=level == QUOTED)
        yield rate("size", series, level, statistic > critical(level), claim)


def at(x: float, declared: float, least: float | None = None) -> Claim:
    """The claim of a point of a power curve: printed, and at least so much, where declared."""
    return Claim(least=least, quoted=True) if x == declared else NOTHING


def agree(name: str, ours: Floats, theirs: Sequence[float]) -> None:
    """Stops the run where a formula over arrays is not the library's.

    Raises:
        ArithmeticError: the figures differ by more than rounding.
    """
    same = np.allclose(ours[:AGREEING], theirs, rtol=1e-9, atol=1e-9)
    if len(theirs) != AGREEING or not same:
        raise ArithmeticError(f"{name}: the formula is not the library's")


def batches(total: int, size: int) -> list[int]:
    """How many samples of ``size`` numbers to draw at once, at least AGREEING; ``total`` in all."""
    count = max(1, total // max(AGREEING, _CHUNK // size))
    return [total // count + (place < total % count) for place in range(count)]


def both(rejects: Truths) -> Truths:
    """Whether checks fail, from the rejections of twice as many independent stages."""
    return rejects[::2] & rejects[1::2]


# Laws of mean 0 and variance 1 (Cauchy's: of median 0).


def normal(rng: Rng, shape: tuple[int, ...]) -> Floats:
    return rng.standard_normal(shape)


def exponential(rng: Rng, shape: tuple[int, ...]) -> Floats:
    return rng.standard_exponential(shape) - 1


def squares(rng: Rng, shape: tuple[int, ...]) -> Floats:
    """Chi-square(1), skewness 2.83."""
    return (rng.standard_normal(shape) ** 2 - 1) / math.sqrt(2)


def lognormal(rng: Rng, shape: tuple[int, ...]) -> Floats:
    """The exponential of a standard normal, skewness 6.2."""
    spread = math.sqrt((math.e - 1) * math.e)
    return (np.exp(rng.standard_normal(shape)) - math.exp(0.5)) / spread


def cauchy(rng: Rng, shape: tuple[int, ...]) -> Floats:
    return rng.standard_cauchy(shape)


def rare(rng: Rng, shape: tuple[int, ...]) -> Floats:
    """All alike but for 2 % far above."""
    above = (rng.random(shape) < 0.02).astype(np.float64)
    return (above - 0.02) / math.sqrt(0.02 * 0.98)


def bimodal(rng: Rng, shape: tuple[int, ...]) -> Floats:
    """Runs of a learner that fails 15 % of the time, in steps of 2**-20 (sums of few are exact)."""
    values = np.where(rng.random(shape) < 0.15, -0.6, 0.0) + 0.1 * rng.standard_normal(shape)
    spread = math.sqrt(0.01 + 0.36 * 0.15 * 0.85)
    return np.round((values + 0.09) / spread * 2**20) / 2**20


# Means and standard deviations of draws, and the t of both.


def mean_and_sd(rng: Rng, n: int, total: int) -> tuple[Floats, Floats]:
    """Those of n standard normal draws, from their exact joint law."""
    mean = rng.standard_normal(total) / math.sqrt(n)
    return mean, np.sqrt(rng.chisquare(n - 1, total) / (n - 1))


def drawn_mean_and_sd(rng: Rng, draw: Draw, n: int, total: int) -> tuple[Floats, Floats]:
    """Those of n draws of any law."""
    means: list[Floats] = []
    sds: list[Floats] = []
    for rows in batches(total, n):
        x = draw(rng, (rows, n))
        mean, square = x.mean(axis=1), np.einsum("rn,rn->r", x, x)
        rest = square - n * mean**2
        sd = np.sqrt(np.where(rest > 1e-12 * square, rest, 0.0) / (n - 1))
        if not means:
            held = [unbiased.summarise(row[:, None]) for row in x[:AGREEING]]
            agree("mean", mean, [float(one["mean"][0]) for one in held])
            agree("sd", sd, [float(one["sd"][0]) for one in held])
        means.append(mean)
        sds.append(sd)
    return np.concatenate(means), np.concatenate(sds)


def summary(mean: float, sd: float, n: int) -> dict[str, NDArray[np.generic]]:
    """What ``unbiased.summarise`` stores, of one coordinate without skewness."""
    figures = {"mean": np.array([mean]), "sd": np.array([sd]), "skew": np.zeros(1)}
    return {"n": np.array(n), "nonfinite": np.zeros(1, dtype=np.int64), **figures}


def max_t(mean: Floats, sd: Floats, n: int) -> Floats:
    """The statistic of ``unbiased.max_t_stage`` of one coordinate."""
    t = np.abs(mean) * math.sqrt(n) / sd
    held = zip(mean[:AGREEING], sd[:AGREEING], strict=True)
    stages = [unbiased.max_t_stage(summary(m, s, n), [0], [1], STAGE) for m, s in held]
    agree("max-t", t, [stage.statistic for stage in stages])
    return t


def t_level(n: int, coordinates: int = 1) -> Callable[[float], float]:
    """The critical value of a two-sided t of n draws at a level, shared by the coordinates."""
    return lambda level: laws.t_critical(level / (2 * coordinates), n - 1)
