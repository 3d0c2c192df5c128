"""What a calibration shows: declared, measured and derived error rates.

Rates of sampled checks are measured and certified together: see
:mod:`harness.proving.calibration_rates`.

A rate of a training check is derived: what the sequential test does, exactly, at the success rate
that stored runs bear out with 99.7 % confidence. The reference (the configuration that the
statement fixes) and the variants have rows of their own, since they support different claims.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from harness import stored_runs
from harness.kinds import seed_success
from harness.proving.calibration import Counted
from harness.proving.calibration_rates import (
    CONFIDENCE,
    CheckRate,
    Rate,
    Rejections,
    by_check,
    by_program,
)
from harness.spec.checks import SeedSuccessCheck, Stochastic
from harness.spec.load import LoadedTask
from harness.statistics import sequential
from harness.stored_runs import StoredRuns

#: Success rates at which the curve of a training check is printed.
CURVE = (1.0, 0.99, 0.97, 0.95, 0.9, 0.85, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1)


@dataclass(frozen=True)
class Power:
    """How often a check catches a known mistake.

    For a training check ``caught`` counts the stored seeds that miss the threshold, and
    ``power_lower95`` is the derived probability of FAIL at the upper 95 % bound of its success
    rate.
    """

    task: str
    check: str
    mutant: str
    runs: int
    caught: int
    power_lower95: float
    beta: float


@dataclass(frozen=True)
class Learner:
    """What a training check does with one honest learner, derived from its stored runs.

    Attributes:
        bound: the success rate that the runs bear out with 99.7 % confidence.
        p_fail, p_undecided, seeds: derived at ``bound``.
        seeds_seen: expected seeds at the rate of the stored runs themselves.
        fixed: seeds of the smallest test with a fixed number of seeds and the same alpha and beta.
    """

    task: str
    check: str
    program: str
    role: str
    alpha: float
    runs: int
    successes: int
    bound: float
    p_fail: float
    p_undecided: float
    seeds: float
    seeds_seen: float
    fixed: int


@dataclass(frozen=True)
class Curve:
    """What a training check does at one true success rate."""

    task: str
    check: str
    success_rate: float
    p_pass: float
    p_fail: float
    p_undecided: float
    expected_seeds: float


@dataclass(frozen=True)
class Certificate:
    """The figures of all tasks.

    Attributes:
        rates, checks: by program and stage, and pooled by check.
        alpha_total, loss_total: declared bounds, a student, on failing honest work in any check,
            and on its losing points in any.
        uncounted: names of the checks with an error rate that gradings do not measure.
    """

    rates: tuple[Rate, ...]
    checks: tuple[CheckRate, ...]
    powers: tuple[Power, ...]
    learners: tuple[Learner, ...]
    curves: tuple[Curve, ...]
    alpha_total: float
    loss_total: float
    uncounted: tuple[str, ...] = ()

    @property
    def refuted(self) -> list[Rejections]:
        """Rates of which even the lower bound exceeds the declared one, each family at 95 %."""
        return [rate for rate in (*self.checks, *self.rates) if rate.standing == "refuted"]

    @property
    def certified(self) -> list[CheckRate]:
        """Checks of which even the upper bound of the rate keeps the declared one."""
        return [rate for rate in self.checks if rate.standing == "certified"]

    def to_json(self) -> dict[str, Any]:
        mutants = defaultdict(list)
        for power in self.powers:
            record = {"name": power.mutant, "runs": power.runs, "caught": power.caught}
            record |= {"power_lower95": power.power_lower95, "beta": power.beta}
            mutants[power.task, power.check].append(record)
        return {
            "confidence": CONFIDENCE,
            "checks": [
                {**rate.to_json(), "mutants": mutants[rate.task, rate.check]}
                for rate in self.checks
            ],
            "programs": [rate.to_json() for rate in self.rates],
            "training": [asdict(learner) for learner in self.learners],
            "mutants": [asdict(power) for power in self.powers],
            "curves": [asdict(curve) for curve in self.curves],
            "alpha_total": self.alpha_total,
            "loss_total": self.loss_total,
            "uncounted": list(self.uncounted),
        }


def of(tasks: Sequence[LoadedTask], counted: Iterable[Counted]) -> Certificate:
    """The certificate of the units that were counted and of the training runs that are stored."""
    units = list(counted)
    rates = by_program(tasks, units)
    checks = [(task, check) for task in tasks for check in task.spec.checks]
    measured = {(rate.task, rate.check) for rate in rates}
    return Certificate(
        rates,
        by_check(rates),
        (
            *(power for task in tasks for power in _caught(task, units)),
            *(power for task in tasks for power in _missed(task)),
        ),
        tuple(learner for task in tasks for learner in _derived(task)),
        tuple(curve for task in tasks for curve in _curves(task)),
        sum(check.alpha_bound for _, check in checks),
        sum(check.loss_bound for _, check in checks),
        tuple(
            f"{task.id}/{check.id}"
            for task, check in checks
            if check.alpha_bound > 0
            and not isinstance(check, SeedSuccessCheck)
            and (task.id, check.id) not in measured
        ),
    )


def _caught(task: LoadedTask, counted: Sequence[Counted]) -> Iterator[Power]:
    """The power of sampled checks against the known mistakes that name them."""
    if task.reference is None:
        return
    for mutant in task.reference.mutants:
        check = task.spec.check(mutant.mistake.check)
        units = [
            item
            for item in counted
            if item.unit.task == task.id
            and (item.unit.program, item.unit.role) == (mutant.program.name, "mutant")
        ]
        if not units or not isinstance(check, Stochastic):
            continue
        runs = sum(item.unit.gradings for item in units)
        caught = sum(item.rejections[check.id] for item in units)
        yield Power(
            task=task.id,
            check=check.id,
            mutant=mutant.mistake.name,
            runs=runs,
            caught=caught,
            power_lower95=sequential.tolerance_bound(caught, runs, CONFIDENCE),
            beta=check.beta,
        )


@dataclass(frozen=True)
class _Reached:
    """The stored runs of one program: how many there are, and how many reached the threshold."""

    stored: StoredRuns
    runs: int
    successes: int


def _stored(task: LoadedTask, check: SeedSuccessCheck, *roles: str) -> Iterator[_Reached]:
    """The stored runs of the programs of some roles."""
    for stored in stored_runs.read(task, check.target):
        if stored.role in roles and stored.count:
            reached = [seed_success.succeeds(check, value) for value in stored.of(check)]
            yield _Reached(stored, len(reached), sum(reached))


def _missed(task: LoadedTask) -> Iterator[Power]:
    """The power of training checks against the known mistakes that name them."""
    if task.reference is None:
        return
    mistakes = {mutant.program.name: mutant.mistake for mutant in task.reference.mutants}
    for check in stored_runs.checks(task):
        for item in _stored(task, check, "mutant"):
            mistake = mistakes.get(item.stored.name)
            if mistake is None or mistake.check != check.id:
                continue
            rate = sequential.upper_bound(item.successes, item.runs, CONFIDENCE)
            yield Power(
                task=task.id,
                check=check.id,
                mutant=mistake.name,
                runs=item.runs,
                caught=item.runs - item.successes,
                power_lower95=sequential.operating(seed_success.design(check), rate).p_fail,
                beta=check.beta,
            )


def _derived(task: LoadedTask) -> Iterator[Learner]:
    for check in stored_runs.checks(task):
        design = seed_success.design(check)
        fixed, _ = sequential.fixed_design(
            check.success_rate, check.min_detectable, check.alpha, check.beta
        )
        for item in _stored(task, check, "reference", "variant"):
            bound = sequential.tolerance_bound(item.successes, item.runs)
            at_bound = sequential.operating(design, bound)
            at_stored = sequential.operating(design, item.successes / item.runs)
            yield Learner(
                task=task.id,
                check=check.id,
                program=item.stored.name,
                role=item.stored.role,
                alpha=check.alpha,
                runs=item.runs,
                successes=item.successes,
                bound=bound,
                p_fail=at_bound.p_fail,
                p_undecided=at_bound.p_undecided,
                seeds=at_bound.expected_seeds,
                seeds_seen=at_stored.expected_seeds,
                fixed=fixed,
            )


def _curves(task: LoadedTask) -> Iterator[Curve]:
    for check in stored_runs.checks(task):
        design = seed_success.design(check)
        for rate in CURVE:
            at = sequential.operating(design, rate)
            figures = (at.p_pass, at.p_fail, at.p_undecided, at.expected_seeds)
            yield Curve(task.id, check.id, rate, *figures)
