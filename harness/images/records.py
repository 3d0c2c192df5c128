"""Images with their labels, and what a measurement does to them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.images.deformation import Array, deformed


@dataclass(frozen=True, eq=False)
class Images:
    """Grey images of one size with their labels; every method returns new ones.

    Attributes:
        pixels: brightness from 0 to 1, float64 ``[n h w]``.
        labels: the class of each image, int64 ``[n]``.
    """

    pixels: Array
    labels: Array

    def __post_init__(self) -> None:
        if self.pixels.ndim != 3 or self.labels.shape != self.pixels.shape[:1]:
            raise ValueError(
                f"pixels {self.pixels.shape} and labels {self.labels.shape} are not [n h w] and [n]"
            )

    def __len__(self) -> int:
        return len(self.labels)

    def of(self, which: Array) -> Images:
        """The images at some places, in that order.

        Args:
            which: their indices ``[m]``, or whether each is taken, bool ``[n]``.
        """
        return Images(self.pixels[which], self.labels[which])

    def split(self, rng: np.random.Generator, first: int) -> tuple[Images, Images]:
        """``first`` images drawn without replacement, and the others; both in a drawn order.

        Raises:
            ValueError: there are not that many.
        """
        if not 0 <= first <= len(self):
            raise ValueError(f"{first} of {len(self)} images cannot be taken")
        order = rng.permutation(len(self))
        return self.of(order[:first]), self.of(order[first:])

    def deformed(self, rng: np.random.Generator) -> Images:
        """Each image turned, stretched, sheared and moved by an amount of its own.

        The law is that of :mod:`harness.images.deformation`.
        """
        return Images(deformed(self.pixels, rng), self.labels)

    def binary(self, threshold: float = 0.5) -> Array:
        """1 where a pixel is brighter than ``threshold``, else 0; float64 ``[n h w]``."""
        return (self.pixels > threshold).astype(np.float64)
