"""What a calibration shows: a table of declared, measured and derived error rates.

A rate of a sampled check is measured: rejections of honest work in so many gradings, with one-sided
95 % bounds (Clopper & Pearson 1934). It is *certified* where the upper bound keeps the declared
one, *refuted* where the lower bound exceeds it, and otherwise not yet certified; a correct check at
its declared rate would be "not certified" half of the time, which is why stages run at a fifth.

A rate of a training check is derived: what the sequential test does, exactly, at the success rate
that stored runs bear out with 99.7 % confidence. Two claims are kept apart: for the reference (this
configuration), and for the worst of the honest learners.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from harness import stored_runs
from harness.files import write_csv, write_text
from harness.kinds import seed_success
from harness.proving.calibration import Counted
from harness.spec.checks import SeedSuccessCheck, Stochastic
from harness.spec.load import LoadedTask
from harness.statistics import sequential

_CONFIDENCE = 0.95
#: Success rates at which the curve of a training check is printed.
CURVE = (1.0, 0.99, 0.97, 0.95, 0.9, 0.85, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1)

Standing = Literal["certified", "not yet certified", "refuted"]


@dataclass(frozen=True)
class Rate:
    """How often one stage of a sampled check rejects one honest program.

    Attributes:
        stage_alpha, nominal: the declared bound, and the level that the stage runs at.
        real: how many of the runs are real gradings; the others draw from a pool.
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
        seeds_seen: expected seeds at the rate that was seen.
        fixed: seeds of the smallest test with a fixed number of them and the same two bounds.
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
    """All of it."""

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

    def text(self) -> str:
        """The tables, for people and for the documentation (Markdown)."""
        return "\n".join([*_rates(self), "", *_powers(self), "", *_learners(self)])


def of(tasks: Sequence[LoadedTask], counted: Iterable[Counted]) -> Certificate:
    """The certificate of what was counted and of what is stored."""
    found = list(counted)
    return Certificate(
        tuple(rate for task in tasks for rate in _measured(task, found)),
        (
            *(power for task in tasks for power in _caught(task, found)),
            *(power for task in tasks for power in _missed(task)),
        ),
        tuple(learner for task in tasks for learner in _derived(task)),
        tuple(curve for task in tasks for curve in _curves(task)),
        sum(check.alpha_bound for task in tasks for check in task.spec.checks),
    )


def _measured(task: LoadedTask, counted: Sequence[Counted]) -> Iterator[Rate]:
    sums: dict[tuple[str, int, str, str], list[int]] = {}
    for item in counted:
        unit = item.unit
        if unit.task == task.id and unit.stage:
            for name, rejections in item.rejections.items():
                total = sums.setdefault((name, unit.stage, unit.program, unit.role), [0, 0, 0])
                total[0] += unit.gradings
                total[1] += 0 if unit.pooled else unit.gradings
                total[2] += rejections
    order = [check.id for check in task.spec.checks]
    for (name, stage, program, role), total in sorted(
        sums.items(), key=lambda item: (order.index(item[0][0]), item[0][1:])
    ):
        check = task.spec.check(name)
        assert isinstance(check, Stochastic)
        levels = (check.stage_alpha, check.nominal_alpha)
        yield Rate(task.id, name, stage, *levels, program, role, *total)


def _caught(task: LoadedTask, counted: Sequence[Counted]) -> Iterator[Power]:
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
        total = sum(item.unit.gradings for item in units)
        caught = sum(item.rejections[check.id] for item in units)
        lower = sequential.tolerance_bound(caught, total, _CONFIDENCE)
        yield Power(task.id, check.id, mutant.mistake.name, total, caught, lower, check.beta)


def _stored(task: LoadedTask, check: SeedSuccessCheck, *roles: str) -> Iterator[Any]:
    """Runs of some roles and how many of them succeeded."""
    for found in stored_runs.read(task, check.target):
        if found.role in roles and found.count:
            reached = [seed_success.succeeds(check, value) for value in found.of(check)]
            yield found, len(reached), sum(reached)


def _missed(task: LoadedTask) -> Iterator[Power]:
    if task.reference is None:
        return
    named = {mutant.program.name: mutant.mistake for mutant in task.reference.mutants}
    for check in stored_runs.checks(task):
        for found, total, reached in _stored(task, check, "mutant"):
            mistake = named.get(found.name)
            if mistake is None or mistake.check != check.id:
                continue
            most = sequential.upper_bound(reached, total, _CONFIDENCE)
            power = sequential.operating(seed_success.design(check), most).p_fail
            yield Power(task.id, check.id, mistake.name, total, total - reached, power, check.beta)


def _derived(task: LoadedTask) -> Iterator[Learner]:
    for check in stored_runs.checks(task):
        plan = seed_success.design(check)
        fixed, _ = sequential.fixed_design(
            check.success_rate, check.min_detectable, check.alpha, check.beta
        )
        for found, total, reached in _stored(task, check, "reference", "variant"):
            bound = sequential.tolerance_bound(reached, total)
            at = sequential.operating(plan, bound)
            yield Learner(
                task.id,
                check.id,
                found.name,
                found.role,
                check.alpha,
                total,
                reached,
                bound,
                at.p_fail,
                at.p_undecided,
                at.expected_seeds,
                sequential.operating(plan, reached / total).expected_seeds,
                fixed,
            )


