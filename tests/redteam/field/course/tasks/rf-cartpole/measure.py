"""Poles behind a keyed disguise: the grader owns them, and counts what is scored itself.

Components are divided by 0.5, 0.5, 0.1, 0.5 and rotated, actions may be exchanged, the parameters
of the dynamics are drawn. A new worker learns each of the replicates.
"""

import hashlib

import numpy as np

ENVS, LENGTH, STEPS = 32, 200, 1500
REPLICATES, EPISODES = 3, 20
SIZES = np.array([0.5, 0.5, 0.1, 0.5])


class Poles:
    """A vector of cart-poles with the dynamics of Barto, Sutton and Anderson (1983).

    ``disguise`` is None for the plain one. A pole that fell starts anew in the same step, as in
    Gymnasium's same-step mode.
    """

    def __init__(self, rng, count, disguise=None):
        self.num_envs, self._rng = count, rng
        self._turn, self._swap, factors = disguise or (None, False, np.ones(5))
        nominal = np.array([9.8, 1.0, 0.1, 0.5, 10.0])
        self._gravity, self._cart, self._pole, self._length, self._force = nominal * factors

    def reset(self, *, seed=None):
        del seed
        self._state = self._fresh(self.num_envs)
        self._age = np.zeros(self.num_envs, dtype=int)
        return self._show(), {}

    def step(self, actions):
        _, speed, angle, spin = self._state.T
        force = np.where((actions == 1) ^ self._swap, self._force, -self._force)
        cos, sin, total = np.cos(angle), np.sin(angle), self._cart + self._pole
        push = (force + self._pole * self._length * spin**2 * sin) / total
        pull = self._gravity * sin - cos * push
        twist = pull / (self._length * (4 / 3 - self._pole * cos**2 / total))
        shift = push - self._pole * self._length * twist * cos / total
        self._state = self._state + 0.02 * np.stack([speed, shift, spin, twist], axis=1)
        self._age += 1
        fallen = (np.abs(self._state[:, 0]) > 2.4) | (np.abs(self._state[:, 2]) > np.pi / 15)
        cut = (self._age >= LENGTH) & ~fallen
        ended = fallen | cut
        self._state[ended] = self._fresh(ended.sum())
        self._age[ended] = 0
        return self._show(), np.ones(self.num_envs), fallen, cut, {}

    def _fresh(self, count):
        return self._rng.uniform(-0.05, 0.05, (count, 4))

    def _show(self):
        if self._turn is None:
            return self._state.copy()
        return (self._state / SIZES) @ self._turn.T


def _disguise(rng):
    """A rotation, whether the actions are exchanged, factors of the parameters."""
    turn, triangle = np.linalg.qr(rng.normal(size=(4, 4)))
    return turn * np.sign(np.diag(triangle)), bool(rng.integers(2)), rng.uniform(0.9, 1.1, 5)


def _agent(student, rng, disguise):
    """An agent that has learnt in one environment."""
    env = student.serve(Poles(rng, ENVS, disguise), (4,), 2, max_steps=ENVS * STEPS)
    agent = student.new("Agent", 4, 2)
    agent.learn(env, STEPS, student.generator())
    return agent


def _played(student, rng, agent, disguise):
    """Returns and digests of one whole episode in each of some environments, by ``act``."""
    poles = Poles(rng, EPISODES, disguise)
    seen, _ = poles.reset()
    playing, returns = np.ones(EPISODES, dtype=bool), np.zeros(EPISODES)
    digests = [hashlib.sha256(row.tobytes()) for row in seen]
    while playing.any():
        actions = agent.act(seen)
        if not ((actions >= 0) & (actions < 2)).all():
            student.refuse("act returned an action other than 0 and 1")
        seen, rewards, fallen, cut, _ = poles.step(actions)
        returns += rewards * playing
        playing &= ~(fallen | cut)
        for digest, action in zip(digests, actions, strict=True):
            digest.update(bytes([int(action)]))
    return returns, [digest.hexdigest() for digest in digests]


def _scored(found):
    returns, digests = zip(*found, strict=True)
    return {"return": np.concatenate(returns), "return__trajectory": np.concatenate(digests)}


def learn(student, rng):
    """Agents that learn and play behind a disguise of their own each."""
    found = []
    for replicate in range(REPLICATES):
        if replicate:
            student.renew()
        disguise = _disguise(rng)
        agent = _agent(student, rng, disguise)
        found.append(_played(student, rng, agent, disguise))
    return _scored(found)
