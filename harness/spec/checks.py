"""The closed set of check kinds, as an instructor declares them in task.yaml.

Only the declared fields are here. What a kind stores and how it decides is in
:mod:`harness.kinds`, so that reading a spec imports neither torch nor scipy.
"""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

ID_PATTERN = r"^[a-z][a-z0-9-]*$"
NAME_PATTERN = r"^[a-z][a-z0-9_]*$"

Identifier = Annotated[str, Field(pattern=ID_PATTERN, max_length=64)]
Name = Annotated[str, Field(pattern=NAME_PATTERN, max_length=64)]
#: Sums of points are rounded to four places.
LEAST_POINTS = 1e-4


def _require_sizable(points: float) -> float:
    """Points as they are; raises ValueError for more than none that would be rounded to none."""
    if 0 < points < LEAST_POINTS:
        raise ValueError(f"{points} points would be rounded to none: give 0, or 0.0001 or more")
    return points


Points = Annotated[float, Field(ge=0, le=1000), AfterValidator(_require_sizable)]
Positive = Annotated[float, Field(gt=0)]
Probability = Annotated[float, Field(gt=0, lt=1)]

#: A stage is run at this share of the false rejection rate that its spec declares as a bound. Were
#: it run exactly at the bound, counting rejections in a simulation could not show that the bound is
#: kept: the count would lie around it.
NOMINAL_SHARE = 0.2


class Model(BaseModel):
    """Base of all spec models: unknown fields refused, values frozen, no silent conversion."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class CheckBase(Model):
    """What every check declares, whatever its kind.

    ``earned_by_guessing`` is the reason why a program that knows nothing of the task may earn
    points here. ``verify`` tries such programs and objects to every point that they get without it.
    """

    id: Identifier
    title: Annotated[str, Field(max_length=120)] = ""
    measurement: Name
    metric: Name
    points: Points
    visibility: Literal["visible", "hidden"] = "visible"
    after: tuple[Identifier, ...] = ()
    leaderboard: bool = False
    earned_by_guessing: Annotated[str, Field(max_length=300)] = ""

    @property
    def stages(self) -> int:
        """The largest number of stages that deciding this check can take."""
        return 1

    @property
    def replicates(self) -> int:
        """The largest number of trials that one stage can take: looks or training seeds."""
        return 1

    @property
    def alpha_bound(self) -> float:
        """Bound on the probability that honest work fails; 0 for kinds without randomness."""
        return 0.0

    @property
    def loss_bound(self) -> float:
        """Bound on the probability that honest work loses points: that it is not PASS."""
        return self.alpha_bound

    @property
    def miss_bound(self) -> float | None:
        """Bound on the probability that a departure of the declared size passes.

        None for kinds that declare none.
        """
        return getattr(self, "beta", None)

    @property
    def mistake_credit(self) -> float | None:
        """The largest credit, in [0, 1), at which a mutant still counts as caught.

        None for kinds without partial credit: there a mutant is caught by the status FAIL only.
        """
        return None

    @cached_property
    def needs_reference(self) -> bool:
        """Whether the reference's observation of the same trial is part of the decision."""
        return getattr(self, "against", None) == "reference"

    @cached_property
    def needs_target(self) -> bool:
        """Whether a stored distribution is part of the decision."""
        return getattr(self, "against", None) == "target"


class Stochastic(CheckBase):
    """A check of draws, which fails only on two independent rejections.

    ``stage_alpha`` bounds the false rejection rate of one stage, which runs at ``nominal_alpha``;
    ``min_detectable`` is the smallest departure (in the unit of the kind) that both stages
    together must detect with probability at least ``1 - beta``.
    """

    stage_alpha: Annotated[float, Field(gt=0, le=0.01)]
    min_detectable: Positive
    beta: Annotated[float, Field(gt=0, le=0.2)]

    @property
    def stages(self) -> int:
        return 2

    @property
    def nominal_alpha(self) -> float:
        """The level at which a stage is run: a fifth of the declared bound."""
        return self.stage_alpha * NOMINAL_SHARE

    @property
    def alpha_bound(self) -> float:
        """The probability that two independent stages both reject honest work."""
        return self.stage_alpha**2