def _curves(task: LoadedTask) -> Iterator[Curve]:
    for check in stored_runs.checks(task):
        plan = seed_success.design(check)
        for rate in CURVE:
            at = sequential.operating(plan, rate)
            figures = (at.p_pass, at.p_fail, at.p_undecided, at.expected_seeds)
            yield Curve(task.id, check.id, rate, *figures)


def _rates(found: Certificate) -> Iterator[str]:
    yield f"Declared for all checks together: {found.alpha_total:.3g} a student."
    yield ""
    yield (
        "| check | stage | declared | run at | program | gradings (real) | rejections "
        "| 95 % bounds | |"
    )
    yield "|---|---|---|---|---|---|---|---|---|"
    for rate in found.rates:
        yield (
            f"| {rate.task}/{rate.check} | {rate.stage} | {rate.stage_alpha:g} | {rate.nominal:g} "
            f"| {rate.program.split('/')[-1]} | {rate.runs:,} ({rate.real:,}) "
            f"| {rate.rejections} | {rate.lower95:.1e} to {rate.upper95:.1e} | {rate.standing} |"
        )


def _powers(found: Certificate) -> Iterator[str]:
    yield "| check | mistake | gradings or seeds | caught | power, lower 95 % bound | declared |"
    yield "|---|---|---|---|---|---|"
    for power in found.powers:
        yield (
            f"| {power.task}/{power.check} | {power.mutant} | {power.runs} | {power.caught} "
            f"| {power.power_lower95:.4f} | {1 - power.beta:g} |"
        )


def _learners(found: Certificate) -> Iterator[str]:
    yield (
        "| training check | learner | seeds that succeed | borne out | P(FAIL), derived "
        "| P(INCONCLUSIVE) | seeds used (at the bound) | fixed number |"
    )
    yield "|---|---|---|---|---|---|---|---|"
    for item in found.learners:
        yield (
            f"| {item.task}/{item.check} | {item.program.split('/')[-1]} "
            f"| {item.successes} of {item.runs} | {item.bound:.3f} | {item.p_fail:.1e} "
            f"| {item.p_undecided:.1e} | {item.seeds_seen:.2f} ({item.seeds:.2f}) | {item.fixed} |"
        )
    for name in dict.fromkeys((item.task, item.check) for item in found.learners):
        yield from ("", f"{name[0]}/{name[1]}, by the true success rate of a learner:", "")
        yield "| success rate | PASS | FAIL | INCONCLUSIVE | seeds |"
        yield "|---|---|---|---|---|"
        for at in found.curves:
            if (at.task, at.check) == name:
                yield (
                    f"| {at.success_rate:g} | {at.p_pass:.4g} | {at.p_fail:.2g} "
                    f"| {at.p_undecided:.2g} | {at.expected_seeds:.1f} |"
                )


_COLUMNS = (
    *("task", "check", "stage", "stage_alpha", "runs", "rejections", "upper95", "mutant"),
    *("mutant_runs", "caught", "power_lower95", "beta", "commit", "program", "role", "method"),
    *("nominal", "real", "lower95", "standing"),
)


def write(found: Certificate, results: Path, commit: str) -> list[Path]:
    """calibration.csv, calibration.md and operating.csv below ``results``.

    Rows of the first with ``method`` ``derived`` are of training checks: ``runs`` counts stored
    seeds, ``rejections`` those that miss the threshold, ``upper95`` is the derived probability of
    FAIL at the success rate that they bear out.
    """
    rows = [*map(_rate_row, found.rates), *map(_learner_row, found.learners)]
    rows += map(_power_row, found.powers)
    return [
        write_csv(
            results / "calibration.csv", _COLUMNS, ({**row, "commit": commit} for row in rows)
        ),
        write_csv(
            results / "operating.csv", tuple(Curve.__annotations__), map(asdict, found.curves)
        ),
        write_text(results / "calibration.md", f"# Calibration\n\n{found.text()}\n"),
    ]


def _rate_row(rate: Rate) -> dict[str, Any]:
    row = {**asdict(rate), "lower95": rate.lower95, "upper95": rate.upper95}
    method = "measured" if rate.real == rate.runs else "measured, pooled"
    return {**row, "method": method, "standing": rate.standing}


def _learner_row(item: Learner) -> dict[str, Any]:
    return {
        "task": item.task,
        "check": item.check,
        "stage": "training",
        "stage_alpha": item.alpha,
        "runs": item.runs,
        "rejections": item.runs - item.successes,
        "upper95": item.p_fail,
        "program": item.program,
        "role": item.role,
        "method": "derived",
        "standing": "certified" if item.p_fail <= item.alpha else "over honest variants",
    }


def _power_row(power: Power) -> dict[str, Any]:
    record = asdict(power)
    return {**record, "mutant_runs": record.pop("runs"), "role": "mutant"}
