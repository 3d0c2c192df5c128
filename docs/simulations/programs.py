"""Programs that were trained: likelihoods, returns, seeds that succeed, runs, leaderboards."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import numpy as np

from harness.statistics import laws, likelihood, permutation, ranking, returns, sequential
from simulations.base import (
    AGREEING,
    NOMINAL,
    NOTHING,
    PRINTED,
    QUOTED,
    Axes,
    Claim,
    Draw,
    Floats,
    Rng,
    Row,
    agree,
    at,
    batches,
    bimodal,
    cauchy,
    curve,
    drawn_mean_and_sd,
    exponential,
    figure,
    level_size,
    lognormal,
    max_t,
    mean_and_sd,
    normal,
    rate,
    sizes,
    squares,
    t_level,
)
from simulations.combined import FOUND, likelihood_kind

IMAGES = 1000
FLOOR = 1e-6
#: Success rates p0 and p1, alpha, beta and the cap of a training check.
TRAINED = (0.95, 0.4, 2e-6, 0.01, 60)
FEW = permutation.required_runs(QUOTED, 0.1, 2.0, 20)


def gains(rng: Rng, total: int) -> Iterator[tuple[str, Floats]]:
    """Σ (floor - nll) of honest programs on points of N(0, 1)."""
    final: list[Floats] = []
    best: list[Floats] = []
    learner: list[Floats] = []
    seen = np.arange(1, IMAGES + 1)
    for rows in batches(total, IMAGES):
        x = rng.standard_normal((rows, IMAGES))
        path = (0.1 * x - 0.005).cumsum(axis=1)
        guess, spread = (x.cumsum(axis=1) - x) / seen, 1 + 1 / seen
        gain = 0.5 * (x**2 - (x - guess) ** 2 / spread - np.log(spread))
        for found, one in (
            (final, path[:, -1]),
            (best, path.max(axis=1)),
            (learner, gain.sum(axis=1)),
        ):
            found.append(one)
        if len(final) == 1:
            same_floor(final[0], 0.5 * (x - 0.1) ** 2, 0.5 * x**2)
            same_floor(learner[0], 0.5 * x**2 - gain, 0.5 * x**2)
    yield "floor, displaced by .1 sd", np.concatenate(final)
    yield "floor, the best moment", np.concatenate(best)
    yield "floor, learns on the way", np.concatenate(learner)


def same_floor(gain: Floats, nll: Floats, floor: Floats) -> None:
    pairs = zip(nll[:AGREEING], floor[:AGREEING], strict=True)
    stored = [likelihood.summarise_paired(*pair) for pair in pairs]
    agree("floor", gain, [likelihood.floor_bound_stage(one, FLOOR).statistic for one in stored])


@figure(
    "likelihood",
    size=level_size("right programs that are rejected"),
    power=Axes(
        f"Power at 1e-6, floor of {IMAGES:,} images",
        "mean distance, nats an image",
        "programs that fail",
        "x",
        at_x={math.log(1 / FLOOR) / IMAGES: "log(1/α)/n", FOUND: "min_detectable"},
    ),
)
def likelihoods(rng: Rng) -> Iterator[Row]:
    for name, gain in gains(rng, 50_000):
        yield from sizes(name, gain, lambda level: -math.log(level))
    for spread, distance in itertools.product(
        (0.05, 0.2, 0.5), np.geomspace(0.003, 0.3, 19).tolist()
    ):
        mean, _ = mean_and_sd(rng, IMAGES, 20_000)
        found = IMAGES * (distance + spread * mean) > -math.log(FLOOR)
        yield rate("power", f"below the floor, sd {spread}", distance, found)
    yield from likelihood_kind(rng)


@figure(
    "returns",
    size=level_size("right programs without full credit; intervals that miss"),
    power=Axes(
        "Credit: mean, and where 90 % lie",
        "true mean return (0 random play, 1 the reference)",
        "credit",
        at_x={0: "low", 1: "reference"},
    ),
)
def credit(rng: Rng) -> Iterator[Row]:
    k, m, total = 5, 50, 200_000
    for name, draw in (("normal", normal), ("15 % fail", bimodal)):
        own = draw(rng, (total, k)).mean(axis=1)
        stored = np.concatenate([draw(rng, (total // 4, m)) for _ in range(4)])
        centre, spread = stored.mean(axis=1), stored.std(axis=1, ddof=1)
        for level in NOMINAL:
            z = laws.normal_critical(level)
            full = centre - z * spread * math.sqrt(1 / k + 1 / m)
            held = zip(centre[:AGREEING], spread[:AGREEING], strict=True)
            agree("plateau", full, [returns.full_credit_at(*one, k, m, z) for one in held])
            most = laws.t_tail(z, m - 1) if name == "normal" else None
            claim = Claim(most=most, quoted=level in (QUOTED, 1e-3))
            yield rate("size", f"plateau, {name}", level, own < full, claim)
    for name, draw, growth in (("normal", normal, 1.0), ("exponential", exponential, None)):
        t = max_t(*drawn_mean_and_sd(rng, draw, 30, total), 30)
        yield from sizes(f"interval, {name}, n = 30", t, t_level(30), growth)
    for runs, true in itertools.product((5, 30), np.linspace(-0.1, 1.2, 27).round(3).tolist()):
        full = returns.full_credit_at(1.0, 0.15, runs, m, 3.09)
        means = true + 0.15 / math.sqrt(runs) * rng.standard_normal(2000)
        found = np.array([returns.ramp(mean, 0.0, full) for mean in means.tolist()])
        low, high = np.quantile(found, (0.05, 0.95)).tolist()
        quoted = int(true in (0.8, 1.0))
        yield Row("power", f"{runs} runs", true, float(found.mean()), low, high, quoted=quoted)


@figure(
    "sequential",
    size=Axes(
        "Operating curve: exact, points simulated",
        "true success rate of a seed",
        "probability",
        at_x={TRAINED[1]: "p1", TRAINED[0]: "p0"},
    ),
    power=Axes(
        "Seeds",
        "true success rate of a seed",
        "expected number of seeds",
        at_x={TRAINED[1]: "p1", TRAINED[0]: "p0"},
    ),
)
def training(rng: Rng) -> Iterator[Row]:
    p0, p1, alpha, beta, _ = TRAINED
    design = sequential.design(*TRAINED)
    ends = {"PASS": "pass", "FAIL": "fail", "INCONCLUSIVE": "undecided"}
    fixed, _ = sequential.fixed_design(p0, p1, alpha, beta)
    for true in np.linspace(0, 1, 41).round(4).tolist():
        exact = sequential.operating(design, true)
        claim = PRINTED if true in (p1, 0.7, 0.8, p0) else NOTHING
        for name, end in ends.items():
            p = getattr(exact, f"p_{end}")
            kept = {p0: Claim(most=alpha, quoted=True), p1: Claim(least=1 - beta, quoted=True)}
            yield curve("size", name, true, p, kept.get(true, claim) if name == "FAIL" else claim)
        yield curve("power", "sequential", true, exact.expected_seeds, claim)
        yield curve("power", "fixed number", true, fixed, PRINTED if true == p0 else NOTHING)
    for true in (0.05, 0.2, p1, 0.6, 0.7, 0.8, 0.9, p0):
        runs = (rng.random((20_000, design.max_seeds)) < true).tolist()
        states = [sequential.state(design, row) for row in runs]
        exact = sequential.operating(design, true)
        for name, end in ends.items():
            p = getattr(exact, f"p_{end}")
            found = np.array([state.status == end for state in states])
            yield rate("size", f"{name}, simulated", true, found, Claim(least=p, most=p))
        seeds = np.array([state.seeds for state in states])
        mean, wide = float(seeds.mean()), 1.96 * float(seeds.std()) / math.sqrt(len(seeds))
        yield Row("power", "sequential, simulated", true, mean, mean - wide, mean + wide)


def permuted(rng: Rng, draw: Draw, k: int, m: int, total: int) -> Floats:
    """p-values of ``permutation.mean_test``, from all choices of k at once."""
    choices = np.array(list(itertools.combinations(range(k + m), k)))
    found = []
    for rows in batches(total, 4 * len(choices)):
        runs = draw(rng, (rows, k + m))
        columns = [runs[:, column] for column in choices.T]
        sums = sum(columns[1:], start=columns[0])
        found.append((sums <= sums[:, :1]).mean(axis=1))
        if len(found) == 1:
            held = [(row[:k], row[k:]) for row in runs[:AGREEING]]
            tests = [permutation.mean_test(*one, better="higher") for one in held]
            agree("permutation", found[0], [one.p_value for one in tests])
    return np.concatenate(found)


def stepped(draw: Draw, sign: int = 1) -> Draw:
    """The same in steps of 2**-20 and within 2**20, so that sums of few are exact."""
    most = 2.0**40
    return lambda rng, shape: (
        sign * np.clip(np.round(draw(rng, shape) * 2**20), -most, most) / 2**20
    )


def ceiling(rng: Rng, shape: tuple[int, ...]) -> Floats:
    """85 % of the runs at one ceiling, the others below it."""
    return np.where(rng.random(shape) < 0.85, 1.0, np.round(1024 * rng.random(shape)) / 1024)


@figure(
    "permutation",
    size=level_size("right programs that are called worse"),
    power=Axes(
        f"Power at .01, {FEW} against 20 runs",
        "shortfall of the mean, in sd of one run",
        "tests that reject",
        at_x={2.0: "min_detectable"},
    ),
)
def few_runs(rng: Rng) -> Iterator[Row]:
    least = permutation.smallest_p(3, 20)
    for name, draw in (
        ("normal", stepped(normal)),
        ("skewed", stepped(squares, -1)),
        ("15 % fail", bimodal),
        ("85 % at a ceiling", ceiling),
        ("Cauchy", stepped(cauchy)),
    ):
        p_values = permuted(rng, draw, 3, 20, 30_000)
        rows = sizes(name, -p_values, lambda level: -level * (1 + 1e-12))
        yield from (row for row in rows if row.x >= least)
    for name, draw, power in (("normal", normal, 0.9), ("15 % fail", bimodal, None)):
        for shortfall in np.linspace(0, 3, 13).round(3).tolist():
            rejects = []
            for _ in range(600):
                runs = draw(rng, (FEW + 20,))
                own, stored = runs[:FEW] - shortfall, runs[FEW:]
                found = permutation.mean_test(own, stored, better="higher")
                rejects.append(found.rejects_at(QUOTED))
            yield rate("power", name, shortfall, np.array(rejects), at(shortfall, 2.0, power))


def board(
    rng: Rng, draw: Draw, seeds: int, common: float = 0.0, spread: tuple[float, float] = (1, 1)
) -> Floats:
    """20 equal submissions "submission seed"; ``common``: correlation of the values of a seed."""
    values = math.sqrt(1 - common) * draw(rng, (20, seeds))
    values += math.sqrt(common) * draw(rng, (1, seeds))
    return np.linspace(*spread, 20)[:, None] * values


@figure(
    "ranking",
    size=level_size("leaderboards with any wrong claim"),
    power=Axes(
        "Power at .05",
        "difference of two means, in sd of one value",
        "leaderboards that tell the two apart",
    ),
)
def leaderboards(rng: Rng) -> Iterator[Row]:
    for name, draw, seeds, common, spread, growth in (
        ("normal, 10 seeds", normal, 10, 0.0, (1, 1), 1.0),
        ("exponential, 10 seeds", exponential, 10, 0.0, (1, 1), 1.0),
        ("15 % fail, 20 seeds", bimodal, 20, 0.0, (1, 1), 1.0),
        ("exponential, common seeds, sd .1 to 2", exponential, 10, 0.8, (0.1, 2), None),
    ):
        boards = (board(rng, draw, seeds, common, spread) for _ in range(2000))
        least = [ranking.simultaneous(list(one), paired=True).p_values.min() for one in boards]
        for level in (0.01, 0.02, 0.05, 0.1, 0.2):
            claim = Claim(most=growth and growth * level, quoted=level == 0.05)
            yield rate("size", name, level, np.array(least) <= level, claim)
    for seeds, common in ((6, 0.0), (10, 0.0), (20, 0.0), (10, 0.8)):
        series = f"{seeds} seeds" + (", common (correlation .8)" if common else "")
        for difference in np.linspace(0, 4, 9).round(3).tolist():
            apart = []
            for _ in range(250):
                values = board(rng, normal, seeds, common)
                values[0] += difference
                found = ranking.simultaneous(list(values), paired=True)
                apart.append(bool(found.better[0, 1]))
            claim = at(difference, 2.0)
            yield rate("power", series, difference, np.array(apart), claim)
    yield from hard_seeds(rng)


def hard_seeds(rng: Rng, boards: int = 4000) -> Iterator[Row]:
    """Equal submissions of which some feel a seed's skewed difficulty more than others.

    Differences are then not symmetric, and sign flips don't keep their level; nothing is claimed.
    """
    for name, seeds in (("exponential", 10), ("exponential", 20), ("lognormal", 10), ("rare", 10)):
        least = []
        for _ in range(boards):
            values = np.outer(np.linspace(0.2, 2, 20), difficulty(rng, name, seeds))
            least.append(ranking.simultaneous(list(values), paired=True).p_values.min())
        found = np.array(least) <= 0.05
        yield rate("size", f"{name} difficulty, {seeds} seeds", 0.05, found, PRINTED)


def difficulty(rng: Rng, name: str, seeds: int) -> Floats:
    """Of seeds, common to all submissions, with the mean 0; ``rare``: 15 % of seeds are hard."""
    if name == "rare":
        return np.where(rng.random(seeds) < 0.15, -0.85, 0.15)
    draw = {"exponential": exponential, "lognormal": lognormal}[name]
    return draw(rng, (seeds,))
