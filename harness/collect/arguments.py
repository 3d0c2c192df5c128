"""Stand-ins for arguments that are not arrays: a seed, a given function, a file, an environment.

The worker makes the actual argument from the description that crosses the wire.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from harness import wire
from harness.environments.records import VectorEnv
from harness.errors import ProgramError

Array = wire.Array

_NEXT_STEP = "NextStep"  # the value of gymnasium.vector.AutoresetMode.NEXT_STEP
_NAME = "Served-v0"


@dataclass(frozen=True)
class Seed:
    """Stands for a generator that the worker builds from this integer."""

    value: int


@dataclass(frozen=True)
class Given:
    """Stands for a function of given.py with these parameters filled in."""

    name: str
    parameters: tuple[Array, ...]


@dataclass(frozen=True)
class File:
    """Stands for the path of a file that came with the submission."""

    name: str


@dataclass
class Served:
    """An environment that runs in the grader; checks rely on its counts, not on the program's.

    Attributes:
        observation_shape: that of one sub-environment.
        seed: what every reset is given.
        max_steps: the budget of sub-environment steps.
        steps: sub-environment steps so far.
        returns: undiscounted returns of the episodes that ended, in the order of their ends.
    """

    env: VectorEnv
    observation_shape: tuple[int, ...]
    num_actions: int
    seed: int
    max_steps: int
    steps: int = 0
    returns: list[float] = field(default_factory=list)
    _running: Array | None = None

    def described(self) -> dict[str, Any]:
        """What the program is told of the environment, besides its number."""
        space = getattr(self.env, "single_observation_space", None)
        spec = getattr(self.env, "spec", None)
        mode = getattr(self.env, "metadata", {}).get("autoreset_mode", _NEXT_STEP)
        return {
            "name": getattr(spec, "id", _NAME),
            "num_envs": self.env.num_envs,
            "observation_shape": list(self.observation_shape),
            "num_actions": self.num_actions,
            "dtype": "float64" if space is None else space.dtype.name,
            "autoreset_mode": getattr(mode, "value", mode),
            "max_episode_steps": getattr(spec, "max_episode_steps", None),
        }

    def answer(self, verb: str, arrays: tuple[Array, ...]) -> wire.Frame:
        """Answers one reset or step that the program asks for.

        Raises:
            ProgramError: over the budget of steps, or a malformed request.
        """
        n = self.env.num_envs
        if verb == "reset" and not arrays:
            observations, _ = self.env.reset(seed=self.seed)
            self._running = np.zeros(n)
            return wire.Frame({"ok": True}, (_crossing(observations),))
        if verb != "step" or len(arrays) != 1 or arrays[0].shape != (n,):
            raise ProgramError("protocol", f"an environment is stepped with {n} actions")
        if self._running is None:
            return wire.Frame({"ok": False, "message": "call reset() before step()"}, ())
        actions = arrays[0]
        if actions.dtype != np.int64 or not ((actions >= 0) & (actions < self.num_actions)).all():
            return wire.Frame(
                {"ok": False, "message": f"actions lie in 0..{self.num_actions - 1}"}, ()
            )
        self.steps += n
        if self.steps > self.max_steps:
            raise ProgramError("timeout", f"used more than the budget of {self.max_steps} steps")
        observations, rewards, terminations, truncations, _ = self.env.step(actions)
        self._running += rewards
        for index in np.flatnonzero(terminations | truncations):
            self.returns.append(float(self._running[index]))
            self._running[index] = 0.0
        arrays = (observations, np.asarray(rewards, dtype=np.float64), terminations, truncations)
        return wire.Frame({"ok": True}, tuple(_crossing(array) for array in arrays))


def _crossing(array: Any) -> Array:
    """An environment's array, converted where its dtype does not cross the wire."""
    converted = np.asarray(array)
    if converted.dtype.name in wire.DTYPES:
        return converted
    return converted.astype(np.float64 if converted.dtype.kind == "f" else np.int64)
