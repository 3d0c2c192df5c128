"""What is measured of walk; the environment and everything it counts stay on this side."""

import hashlib

import numpy as np

ENVS, LENGTH, EPISODES = 4, 5, 8


class Signs:
    """Shows -1 or 1; the action that fits pays 1. Episodes of five steps start anew by themselves."""

    num_envs = ENVS

    def reset(self, *, seed=None):
        self._rng = np.random.default_rng(seed)
        self._step = 0
        self.seen = []
        return self._show(), {}

    def step(self, actions):
        rewards = (actions == (self._sign[:, 0] > 0)).astype(np.float64)
        self.seen.append(np.stack([self._sign[:, 0], actions]))
        self._step += 1
        ended = np.full(ENVS, self._step % LENGTH == 0)
        return self._show(), rewards, ended, np.zeros(ENVS, dtype=bool), {}

    def _show(self):
        self._sign = self._rng.choice([-1.0, 1.0], (ENVS, 1))
        return self._sign

    def trajectories(self):
        steps = np.stack(self.seen)[: LENGTH * EPISODES // ENVS].reshape(-1, LENGTH, 2, ENVS)
        rows = steps.transpose(0, 3, 1, 2).reshape(EPISODES, -1)
        return np.array([hashlib.sha256(row.tobytes()).hexdigest() for row in rows])


def lines(student, rng):
    a, b = rng.normal(size=2)
    x = rng.normal(size=7)
    line = student.new("Line", float(a), b=float(b))
    value = line.predict(x)
    other = student.new("Line", 0.0, 0.0)
    other.load(line.state())
    kept = [np.array_equal(value, other.predict(x)), len(line.state()) == 2]
    return {
        "kept": np.array(kept),
        "value": value,
        "value__scale": np.abs(a * x) + np.abs(b),
    }


def descent(student, rng):
    centre, start = rng.normal(size=(2, 3))
    found = student.minimise(student.given("bowl", centre), start)
    return {"near": np.abs(found - centre) < 1e-3}


def play(student, rng):
    env = Signs()
    served = student.serve(env, (1,), 2, max_steps=ENVS * 100)
    student.play(served, EPISODES)
    if len(served.returns) < EPISODES:
        student.refuse(f"played {len(served.returns)} episodes of {EPISODES}")
    return {
        "episode": np.array(served.returns[:EPISODES]),
        "episode__trajectory": env.trajectories(),
    }
