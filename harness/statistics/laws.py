"""Quantiles, tails and power of the laws that the stages compare with.

The one module of the statistics that calls scipy. All functions take and return Python floats
and ints; ``tail`` is the probability beyond the critical value on one side.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np
from scipy import special, stats

from harness.statistics.inputs import Floats, finite, positive, probability, whole

#: The skewness guard lets the likelier tail grow by at most this factor.
GUARD_INFLATION = 3.0


def normal_critical(tail: float) -> float:
    """The z that a standard normal exceeds with probability ``tail``."""
    return float(-special.ndtri(tail))


def normal_tail(z: float) -> float:
    """Probability that a standard normal exceeds ``z``."""
    return float(special.ndtr(-z))


def normal_cdf(x: Floats) -> Floats:
    """Probability that a standard normal is at most each entry of ``x``."""
    return np.asarray(special.ndtr(x), dtype=np.float64)


@lru_cache(maxsize=1024)
def t_critical(tail: float, df: int) -> float:
    """The t that Student's law with ``df`` degrees of freedom exceeds with probability ``tail``."""
    return float(-special.stdtrit(df, tail))


def t_tail(t: float, df: int) -> float:
    """Probability that Student's law with ``df`` degrees of freedom exceeds ``t``."""
    return float(special.stdtr(df, -t))


@lru_cache(maxsize=1024)
def ks_critical(tail: float, n: int) -> float:
    """The Kolmogorov-Smirnov distance of n draws that is exceeded with probability ``tail``."""
    return float(stats.kstwo.isf(tail, n))


def ks_tail(distance: float, n: int) -> float:
    """Probability that n draws lie further than ``distance`` from their own continuous law."""
    return float(stats.kstwo.sf(distance, n))


def chi_square_critical(tail: float, df: int) -> float:
    """The value that chi-square with ``df`` degrees exceeds with probability ``tail``."""
    return float(special.chdtri(df, tail))


def chi_square_tail(statistic: float, df: int) -> float:
    """Probability that chi-square with ``df`` degrees of freedom exceeds ``statistic``."""
    return float(special.chdtrc(df, statistic))


def chi_square_noncentrality(tail: float, df: int, beta: float) -> float:
    """The noncentrality at which the test at ``tail`` misses with probability ``beta``."""
    return float(special.chndtrinc(special.chdtri(df, tail), df, beta))


def beta_quantile(share: float, a: float, b: float) -> float:
    """The value that a Beta(a, b) variable falls below with probability ``share``."""
    return float(special.betaincinv(a, b, share))


def binomial_mass(events: int, n: int, rate: float) -> float:
    """Probability of exactly so many events among n of this rate."""
    return float(stats.binom.pmf(events, n, rate))


def binomial_cdf(most: int, n: int, rate: float) -> float:
    """Probability of at most ``most`` events among n of this rate; 0 where ``most`` < 0."""
    return float(special.bdtr(most, n, rate)) if most >= 0 else 0.0


def binomial_tail(least: int, n: int, rate: float) -> float:
    """Probability of at least ``least`` events among n of this rate."""
    if least <= 0:
        return 1.0
    return float(special.bdtrc(least - 1, n, rate)) if least <= n else 0.0


def poisson_tail(least: Floats, mean: Floats) -> Floats:
    """Probability of at least ``least`` >= 1 events where ``mean`` are expected, entry by entry."""
    return np.asarray(special.gammainc(least, mean), dtype=np.float64)


def t_power(n: int, tail: float, effect: float) -> float:
    """Probability that the t of n normal draws rejects in the effect's direction.

    ``effect`` is in standard deviations of one draw, >= 0. A rejection in the other direction is
    not counted, so a two-sided test has at least this power.
    """
    noncentrality = effect * math.sqrt(n)
    return 1.0 - float(special.nctdtr(n - 1, noncentrality, t_critical(tail, n - 1)))


def t_required_n(tail: float, beta: float, effect: float) -> int:
    """Smallest n, at least 2, for which :func:`t_power` reaches ``1 - beta``.

    The normal formula ((z_tail + z_beta) / effect)² is where the search starts; it is a few draws
    short (of the 32 for effect 1, tail 5e-4 and beta .01, the power is .969; 38 are needed).
    """
    first = (normal_critical(tail) + normal_critical(beta)) / positive("min_detectable", effect)
    start = max(2, math.ceil(first**2))
    return smallest(start, lambda n: t_power(n, tail, effect) >= 1 - beta)


def two_sample_t_power(k: int, m: int, tail: float, effect: float) -> float:
    """Probability that the t of k against m normal draws rejects in the effect's direction.

    ``effect`` is the difference of the means in standard deviations of one draw, > 0; the pooled
    variance has k + m - 2 degrees of freedom, of which there must be one.
    """
    df = k + m - 2
    if df < 1:
        return 0.0
    noncentrality = effect / math.sqrt(1 / k + 1 / m)
    return 1.0 - float(special.nctdtr(df, noncentrality, t_critical(tail, df)))


def smallest(start: int, enough: Callable[[int], bool]) -> int:
    """Smallest n >= ``start`` with ``enough(n)``, which must stay true once it is."""
    low, high = start - 1, start
    while not enough(high):
        low, high = high, high + max(1, high // 8)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def guard_n(skew: float, tail: float) -> int:
    """Sample size from which skewness grows one tail of a t-statistic by a factor of 3 at most.

    The self-normalised Cramér expansion (Jing, Shao & Wang 2003) puts the ratio of the true to the
    normal tail probability beyond z at exp(|skew| z³ / (3 √n)). The other tail shrinks by as
    much, so that a two-sided size grows by (3 + 1/3)/2 = 1.67. To first order: simulated at the
    guard for centred chi-square(1) (skewness 2.83), two-sided, .0154 for a nominal .01 (40,000
    stages) and .0019 for .001 (50,000, standard error .0002); one-sided, .0300 for .01.

    Raises:
        ValueError: skew not finite, or ``tail`` not a probability.
    """
    z = normal_critical(probability("tail", tail))
    root = abs(finite("skew", skew)) * abs(z) ** 3 / (3 * math.log(GUARD_INFLATION))
    return max(2, math.ceil(root**2))


def split(stage_alpha: float, dimensions: int) -> float:
    """Bonferroni's share of one of ``dimensions`` coordinates.

    Raises:
        ValueError: ``stage_alpha`` not in (0, 1) or no coordinate.
    """
    return probability("stage_alpha", stage_alpha) / whole("dimensions", dimensions, least=1)
