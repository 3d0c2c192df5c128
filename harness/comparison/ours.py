"""The check kinds of this harness as schemes: what grades here is what grades submissions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from harness import kinds
from harness.comparison.scheme import Family, Graded, RunsBesideRuns, Scheme, Units, first
from harness.kinds import seed_success, unbiased
from harness.records import Array
from harness.spec.checks import SeedSuccessCheck, Stochastic
from harness.statistics import permutation, sequential
from harness.statistics.inputs import Floats


@dataclass(frozen=True)
class OursOnDraws(Scheme):
    """A check on draws: its looks and its two stages, each step on ``rows`` fresh draws.

    The draws of an ``unbiased`` check are errors in units of the honest standard deviation, so
    that their expected mean is 0 and their scale 1. The reference is not looked at.

    Attributes:
        check: the declared check.
        rows: draws of one step, as its measurement declares.
    """

    source: ClassVar[str] = "this harness"
    family: ClassVar[Family] = "draws"
    check: Stochastic
    rows: int

    @property
    def name(self) -> str:
        return "ours"

    @property
    def own(self) -> int:
        return self.check.stages * self.check.replicates * self.rows

    @property
    def nominal(self) -> float:
        return self.check.alpha_bound

    def judge(self, own: Units, reference: Array, rng: np.random.Generator) -> Graded:
        del reference, rng
        name = self.check.metric

        def metrics(step: int) -> dict[str, Array]:
            draws = own[step * self.rows : (step + 1) * self.rows]
            zeros = np.zeros(draws.shape[1])
            return {
                name: draws,
                unbiased.EXPECTED.name(name): zeros,
                unbiased.SCALE.name(name): zeros + 1,
            }

        outcome, steps = _decide(self.check, metrics)
        return Graded(outcome.status != "FAIL", steps * self.rows)


@dataclass(frozen=True)
class OursOnRuns(Scheme):
    """A check ``seed-success``: seeds are taken until their successes and failures decide.

    INCONCLUSIVE at the cap is not a failure; it is counted as undecided.
    """

    source: ClassVar[str] = "this harness"
    family: ClassVar[Family] = "runs"
    check: SeedSuccessCheck

    @property
    def name(self) -> str:
        return "ours"

    @property
    def own(self) -> int:
        return self.check.max_seeds

    @property
    def nominal(self) -> float:
        return self.check.alpha_bound

    def judge(self, own: Units, reference: Array, rng: np.random.Generator) -> Graded:
        del reference, rng
        values = first(own, self.own)
        # seeds that only the leaderboard needs are not part of a mark
        check = self.check.model_copy(update={"leaderboard": False, "leaderboard_seeds": None})
        outcome, steps = _decide(check, lambda step: {check.metric: values[step]})
        return Graded(outcome.status != "FAIL", steps, outcome.status == "INCONCLUSIVE")

    def exact(self, values: Floats) -> float:
        successes = sum(seed_success.succeeds(self.check, float(value)) for value in values)
        plan = seed_success.design(self.check)
        return sequential.operating(plan, successes / len(values)).p_fail


@dataclass(frozen=True)
class PermutationOnRuns(RunsBesideRuns):
    """What this harness offers for a fixed number of seeds: a permutation test on the mean.

    ``alpha`` is a rate over programs and references. With k seeds of the program and M stored runs
    of the reference no p-value is below 1 in (k + M choose k).
    """

    source: ClassVar[str] = "this harness, fixed number of seeds"
    alpha: float = 1e-3

    @property
    def name(self) -> str:
        return f"permutation k={self.seeds}"

    def judge(self, own: Units, reference: Array, rng: np.random.Generator) -> Graded:
        values, stored = self.both(own, reference)
        test = permutation.mean_test(values, stored, better=self.better, rng=rng)
        return Graded(not test.rejects_at(self.alpha), self.seeds)


def _decide(
    check: Stochastic | SeedSuccessCheck, metrics: Callable[[int], dict[str, Array]]
) -> tuple[kinds.Outcome, int]:
    """Takes the steps that the kind asks for; the outcome, and the number of steps."""
    steps: list[kinds.Evidence] = []
    outcome = kinds.FIRST
    while outcome.status == "MORE":
        for step in outcome.wants:
            stored = kinds.reduce(check, metrics(len(steps)))
            steps.append(kinds.Evidence(stored, step=step))
        outcome = kinds.decide(check, steps)
    return outcome, len(steps)
