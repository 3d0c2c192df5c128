"""What a grading scheme is.

Two families. *Draws* are rows "n d" of an estimator; *runs* are one number a training seed, "n".
A scheme takes the first of a program's, as many as it wants, and stored ones of the reference.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol

import numpy as np

from harness.records import Array
from harness.statistics.inputs import Floats, probability, real_array, whole

Family = Literal["draws", "runs"]
Better = Literal["higher", "lower"]


class Units(Protocol):
    """Draws or runs, in the order in which they were made: an array, or one measured on demand."""

    def __len__(self) -> int: ...

    def __getitem__(self, part: slice, /) -> Array: ...


@dataclass(frozen=True)
class Graded:
    """One grading.

    Attributes:
        passes: False where the scheme fails the program.
        used: how many of the program's draws or seeds the decision took.
        undecided: it could neither fail nor clear the program; ``passes`` is True then.
    """

    passes: bool
    used: int
    undecided: bool = False


class Scheme(ABC):
    """A way to grade one check.

    Attributes:
        source: where it is described.
        family: what it grades.
        same_seed: whether the reference's units must come from the seeds of the program's.
    """

    source: ClassVar[str]
    family: ClassVar[Family]
    same_seed: ClassVar[bool] = False

    @property
    @abstractmethod
    def name(self) -> str:
        """What tables call it."""

    @property
    @abstractmethod
    def own(self) -> int:
        """The most draws or seeds of the program that one grading takes."""

    @property
    def reference(self) -> int:
        """Stored draws or runs of the reference that one grading takes."""
        return 0

    @property
    def nominal(self) -> float | None:
        """The rate at which honest work fails, as the scheme states it, if it states one."""
        return None

    @abstractmethod
    def judge(self, own: Units, reference: Array, rng: np.random.Generator) -> Graded:
        """One grading of the first units of ``own``.

        What the program delivers may be anything: a unit that is not finite counts as the worst.

        Raises:
            ValueError: too few units, or a reference that is not finite.
        """

    def exact(self, values: Floats) -> float | None:
        """The rate of failing a program whose runs have the law of ``values``, where it is known.

        Args:
            values: "runs", one number a training seed.
        """
        del values
        return None

    def grade(self, own: Units, reference: Array, rng: np.random.Generator) -> bool:
        """Whether one grading passes the program; False is a failure.

        Raises:
            ValueError: see :meth:`judge`.
        """
        return self.judge(own, reference, rng).passes


@dataclass(frozen=True)
class RunsBesideRuns(Scheme):
    """A fixed number of seeds of the program beside stored runs of the reference.

    Attributes:
        seeds, stored_runs: k of the program and M of the reference, >= 2.
        better: which way the reference is better.
        alpha: the nominal rate.
    """

    family: ClassVar[Family] = "runs"
    seeds: int
    stored_runs: int
    better: Better
    alpha: float

    def __post_init__(self) -> None:
        whole("seeds", self.seeds, least=2)
        whole("stored_runs", self.stored_runs, least=2)
        probability("alpha", self.alpha)

    @property
    def own(self) -> int:
        return self.seeds

    @property
    def reference(self) -> int:
        return self.stored_runs

    @property
    def nominal(self) -> float:
        return self.alpha

    def both(self, own: Units, reference: Array) -> tuple[Floats, Floats]:
        """The program's runs and the reference's, so many as the scheme takes."""
        stored_values = stored(reference, self.stored_runs)[: self.stored_runs]
        return first(own, self.seeds), stored_values


def first(own: Units, count: int) -> Floats:
    """The first ``count`` units.

    Raises:
        ValueError: there are fewer.
    """
    if len(own) < count:
        raise ValueError(f"{len(own)} units of the program are given; wanted {count}")
    return real_array("own", own[:count])


def stored(reference: Array, least: int) -> Floats:
    """The reference's units, finite.

    Raises:
        ValueError: there are fewer than ``least``, or one is not finite.
    """
    values = real_array("reference", reference)
    if len(values) < least:
        raise ValueError(f"{len(values)} units of the reference are given; wanted {least}")
    if not np.isfinite(values).all():
        raise ValueError("the reference holds entries that are not finite; wanted none")
    return values


def oriented(values: Floats, better: Better) -> Floats:
    """``values`` with the sign that makes more better; minus infinity where they are not finite."""
    signed = values if better == "higher" else -values
    return np.where(np.isfinite(signed), signed, -np.inf)
