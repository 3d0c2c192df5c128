"""Where the units of a grading come from: stored training runs, and draws measured on demand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike

from harness.comparison.scheme import Units
from harness.records import Array
from harness.statistics.inputs import Floats, real_array, shaped


class Pool(Protocol):
    """Stored units in blocks that are only ever taken whole, such as one measurement's draws."""

    @property
    def units(self) -> int:
        """How many units it holds."""

    @property
    def rows(self) -> int:
        """Units in a block."""

    def deal(self, units: int, rng: np.random.Generator) -> Iterator[Sequence[int]]:
        """Blocks that hold ``units`` units, drawn again and again for ever.

        Raises:
            ValueError: the pool holds too few.
        """

    def take(self, blocks: Sequence[int]) -> Units:
        """The units of some blocks, one block after another."""


@dataclass(frozen=True)
class RunPool:
    """Stored training runs "runs", dealt with replacement: gradings follow their empirical law."""

    values: Floats

    @classmethod
    def of(cls, values: ArrayLike) -> RunPool:
        """A pool of one number a run, finite or not.

        Raises:
            ValueError: no runs, or not one number each.
        """
        runs = real_array("values", values)
        if runs.ndim != 1 or runs.size == 0:
            raise ValueError(f"values has shape {runs.shape}; wanted (runs) of at least one")
        return cls(runs)

    @property
    def units(self) -> int:
        return self.values.size

    @property
    def rows(self) -> int:
        return 1

    def deal(self, units: int, rng: np.random.Generator) -> Iterator[Sequence[int]]:
        while True:
            yield rng.integers(self.units, size=units).tolist()

    def take(self, blocks: Sequence[int]) -> Units:
        units: Array = self.values[np.asarray(blocks, dtype=np.intp)]
        return units


@dataclass(frozen=True)
class DrawPool:
    """Blocks of ``rows`` draws "rows d", measured when a scheme first looks at them.

    Blocks are dealt without replacement until all have been, then shuffled and dealt again.

    Attributes:
        block: the draws of block 0 … count - 1.
    """

    block: Callable[[int], Array]
    rows: int
    count: int

    @classmethod
    def of(cls, values: Array) -> DrawPool:
        """A pool in memory.

        Args:
            values: "blocks rows d".

        Raises:
            ValueError: other axes, or nothing on one of them.
        """
        draws = shaped("values", values, "blocks rows d", least=(1, 1, 1))
        return cls(lambda index: np.asarray(draws[index]), draws.shape[1], draws.shape[0])

    @property
    def units(self) -> int:
        return self.rows * self.count

    def deal(self, units: int, rng: np.random.Generator) -> Iterator[Sequence[int]]:
        size = -(-units // self.rows)
        if size > self.count:
            raise ValueError(f"the pool holds {self.units} draws; a grading takes {units}")
        return _hands(self.count, size, rng)

    def take(self, blocks: Sequence[int]) -> Units:
        return _Measured(self.block, blocks, self.rows)


def _hands(count: int, size: int, rng: np.random.Generator) -> Iterator[Sequence[int]]:
    while True:
        order = rng.permutation(count).tolist()
        for start in range(0, count - size + 1, size):
            yield order[start : start + size]


@dataclass(frozen=True)
class _Measured:
    """The draws of some blocks; each block is measured once, when a slice first reaches it."""

    block: Callable[[int], Array]
    blocks: Sequence[int]
    rows: int
    measured: dict[int, Array] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.blocks) * self.rows

    def __getitem__(self, part: slice, /) -> Array:
        start, stop, step = part.indices(len(self))
        if step != 1 or stop <= start:
            raise ValueError(f"units {part}: wanted some that follow each other")
        low = start // self.rows
        covering = [self._at(place) for place in range(low, -(-stop // self.rows))]
        return np.concatenate(covering)[start - low * self.rows : stop - low * self.rows]

    def _at(self, place: int) -> Array:
        if place not in self.measured:
            self.measured[place] = self.block(self.blocks[place])
        return self.measured[place]
