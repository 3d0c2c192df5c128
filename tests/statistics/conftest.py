"""Repeated stages, and the bands that their rejection rates must lie in."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy.stats import binom

#: Chance that a right statistic falls outside a band; the seeds are fixed, so it is paid once.
MISFORTUNE = 1e-3


class Simulation:
    """Counting rejections over many stages and judging the count."""

    @staticmethod
    def rejections(stages: int, rejects: Callable[[], bool]) -> int:
        """How many of so many independent stages reject."""
        return sum(rejects() for _ in range(stages))

    @staticmethod
    def band(stages: int, low: float, high: float | None = None) -> range:
        """Counts that a rate between ``low`` and ``high`` gives, but for MISFORTUNE."""
        first = int(binom.ppf(MISFORTUNE / 2, stages, low))
        last = int(binom.isf(MISFORTUNE / 2, stages, low if high is None else high))
        return range(first, last + 1)

    @staticmethod
    def at_least(stages: int, power: float) -> int:
        """The fewest rejections that a power of ``power`` gives, but for MISFORTUNE."""
        return int(binom.ppf(MISFORTUNE, stages, power))

    @staticmethod
    def centred_chi_square(rng: np.random.Generator, n: int, d: int) -> np.ndarray:
        """Draws "n d" of mean 0, sd √2 and skewness √8 = 2.83."""
        return rng.standard_normal((n, d)) ** 2 - 1


@pytest.fixture
def sim() -> Simulation:
    return Simulation()
