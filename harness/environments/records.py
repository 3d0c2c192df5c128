"""What every environment of this room is: an instance that makes vectors of itself."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def out_of_range(actions: Array, count: int) -> str:
    """Which of the actions is none of 0 to ``count - 1``, in words; empty where all are.

    Args:
        actions: whole numbers, one a sub-environment, "num_envs".
    """
    outside = (actions < 0) | (actions >= count)
    if not outside.any():
        return ""
    place = int(outside.argmax())
    return f"actions lie in 0..{count - 1}; sub-environment {place} was given {actions[place]}"


class VectorEnv(Protocol):
    """What the grader needs of an environment that it serves: a Gymnasium vector environment.

    It may say more of itself by Gymnasium's attributes ``single_observation_space`` (its dtype),
    ``metadata["autoreset_mode"]`` and ``spec`` (its id, its ``max_episode_steps``); the program is
    told what they say. Without, it has float64 and next-step autoreset, and no known length.
    """

    num_envs: int

    def reset(self, *, seed: int | None = None) -> tuple[Array, dict[str, Any]]:
        """The first observations, "num_envs …", and what else is to be told."""
        ...

    def step(self, actions: Array) -> tuple[Array, Array, Array, Array, dict[str, Any]]:
        """Observations "num_envs …"; rewards, terminated, truncated "num_envs"; what else is told.

        Args:
            actions: one a sub-environment, "num_envs".
        """
        ...


class Disguised(Protocol):
    """One instance, drawn for a seed.

    Attributes:
        observation_shape: that of one sub-environment.
        actions: how many actions there are, numbered from 0.
    """

    observation_shape: tuple[int, ...]
    actions: int

    def vector(self, rng: np.random.Generator, count: int, length: int) -> VectorEnv:
        """``count`` sub-environments of this instance, whose episodes are cut at ``length`` steps.

        Several vectors of one instance share its disguise, and nothing else. Every ``reset`` begins
        new episodes; its seed is not heeded.
        """
        ...
