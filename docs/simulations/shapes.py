"""Laws and spreads of draws: ratios of variances, tables, distribution functions, correlations."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.feasibility import required_draws
from harness.spec.checks import DistributionCheck, VarianceRatioCheck
from harness.statistics import (
    chi_square,
    distribution,
    independence,
    laws,
    two_stage,
    variance_ratio,
)
from simulations.base import (
    AGREEING,
    NOMINAL,
    QUOTED,
    STAGE,
    Claim,
    Draw,
    Floats,
    Rng,
    Row,
    agree,
    at,
    batches,
    both,
    cauchy,
    check_power,
    exponential,
    figure,
    lognormal,
    normal,
    rate,
    sizes,
    stage_size,
    t_level,
)
from simulations.combined import (
    NAMED,
    Stored,
    at_level,
    checks_fail,
    independence_kind,
    kind_sizes,
    reduced,
    stage_rejects,
)

LIMIT, RATIO = 1.2, 1.5
W, CELLS = 0.3, np.full(6, 1 / 6)
DISTANCE = 0.1
RHO = 0.2
LAWS: dict[str, Draw] = {"normal": normal, "uniform": lambda rng, shape: rng.random(shape)}


def log_ratios(rng: Rng, x: Draw, y: Draw, n: int, total: int) -> tuple[Floats, Floats]:
    """log(tr_x/tr_y) of independent scalars, and its standard error."""
    ratios: list[Floats] = []
    errors: list[Floats] = []
    for rows in batches(total, 2 * n):
        pair = [draw(rng, (rows, n)) for draw in (x, y)]
        squared = [(part - part.mean(axis=1, keepdims=True)) ** 2 for part in pair]
        traces = [part.mean(axis=1) for part in squared]
        psi = squared[0] / traces[0][:, None] - squared[1] / traces[1][:, None]
        ratio = np.log(traces[0] / traces[1])
        error = np.sqrt(np.einsum("rn,rn->r", psi, psi) / (n - 1) / n)
        if not ratios:
            held = zip(*(part[:AGREEING, :, None] for part in pair), strict=True)
            stored = [variance_ratio.summarise_pair(*one) for one in held]
            stages = [variance_ratio.ratio_stage(one, 1.0, STAGE) for one in stored]
            agree("variance ratio", ratio / error, [stage.statistic for stage in stages])
        ratios.append(ratio)
        errors.append(error)
    return np.concatenate(ratios), np.concatenate(errors)


@figure(
    "variance_ratio",
    size=stage_size("stages that reject a ratio at the limit"),
    power=check_power(f"ratio of the variances, limit {LIMIT}", RATIO),
)
def ratios_of_variances(rng: Rng) -> Iterator[Row]:
    for name, x, y, growth in (
        ("both normal", normal, normal, 1.5),
        ("both exponential", exponential, exponential, 2.0),
        ("normal over exponential", normal, exponential, None),
        ("normal over lognormal", normal, lognormal, None),
    ):
        ratio, error = log_ratios(rng, x, y, variance_ratio.LEAST_N, 50_000)
        yield from sizes(name, ratio / error, laws.normal_critical, growth)
    beta = two_stage.stage_beta(0.05)
    for name, draw, kurtosis in (("normal", normal, 0.0), ("exponential", exponential, 6.0)):
        n = variance_ratio.required_n(STAGE, beta, LIMIT, RATIO, excess_kurtosis=kurtosis)
        ratio, error = log_ratios(rng, draw, draw, n, 10_000)
        for true in np.linspace(1, 2, 21).round(3).tolist():
            found = both((ratio + math.log(true / LIMIT)) / error > laws.normal_critical(STAGE))
            yield rate("power", f"{name}, n = {n:,}", true, found, at(true, RATIO, 0.94))
    yield from ratio_kind(rng)


def ratio_kind(rng: Rng, stages: int = 8_000, checks: int = 2_000) -> Iterator[Row]:
    """The kind's stages, which also reject where it stays open whether the ratio is too large."""
    fields: dict[str, Any] = {
        "limit": LIMIT,
        "min_detectable": RATIO,
        "stage_alpha": 1e-3,
        "beta": 0.05,
    }
    check = VarianceRatioCheck(**NAMED, kind="variance-ratio", **fields)
    for name, draw, growth in (("normal", normal, 1.5), ("exponential", exponential, 2.0)):
        for level in NOMINAL:
            leveled = at_level(check, level)
            n = required_draws(leveled)
            stored = stored_ratios(*log_ratios(rng, draw, draw, n, stages), n, LIMIT)
            found = np.array([stage_rejects(leveled, one) for one in stored])
            claim = Claim(most=growth * level, quoted=level == QUOTED)
            yield rate("size", f"kind, {name}", level, found, claim)
        n = required_draws(check)
        ratio, error = log_ratios(rng, draw, draw, n, 2 * checks)
        for true in (1.0, 1.1, 1.2, 1.25, 1.3, 1.35, 1.4, 1.45, 1.5, 1.6, 1.8, 2.0):
            found = checks_fail(check, stored_ratios(ratio, error, n, true))
            claim = at(true, RATIO, 0.95)
            yield rate("power", f"kind, {name}, n = {n:,}", true, found, claim)


