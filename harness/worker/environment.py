"""An environment that the grader serves: a Gymnasium vector environment over the worker's socket.

Steps, episodes and returns are counted on the grader's side; this object only carries arrays.
Importing this module imports gymnasium, so only a worker that is given an environment does it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn, Protocol

import gymnasium
import numpy as np
from gymnasium.envs.registration import EnvSpec
from gymnasium.utils import seeding
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from harness import wire
from harness.worker.explanation import PAGE, BudgetSpent


class Connection(Protocol):
    """What an environment needs of the worker: sending and receiving during a call."""

    arrays: tuple[wire.Array, ...]

    def send(self, message: Mapping[str, Any], arrays: Sequence[wire.Array] = ()) -> None: ...

    def receive(self) -> Mapping[str, Any]: ...


class ServedVectorEnv(VectorEnv[wire.Array, Any, wire.Array]):
    """What ``gymnasium.make_vec`` gives at home, played by the grader.

    ``reset() -> (observations[n, …], {})`` and
    ``step(actions[n]) -> (observations, rewards[n], terminations[n], truncations[n], {})``, all
    numpy arrays. The grader chooses the seed, so what ``reset`` is told besides is ignored. Bounds
    of the observations are not known; ``env.action_space.sample()`` draws from ``seed``.
    """

    def __init__(self, connection: Connection, described: Mapping[str, Any], seed: int) -> None:
        self._connection = connection
        self._number = described["id"]
        self.num_envs = described["num_envs"]
        self.metadata = {
            "render_modes": [],
            "autoreset_mode": AutoresetMode(described["autoreset_mode"]),
        }
        self.spec = EnvSpec(described["name"], max_episode_steps=described["max_episode_steps"])
        self.observation_shape: tuple[int, ...] = tuple(described["observation_shape"])
        self.num_actions: int = described["num_actions"]
        dtype = np.dtype(described["dtype"])
        box = (*_bounds(dtype), self.observation_shape, dtype.type)
        self.single_observation_space = gymnasium.spaces.Box(*box)
        self.single_action_space = gymnasium.spaces.Discrete(self.num_actions)
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        # at home these start from the system's entropy, and nothing could be repeated
        self._np_random, self._np_random_seed = seeding.np_random(seed)
        spaces = (self.single_action_space, self.action_space)
        for offset, space in enumerate((*spaces, self.single_observation_space)):
            space.seed(seed + offset)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[wire.Array, dict[str, Any]]:
        """Starts every sub-environment anew.

        Raises:
            RuntimeError: the grader refused; the message says why.
        """
        del options
        super().reset(seed=seed)
        (observations,) = self._ask("reset", [])
        return observations, {}

    def step(
        self, actions: Any
    ) -> tuple[wire.Array, wire.Array, wire.Array, wire.Array, dict[str, Any]]:
        """One step of every sub-environment.

        Raises:
            ValueError: not one whole number for every sub-environment, or no action that there is;
                no step was made.
            BudgetSpent: the budget of steps is used up; a RuntimeError.
            RuntimeError: the grader refused; the message says why.
        """
        array = self._whole_numbers(actions)
        observations, rewards, terminations, truncations = self._ask("step", [array])
        return observations, rewards, terminations, truncations, {}

    def _whole_numbers(self, actions: Any) -> wire.Array:
        """The actions as int64 ``[n]``; truth values count as 0 and 1."""
        asked = f"step takes one action for each of the {self.num_envs} sub-environments"
        if actions is None:
            raise ValueError(f"{asked}; this is None")
        try:
            array = np.asarray(actions)
        except ValueError:
            raise ValueError(f"{asked}; these are lists of different lengths") from None
        if array.shape != (self.num_envs,):
            raise ValueError(
                f"{asked}, an array of shape [{self.num_envs}]; this one has shape "
                f"{list(array.shape)}"
            )
        if array.dtype.kind not in "iub":
            raise ValueError(
                f"step takes whole numbers from 0 to {self.num_actions - 1}; these are "
                f"{array.dtype}, the first of them {array[:1].tolist()[0]!r}: nothing is rounded"
            )
        outside = (array < 0) | (array >= self.num_actions)
        if outside.any():
            place = int(outside.argmax())
            raise ValueError(
                f"actions lie in 0..{self.num_actions - 1}; sub-environment {place} was given "
                f"{array[place]}"
            )
        return array.astype(np.int64)

    def render(self) -> None:
        """There is nothing to see: as at home where no ``render_mode`` is given."""
        gymnasium.logger.warn("The grader's environments are not rendered.")

    def __getattr__(self, name: str) -> NoReturn:
        """What a local environment has besides, such as ``envs``, ``state`` or ``get_attr``."""
        said = f"{type(self).__name__!r} object has no attribute {name!r}"
        if not name.startswith("__"):
            said += (
                "; the grader plays this environment, and its state and random numbers stay there: "
                f"learn from reset() and step() alone ({PAGE})"
            )
        raise AttributeError(said, name=name, obj=self)

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "an environment of the grader's cannot be copied or pickled: the grader plays it; "
            "learn from env.reset() and env.step() alone"
        )

    def _ask(self, verb: str, arrays: Sequence[wire.Array]) -> tuple[wire.Array, ...]:
        self._connection.send({"op": "environment", "id": self._number, "verb": verb}, arrays)
        answer = self._connection.receive()
        if not answer["ok"]:
            kind = BudgetSpent if answer.get("spent") else RuntimeError
            raise kind(answer["message"])
        return self._connection.arrays


def _bounds(dtype: np.dtype[Any]) -> tuple[Any, Any]:
    """The range of a space of which nothing but the dtype is known."""
    if dtype.kind == "f":
        return -np.inf, np.inf
    if dtype.kind == "b":
        return 0, 1
    info = np.iinfo(dtype)
    return info.min, info.max
