"""Which programs and which schemes meet on a check, and the pools that they are graded from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256

import numpy as np

from harness.collect.bare import BareProgram
from harness.comparison.gradings import Entrant
from harness.comparison.ours import OursOnDraws, OursOnRuns, PermutationOnRuns
from harness.comparison.pools import DrawPool, Pool, RunPool
from harness.comparison.scheme import Family
from harness.comparison.schemes import (
    AllCloseDraws,
    AllCloseRuns,
    AllSeeds,
    ConvergencePoints,
    WelchDraws,
    WelchRuns,
    share_of_best,
)
from harness.comparison.stochasticgrade import StochasticGrade, anchor, geometric
from harness.kinds import unbiased
from harness.records import COMMON, Array
from harness.seeds import Key
from harness.spec.checks import (
    DistributionCheck,
    IndependenceCheck,
    SeedSuccessCheck,
    Stochastic,
    UnbiasedCheck,
)
from harness.stored_runs import StoredRuns

#: Measurements of the reference that Welch's stored draws are redrawn from.
STORED_BLOCKS = 40
#: Measurements that make up StochasticGrade's stored draws of the solution.
SOLUTION_BLOCKS = 5
#: StochasticGrade's number of steps (its default); doubling, so that the last is one measurement.
STEPS, FACTOR = 6, 2
#: npfl139's Cart-Pole asks for 490 of 500.
SHARE_OF_BEST = 490 / 500
#: Seeds a grading and stored runs at most, of the schemes that leave them open.
WELCH_SEEDS, WELCH_STORED, CONVERGENCE_RUNS = 5, 50, 5

_NEEDS_RUNS = "grades one score a training run, not draws"
_NEEDS_DRAWS = "needs hundreds of draws, and a unit is a whole training run"
_MEANS_ONLY = "tests means, and this check is about something else"


@dataclass(frozen=True)
class Contestant:
    """A program that is graded.

    Attributes:
        role: reference and variant, and a submission that is known to be right, are honest.
        twin: the reference's units under the seeds of ``pool``.
    """

    name: str
    role: str
    pool: Pool
    twin: Pool

    @property
    def honest(self) -> bool:
        """Whether it should pass: every program but a known mistake."""
        return self.role != "mutant"


@dataclass(frozen=True)
class Contest:
    """One check: its programs, the schemes that grade them, and why other schemes cannot.

    Attributes:
        excluded: name of a scheme that does not apply -> the reason.
    """

    task: str
    check: str
    family: Family
    contestants: tuple[Contestant, ...]
    entrants: tuple[Entrant, ...]
    excluded: Mapping[str, str] = field(default_factory=dict)

    def entrants_against(self, contestant: Contestant) -> list[Entrant]:
        """The schemes, those of a common seed with the reference under the contestant's seeds."""
        return [
            replace(entrant, reference=contestant.twin) if entrant.scheme.same_seed else entrant
            for entrant in self.entrants
        ]


#: Tasks whose draws, in honest standard deviations, have the same law on every instance. In other
#: tasks a scheme that stores the reference's draws would compare draws of two different instances:
#: StochasticGrade's test then fails honest work of marg-importance with probability .40, which is
#: no fault of the scheme.
ONE_LAW = frozenset({"reparam-sample"})


@dataclass(frozen=True)
class Measured:
    """A program that can be measured without a sandbox."""

    name: str
    role: str
    running: BareProgram


def sampled(check: object) -> bool:
    """Whether schemes other than ours could grade a check: they read draws of numbers alone.

    Categories are no numbers, and a variance ratio needs two estimators on the same draws.
    """
    if isinstance(check, DistributionCheck):
        return check.law != "categorical"
    return isinstance(check, UnbiasedCheck | IndependenceCheck)


def on_draws(
    task: str,
    check: Stochastic,
    programs: Sequence[Measured],
    *,
    gradings: int,
    seed: int,
    nulls: int,
) -> Contest:
    """The contest of one check on draws.

    Every grading measures its program under keys of its own, the same for all programs; the
    reference's stored draws come from other keys. Those of Welch's test are drawn anew for every
    grading. StochasticGrade stores its solution once, as it is published, and its rates hold for
    that one stored solution.

    Args:
        programs: the reference first.
        gradings: the number of gradings for which the pools hold different draws.
        nulls: samples of the reference from which StochasticGrade's ``msd`` is calibrated.

    Raises:
        ValueError: the first program is not the reference.
        ProgramError, MeasurementError: a program or the measurement did not deliver.
    """
    if not programs or programs[0].role != "reference":
        raise ValueError(f"{task}: the first program is {programs[:1]}; wanted the reference")

    def blocks(program: Measured, salt: str) -> Callable[[int], Array]:
        def block(index: int) -> Array:
            name = f"comparison {seed} {task} {salt} {index}"
            key = Key("feedback", sha256(name.encode()).digest())
            return _draws(check, program.running.metrics(check.measurement, COMMON, key))

        return block

    reference = programs[0]
    stored = np.stack([blocks(reference, "stored")(index) for index in range(STORED_BLOCKS)])
    rows = stored.shape[1]
    count = gradings * check.stages * check.replicates
    twin = DrawPool(blocks(reference, "own"), rows, count)
    contestants = tuple(
        Contestant(item.name, item.role, DrawPool(blocks(item, "own"), rows, count), twin)
        for item in programs
    )
    null_draws = (blocks(reference, "null")(index) for index in range(nulls))
    rng = stream(seed, task, check.id, "anchor")
    entrants = [Entrant(OursOnDraws(check, rows)), Entrant(AllCloseDraws(rows))]
    excluded = {"all-seeds": _NEEDS_RUNS, "rcp": _NEEDS_RUNS}
    if isinstance(check, UnbiasedCheck):
        entrants.append(Entrant(WelchDraws(rows, rows), DrawPool.of(stored)))
    else:
        excluded["welch"] = _MEANS_ONLY
    entrants += _stochasticgrade(check, stored, null_draws, rng)
    return Contest(task, check.id, "draws", contestants, tuple(entrants), excluded)


