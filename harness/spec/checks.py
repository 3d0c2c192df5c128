"""The closed set of check kinds, as an instructor declares them in task.yaml.

Only shapes of data stand here: what a kind stores and how it decides is in :mod:`harness.kinds`,
so that reading a spec imports neither torch nor scipy.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

ID_PATTERN = r"^[a-z][a-z0-9-]*$"
NAME_PATTERN = r"^[a-z][a-z0-9_]*$"

Identifier = Annotated[str, Field(pattern=ID_PATTERN, max_length=64)]
Name = Annotated[str, Field(pattern=NAME_PATTERN, max_length=64)]
Points = Annotated[float, Field(ge=0, le=1000)]
Positive = Annotated[float, Field(gt=0)]
Probability = Annotated[float, Field(gt=0, lt=1)]

#: A stage runs at this share of the bound that its spec declares: a test at its bound could never
#: be certified to keep it.
NOMINAL_SHARE = 0.2


class Model(BaseModel):
    """Base of all spec models: unknown fields refused, values frozen, no silent conversion."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class CheckBase(Model):
    """What every check declares, whatever its kind."""

    id: Identifier
    title: Annotated[str, Field(max_length=120)] = ""
    measurement: Name
    metric: Name
    points: Points
    visibility: Literal["visible", "hidden"] = "visible"
    after: tuple[Identifier, ...] = ()
    leaderboard: bool = False

    @property
    def stages(self) -> int:
        """The largest number of stages that a verdict of this check can ask for."""
        return 1

    @property
    def replicates(self) -> int:
        """The largest number of trials that one stage can ask for."""
        return 1

    @property
    def alpha_bound(self) -> float:
        """Declared bound on the probability of failing honest work; 0 where nothing is random."""
        return 0.0

    @property
    def mistake_credit(self) -> float | None:
        """The credit up to which a mistake counts as caught; None where only FAIL catches it."""
        return None

    @property
    def needs_reference(self) -> bool:
        """Whether the reference's observation of the same trial is part of the decision."""
        return getattr(self, "against", None) == "reference"


class Stochastic(CheckBase):
    """A check that fails only on two independent rejections; all three figures are mandatory.

    ``stage_alpha`` bounds the false rejection rate of one stage, which runs at ``nominal_alpha``;
    ``min_detectable`` is the smallest departure (in the unit of the kind) that both stages
    together must find with probability at least ``1 - beta``.
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
        """Two independent rejections."""
        return self.stage_alpha**2


class ExactCheck(CheckBase):
    """|value - reference| <= c · eps · S, with S from the measurement (``<metric>__scale``)."""

    kind: Literal["exact"]
    against: Literal["reference"]
    c: Positive = 16.0
    precision: Literal["float64", "float32"] = "float64"


class IdentityCheck(CheckBase):
    """A residual between answers of one program is zero: |residual| <= c · eps · S."""

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
    """A difference from the ideal lies in [lower, upper] in every entry, in its own unit.

    For answers that are reached by iteration (an optimality gap) or bounded on one side by a
    theorem. A bound that is left out is no bound; zero, the ideal, lies between them.
    """

    kind: Literal["bounds"]
    lower: Annotated[float, Field(le=0, allow_inf_nan=False)] | None = None
    upper: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if self.lower is None and self.upper is None:
            raise ValueError("declare `lower`, `upper` or both; every number lies between neither")
        return self


class CausalityCheck(CheckBase):
    """Black-box influence, both sides: nothing flows where it may not, all promised flow is there.

    The metric holds the largest change of every output under a change of every input;
    ``<metric>__allowed`` and ``<metric>__required`` are masks of the same shape,
    ``<metric>__scale`` the size of the outputs. No gradient of the program's own process is
    believed.
    """

    kind: Literal["causality"]
    tolerance: Positive = 1e-12


class MomentsCheck(CheckBase):
    """Exact moment over an enumerated or quadrature law, against the reference's.

    The metric holds one outcome a row, ``<metric>__weight`` its probability.
    """

    kind: Literal["moments"]
    against: Literal["reference"]
    statistic: Literal["mean", "variance", "trace-variance"]
    c: Positive = 16.0


class UnbiasedCheck(Stochastic):
    """The mean of n draws against ``<metric>__expected``; ``min_detectable`` in honest sds.

    A stage passes once its draws establish that no bias reaches ``min_detectable``, and draws n
    more, up to ``looks`` times, while they establish neither that nor a bias.
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
    """Columns of the draws are uncorrelated; ``min_detectable`` is a correlation."""

    kind: Literal["independence"]
    dimensions: Annotated[int, Field(ge=2, le=1000)]