def stored_ratios(ratio: Floats, error: Floats, n: int, true: float) -> list[Stored]:
    """What the kind stores of log-ratios with these errors, the variances being ``true`` apart."""
    known = {"n": np.array(n), "trace_y": np.array(1.0), "nonfinite": np.array(0)}
    return [
        {**known, "trace_x": true * np.exp(one), "se_log_ratio": se, "skew": np.array(0.0)}
        for one, se in zip(ratio, error, strict=True)
    ]


def chi_squares(counts: NDArray[np.int64], law: Floats) -> tuple[Floats, int]:
    """Pearson's statistic of every row over its pools, and the degrees of freedom."""
    n = int(counts[0].sum())
    pools = chi_square.pooled_cells(law, n, chi_square.least_expected(STAGE))
    member = pools[:, None] == np.arange(pools.max() + 1)
    expected, observed = n * law @ member, counts @ member
    statistic = ((observed - expected) ** 2 / expected).sum(axis=1)
    stored = [chi_square.summarise_table(row[None]) for row in counts[:AGREEING]]
    stages = [chi_square.chi_square_stage(one, law[None], STAGE) for one in stored]
    agree("chi-square", statistic, [stage.statistic for stage in stages])
    return statistic, int(pools.max())


@figure("chi_square", size=stage_size(), power=check_power("effect w", W))
def tables(rng: Rng) -> Iterator[Row]:
    geometric = 0.6 ** np.arange(20)
    for name, law, n in (
        ("8 equal cells, n = 200", np.full(8, 1 / 8), 200),
        ("7 cells from .5 to .01, n = 800", np.array([50, 25, 12, 6, 4, 2, 1]) / 100, 800),
        ("20 geometric cells, n = 200", geometric / geometric.sum(), 200),
    ):
        statistic, df = chi_squares(rng.multinomial(n, law, 200_000), law)
        yield from sizes(name, statistic, partial(laws.chi_square_critical, df=df), 2)
    n = chi_square.chi_square_required_n(STAGE, two_stage.stage_beta(0.05), W, 6)
    critical = laws.chi_square_critical(STAGE, 5)
    alternate, single = np.tile([1, -1], 3) / 6, (6 * np.eye(6)[0] - 1) / (6 * math.sqrt(5))
    for w in np.linspace(0, 0.4, 17).round(4).tolist():
        for name, direction, least in (
            ("half the cells up", alternate, 0.95),
            ("one up", single, None),
        ):
            statistic, _ = chi_squares(rng.multinomial(n, CELLS + w * direction, 20_000), CELLS)
            claim = at(w, W, least)
            yield rate("power", f"{name}, n = {n}", w, both(statistic > critical), claim)


def distances(draws: Floats, law: distribution.Law) -> Floats:
    """The Kolmogorov-Smirnov distance of every row."""
    n = draws.shape[1]
    ordered = np.sort(draws, axis=1)
    reached = laws.normal_cdf(ordered) if law == "normal" else np.clip(ordered, 0, 1)
    steps = np.arange(n + 1) / n
    found = np.maximum(steps[1:] - reached, reached - steps[:-1]).max(axis=1)
    stored = [distribution.summarise_ks(row[:, None], law) for row in draws[:AGREEING]]
    agree("KS", found, [distribution.ks_stage(one, STAGE).statistic for one in stored])
    return np.asarray(found)


def off_by(
    rng: Rng, distance: float, shape: tuple[int, int]
) -> Iterator[tuple[str, distribution.Law, Floats]]:
    """Draws at this distance: mass moved over the median, a shifted normal, a wider one."""
    u, lower = rng.random(shape), 0.5 - distance
    upper = 0.5 + (u - lower) / (1 + 2 * distance)
    yield (
        "uniform, mass moved over the median",
        "uniform",
        np.where(u < lower, u / (2 * lower), upper),
    )
    z = rng.standard_normal(shape)
    yield "normal, shifted", "normal", z + 2 * laws.normal_critical(0.5 - distance / 2)
    yield "normal, wider", "normal", z * spread_at(distance)


def spread_at(distance: float) -> float:
    """The sd, 1 or more, of a normal law so far from the standard one."""
    x, low, high = np.linspace(0, 6, 6001), 1.0, 10.0
    for _ in range(50):
        middle = (low + high) / 2
        near = (laws.normal_cdf(x) - laws.normal_cdf(x / middle)).max() < distance
        low, high = (middle, high) if near else (low, middle)
    return low


