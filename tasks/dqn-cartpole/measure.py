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

    Every γ at its ends and close to them; and two calls of which each argument changes alone.
    """
    domain = student.domain

    def call(b, a, gamma, kind="plain"):
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
    near = 10 ** rng.uniform(-8.0, -3.0, 2)
    calls += [call(12, 3, gamma) for gamma in (*near, *(1 - near))]
    return domain.replaced(*(call(8, 3, gamma) for gamma in inner[-2:]), *calls)


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
