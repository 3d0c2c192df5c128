"""Means of draws: max-t, two stages, looks, equivalence."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Iterator
from functools import partial

import numpy as np
from numpy.typing import NDArray

from harness.statistics import equivalence, laws, looks, two_stage, unbiased
from simulations.base import (
    AGREEING,
    NOMINAL,
    NOTHING,
    PRINTED,
    QUOTED,
    STAGE,
    Axes,
    Claim,
    Draw,
    Floats,
    Rng,
    Row,
    Truths,
    agree,
    at,
    batches,
    both,
    cauchy,
    check_power,
    curve,
    drawn_mean_and_sd,
    exponential,
    figure,
    level_size,
    lognormal,
    max_t,
    mean_and_sd,
    normal,
    rare,
    rate,
    sizes,
    squares,
    stage_size,
    summary,
    t_level,
)

Counts = NDArray[np.int64]
#: What the guard lets a two-sided size grow by: (3 + 1/3)/2.
GUARDED = 5 / 3
BIASES = np.linspace(0, 0.15, 16).round(3).tolist()


@figure(
    "unbiased", size=stage_size(), power=check_power("bias of one of 10 coordinates, in sd", 0.1)
)
def one_stage(rng: Rng) -> Iterator[Row]:
    """Power from the biased coordinate alone: the nine others could only add to it."""
    n = 2000
    for name, draw, growth in (
        ("normal", normal, 1.0),
        ("exponential", exponential, GUARDED),
        ("χ²(1)", squares, GUARDED),
        ("lognormal", lognormal, None),
        ("Cauchy", cauchy, 1.0),
    ):
        t = max_t(*drawn_mean_and_sd(rng, draw, n, 100_000), n)
        yield from sizes(name, t, t_level(n), growth)
    n = unbiased.required_n(STAGE, two_stage.stage_beta(0.01), 0.1, 10)
    critical = t_level(n, 10)(STAGE)
    mean, sd = drawn_mean_and_sd(rng, squares, n, 10_000)
    for bias in BIASES:
        normals = mean_and_sd(rng, n, 40_000)
        found = both(max_t(normals[0] + bias, normals[1], n) > critical)
        yield rate("power", f"normal, n = {n:,}", bias, found, at(bias, 0.1, 0.99))
        for name, sign in (("up", 1), ("down", -1)):
            found = both(max_t(mean + sign * bias, sd, n) > critical)
            yield rate("power", f"χ²(1), {name}", bias, found, at(bias, 0.1))


@figure(
    "two_stage",
    size=Axes("Size", "nominal level of a stage", "right programs that fail", "xy", "level"),
    power=Axes("Power", "bias, in sd", "biased programs that fail", at_x={0.1: "min_detectable"}),
)
def two_stages(rng: Rng) -> Iterator[Row]:
    n = 200
    normals = mean_and_sd(rng, n, 4_000_000)
    skewed = drawn_mean_and_sd(rng, exponential, n, 400_000)
    for name, (mean, sd), known in (("normal", normals, True), ("exponential", skewed, False)):
        t = max_t(mean, sd, n)
        for level in NOMINAL[1:]:
            rejects, quoted = t > t_level(n)(level), level == QUOTED
            bounds = (two_stage.false_fail_bound(level), level) if known else (None, None)
            claims = [Claim(most=bound, quoted=quoted) for bound in bounds]
            yield rate("size", f"{name}, both stages", level, both(rejects), claims[0])
            yield rate("size", f"{name}, one stage", level, rejects, claims[1])
    for level in NOMINAL[1:]:
        yield curve("size", "α²", level, two_stage.false_fail_bound(level))
    n = unbiased.required_n(1e-3, two_stage.stage_beta(0.01), 0.1, 1)
    single = unbiased.required_n(1e-6, 0.01, 0.1, 1)
    for bias in BIASES:
        mean, sd = mean_and_sd(rng, n, 80_000)
        found = both(max_t(mean + bias, sd, n) > t_level(n)(1e-3))
        name = f"two stages at 1e-3, n = {n:,} each"
        yield rate("power", name, bias, found, at(bias, 0.1, 0.99))
        mean, sd = mean_and_sd(rng, single, 40_000)
        found = max_t(mean + bias, sd, single) > t_level(single)(1e-6)
        name = f"one stage at 1e-6, n = {single:,}"
        yield rate("power", name, bias, found, at(bias, 0.1, 0.99))


#: Draws between two looks at a stage that is drawn until it is precise.
STEP = 25


def looked(mean: Floats, sd: Floats, n: Counts, plan: looks.Plan) -> NDArray[np.str_]:
    """What ``looks.stage`` says of running figures "look sample", in honest sds."""
    said = np.full(mean.shape[1], "noisy", dtype="<U7")
    undecided = np.ones(mean.shape[1], dtype=bool)
    for centre, spread, size in zip(mean, sd, n.tolist(), strict=True):
        error = spread / math.sqrt(size)
        rejects = np.abs(centre) > t_level(size, plan.looks)(plan.stage_alpha) * error
        bound = np.abs(centre) + laws.t_critical(plan.stage_beta / plan.looks, size - 1) * error
        accepts = ~rejects & (bound < plan.min_detectable)
        said[undecided & rejects] = "rejects"
        said[undecided & accepts] = "accepts"
        undecided &= ~rejects & ~accepts
    return said


def same_looks(said: NDArray[np.str_], draws: Floats, per_look: int, plan: looks.Plan) -> None:
    """Holds :func:`looked` against ``looks.stage`` on draws "sample draw".

    Raises:
        ArithmeticError: they say something else.
    """
    for one, x in zip(said[:AGREEING].tolist(), draws[:AGREEING], strict=True):
        parts = x[: per_look * plan.looks].reshape(plan.looks, per_look, 1)
        seen = looks.stage([unbiased.summarise(part) for part in parts], [0], [1], plan)
        if seen.said != one:
            raise ArithmeticError(f"looks: {one} is not the stage's {seen.said}")


def running(draws: Floats, step: int) -> tuple[Floats, Floats, Counts]:
    """Mean and sd "look sample" of the first step, 2 step, … draws, and these numbers."""
    parts = draws.reshape(len(draws), -1, step)
    return pooled(parts.sum(axis=2).T, np.einsum("lks,lks->kl", parts, parts), step)


def pooled(sums: Floats, squares_: Floats, step: int) -> tuple[Floats, Floats, Counts]:
    """The same from the sums and sums of squares of every step, "look sample"."""
    n = step * np.arange(1, len(sums) + 1)
    mean = sums.cumsum(axis=0) / n[:, None]
    rest = squares_.cumsum(axis=0) - n[:, None] * mean**2
    return mean, np.sqrt(rest / (n[:, None] - 1)), n


def normals(
    rng: Rng, mean: float, sd: float, step: int, steps: int
) -> tuple[Floats, Floats, Counts]:
    """Running figures of 20,000 samples of normal draws, from the joint law of every step's."""
    part, spread = (found.reshape(steps, -1) for found in mean_and_sd(rng, step, steps * 20_000))
    centre = mean + sd * part
    return pooled(step * centre, (step - 1) * (sd * spread) ** 2 + step * centre**2, step)