class ExactCheck(CheckBase):
    """Every entry equals the reference's up to rounding: |value - reference| <= c · eps · S.

    ``eps`` is the machine epsilon of ``precision``; S is ``<metric>__scale`` as the reference's
    measurement gives it.
    """

    kind: Literal["exact"]
    against: Literal["reference"]
    c: Positive = 16.0
    precision: Literal["float64", "float32"] = "float64"


class IdentityCheck(CheckBase):
    """A residual between answers of one program is zero: |residual| <= c · eps · S.

    ``eps`` is the machine epsilon of ``precision``; S is ``<metric>__scale``.
    """

    kind: Literal["identity"]
    c: Positive = 16.0
    precision: Literal["float64", "float32"] = "float64"


class PropertyCheck(CheckBase):
    """Every entry of a boolean metric is true."""

    kind: Literal["property"]


class NormalisationCheck(CheckBase):
    """Log-probabilities over a whole sample space sum to one: |log sum exp| <= tolerance (nats)."""

    kind: Literal["normalisation"]
    tolerance: Positive = 1e-10


class BoundsCheck(CheckBase):
    """Every entry's difference from its ideal lies in [lower, upper], in the metric's unit.

    For answers that are reached by iteration (an optimality gap) or bounded on one side by a
    theorem. The ideal is zero, so ``lower`` is at most and ``upper`` at least zero; on a side whose
    bound is left out, every finite difference is allowed.
    """

    kind: Literal["bounds"]
    lower: Annotated[float, Field(le=0, allow_inf_nan=False)] | None = None
    upper: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None

    @model_validator(mode="after")
    def _require_a_bound(self) -> Self:
        if self.lower is None and self.upper is None:
            raise ValueError("declare `lower`, `upper` or both; without them every number passes")
        return self


class CausalityCheck(CheckBase):
    """Black-box influence: outputs depend on no forbidden input and on every required one.

    For each pair of an output and an input the metric holds the largest change of the output when
    the input is changed; ``<metric>__allowed`` and ``<metric>__required`` are masks of the same
    shape, ``<metric>__scale`` is the size of the outputs. Gradients computed in the program's
    process are not used, since the program could forge them.
    """

    kind: Literal["causality"]
    tolerance: Positive = 1e-12


class MomentsCheck(CheckBase):
    """An exact moment, summed over enumerated outcomes or quadrature nodes, is the reference's.

    The metric holds one outcome per row, ``<metric>__weight`` the probability of each row.
    """

    kind: Literal["moments"]
    against: Literal["reference"]
    statistic: Literal["mean", "variance", "trace-variance"]
    c: Positive = 16.0


class UnbiasedCheck(Stochastic):
    """The mean of n draws, "n d" with d = ``dimensions``, equals ``<metric>__expected``.

    ``min_detectable`` is a bias in units of ``<metric>__scale``, the standard deviation of honest
    draws. A stage passes once its draws show that no bias reaches ``min_detectable``, and rejects
    once they show that there is a bias. While they show neither, n more are drawn, for at most
    ``looks`` looks in all.
    """

    kind: Literal["unbiased"]
    dimensions: Annotated[int, Field(ge=1, le=100_000)]
    looks: Annotated[int, Field(ge=1, le=16)] = 1

    @property
    def replicates(self) -> int:
        return self.looks


class DistributionCheck(Stochastic):
    """Draws against a standard law.

    ``min_detectable`` is a Kolmogorov–Smirnov distance for ``normal`` and ``uniform``, and
    Cohen's w for ``categorical`` (whose probabilities come as ``<metric>__probabilities``).
    """

    kind: Literal["distribution"]
    law: Literal["normal", "uniform", "categorical"]
    dimensions: Annotated[int, Field(ge=1, le=10_000)]
    categories: Annotated[int, Field(ge=2, le=10_000)] | None = None

    @model_validator(mode="after")
    def _categories(self) -> Self:
        if (self.law == "categorical") != (self.categories is not None):
            raise ValueError("`categories` goes with law: categorical, and only with it")
        return self


