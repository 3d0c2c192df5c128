"""Stand-ins for arguments that are not arrays: a seed, a given function, a file, an environment.

The worker makes the actual argument from the description that crosses the wire.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import repeat
from typing import Any, Literal

import numpy as np

from harness import wire
from harness.environments.records import VectorEnv, out_of_range
from harness.errors import ProgramError

Array = wire.Array
_End = Literal["terminated", "truncated", "reset"]

_NEXT_STEP = "NextStep"  # the value of gymnasium.vector.AutoresetMode.NEXT_STEP
_NAME = "Served-v0"
#: The share of episodes ended by resets above which the student is told.
_MANY_ABANDONED = 0.75


@dataclass(frozen=True)
class Seed:
    """Stands for a generator that the worker builds from this integer.

    ``used``: a number has been drawn from it before.
    """

    value: int
    used: bool = False


@dataclass(frozen=True)
class Given:
    """Stands for a function of given.py with these parameters filled in."""

    name: str
    parameters: tuple[Array, ...]


@dataclass(frozen=True)
class File:
    """Stands for the path of a file that came with the submission."""

    name: str


@dataclass(frozen=True)
class Episode:
    """One episode of a sub-environment, as the grader counted it.

    Attributes:
        reward: the sum of its rewards, undiscounted.
        steps: how many steps it took.
        ended_at: how many steps all sub-environments together had made by its end.
        end: ``reset`` where the program began anew while it was running.
    """

    reward: float
    steps: int
    ended_at: int
    end: _End


@dataclass
class Served:
    """An environment that runs in the grader; checks rely on its counts, not on the program's.

    Attributes:
        observation_shape: that of one sub-environment.
        seed: what every reset is given.
        max_steps: the budget of sub-environment steps.
        steps: sub-environment steps so far.
        spent: a step beyond the budget was asked for; none was made.
        ended: the function that ended so; empty where none did.
        episodes: those that ended, in the order of their ends; one of them that a reset ends while
            it is running counts, too, unless it has no step yet.
    """

    env: VectorEnv
    observation_shape: tuple[int, ...]
    num_actions: int
    seed: int
    max_steps: int
    steps: int = 0
    spent: bool = False
    ended: str = ""
    episodes: list[Episode] = field(default_factory=list)
    _running: Array | None = None  # rewards so far of what is running
    _ages: Array = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    _over: Array = field(default_factory=lambda: np.zeros(0, dtype=bool))  # begins anew next

    @property
    def returns(self) -> list[float]:
        """The undiscounted returns of :attr:`episodes`."""
        return [episode.reward for episode in self.episodes]

    @property
    def calls(self) -> int:
        """Calls of ``step`` so far."""
        return self.steps // self.env.num_envs

    def notices(self) -> Iterator[str]:
        """Sentences for the student, from counts of the grader's alone."""
        if self.ended:
            yield (
                f"{self.budget} was used up and more asked for; {self.ended} ended there, and what "
                "was learnt so far is marked"
            )
        if not self.steps:
            yield (
                "no step of the environment that was handed over was made; one of your own, as by "
                "gymnasium.make, is another one, and nothing learnt there counts for this one"
            )
        abandoned = sum(episode.end == "reset" for episode in self.episodes)
        if abandoned > _MANY_ABANDONED * len(self.episodes):
            yield (
                f"{abandoned:,} of {len(self.episodes):,} episodes were ended by reset() while "
                "they were running; each counts with the steps that it had"
            )

    def described(self) -> dict[str, Any]:
        """What the program is told of the environment, besides its number."""
        space = getattr(self.env, "single_observation_space", None)
        spec = getattr(self.env, "spec", None)
        return {
            "name": getattr(spec, "id", _NAME),
            "num_envs": self.env.num_envs,
            "observation_shape": list(self.observation_shape),
            "num_actions": self.num_actions,
            "dtype": "float64" if space is None else space.dtype.name,
            "autoreset_mode": self._autoreset_mode,
            "max_episode_steps": getattr(spec, "max_episode_steps", None),
        }

    @cached_property
    def _autoreset_mode(self) -> str:
        mode = getattr(self.env, "metadata", {}).get("autoreset_mode", _NEXT_STEP)
        return str(getattr(mode, "value", mode))

    def answer(self, verb: str, arrays: tuple[Array, ...]) -> wire.Frame:
        """Answers one reset or step that the program asks for.

        A step beyond the budget is refused, not made; the frame then says ``spent``.

        Raises:
            ProgramError: a malformed request.
        """
        n = self.env.num_envs
        if verb == "reset" and not arrays:
            return self._reset()
        if verb != "step" or len(arrays) != 1 or arrays[0].shape != (n,):
            raise ProgramError("protocol", f"an environment is stepped with {n} actions")
        if self._running is None:
            return _refusal("call reset() before step()")
        actions = arrays[0]
        if actions.dtype != np.int64:
            return _refusal(f"actions are whole numbers from 0 to {self.num_actions - 1}")
        if problem := out_of_range(actions, self.num_actions):
            return _refusal(problem)
        if self.steps + n > self.max_steps:
            self.spent = True
            return _refusal(f"{self.budget} is used up; no further step is made", spent=True)
        return self._step(actions)

    @property
    def budget(self) -> str:
        """The budget in words, as the program counts it."""
        n = self.env.num_envs
        return (
            f"the budget of {self.max_steps // n:,} calls of env.step() ({self.max_steps:,} steps "
            f"of {n} sub-environments)"
        )

    def _reset(self) -> wire.Frame:
        n = self.env.num_envs
        if self._running is not None:
            begun = np.flatnonzero((self._ages > 0) & ~self._over)
            self._end(begun, ["reset"] * len(begun))
        observations, _ = self.env.reset(seed=self.seed)
        self._running, self._ages = np.zeros(n), np.zeros(n, dtype=np.int64)
        self._over = np.zeros(n, dtype=bool)
        return wire.Frame({"ok": True}, (_crossing(observations),))

    def _step(self, actions: Array) -> wire.Frame:
        self.steps += len(actions)
        observations, rewards, terminations, truncations, _ = self.env.step(actions)
        self._running += rewards
        # in next-step mode the call after an end only begins an episode
        self._ages += ~self._over
        over = terminations | truncations
        ended = np.flatnonzero(over)
        if len(ended):
            how = terminations[ended]
            self._end(ended, ["terminated" if each else "truncated" for each in how])
        self._over = over if self._autoreset_mode == _NEXT_STEP else np.zeros_like(over)
        arrays = (observations, np.asarray(rewards, dtype=np.float64), terminations, truncations)
        return wire.Frame({"ok": True}, tuple([_crossing(array) for array in arrays]))

    def _end(self, indices: Array, ends: Sequence[_End]) -> None:
        """Writes down the episodes that end in some sub-environments."""
        assert self._running is not None
        rewards, ages = self._running[indices].tolist(), self._ages[indices].tolist()
        self.episodes.extend(map(Episode, rewards, ages, repeat(self.steps), ends))
        self._running[indices], self._ages[indices] = 0.0, 0


def _refusal(message: str, *, spent: bool = False) -> wire.Frame:
    return wire.Frame({"ok": False, "message": message} | ({"spent": True} if spent else {}), ())


def _crossing(array: Any) -> Array:
    """An environment's array, converted where its dtype does not cross the wire."""
    converted = np.asarray(array)
    if wire.crosses(converted.dtype):
        return converted
    return converted.astype(np.float64 if converted.dtype.kind == "f" else np.int64)