def until_precise(mean: Floats, sd: Floats, n: Counts, level: float, aim: float) -> Truths:
    """Draw until ``unbiased.achieved_mdb`` is at most ``aim``, then test: whether it rejects."""
    z = laws.normal_critical(0.01)
    critical = np.array([t_level(size)(level) for size in n.tolist()])
    reach = (critical[:, None] + z) * sd / np.sqrt(n)[:, None]
    held = zip(sd[0, :AGREEING].tolist(), itertools.repeat(int(n[0])), strict=False)
    agree(
        "reach", reach[0], [unbiased.achieved_mdb(summary(0, *one), level, 0.01)[0] for one in held]
    )
    enough = reach <= aim
    stop = np.where(enough.any(axis=0), enough.argmax(axis=0), len(n) - 1)
    sample = np.arange(mean.shape[1])
    t = np.abs(mean[stop, sample]) * np.sqrt(n[stop]) / sd[stop, sample]
    return t > critical[stop]


def ways(rng: Rng, draw: Draw, aim: float, total: int) -> dict[tuple[str, float], Truths]:
    """Whether stages speak against a right program: looks, a fixed n, drawing until precise."""
    plans = {level: looks.Plan(aim, level, 0.01, 4) for level in NOMINAL}
    needed = {level: 1.2 * looks.required_n(plan, 1) / 4 for level, plan in plans.items()}
    each = {level: STEP * math.ceil(n / STEP) for level, n in needed.items()}
    longest = 6 * max(each.values())
    against: dict[tuple[str, float], list[Truths]] = defaultdict(list)
    for rows in batches(total, longest):
        x = draw(rng, (rows, longest))
        mean, sd, n = running(x, STEP)
        for level, plan in plans.items():
            own = np.arange(1, 5) * each[level] // STEP - 1
            said = looked(mean[own], sd[own], n[own], plan)
            if ("looks", level) not in against:
                same_looks(said, x, each[level], plan)
            against["looks", level].append(said != "accepts")
            place = math.ceil(unbiased.required_n(level, 0.01, aim, 1) / STEP) - 1
            t = np.abs(mean[place]) * math.sqrt(n[place]) / sd[place]
            against["fixed n", level].append(t > t_level(int(n[place]))(level))
            found = until_precise(mean, sd, n, level, aim)
            against["until precise", level].append(found)
    return {name: np.concatenate(found) for name, found in against.items()}


