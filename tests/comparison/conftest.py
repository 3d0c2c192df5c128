"""Pools of a known law, and the bands that counted failures must lie in."""

import numpy as np
import pytest
from scipy.stats import binom

from harness.comparison.pools import DrawPool, RunPool
from harness.spec.checks import SeedSuccessCheck

#: Chance that a right scheme falls outside a band; the seeds are fixed, so it is paid once.
MISFORTUNE = 1e-3


def band(trials, low, high=None):
    """Counts that a rate between ``low`` and ``high`` gives, but for MISFORTUNE."""
    first = int(binom.ppf(MISFORTUNE / 2, trials, low))
    return range(first, int(binom.isf(MISFORTUNE / 2, trials, low if high is None else high)) + 1)


@pytest.fixture(name="band")
def _band():
    return band


@pytest.fixture
def rng():
    return np.random.default_rng(20261121)


@pytest.fixture
def fresh(rng):
    """A pool of draws that are new at every grading: standard normal unless said otherwise."""

    def make(rows, d=1, draw=rng.standard_normal):
        return DrawPool(lambda index: draw((rows, d)), rows, 1000)

    return make


@pytest.fixture
def normal_runs(rng):
    """A pool of so many normal runs that dealing with replacement cannot be noticed."""
    return lambda: RunPool.of(rng.standard_normal(100_000))


@pytest.fixture
def learns():
    """A training check: a seed succeeds from 150 on."""
    return SeedSuccessCheck(
        id="learns",
        measurement="learn",
        metric="return",
        kind="seed-success",
        against="target",
        target="runs.json",
        better="higher",
        threshold=150.0,
        low=0.0,
        success_rate=0.95,
        min_detectable=0.4,
        alpha=3e-6,
        beta=0.05,
        loss=0.01,
        max_seeds=20,
        points=3,
    )
