"""A source of binary images whose law is known exactly, drawn anew for every seed.

Its 64 pixels fall into three drawn groups of 22, 21 and 21. A group has two hidden numbers u, each
one of 31 equally likely quantiles of N(0, 1); given these its pixels are independent, and pixel j
is 1 with the logit w_j · u + b_j, where w_j ~ N(0, 2.5² I) and b_j ~ N(0, 1) are drawn for the
source. So log p(x) is a sum over the groups of log-sum-exps over 961 pairs, and what a model loses
against it is known image by image.

No weights can be made for it beforehand: w_j, b_j and -w_j, -b_j are equally likely, so an image,
averaged over sources, is uniform over all 2^64, and a fixed model needs 64 ln 2 nats on average.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from harness.images.deformation import Array

PIXELS = 64
#: Raised when another source, or other images, come of the same generator.
LAW = 1

_GROUPS, _QUANTILES = 3, 31
_WEIGHT, _BIAS = 2.5, 1.0  # standard deviations


@dataclass(frozen=True, eq=False)
class Source:
    """The law of the images of one seed.

    Attributes:
        members: the pixels of each group, int ``[size]``.
        logits: of each pixel of a group at every pair u, ``[pairs size]``, in the same order.
    """

    members: tuple[Array, ...]
    logits: tuple[Array, ...]

    def drawn(self, rng: np.random.Generator, count: int) -> Array:
        """Independent images of zeros and ones, float64 ``[count 64]``."""
        x = np.empty((count, sum(map(len, self.members))))
        for members, logits in zip(self.members, self.logits, strict=True):
            chosen = logits[rng.integers(len(logits), size=count)]
            x[:, members] = rng.random(chosen.shape) < 1 / (1 + np.exp(-chosen))
        return x

    def log_p(self, x: Array) -> Array:
        """log p of images of zeros and ones ``[n 64]``, exactly, in nats ``[n]``."""
        total = np.zeros(len(x))
        for members, logits in zip(self.members, self.logits, strict=True):
            joint = x[:, members] @ logits.T - np.logaddexp(0.0, logits).sum(axis=1)
            top = joint.max(axis=1)
            total += top + np.log(np.exp(joint - top[:, None]).mean(axis=1))
        return total

    def posterior_mean(self, noisy: Array, sigma: float) -> Array:
        """E[x | x + σ ε = noisy] of noisy images ``[n 64]``, exactly; ε is standard normal.

        No estimate of x has a smaller squared error: that of another estimate is larger by its
        squared distance from this one, on average over x. Given u a noisy pixel multiplies the odds
        of its being 1 by exp((noisy_j - ½) / σ²).

        Args:
            sigma: the standard deviation of the noise, 0.1 or more.
        """
        means = np.empty(noisy.shape)
        for members, logits in zip(self.members, self.logits, strict=True):
            factors = np.exp((noisy[:, members] - 0.5) / sigma**2)
            bright, dark = 1 / (1 + np.exp(-logits)), 1 / (1 + np.exp(logits))
            posterior = np.zeros((len(noisy), len(logits)))  # of u; log p(noisy | u) at first
            for one, zero, factor in zip(bright.T, dark.T, factors.T, strict=True):
                posterior += np.log(np.outer(factor, one) + zero)
            posterior = np.exp(posterior - posterior.max(axis=1, keepdims=True))
            posterior /= posterior.sum(axis=1, keepdims=True)
            for pixel, one, zero, factor in zip(members, bright.T, dark.T, factors.T, strict=True):
                odds = np.outer(factor, one)
                means[:, pixel] = (posterior * odds / (odds + zero)).sum(axis=1)
        return means


def pairs() -> Array:
    """The equally likely values of the hidden pair of a group, float64 ``[961 2]``."""
    middles = (np.arange(_QUANTILES) + 0.5) / _QUANTILES
    quantiles = np.array([NormalDist().inv_cdf(middle) for middle in middles])
    return np.stack(np.meshgrid(quantiles, quantiles), axis=-1).reshape(-1, 2)


def draw(rng: np.random.Generator) -> Source:
    """A source, by the law above."""
    members = tuple(np.array_split(rng.permutation(PIXELS), _GROUPS))
    u = pairs()
    logits = tuple(
        u @ rng.normal(0.0, _WEIGHT, (2, len(group))) + rng.normal(0.0, _BIAS, len(group))
        for group in members
    )
    return Source(members, logits)


def signature() -> list[object]:
    """What sources depend on, but for a generator: for digests of trials."""
    return ["source", LAW]