@figure(
    "looks",
    size=stage_size("stages that speak against a right program"),
    power=Axes(
        "Passing by noise",
        "the program's sd, in honest sds",
        "stages that do not speak against it",
        "x",
        at_y={0.01: "β"},
    ),
)
def group_sequential(rng: Rng) -> Iterator[Row]:
    for name, draw, aim, total, growth in (
        ("normal", normal, 0.1, 20_000, 1.0),
        ("exponential", exponential, 0.1, 20_000, GUARDED),
        ("lognormal, .1 sd", lognormal, 0.1, 50_000, None),
        ("lognormal, .2 sd", lognormal, 0.2, 50_000, None),
    ):
        for (way, level), found in ways(rng, draw, aim, total).items():
            if growth and way != "looks":
                continue
            quoted = level == 1e-3 or (level == STAGE and aim > 0.1)
            claim = Claim(most=growth and growth * level, quoted=quoted)
            yield rate("size", f"{name}, {way}", level, found, claim)
    for noise in (1, 2, 3, 4, 5, 7, 10, 14, 20):
        yield from passing(rng, noise)


def passing(rng: Rng, noise: int) -> Iterator[Row]:
    """One stage at 1e-3 of 2,000 draws (or until precise), a bias of half an honest sd or none."""
    plan = looks.Plan(0.5, 1e-3, 0.01, 4)
    claim = PRINTED if noise == 10 else NOTHING
    raw = 0.5 + noise * rng.standard_normal((AGREEING, 2000))
    same_looks(looked(*running(raw, 500), plan), raw, 500, plan)
    found = looked(*normals(rng, 0.0, noise, 500, 4), plan) == "accepts"
    yield rate("power", "no bias, looks", noise, found, PRINTED if noise in (4, 5) else claim)
    mean, sd, n = normals(rng, 0.5, noise, 500, 4)
    found = looked(mean, sd, n, plan) == "accepts"
    yield rate("power", "bias, looks", noise, found, Claim(most=0.01, quoted=claim.quoted))
    found = max_t(mean[-1], sd[-1], 2000) <= t_level(2000)(1e-3)
    yield rate("power", "bias, fixed n", noise, found, claim)
    step = max(25, round(0.1 * (5.6 * noise / 0.5) ** 2))  # about ten looks until it is precise
    found = ~until_precise(*normals(rng, 0.5, noise, step, 40), 1e-3, 0.5)
    yield rate("power", "bias, until precise", noise, found, claim)


@figure(
    "equivalence",
    size=level_size("stages that claim a mean at its margin"),
    power=Axes(
        "Power at .01",
        "bias, in margins",
        "stages that establish the claim",
        at_x={0: "declared", 1: "margin"},
    ),
)
def established(rng: Rng) -> Iterator[Row]:
    for name, draw, n, growth in (
        ("normal, n = 5", normal, 5, 1.0),
        ("normal, n = 50", normal, 50, 1.0),
        ("χ²(1) with its tail outwards, n = 1,500", squares, 1500, 3.0),
        ("2 % far outwards, n = 200", rare, 200, None),
    ):
        mean, sd = drawn_mean_and_sd(rng, draw, n, 100_000)
        with np.errstate(divide="ignore"):
            t = np.where(sd > 0, -mean * math.sqrt(n) / sd, -np.inf)
        wide = 1000.0  # so wide a margin that only its near side matters
        held = zip(mean[:AGREEING], sd[:AGREEING], strict=True)
        stages = [
            equivalence.equivalence_stage(summary(wide + m, s, n), [0], wide, QUOTED)
            for m, s in held
        ]
        p_values = np.array(
            [laws.t_tail(one, n - 1) if one > -np.inf else 1 for one in t[:AGREEING]]
        )
        agree("equivalence", p_values, [stage.p_value for stage in stages])
        yield from sizes(name, t, partial(laws.t_critical, df=n - 1), growth)
    for dimensions, noise in ((1, 1.0), (4, 1.0), (1, 2.0)):
        n = equivalence.required_n(QUOTED, 0.1, 0.5, dimensions)
        series = f"d = {dimensions}, n = {n}" + (", twice the sd" if noise > 1 else "")
        for bias in np.linspace(0, 1.2, 13).round(3).tolist():
            mean, sd = mean_and_sd(rng, n, 20_000 * dimensions)
            mean, sd = (noise * part.reshape(-1, dimensions) for part in (mean, sd))
            mean[:, 0] += 0.5 * bias
            bound = np.abs(mean) + laws.t_critical(QUOTED, n - 1) * sd / math.sqrt(n)
            claim = at(bias, 0, 0.9 if noise == 1 else None)
            claim = Claim(most=QUOTED) if bias == 1 else claim
            established_all: Truths = np.all(bound < 0.5, axis=1)
            yield rate("power", series, bias, established_all, claim)
