"""What is measured of dqn-cartpole: targets in numbers, and the best episodes of a training.

The poles are :mod:`harness.environments.poles`. The episodes that count are those of the training
itself, as the grader sees them: `Counted` stands between the program and the poles.
"""

import numpy as np

POLES, LENGTH, STEPS, WINDOW = 32, 200, 1000, 32
OBSERVATIONS, ACTIONS = 4, 2


class Counted:
    """Poles that write down how many steps each episode took, in the order of their ends.

    Of episodes that end in one step that of the first pole comes first. `reset` ends the running
    episodes: each counts with the steps it had. The step that begins an episode is none of it.
    """

    def __init__(self, poles):
        self._poles = poles
        self.num_envs, self.metadata, self.spec = poles.num_envs, poles.metadata, poles.spec
        self.lengths = []
        self._age, self._over = self._none()

    def _none(self):
        return np.zeros(self.num_envs, dtype=np.int64), np.zeros(self.num_envs, dtype=bool)

    def reset(self, *, seed=None):
        del seed
        self.lengths.extend(self._age[(self._age > 0) & ~self._over].tolist())
        self._age, self._over = self._none()
        return self._poles.reset()[0], {}

    def step(self, actions):
        seen, rewards, fallen, cut, _ = self._poles.step(actions)
        self._age = np.where(self._over, 0, self._age + 1)
        self._over = fallen | cut
        self.lengths.extend(self._age[self._over].tolist())
        return seen, rewards, fallen, cut, {}

    def best(self, window):
        """The largest mean length of so many episodes in a row; those that are missing have 0."""
        lengths = np.concatenate([np.zeros(window), self.lengths])
        sums = np.concatenate([[0.0], lengths.cumsum()])
        return (sums[window:] - sums[:-window]).max() / window


def learn(student, rng):
    """The mean length of the best episodes in a row of one training."""
    poles = Counted(student.environment("poles", rng).vector(rng, POLES, LENGTH))
    env = student.serve(poles, (OBSERVATIONS,), ACTIONS, max_steps=POLES * STEPS)
    student.train(env, STEPS, student.generator())
    return {"steps": np.asarray(poles.best(WINDOW))}


def example(student, rng):
    """The worked example of the statement."""
    del rng
    return {"agrees": student.example()}


# ---------------------------------------------------------------------------- targets in numbers


def _batch(student, rng, b, a, kind):
    """(rewards, q_next, q_next_target): small, from all of their ranges, close or equal values.

    In some rows all values are negative, and in some the two networks disagree about the best
    action. "digit": the action before the best one is behind by the last digit.
    """
    draw = student.domain.draw
    if kind == "wide":
        return (
            draw(rng, "rewards", b),
            draw(rng, "q_next", b, a),
            draw(rng, "q_next_target", b, a),
        )
    rewards, q_next = rng.normal(0.0, 2.0, b), rng.normal(0.0, 3.0, (b, a))
    q_target = q_next + rng.normal(0.0, 3.0, (b, a))
    if kind == "equal":
        q_next = q_next.round() // 2
        q_target = rng.permuted(np.tile(np.arange(a) - 3.0, (b, 1)), axis=1)
    if kind == "close":  # in single precision they are equal
        q_next = rng.normal(0.0, 300.0, (b, 1)) + 1e-6 * q_next
    if kind == "tiny":
        rewards, q_next, q_target = 1e-6 * rewards, 1e-6 * q_next, 1e-6 * q_target
    below = rng.random(b) < 0.3
    q_next[below] -= abs(q_next).max() + 1e-7
    q_target[below] -= abs(q_target).max() + 1e-7
    if kind == "digit":
        best = q_next.argmax(axis=1)
        q_next[np.arange(b), best - 1] = np.nextafter(q_next.max(axis=1), -np.inf)
    return rewards, q_next, q_target


