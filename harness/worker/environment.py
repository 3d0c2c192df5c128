"""An environment that the grader serves: a Gymnasium vector API over the worker's socket.

Steps, episodes and returns are counted on the grader's side; this object only carries arrays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from harness import wire


class Connection(Protocol):
    """What an environment needs of the worker: sending and receiving during a call."""

    arrays: tuple[wire.Array, ...]

    def send(self, message: Mapping[str, Any], arrays: Sequence[wire.Array] = ()) -> None: ...

    def receive(self) -> Mapping[str, Any]: ...


class ServedVectorEnv:
    """The part of ``gymnasium.vector.VectorEnv`` that a learner uses.

    ``reset() -> (observations[n, …], {})`` and
    ``step(actions[n]) -> (observations, rewards[n], terminations[n], truncations[n], {})``, all
    numpy arrays. The grader chooses the seed, so ``reset(seed=…)`` is accepted and ignored.
    """

    def __init__(self, connection: Connection, spec: Mapping[str, Any]) -> None:
        self._connection = connection
        self._id = spec["id"]
        self.num_envs: int = spec["num_envs"]
        self.observation_shape: tuple[int, ...] = tuple(spec["observation_shape"])
        self.num_actions: int = spec["num_actions"]

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[wire.Array, dict[str, Any]]:
        """Starts every sub-environment anew.

        Raises:
            RuntimeError: the grader refused; the message says why.
        """
        del seed, options
        (observations,) = self._ask("reset", [])
        return observations, {}

    def step(
        self, actions: Any
    ) -> tuple[wire.Array, wire.Array, wire.Array, wire.Array, dict[str, Any]]:
        """One step of every sub-environment.

        Raises:
            RuntimeError: the grader refused; the message says why.
        """
        array = np.asarray(actions, dtype=np.int64)
        observations, rewards, terminations, truncations = self._ask("step", [array])
        return observations, rewards, terminations, truncations, {}

    def close(self) -> None:
        """Nothing to release on this side."""

    def _ask(self, verb: str, arrays: Sequence[wire.Array]) -> tuple[wire.Array, ...]:
        self._connection.send({"op": "environment", "id": self._id, "verb": verb}, arrays)
        answer = self._connection.receive()
        if not answer["ok"]:
            raise RuntimeError(answer["message"])
        return self._connection.arrays