def _stochasticgrade(
    check: Stochastic, stored: Array, nulls: Iterable[Array], rng: np.random.Generator
) -> list[Entrant]:
    """The scorers that look at what the check is about: means and spread, or the whole law."""
    solution = np.concatenate(list(stored[:SOLUTION_BLOCKS]))
    sizes = geometric(stored.shape[1], STEPS, FACTOR)
    point = anchor(solution, rng) if solution.shape[1] > 1 else None
    scheme = StochasticGrade("t", sizes, len(solution), point=point)
    if isinstance(check, UnbiasedCheck):
        squares = replace(scheme, scorer="msd").calibrated(nulls, solution)
        schemes = [scheme, squares]
    else:
        schemes = [replace(scheme, scorer="anderson-darling")]
    return [Entrant(item, DrawPool.of(solution[None])) for item in schemes]


def _draws(check: Stochastic, metrics: Mapping[str, Array]) -> Array:
    """The draws "n d" of a check; of a mean, their errors in honest standard deviations."""
    draws = np.asarray(metrics[check.metric], dtype=np.float64)
    if not isinstance(check, UnbiasedCheck):
        return draws
    scale = unbiased.SCALE.of(metrics, check.metric).astype(np.float64)
    errors = draws - unbiased.EXPECTED.of(metrics, check.metric)
    return np.asarray(errors / np.where(scale > 0, scale, 1.0), dtype=np.float64)


def on_runs(task: str, check: SeedSuccessCheck, programs: Sequence[StoredRuns]) -> Contest:
    """The contest of one check on stored training runs, seed by seed the same for all programs.

    Every other run of the reference is stored for the schemes that compare with it; the rest are
    graded, so that no run is compared with itself.

    Raises:
        ValueError: not one reference, or it has fewer than four runs of the metric.
    """
    measured = [item for item in programs if item.values.get(check.metric)]
    references = [item.of(check) for item in measured if item.role == "reference"]
    if len(references) != 1 or len(references[0]) < 4:
        counts = [len(values) for values in references]
        raise ValueError(
            f"{task}: runs of references are stored: {counts}; wanted one with 4 or more"
        )
    (reference,) = references
    stored = RunPool.of(reference[::2])
    contestants = []
    for item in measured:
        part = slice(1, None, 2) if item.role == "reference" else slice(None)
        values, twins = item.of(check)[part], reference[part]
        seeds = min(len(values), len(twins))  # seeds that both were trained with
        pools = RunPool.of(values[:seeds]), RunPool.of(twins[:seeds])
        contestants.append(Contestant(item.name, item.role, *pools))
    entrants = _entrants_on_runs(check, reference, stored)
    excluded = {"stochasticgrade": _NEEDS_DRAWS}
    return Contest(task, check.id, "runs", tuple(contestants), entrants, excluded)


def _entrants_on_runs(
    check: SeedSuccessCheck, reference: Sequence[float], stored: RunPool
) -> tuple[Entrant, ...]:
    better = check.better
    best = max(reference) if better == "higher" else min(reference)
    near_best = share_of_best(check.low, best, SHARE_OF_BEST)
    label = f" at {SHARE_OF_BEST:g} of the best"
    kept = min(WELCH_STORED, stored.units)
    return (
        Entrant(OursOnRuns(check)),
        Entrant(PermutationOnRuns(WELCH_SEEDS, kept, better), stored),
        Entrant(AllCloseRuns(1)),
        Entrant(AllSeeds(2, check.threshold, better)),
        Entrant(AllSeeds(3, check.threshold, better)),
        Entrant(AllSeeds(2, near_best, better, label)),
        Entrant(AllSeeds(3, near_best, better, label)),
        Entrant(WelchRuns(WELCH_SEEDS, kept, better), stored),
        Entrant(ConvergencePoints(CONVERGENCE_RUNS, better), stored),
    )


def stream(seed: int, *names: str) -> np.random.Generator:
    """A random stream by name, so that no contest changes the numbers of another."""
    text = "\x00".join((str(seed), *names))
    digest = int.from_bytes(sha256(text.encode()).digest(), "big")
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(digest)))
