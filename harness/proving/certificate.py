"""What a calibration shows: declared, measured and derived error rates.

A rate of a sampled check is measured: rejections of honest work in so many gradings, with one-sided
95 % bounds (Clopper & Pearson 1934). It is *certified* where the upper bound is at most the
declared rate, *refuted* where the lower bound exceeds it, and otherwise not yet certified. Of
stages that ran exactly at their declared rate at most 5 % would be certified, however many gradings
there were; this is why stages run at a fifth of it.

A rate of a training check is derived: what the sequential test does, exactly, at the success rate
that stored runs bear out with 99.7 % confidence. The reference (the configuration that the
statement fixes) and the variants have rows of their own, since they support different claims.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from operator import itemgetter
from typing import Any, Literal

from harness import stored_runs
from harness.kinds import seed_success
from harness.proving.calibration import Counted
from harness.spec.checks import SeedSuccessCheck, Stochastic
from harness.spec.load import LoadedTask
from harness.statistics import sequential
from harness.stored_runs import StoredRuns

_CONFIDENCE = 0.95
#: Success rates at which the curve of a training check is printed.
CURVE = (1.0, 0.99, 0.97, 0.95, 0.9, 0.85, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1)

Standing = Literal["certified", "not yet certified", "refuted"]


@dataclass(frozen=True)
class Rate:
    """How often one stage of a sampled check rejects one honest program.

    Attributes:
        stage_alpha, nominal: the declared bound, and the level that the stage runs at.
        runs: gradings of that stage.
        real: how many of them measured fresh draws; the others drew rows from a pool.
    """

    task: str
    check: str
    stage: int
    stage_alpha: float
    nominal: float
    program: str
    role: str
    runs: int
    real: int
    rejections: int

    @property
    def lower95(self) -> float:
        return sequential.tolerance_bound(self.rejections, self.runs, _CONFIDENCE)

    @property
    def upper95(self) -> float:
        return sequential.upper_bound(self.rejections, self.runs, _CONFIDENCE)

    @property
    def standing(self) -> Standing:
        if self.lower95 > self.stage_alpha:
            return "refuted"
        return "certified" if self.upper95 <= self.stage_alpha else "not yet certified"


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
        alpha_total: declared bound on failing honest work in any check, a student.
    """

    rates: tuple[Rate, ...]
    powers: tuple[Power, ...]
    learners: tuple[Learner, ...]
    curves: tuple[Curve, ...]
    alpha_total: float

    @property
    def refuted(self) -> list[Rate]:
        """Rates of which even the lower bound exceeds the declared one."""
        return [rate for rate in self.rates if rate.standing == "refuted"]

    def to_json(self) -> dict[str, Any]:
        mutants = defaultdict(list)
        for power in self.powers:
            record = {"name": power.mutant, "runs": power.runs, "caught": power.caught}
            record |= {"power_lower95": power.power_lower95, "beta": power.beta}
            mutants[power.task, power.check].append(record)
        return {
            "checks": [
                {
                    **asdict(rate),
                    "lower95": rate.lower95,
                    "upper95": rate.upper95,
                    "certified": rate.standing == "certified",
                    "standing": rate.standing,
                    "mutants": mutants[rate.task, rate.check],
                }
                for rate in self.rates
            ],
            "training": [asdict(learner) for learner in self.learners],
            "mutants": [asdict(power) for power in self.powers],
            "curves": [asdict(curve) for curve in self.curves],
            "alpha_total": self.alpha_total,
        }


def of(tasks: Sequence[LoadedTask], counted: Iterable[Counted]) -> Certificate:
    """The certificate of the units that were counted and of the training runs that are stored."""
    units = list(counted)
    return Certificate(
        tuple(rate for task in tasks for rate in _measured(task, units)),
        (
            *(power for task in tasks for power in _caught(task, units)),
            *(power for task in tasks for power in _missed(task)),
        ),
        tuple(learner for task in tasks for learner in _derived(task)),
        tuple(curve for task in tasks for curve in _curves(task)),
        sum(check.alpha_bound for task in tasks for check in task.spec.checks),
    )


@dataclass
class _Total:
    """The sums of some units."""

    runs: int = 0
    real: int = 0
    rejections: int = 0


def _measured(task: LoadedTask, counted: Sequence[Counted]) -> Iterator[Rate]:
    """The rates of one task: checks in the order of the spec, then stages and programs."""
    order = {check.id: index for index, check in enumerate(task.spec.checks)}
    totals: dict[tuple[int, int, str, str], _Total] = {}
    for item in counted:
        unit = item.unit
        if unit.task == task.id and unit.stage:
            for name, rejections in item.rejections.items():
                group = (order[name], unit.stage, unit.program, unit.role)
                total = totals.setdefault(group, _Total())
                total.runs += unit.gradings
                total.real += 0 if unit.pooled else unit.gradings
                total.rejections += rejections
    for (index, stage, program, role), total in sorted(totals.items(), key=itemgetter(0)):
        check = task.spec.checks[index]
        assert isinstance(check, Stochastic)
        yield Rate(
            task=task.id,
            check=check.id,
            stage=stage,
            stage_alpha=check.stage_alpha,
            nominal=check.nominal_alpha,
            program=program,
            role=role,
            runs=total.runs,
            real=total.real,
            rejections=total.rejections,
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
            power_lower95=sequential.tolerance_bound(caught, runs, _CONFIDENCE),
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
            rate = sequential.upper_bound(item.successes, item.runs, _CONFIDENCE)
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
