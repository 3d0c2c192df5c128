"""How often a scheme passes a program: many gradings of units dealt from a pool, counted."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from harness.comparison.pools import Pool
from harness.comparison.scheme import Graded, Scheme
from harness.records import Array
from harness.statistics import sequential
from harness.statistics.inputs import Floats, whole

_CONFIDENCE = 0.95


@dataclass(frozen=True)
class Tally:
    """The results of many gradings of one program by one scheme.

    Attributes:
        undecided: of those that passed, how many were not decided.
        used: draws or seeds of the program a grading took, on average.
        disjoint: how many gradings the pool has different units for. Where they are fewer than
            ``gradings``, units were used again, and :attr:`interval` is about the pool as it is:
            it leaves out how far the stored units lie from the law that they were drawn from.
    """

    gradings: int
    passed: int
    undecided: int
    used: float
    disjoint: int

    @property
    def failed(self) -> float:
        """The share of gradings that failed the program."""
        return 1 - self.passed / self.gradings

    @property
    def interval(self) -> tuple[float, float]:
        """95 % bounds (Clopper & Pearson 1934) on the rate of failing."""
        return clopper_pearson(self.gradings - self.passed, self.gradings, _CONFIDENCE)


@dataclass(frozen=True)
class Entrant:
    """A scheme and the pool that its stored reference comes from."""

    scheme: Scheme
    reference: Pool | None = None


def rates(
    scheme: Scheme,
    own_pool: Pool,
    reference_pool: Pool | None,
    gradings: int,
    rng: np.random.Generator,
) -> tuple[int, int]:
    """How many of so many gradings pass the program, each with a stored reference drawn anew.

    Returns:
        (passes, gradings).

    Raises:
        ValueError: a pool holds less than one grading takes.
    """
    (result,) = tally([Entrant(scheme, reference_pool)], own_pool, gradings, rng)
    return result.passed, result.gradings


def tally(
    entrants: Sequence[Entrant], own_pool: Pool, gradings: int, rng: np.random.Generator
) -> list[Tally]:
    """Grades the same units of a program by several schemes, ``gradings`` times.

    A scheme of :attr:`Scheme.same_seed` gets the reference's blocks of the same indices.

    Raises:
        ValueError: a pool holds less than one grading takes.
    """
    whole("gradings", gradings, least=1)
    hands = own_pool.deal(max(entrant.scheme.own for entrant in entrants), rng)
    references = [_references(entrant, rng) for entrant in entrants]
    results: list[list[Graded]] = [[] for _ in entrants]
    for _ in range(gradings):
        hand = next(hands)
        own = own_pool.take(hand)
        for entrant, reference, graded in zip(entrants, references, results, strict=True):
            graded.append(entrant.scheme.judge(own, reference(hand), rng))
    return [
        _tally(entrant.scheme, own_pool, graded)
        for entrant, graded in zip(entrants, results, strict=True)
    ]


def spread(
    entrant: Entrant, own_pool: Pool, references: int, gradings: int, rng: np.random.Generator
) -> Floats:
    """The rate of failing under each of several stored references, every one kept for all gradings.

    A class is graded against one stored reference, so these are the rates that a class can meet
    with. :func:`rates` gives their mean over stored references.

    Returns:
        "references", in [0, 1]. Each comes of ``gradings`` gradings and has their binomial noise.

    Raises:
        ValueError: the scheme has no stored reference, or a pool holds too little.
    """
    if entrant.reference is None or entrant.scheme.same_seed:
        raise ValueError(f"{entrant.scheme.name} has no stored reference that could be redrawn")
    draw = _references(entrant, rng)
    hands = own_pool.deal(entrant.scheme.own, rng)
    failed = np.zeros(whole("references", references, least=1))
    for index in range(references):
        reference = draw(())
        owns = (own_pool.take(next(hands)) for _ in range(whole("gradings", gradings, least=1)))
        failed[index] = sum(not entrant.scheme.grade(own, reference, rng) for own in owns)
    return np.asarray(failed / gradings, dtype=np.float64)


def _references(entrant: Entrant, rng: np.random.Generator) -> Callable[[Sequence[int]], Array]:
    """A function from the blocks of a program to the reference's units of the same grading."""
    scheme, pool = entrant.scheme, entrant.reference
    if scheme.reference == 0:
        return lambda hand: np.empty(0)
    if pool is None:
        raise ValueError(f"{scheme.name} needs a pool of the reference's units")
    if scheme.same_seed:
        return lambda hand: pool.take(hand)[: scheme.reference]
    hands = pool.deal(scheme.reference, rng)
    return lambda hand: pool.take(next(hands))[: scheme.reference]


def _tally(scheme: Scheme, pool: Pool, graded: Sequence[Graded]) -> Tally:
    return Tally(
        gradings=len(graded),
        passed=sum(result.passes for result in graded),
        undecided=sum(result.undecided for result in graded),
        used=math.fsum(result.used for result in graded) / len(graded),
        disjoint=min(len(graded), pool.units // scheme.own),
    )


def clopper_pearson(events: int, trials: int, confidence: float) -> tuple[float, float]:
    """The exact two-sided interval for the probability of an event, from independent trials.

    Raises:
        ValueError: not 0 <= events <= trials, or no trial.
    """
    if not 0 <= events <= whole("trials", trials, least=1):
        raise ValueError(f"{events} events in {trials} trials; wanted 0 to {trials}")
    one_sided = (1 + confidence) / 2
    return (
        sequential.tolerance_bound(events, trials, one_sided),
        sequential.upper_bound(events, trials, one_sided),
    )
