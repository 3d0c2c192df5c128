"""The environments of this room as Gymnasium environments, to try a program at home.

Importing this module registers them, which ``gymnasium.make_vec`` does by itself:

    env = gymnasium.make_vec(
        "harness.environments.home:fairmark/Poles-v0",
        num_envs=32,
        max_episode_steps=500,
        vectorization_mode="vector_entry_point",
    )

``reset(seed=…)`` draws another instance, ``reset()`` begins new episodes of the present one, which
is ``env.unwrapped.instance``: of a probe, its ``observations`` and its ``values(gamma)`` are Q*.
"""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from harness import environments
from harness.environments.records import Array, out_of_range

#: Registered id -> (environment, how long its episodes are unless ``max_episode_steps`` is given).
REGISTERED: dict[str, tuple[environments.Name, int]] = {
    "fairmark/Poles-v0": ("poles", 500),
    "fairmark/MiniBreakout-v0": ("breakout", 200),
    "fairmark/Pong-v0": ("pong", 27_000),
    "fairmark/TimeLimitProbe-v0": ("time-limit", 10),
    "fairmark/AutoResetProbe-v0": ("auto-reset", 100),
    "fairmark/TwoStepProbe-v0": ("two-step", 100),
    "fairmark/ChanceProbe-v0": ("chance", 100),
    "fairmark/ActionRewardProbe-v0": ("action-reward", 100),
    "fairmark/FourStatesProbe-v0": ("four-states", 100),
}

#: The range of observations by the kind of their dtype, where it is not all numbers.
BOUNDS: dict[str, tuple[float, float]] = {"b": (0, 1), "u": (0, 255)}


class AtHome(VectorEnv[Array, Array, Array]):
    """A vector of sub-environments of one instance, as the grader would serve it.

    Attributes:
        instance: the present one, which a program that is marked does not see.
    """

    def __init__(
        self, name: environments.Name, num_envs: int = 1, max_episode_steps: int = 500
    ) -> None:
        self._name, self._length = name, max_episode_steps
        self.num_envs = num_envs
        self.metadata = {"render_modes": [], "autoreset_mode": AutoresetMode.NEXT_STEP}
        self._begin(np.random.default_rng())
        shape, dtype = self.instance.observation_shape, self._env.reset()[0].dtype
        low, high = BOUNDS.get(dtype.kind, (-np.inf, np.inf))
        self.single_observation_space = gymnasium.spaces.Box(low, high, shape, dtype.type)
        self.single_action_space = gymnasium.spaces.Discrete(self.instance.actions)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)

    def _begin(self, rng: np.random.Generator) -> None:
        self.instance = environments.draw(self._name, rng)
        self._env = self.instance.vector(rng, self.num_envs, self._length)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Array, dict[str, Any]]:
        """New episodes; with a seed, those of the instance that it draws."""
        del options
        if seed is not None:
            self._begin(np.random.default_rng(seed))
        return self._env.reset()

    def step(self, actions: Array) -> tuple[Array, Array, Array, Array, dict[str, Any]]:
        """One step of every sub-environment.

        Raises:
            ValueError: not one action for each of them, as where the grader plays.
        """
        array = np.asarray(actions)
        if array.shape != (self.num_envs,) or array.dtype.kind not in "iub":
            raise ValueError(
                f"step takes whole numbers of shape [{self.num_envs}], one action for each "
                f"sub-environment; this is {array.dtype} of shape {list(array.shape)}"
            )
        if problem := out_of_range(array, self.instance.actions):
            raise ValueError(problem)
        return self._env.step(array.astype(np.int64))


def _register() -> None:
    for name, (environment, length) in REGISTERED.items():
        gymnasium.register(
            name,
            vector_entry_point=f"{__name__}:AtHome",
            max_episode_steps=length,
            kwargs={"name": environment},
        )


_register()
