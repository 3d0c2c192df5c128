"""How often stages reject honest work, and what that certifies: for all checks at once.

Both stages of a check are one test of one law, so their gradings, and those of all honest programs
of a check, are pooled. The bounds for a pool are those of Clopper & Pearson (1934), one-sided, at
1 - .05/m for m pools (Bonferroni): with 95 % confidence none of the upper bounds is too low, so
that not one check is wrongly *certified* with probability .95, however many there are. Likewise
for *refuted*, and for the rows of single programs among themselves.

What is bounded is the mean rate over the gradings of a pool. Programs may reject at different
rates: rejections then spread less about their mean than a binomial count (Hoeffding 1956), and the
bound holds all the more. Of k programs with equal shares one may have up to k times the mean.

Of stages that ran exactly at their declared rate at most 5 % would be certified, however many
gradings there were; this is why stages run at a fifth of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from operator import itemgetter
from typing import Any, Literal

from harness.proving.calibration import Counted
from harness.spec.checks import Stochastic
from harness.spec.load import LoadedTask
from harness.statistics import sequential

#: Of all claims of one family together.
CONFIDENCE = 0.95

Standing = Literal["certified", "not yet certified", "refuted"]


@dataclass(frozen=True, kw_only=True)
class Rejections:
    """Rejections in so many gradings, one of ``family`` counts that are judged together.

    Attributes:
        stage_alpha, nominal: the declared bound, and the level that a stage runs at.
        runs: gradings of stages.
        real: how many of them measured fresh draws; the others drew rows from a pool.
    """

    task: str
    check: str
    stage_alpha: float
    nominal: float
    runs: int
    real: int
    rejections: int
    family: int

    @property
    def lower(self) -> float:
        """Lower bound; all those of the family hold with ``CONFIDENCE``."""
        return sequential.tolerance_bound(self.rejections, self.runs, self._each)

    @property
    def upper(self) -> float:
        """Upper bound; all those of the family hold with ``CONFIDENCE``."""
        return sequential.upper_bound(self.rejections, self.runs, self._each)

    @property
    def standing(self) -> Standing:
        """What the bounds say of the declared one."""
        if self.lower > self.stage_alpha:
            return "refuted"
        return "certified" if self.upper <= self.stage_alpha else "not yet certified"

    @property
    def _each(self) -> float:
        return 1 - (1 - CONFIDENCE) / self.family

    def to_json(self) -> dict[str, Any]:
        bounds = {"lower": self.lower, "upper": self.upper}
        return {**asdict(self), **bounds, "standing": self.standing}


@dataclass(frozen=True, kw_only=True)
class Rate(Rejections):
    """How often one stage of a sampled check rejects one honest program."""

    stage: int
    program: str
    role: str


@dataclass(frozen=True, kw_only=True)
class CheckRate(Rejections):
    """How often a stage of a sampled check rejects, over both stages and all honest programs."""

    programs: int

    @property
    def far(self) -> bool:
        """Whether nothing was rejected: honest work lies far from what the check tries."""
        return self.rejections == 0


def by_program(tasks: Sequence[LoadedTask], counted: Sequence[Counted]) -> tuple[Rate, ...]:
    """One row a check, stage and program, in the order of the specs."""
    totals = [each for task in tasks for each in _totals(task, counted)]
    return tuple(Rate(**total, family=len(totals)) for total in totals)


def by_check(rates: Iterable[Rate]) -> tuple[CheckRate, ...]:
    """The rows of every check, pooled."""
    pools: dict[tuple[str, str], list[Rate]] = defaultdict(list)
    for rate in rates:
        pools[rate.task, rate.check].append(rate)
    return tuple(
        CheckRate(
            task=task,
            check=check,
            stage_alpha=pool[0].stage_alpha,
            nominal=pool[0].nominal,
            runs=sum(rate.runs for rate in pool),
            real=sum(rate.real for rate in pool),
            rejections=sum(rate.rejections for rate in pool),
            family=len(pools),
            programs=len({(rate.program, rate.role) for rate in pool}),
        )
        for (task, check), pool in pools.items()
    )


def _totals(task: LoadedTask, counted: Sequence[Counted]) -> Iterator[dict[str, Any]]:
    """The sums of one task's units: checks in the order of the spec, then stages and programs."""
    order = {check.id: index for index, check in enumerate(task.spec.checks)}
    totals: dict[tuple[int, int, str, str], list[tuple[int, int, int]]] = defaultdict(list)
    for item in counted:
        unit = item.unit
        if unit.task == task.id and unit.stage:
            for name, rejections in item.rejections.items():
                group = (order[name], unit.stage, unit.program, unit.role)
                real = 0 if unit.pooled else unit.gradings
                totals[group].append((unit.gradings, real, rejections))
    for (index, stage, program, role), parts in sorted(totals.items(), key=itemgetter(0)):
        check = task.spec.checks[index]
        assert isinstance(check, Stochastic)
        runs, real, rejections = map(sum, zip(*parts, strict=True))
        yield {
            "task": task.id,
            "check": check.id,
            "stage_alpha": check.stage_alpha,
            "nominal": check.nominal_alpha,
            "stage": stage,
            "program": program,
            "role": role,
            "runs": runs,
            "real": real,
            "rejections": rejections,
        }