@figure(
    "distribution", size=stage_size(), power=check_power("Kolmogorov–Smirnov distance", DISTANCE)
)
def distribution_functions(rng: Rng) -> Iterator[Row]:
    cases: tuple[tuple[str, distribution.Law, Draw, int], ...] = (
        ("normal, n = 20", "normal", normal, 20),
        ("uniform, n = 200", "uniform", LAWS["uniform"], 200),
        ("normal, n = 1,000", "normal", normal, 1000),
    )
    for name, law, draw, n in cases:
        parts = [distances(draw(rng, (rows, n)), law) for rows in batches(50_000, n)]
        yield from sizes(name, np.concatenate(parts), partial(laws.ks_critical, n=n))
    n = distribution.ks_required_n(STAGE, two_stage.stage_beta(0.1), DISTANCE)
    for distance in (0.0, 0.02, 0.04, 0.05, 0.06, 0.07, 0.08, 0.09, 0.1, 0.12):
        for name, law, draws in off_by(rng, distance, (2000, n)):
            failed = both(distances(draws, law) > laws.ks_critical(STAGE, n))
            yield rate("power", name, distance, failed, at(distance, DISTANCE, 0.9))
    yield from distribution_kind(rng)


def distribution_kind(rng: Rng, stages: int = 10_000, checks: int = 400) -> Iterator[Row]:
    """Kolmogorov-Smirnov and far draws, at half the level each, as the kind decides."""
    fields: dict[str, Any] = {
        "stage_alpha": 1e-3,
        "beta": 0.1,
        "min_detectable": DISTANCE,
        "dimensions": 1,
    }
    by_law = {
        law: DistributionCheck(**NAMED, kind="distribution", law=law, **fields)
        for law in ("normal", "uniform")
    }
    for law, check in by_law.items():
        wide, draw = check.model_copy(update={"dimensions": 2}), LAWS[law]
        stored = [reduced(wide, draw(rng, (2_000, 2))) for _ in range(stages)]
        yield from kind_sizes(f"{law}, n = 2,000, d = 2", wide, stored, 1.0)
    n = required_draws(by_law["normal"])
    for distance in (0.0, 0.04, 0.06, 0.08, 0.1):
        for name, law, draws in off_by(rng, distance, (2 * checks, n)):
            stored = [reduced(by_law[law], row[:, None]) for row in draws]
            claim = at(distance, DISTANCE, 0.9)
            failed = checks_fail(by_law[law], stored)
            yield rate("power", f"kind, {name}, n = {n:,}", distance, failed, claim)


def products(rng: Rng, draw: Draw, n: int, total: int) -> Floats:
    """The centred second moments xx, xy, yy "3 sample" of n pairs."""
    found = []
    for rows in batches(total, 2 * n):
        x, y = draw(rng, (2, rows, n))
        x -= x.mean(axis=1, keepdims=True)
        y -= y.mean(axis=1, keepdims=True)
        pairs = ((x, x), (x, y), (y, y))
        found.append(np.stack([np.einsum("rn,rn->r", a, b) for a, b in pairs]))
        if len(found) == 1:
            held = np.stack([x[:AGREEING], y[:AGREEING]], axis=2)
            stored = [independence.summarise_correlations(pair) for pair in held]
            stages = [independence.correlation_stage(one, STAGE) for one in stored]
            agree("correlation", t_of(found[0], 0.0, n), [stage.statistic for stage in stages])
    return np.concatenate(found, axis=1)


def t_of(product: Floats, rho: float, n: int) -> Floats:
    """|t| of the correlation of x with rho·x + √(1 - rho²)·y."""
    xx, xy, yy = product
    rest = math.sqrt(1 - rho**2)
    other = rho**2 * xx + 2 * rho * rest * xy + rest**2 * yy
    r = (rho * xx + rest * xy) / np.sqrt(xx * other)
    return np.asarray(np.abs(r) * np.sqrt((n - 2) / (1 - r**2)))


@figure("independence", size=stage_size(), power=check_power("correlation of one of 6 pairs", RHO))
def correlations(rng: Rng) -> Iterator[Row]:
    for name, draw, n, growth in (
        ("normal, n = 100", normal, 100, 1.0),
        ("exponential, n = 100", exponential, 100, None),
        ("exponential, n = 1,000", exponential, 1000, 2.0),
        ("Cauchy, n = 1,000", cauchy, 1000, None),
    ):
        t = t_of(products(rng, draw, n, 50_000), 0.0, n)
        yield from sizes(name, t, t_level(n - 1), growth)
    n = independence.correlation_required_n(STAGE, two_stage.stage_beta(0.05), RHO, 6)
    for name, draw, least in (("normal", normal, 0.94), ("exponential", exponential, None)):
        product = products(rng, draw, n, 20_000)
        for rho in np.linspace(0, 0.3, 13).round(4).tolist():
            found = both(t_of(product, rho, n) > t_level(n - 1, 6)(STAGE))
            yield rate("power", f"{name}, n = {n}", rho, found, at(rho, RHO, least))
    yield from independence_kind(rng)
