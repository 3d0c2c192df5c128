"""Small MDPs on each of which a mistake in deep Q-learning gives values that are far from Q*.

A learner whose values are right for most of its states plays a game no worse, so its score says
little of them. Here Q* is known: :meth:`Probe.values` is compared with what was learnt. Every
number is drawn: rewards, which action does what, which vector is which state's observation.

| name | law | what it shows |
|---|---|---|
| ``time-limit`` | constant reward, episodes are only cut off | truncation taken for termination |
| ``auto-reset`` | an end in an ordinary state | resets stored as transitions; no terminal mask |
| ``two-step`` | a reward that comes with the second step | discount; reward of the wrong step |
| ``chance`` | two states by chance, then rewards | gradient through the target; another loss |
| ``action-reward`` | one step, a reward for every state and action | values of another action |
| ``four-states`` | the test environment of CS234's assignment on Q-learning | the maximum, time |

Stanford CS234, Winter 2020, assignment 2: four states, the action is the next state, its reward is
.1, -.2, 0 or -.1, times -10 if state 2 is left, five steps; the best return from state 0 is 4.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium.envs.registration import EnvSpec
from gymnasium.vector import AutoresetMode

from harness.environments.records import Array

FOUR_STATES_REWARDS = np.array([0.1, -0.2, 0.0, -0.1])
FOUR_STATES_FACTOR = -10.0
FOUR_STATES_STEPS = 5


@dataclass(frozen=True)
class Rules:
    """An MDP of s states and a actions.

    The states that are acted in come first, those in which an episode has ended after them.

    Attributes:
        start: probabilities of the first state, ``[s]``.
        moves: probabilities of the next state, ``[s a s]``; rows of ended states are not used.
        rewards: the reward of a step by where it leads, ``[s a s]``.
        ends: whether a step terminates the episode, ``[s a s]``.
        acted: the number of states that are acted in.
    """

    start: Array
    moves: Array
    rewards: Array
    ends: Array
    acted: int

    def values(self, gamma: float) -> Array:
        """Q* of the states that are acted in, without a time limit: ``[acted a]``."""
        states, actions = self.moves.shape[:2]
        q = np.zeros((states, actions))
        while True:
            ahead = np.where(self.ends, 0.0, q.max(axis=1))
            new: Array = (self.moves * (self.rewards + gamma * ahead)).sum(axis=2)
            new[self.acted :] = 0.0
            if np.abs(new - q).max() <= 1e-13 * np.abs(new).max():
                return new[: self.acted]
            q = new


class Probe:
    """Rules behind a disguise: the observations of the states are drawn orthonormal vectors.

    Their number of components is that of the states, so that values which are linear in the
    observation can be any numbers.
    """

    def __init__(self, rng: np.random.Generator, name: str, rules: Rules) -> None:
        states, self.actions = rules.moves.shape[:2]
        self.name, self.rules, self.observation_shape = name, rules, (states,)
        rotation, triangle = np.linalg.qr(rng.normal(size=(states, states)))
        self.codes: Array = rotation * np.sign(np.diag(triangle))

    @property
    def observations(self) -> Array:
        """Those of the states that are acted in: ``[acted, components]``."""
        return self.codes[: self.rules.acted]

    def values(self, gamma: float) -> Array:
        """Q* of the states that are acted in, in the order of ``observations``: ``[acted a]``."""
        return self.rules.values(gamma)

    def vector(self, rng: np.random.Generator, count: int, length: int) -> ProbeVector:
        """``count`` episodes side by side, which are cut off after ``length`` steps."""
        return ProbeVector(self, rng, count, length)


class ProbeVector:
    """Sub-environments of one probe in next-step mode; observations are float64 ``[count, s]``."""

    metadata: dict[str, Any] = {"autoreset_mode": AutoresetMode.NEXT_STEP}  # noqa: RUF012

    def __init__(self, probe: Probe, rng: np.random.Generator, count: int, length: int) -> None:
        self._probe, self._rng, self._length = probe, rng, length
        self.num_envs = count
        self.spec = EnvSpec(f"{probe.name}-v0", max_episode_steps=length)

    def reset(self, *, seed: int | None = None) -> tuple[Array, dict[str, Any]]:
        """New episodes everywhere; the seed is not heeded."""
        del seed
        self._states = self._first()
        self._ages = np.zeros(self.num_envs, dtype=np.int64)
        self._ended = np.zeros(self.num_envs, dtype=bool)
        return self._probe.codes[self._states], {}

    def step(self, actions: Array) -> tuple[Array, Array, Array, Array, dict[str, Any]]:
        """One step everywhere; where an episode has ended, the first observation of a new one."""
        rules, ended = self._probe.rules, self._ended
        place = self._states, actions
        following = _drawn(self._rng, rules.moves[place])
        rewards = np.where(ended, 0.0, rules.rewards[*place, following])
        terminated = rules.ends[*place, following] & ~ended
        self._ages = np.where(ended, 0, self._ages + 1)
        truncated = (self._ages >= self._length) & ~terminated & ~ended
        self._states = np.where(ended, self._first(), following)
        self._ended = terminated | truncated
        return self._probe.codes[self._states], rewards, terminated, truncated, {}

    def _first(self) -> Array:
        start = self._probe.rules.start
        return _drawn(self._rng, np.broadcast_to(start, (self.num_envs, len(start))))


def _drawn(rng: np.random.Generator, probabilities: Array) -> Array:
    """A number from 0 for each row of probabilities, ``[rows]``."""
    below = probabilities.cumsum(axis=1)[:, :-1]
    drawn: Array = (rng.random((len(probabilities), 1)) >= below).sum(axis=1)
    return drawn


def _amount(rng: np.random.Generator, least: float, most: float) -> float:
    """A number of this size, of either sign."""
    return float(rng.choice([-1.0, 1.0]) * rng.uniform(least, most))


def time_limit(rng: np.random.Generator) -> Probe:
    """Every step pays the same and leads to any of three states: Q* = reward / (1 - γ)."""
    states, actions = 3, 2
    shape = states, actions, states
    rules = Rules(
        start=np.full(states, 1 / states),
        moves=np.full(shape, 1 / states),
        rewards=np.full(shape, _amount(rng, 0.5, 1.0)),
        ends=np.zeros(shape, dtype=bool),
        acted=states,
    )
    return Probe(rng, "TimeLimitProbe", rules)


def auto_reset(rng: np.random.Generator) -> Probe:
    """One action of each of three states ends the episode, and leads to the first state.

    There it costs what ending pays elsewhere. A step that resets, stored as a transition, starts in
    this state: half of what is stored of it is then wrong.
    """
    states, actions = 3, 3
    scale, ending = rng.uniform(0.5, 2.0), rng.integers(actions, size=states)
    moves, rewards = np.zeros((states, actions, states)), np.zeros((states, actions, states))
    ends = np.zeros((states, actions, states), dtype=bool)
    for s in range(states):
        onward = rng.permutation(states)
        for a in range(actions):
            over = a == ending[s]
            moves[s, a, 0 if over else onward[a]] = 1.0
            pays = (
                (-1.0 if s == 0 else 1.0) * rng.uniform(0.8, 1.2) if over else rng.uniform(0, 0.2)
            )
            rewards[s, a], ends[s, a] = scale * pays, over
    rules = Rules(np.full(states, 1 / states), moves, rewards, ends, states)
    return Probe(rng, "AutoResetProbe", rules)


def two_step(rng: np.random.Generator) -> Probe:
    """The first step pays nothing, the second one pays and ends: Q* is γ reward, then reward.

    States: two to begin with, each of which leads to a middle state of its own; the end.
    """
    states, actions = 5, 2
    moves, rewards = np.zeros((states, actions, states)), np.zeros((states, actions, states))
    moves[0, :, 2] = moves[1, :, 3] = moves[2:, :, 4] = 1.0
    rewards[2], rewards[3] = _amount(rng, 0.5, 2.0), _amount(rng, 0.5, 2.0)
    ends = np.zeros((states, actions, states), dtype=bool)
    ends[2:] = True
    start = np.array([0.5, 0.5, 0.0, 0.0, 0.0])
    return Probe(rng, "TwoStepProbe", Rules(start, moves, rewards, ends, acted=4))


def chance(rng: np.random.Generator) -> Probe:
    """The first step leads to either of two states by chance, the second one pays and ends.

    Their rewards have different signs and sizes, and Q* of the first step is γ times the mean. A
    gradient that goes through the target moves the values of the second step towards each other, a
    loss that is linear beyond 1 has its minimum near the likelier value.
    """
    states, actions = 5, 2
    moves, rewards = np.zeros((states, actions, states)), np.zeros((states, actions, states))
    likely = rng.uniform(0.65, 0.75)
    moves[:2, :, 2], moves[:2, :, 3] = likely, 1 - likely
    moves[2:, :, 4] = 1.0
    large = _amount(rng, 3.0, 6.0)
    rewards[2], rewards[3] = large, -large * rng.uniform(0.3, 0.5)
    ends = np.zeros((states, actions, states), dtype=bool)
    ends[2:] = True
    start = np.array([0.5, 0.5, 0.0, 0.0, 0.0])
    return Probe(rng, "ChanceProbe", Rules(start, moves, rewards, ends, acted=4))


def action_reward(rng: np.random.Generator) -> Probe:
    """One step, and for each of three states and actions a reward of its own."""
    states, actions = 4, 3
    size = states, actions, states
    moves, ends = np.zeros(size), np.ones(size, dtype=bool)
    moves[:, :, 3] = 1.0
    pays = np.stack([rng.permutation([-1.0, 0.3, 1.0]) for _ in range(states)])
    pays = pays * rng.uniform(0.5, 2.0) * rng.uniform(0.7, 1.0, (states, actions))
    rewards = np.repeat(pays[:, :, None], states, axis=2)
    start = np.array([1.0, 1.0, 1.0, 0.0]) / 3
    return Probe(rng, "ActionRewardProbe", Rules(start, moves, rewards, ends, acted=3))


def four_states(rng: np.random.Generator) -> Probe:
    """CS234's environment with its numbers drawn around the original ones, beginning anywhere."""
    rewards = FOUR_STATES_REWARDS * rng.uniform(0.8, 1.2, 4) * rng.uniform(0.5, 2.0)
    factor = FOUR_STATES_FACTOR * rng.uniform(0.8, 1.2)
    rules = four_states_rules(rewards, factor, rng.permutation(4))
    return Probe(rng, "FourStatesProbe", rules)


def four_states_rules(rewards: Array, factor: float, leads_to: Array) -> Rules:
    """A state for each of five times and four places, number 4 · time + place, and the end.

    Args:
        rewards: by the place that is reached, ``[4]``.
        factor: of the reward of a step from place 2.
        leads_to: the place that each action leads to, ``[4]``.
    """
    acted = 4 * FOUR_STATES_STEPS
    size = acted + 1, 4, acted + 1
    moves, pays, ends = np.zeros(size), np.zeros(size), np.zeros(size, dtype=bool)
    for s in range(acted):
        time, place = divmod(s, 4)
        last = time + 1 == FOUR_STATES_STEPS
        for a, target in enumerate(leads_to):
            moves[s, a, acted if last else 4 * (time + 1) + target] = 1.0
            pays[s, a] = rewards[target] * (factor if place == 2 else 1.0)
            ends[s, a] = last
    moves[acted, :, acted] = 1.0
    start = np.zeros(acted + 1)
    start[:4] = 0.25
    return Rules(start, moves, pays, ends, acted)