class VarianceRatioCheck(Stochastic):
    """tr Var(metric) / tr Var(``<metric>__baseline``) on the same draws stays below ``limit``.

    ``min_detectable`` is the ratio that must be found.
    """

    kind: Literal["variance-ratio"]
    limit: Positive

    @model_validator(mode="after")
    def _above(self) -> Self:
        if self.min_detectable <= self.limit:
            raise ValueError("`min_detectable` is a ratio above `limit`")
        return self


class LikelihoodCheck(CheckBase):
    """Committed negative log-likelihoods (nats), image by image, against the reference's.

    The metric holds one value per image, committed before the pixel was revealed;
    ``<metric>__floor`` the same images' -log p_true. Fails where the mean excess over the
    reference is above ``margin_nats`` or, significantly at ``floor_alpha``, below the floor.
    """

    kind: Literal["likelihood"]
    against: Literal["reference"]
    margin_nats: Positive
    floor_alpha: Annotated[float, Field(gt=0, le=0.01)] = 1e-6

    @property
    def alpha_bound(self) -> float:
        """The floor and the margin are tested at ``floor_alpha`` each."""
        return 2 * self.floor_alpha


class ReturnsCheck(CheckBase):
    """Mean episode return on a ramp from ``low`` (no credit) to ``high`` (full credit).

    PASS means full credit. ``min_distinct`` is the number of distinct trajectories under which
    no interval is computed; ``target`` names the stored distribution below reference/<id>/targets.
    """

    kind: Literal["returns"]
    against: Literal["target"]
    target: Annotated[str, Field(pattern=r"^[a-z0-9_-]+\.json$")]
    low: Annotated[float, Field(strict=False)]
    high: Annotated[float, Field(strict=False)]
    episodes: Annotated[int, Field(ge=2, le=10_000)]
    min_distinct: Annotated[int, Field(ge=2)] = 2
    mutant_max_credit: Annotated[float, Field(ge=0, lt=1)] = 0.5

    @property
    def mistake_credit(self) -> float | None:
        return self.mutant_max_credit


class SeedSuccessCheck(CheckBase):
    """Training: seeds are run until those that succeed, or those that don't, are evidence enough.

    A seed succeeds where its metric (one number) is not worse than ``threshold``. Honest learners
    of the configuration that the statement fixes succeed with probability ``success_rate`` or
    more, which the stored runs of ``target`` must bear out; a program that succeeds with
    probability ``min_detectable`` or less must fail. ``alpha`` bounds the probability of FAIL at
    ``success_rate``, ``beta`` that of not failing at ``min_detectable``, both exact. Undecided
    after ``max_seeds`` is INCONCLUSIVE. Partial credit runs from ``low`` to ``threshold``.

    ``leaderboard_seeds`` asks for so many seeds of whoever passed, for the leaderboard alone: the
    few that a decision takes cannot tell two programs apart.
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
    max_seeds: Annotated[int, Field(ge=1, le=64)]
    leaderboard_seeds: Annotated[int, Field(ge=6, le=64)] | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if (self.low < self.threshold) != (self.better == "higher") or self.low == self.threshold:
            raise ValueError("`low` is worse than `threshold`: below it where higher is better")
        if self.min_detectable >= self.success_rate:
            raise ValueError("`min_detectable` is a success rate below `success_rate`")
        if self.leaderboard != (self.leaderboard_seeds is not None):
            raise ValueError("`leaderboard_seeds` goes with leaderboard: true, and only with it")
        return self

    @property
    def replicates(self) -> int:
        return max(self.max_seeds, self.leaderboard_seeds or 0)

    @property
    def alpha_bound(self) -> float:
        return self.alpha


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
