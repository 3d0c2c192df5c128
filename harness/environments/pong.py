"""Atari's Pong whose pictures are mirrored and recoloured, whose actions are renumbered.

The emulator is ale-py's, under the rules of the task dqn-atari. A step of one game, which is four
frames, costs about 0.4 ms of processor time.
"""

from __future__ import annotations

from typing import Any, ClassVar

import gymnasium
import numpy as np
from ale_py.vector_env import AtariVectorEnv
from gymnasium.envs.registration import EnvSpec
from gymnasium.vector import AutoresetMode

from harness.environments.records import Array

SIDE = 84
STACK = 4
FRAMESKIP = 4
#: Knobs of the emulator; some of its own defaults are others.
RULES: dict[str, Any] = {
    "repeat_action_probability": 0.25,
    "noop_max": 30,
    "frameskip": FRAMESKIP,
    "maxpool": True,
    "episodic_life": False,
    "life_loss_info": False,
    "reward_clipping": False,
    "use_fire_reset": False,
    "full_action_space": False,
    "img_height": SIDE,
    "img_width": SIDE,
    "grayscale": True,
}


class Pong:
    """One disguise: mirrored or not in either direction, other greys, an order of the actions.

    A grey g becomes ``brightness + contrast · g``, rounded; half of the disguises have a negative
    contrast, so that what was bright is dark.
    """

    observation_shape = (STACK, SIDE, SIDE)
    actions = 6

    def __init__(self, rng: np.random.Generator) -> None:
        self.flipped_rows, self.flipped_columns = (bool(rng.integers(2)) for _ in range(2))
        contrast = rng.uniform(0.6, 1.0)
        darkest = rng.uniform(0.0, 255 * (1 - contrast))
        greys = np.arange(256.0)
        greys = greys[::-1] if rng.integers(2) else greys
        self.greys: Array = np.rint(darkest + contrast * greys).astype(np.uint8)
        self.order: Array = rng.permutation(self.actions)

    def vector(self, rng: np.random.Generator, count: int, length: int) -> PongVector:
        """``count`` games behind this disguise, which are cut at ``length`` agent steps."""
        return PongVector(self, rng, count, length)

    def picture(self, frames: Array) -> Array:
        """Frames of the emulator as they are shown: UInt8 ``[..., 84, 84]``."""
        rows = slice(None, None, -1 if self.flipped_rows else 1)
        columns = slice(None, None, -1 if self.flipped_columns else 1)
        return self.greys[frames[..., rows, columns]]


class PongVector:
    """Games behind one disguise; observations are UInt8 ``[count, 4, 84, 84]``, oldest first.

    A new game shows its first picture four times.
    """

    metadata: ClassVar[dict[str, Any]] = {"autoreset_mode": AutoresetMode.NEXT_STEP}

    def __init__(self, disguise: Pong, rng: np.random.Generator, count: int, length: int) -> None:
        self._disguise, self._rng = disguise, rng.spawn(1)[0]
        self._games = AtariVectorEnv(
            "pong",
            count,
            batch_size=count,
            num_threads=1,
            stack_num=1,
            max_num_frames_per_episode=FRAMESKIP * length,
            **RULES,
        )
        self.num_envs = count
        shape = disguise.observation_shape
        self.single_observation_space = gymnasium.spaces.Box(0, 255, shape, np.uint8)
        self.spec = EnvSpec("fairmark/Pong-v0", max_episode_steps=length)
        self._seen = np.zeros((count, *shape), dtype=np.uint8)
        self._ended = np.zeros(count, dtype=bool)

    def reset(self, *, seed: int | None = None) -> tuple[Array, dict[str, Any]]:
        """New games; the seed is not heeded."""
        del seed
        frames, _ = self._games.reset(seed=self._rng.integers(2**31 - 1, size=self.num_envs))
        self._seen[:] = self._disguise.picture(frames)
        self._ended = np.zeros(self.num_envs, dtype=bool)
        return self._seen.copy(), {}

    def step(self, actions: Array) -> tuple[Array, Array, Array, Array, dict[str, Any]]:
        """One step of all games; ``actions`` in the numbers of the disguise, ``[count]``."""
        fresh = self._ended
        frames, rewards, over, cut, _ = self._games.step(self._disguise.order[actions])
        picture = self._disguise.picture(frames)
        self._seen[:, :-1] = self._seen[:, 1:]
        self._seen[:, -1:] = picture
        if fresh.any():
            self._seen[fresh] = picture[fresh]
        self._ended = over | cut
        return self._seen.copy(), rewards.astype(np.float64), over, cut & ~over, {}