def _calls(student, rng):
    """Calls of all sizes, as many transitions as actions among them.

    Every γ at its ends and close to them; each pair of flags alone in a batch, also of one row; and
    two calls of which each argument changes alone.
    """
    domain = student.domain

    def call(b, a, gamma, kind="plain", flags=None):
        if flags is None:
            flags = rng.random((2, b)) < 0.35
        return (*_batch(student, rng, b, a, kind), *flags, float(gamma))

    (b, a), (b_most, a_most) = zip(*map(domain.sizes, "ba"), strict=True)
    sizes = [(6, 2), (4, 4), (4, 4), (b, a), (b, 2), (b, a_most), (b_most, a), (b_most, a_most)]
    inner = rng.uniform(0.3, 0.98, 2 + len(sizes))
    calls = [call(*size, gamma) for size, gamma in zip(sizes, inner, strict=False)]
    calls += [call(12, 3, gamma, "equal") for gamma in domain.draw(rng, "gamma", 6)]
    calls += [call(b_most, 3, gamma, kind) for gamma in (0.9, 1.0) for kind in ("wide", "tiny")]
    kinds = ("wide", "equal", "close", "digit")
    calls += [call(40, size, 0.7, kind) for size in (2, 5) for kind in kinds]
    near = 10 ** rng.uniform((-8.0, -9.0), (-3.0, -7.0))
    calls += [call(12, 3, gamma) for gamma in (*near, *(1 - near))]
    for pair in np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=bool):
        calls += [call(size, 5, 0.8, "equal", np.tile(pair[:, None], size)) for size in (b, 5)]
    calls.append(call(b_most, a_most, 0.9, "wide", np.zeros((2, b_most), dtype=bool)))
    calls += [_farthest(student, rng), *_coincident(rng)]
    return domain.replaced(*(call(8, 3, gamma) for gamma in inner[-2:]), *calls)


def _farthest(student, rng):
    """The largest targets that there may be, of actions that are all next to an end of the range.

    The best one pays the most or the least of all, and a transition of its sign leads to it.
    """
    b, a, way = 16, 3, np.resize([1.0, -1.0], 16)
    rewards, values, others = (
        np.abs(student.domain.draw(rng, name, 2)).max()
        for name in ("rewards", "q_next_target", "q_next")
    )
    q_next = np.resize([1.0, 1.0, -1.0, -1.0], (b, 1)) * (others - rng.uniform(0, 1e-3, (b, a)))
    q_target = -values * way[:, None] * np.ones((b, a))
    q_target[np.arange(b), q_next.argmax(axis=1)] *= -1.0
    flags = rng.random((2, b)) < 0.2
    flags[:, :4] = False
    return rewards * way, q_next, q_target, *flags, 1.0


def _coincident(rng):
    """Calls of few whole numbers that differ in their order alone.

    Rewards of 0, actions that are all alike by one network or both, networks that agree in parts.
    """
    b, a, gamma = 24, 3, float(rng.uniform(0.5, 0.9))
    rewards = rng.integers(-1, 2, b).astype(np.float64)
    q_next, q_target = rng.integers(1, 3, (b, a)) * 1.0, rng.integers(-1, 2, (b, a)) * 1.0
    q_next[:4], q_target[:2], q_target[2:8:2] = 0.0, [1.0, 0.0, 2.0], 0.0
    flags = rng.random((2, b)) < 0.3
    flags[:, :6] = False
    return [
        (rewards, q_next, q_target, *flags, gamma),
        (rewards, q_next, q_target[:, ::-1].copy(), *flags, gamma),
        (rewards, q_next[:, ::-1].copy(), q_target, *flags, gamma),
        (rewards, q_next, q_target, *np.roll(flags, 1, axis=1), gamma),
    ]


def targets(student, rng):
    """Targets by the flags of their transitions: neither, terminal (cut off or not), cut off."""
    names = ("open", "terminal", "cut")
    arrays = {name + suffix: [] for name in names for suffix in ("", "__scale")}
    for call in _calls(student, rng):
        rewards, _, q_target, terminated, truncated, gamma = call
        found = student.double_targets(*call)
        scale = abs(rewards) + gamma * abs(q_target).max(axis=1)
        rows = (~terminated & ~truncated, terminated, truncated & ~terminated)
        for name, chosen in zip(names, rows, strict=True):
            arrays[name].append(found[chosen])
            arrays[name + "__scale"].append(scale[chosen])
    return {name: np.concatenate(parts) for name, parts in arrays.items()}