class IndependenceCheck(Stochastic):
    """Draws and their columns are independent; ``min_detectable`` is a correlation.

    It is found between any two columns, and between draws at any distance, in the order in which
    the metric holds them: of their values, and of their magnitudes.
    """

    kind: Literal["independence"]
    dimensions: Annotated[int, Field(ge=2, le=1000)]


class VarianceRatioCheck(Stochastic):
    """tr Var(metric) / tr Var(``<metric>__baseline``) on the same draws stays below ``limit``.

    ``min_detectable`` is the smallest ratio that must be detected.
    """

    kind: Literal["variance-ratio"]
    limit: Positive

    @model_validator(mode="after")
    def _require_above_limit(self) -> Self:
        if self.min_detectable <= self.limit:
            raise ValueError("`min_detectable` must be a ratio above `limit`")
        return self


class LikelihoodCheck(CheckBase):
    """Committed negative log-likelihoods (nats), image by image, against the reference's.

    The metric holds one value per image, committed before the pixel was revealed;
    ``<metric>__floor`` holds -log p_true of the same images.

    ``compare: images``, where both sides are deterministic: every image's value is the reference's
    up to rounding, |value - reference| <= c · eps · S with S in ``<metric>__scale``.

    ``compare: mean``, elsewhere: the check passes only if no image exceeds the reference's by
    ``rare_nats`` and the images show that the mean excess stays below ``min_detectable``. A mean
    excess of ``min_detectable``, whatever its law, or images beyond ``rare_nats`` in a share of
    ``rare_share``, are found with probability ``1 - beta``. A program whose excess has at most the
    mean ``margin_nats`` and the standard deviation ``spread_nats``, and is never beyond
    ``rare_nats``, fails with probability ``floor_alpha``. Below the floor, which no honest model
    can beat, the check fails, too, at level ``floor_alpha``.
    """

    kind: Literal["likelihood"]
    against: Literal["reference"]
    compare: Literal["images", "mean"]
    c: Positive = 16.0
    margin_nats: Annotated[float, Field(ge=0)] | None = None
    min_detectable: Positive | None = None
    spread_nats: Positive | None = None
    rare_nats: Positive | None = None
    rare_share: Probability | None = None
    beta: Annotated[float, Field(gt=0, le=0.2)] | None = None
    floor_alpha: Annotated[float, Field(gt=0, le=0.01)] = 1e-6

    @model_validator(mode="after")
    def _fields_of_the_comparison(self) -> Self:
        of_mean = (
            "margin_nats",
            "min_detectable",
            "spread_nats",
            "rare_nats",
            "rare_share",
            "beta",
        )
        given = [name for name in of_mean if getattr(self, name) is not None]
        if self.compare == "images" and given:
            raise ValueError(f"`{given[0]}` goes with compare: mean")
        if self.compare == "mean":
            if len(given) < len(of_mean):
                missing = next(name for name in of_mean if name not in given)
                raise ValueError(f"compare: mean needs `{missing}`")
            assert self.margin_nats is not None and self.min_detectable is not None
            if self.margin_nats >= self.min_detectable:
                raise ValueError("`min_detectable` must be a mean excess above `margin_nats`")
        return self

    @property
    def alpha_bound(self) -> float:
        """0 image by image; else ``floor_alpha`` for the floor and for the excess each."""
        return 0.0 if self.compare == "images" else 2 * self.floor_alpha


class ReturnsCheck(CheckBase):
    """The mean episode return earns credit on a ramp from ``low`` (none) to ``high`` (full).

    PASS means full credit. With fewer than ``min_distinct`` distinct trajectories no confidence
    interval is computed. ``target`` names the stored distribution in reference/<id>/targets. A
    mutant counts as caught if it earns at most ``mutant_max_credit``.
    """

    kind: Literal["returns"]
    against: Literal["target"]
    target: Annotated[str, Field(pattern=r"^[a-z0-9_-]+\.json$")]
    low: Annotated[float, Field(strict=False)]
    high: Annotated[float, Field(strict=False)]
    episodes: Annotated[int, Field(ge=2, le=10_000)]
    min_distinct: Annotated[int, Field(ge=2)] = 2
    mutant_max_credit: Annotated[float, Field(ge=0, lt=1)] = 0.5

    @model_validator(mode="after")
    def _require_reachable(self) -> Self:
        if self.min_distinct > self.episodes:
            raise ValueError(
                f"`min_distinct` is {self.min_distinct}; of {self.episodes} episodes at most "
                f"{self.episodes} are distinct, and nobody could pass"
            )
        if not self.low < self.high:
            raise ValueError(
                f"`low` is {self.low:g} and `high` {self.high:g}; credit grows from `low` to "
                "`high`, which has to be larger"
            )
        return self

    @property
    def mistake_credit(self) -> float | None:
        return self.mutant_max_credit


class Solved(Model):
    """When a training has solved its environment: so many episodes in a row had this mean length.

    Counted are the episodes that end by themselves, in steps, in the order of their ends.
    """

    episodes: Annotated[int, Field(ge=2, le=10_000)]
    mean: Annotated[float, Field(strict=False, gt=0, allow_inf_nan=False)]


class SeedSuccessCheck(CheckBase):
    """A program is trained with one seed after another until its success rate is decided.

    A seed succeeds if its metric (one number) is not worse than ``threshold``. Honest programs
    with the configuration that the statement fixes succeed with probability ``success_rate`` or
    more, which the stored runs in ``target`` must confirm; a program that succeeds with
    probability ``min_detectable`` or less must fail. ``alpha`` bounds the probability of FAIL at
    ``success_rate``, ``beta`` that of not failing at ``min_detectable``; both are computed
    exactly. If ``max_seeds`` seeds do not decide, the check is INCONCLUSIVE, which loses points
    too: ``loss`` bounds the probability of either at ``success_rate``, exactly. Partial credit runs
    from ``low`` to ``threshold``; FAIL keeps that share of ``mutant_max_credit``.

    ``leaderboard_seeds`` is the number of seeds that a program which passed is trained with in
    all. They serve the leaderboard alone: the few seeds that a decision takes cannot tell two
    programs apart.

    ``solved`` has the first time shown at which each training had solved the environment that it
    was served, and its learning curve. No mark comes of it, so no digest covers it but those of the
    trials that store it.
    """

    kind: Literal["seed-success"]
    against: Literal["target"]
    target: Annotated[str, Field(pattern=r"^[a-z0-9_-]+\.json$")]
    better: Literal["higher", "lower"]
    threshold: Annotated[float, Field(strict=False, allow_inf_nan=False)]
    low: Annotated[float, Field(strict=False, allow_inf_nan=False)]
    success_rate: Probability
    min_detectable: Probability
    alpha: Annotated[float, Field(gt=0, le=3e-6)]
    beta: Annotated[float, Field(gt=0, le=0.2)]
    loss: Probability
    max_seeds: Annotated[int, Field(ge=1, le=64)]
    mutant_max_credit: Annotated[float, Field(ge=0, lt=1)] = 0.5
    leaderboard_seeds: Annotated[int, Field(ge=6, le=64)] | None = None
    solved: Annotated[Solved | None, Field(exclude=True)] = None

    @model_validator(mode="after")
    def _require_order(self) -> Self:
        if (self.low < self.threshold) != (self.better == "higher") or self.low == self.threshold:
            raise ValueError("`low` must be worse than `threshold`: below it for better: higher")
        if self.min_detectable >= self.success_rate:
            raise ValueError("`min_detectable` must be a success rate below `success_rate`")
        if self.leaderboard != (self.leaderboard_seeds is not None):
            raise ValueError("`leaderboard_seeds` goes with leaderboard: true, and only with it")
        return self

    @property
    def replicates(self) -> int:
        return max(self.max_seeds, self.leaderboard_seeds or 0)

    @property
    def alpha_bound(self) -> float:
        return min(self.alpha, self.loss)  # a FAIL loses points

    @property
    def loss_bound(self) -> float:
        return self.loss


Check = Annotated[
    ExactCheck
    | IdentityCheck
    | PropertyCheck
    | NormalisationCheck
    | BoundsCheck
    | CausalityCheck
    | MomentsCheck
    | UnbiasedCheck
    | DistributionCheck
    | IndependenceCheck
    | VarianceRatioCheck
    | LikelihoodCheck
    | ReturnsCheck
    | SeedSuccessCheck,
    Field(discriminator="kind"),
]
