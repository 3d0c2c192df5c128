"""What is measured of a2c-cartpole: advantages in numbers, and the best episodes of a training.

The poles are :mod:`harness.environments.poles`. The episodes that count are those of the training
itself, as the grader sees them: `Counted` stands between the program and the poles.
"""

import numpy as np

POLES, LENGTH, STEPS, WINDOW = 32, 200, 1600, 64
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


# ---------------------------------------------------------------------------- rollouts in numbers


def _rollout(student, rng, t, n, wide):
    """(rewards, values, next_values): from all of their ranges, or small; rarely consistent."""
    draw = student.domain.draw
    if wide:
        return tuple(draw(rng, name, t, n) for name in ("rewards", "values", "next_values"))
    return tuple(rng.normal(size=(3, t, n)) * rng.choice([1.0, 1e-3, 30.0]))


def _calls(student, rng, chance):
    """Calls of all sizes; every flag is set with some chance.

    As many steps as poles among them, so that a confusion of axes gives a number; every γ and λ at
    its ends and close to them; numbers that are 0 or equal, as nothing tells a terminal state or a
    beginning but flags; the same numbers with as many flags elsewhere; numbers of one sign; and two
    calls of which each argument changes alone.
    """
    domain = student.domain

    def call(t, n, gamma, lam, wide=False, chance=chance):
        flags = rng.random((2, t, n)) < chance
        over = rng.random(n) < 2 * chance
        return (*_rollout(student, rng, t, n, wide), *flags, over, float(gamma), float(lam))

    (t, n), (t_most, n_most) = zip(*map(domain.sizes, "tn"), strict=True)
    sizes = [(6, 4), (5, 5), (5, 5), (t, n), (t, n_most), (t_most, n), (2, 3), (t_most, n_most)]
    gammas, lams = (domain.draw(rng, name, 6) for name in ("gamma", "lam"))
    inner = rng.uniform(0.4, 0.95, (2, 2 + len(sizes)))
    calls = [call(*size, *each) for size, each in zip(sizes, inner.T, strict=False)]
    calls += [call(9, 5, gamma, rng.uniform(0.3, 0.9)) for gamma in gammas]
    calls += [call(9, 5, rng.uniform(0.5, 0.99), lam) for lam in lams]
    near = 10 ** rng.uniform(-8.0, -3.0, 2)
    calls += [call(9, 5, *each) for x in (*near, *(1 - near)) for each in ((x, 0.9), (0.9, x))]
    calls += [call(t_most, 3, 1.0, 1.0, wide=True), call(8, 6, 0.9, 0.8, wide=True)]
    # the largest advantages that there may be
    (far, *_, gamma, lam), way = call(t_most, 4, 1.0, 1.0), rng.choice([-1.0, 1.0], 4)
    largest = way * domain.draw(rng, "rewards", 2).max() * np.ones_like(far)
    flags = np.zeros((2, *far.shape), dtype=bool)
    calls.append((largest, -largest, largest, *flags, flags[0, 0], gamma, lam))
    *_, terminated, truncated, over, gamma, lam = call(9, 5, *inner[:, 0])
    few = rng.integers(-1, 2, (3, 9, 5)).astype(np.float64)
    few[:, :, 1], few[:, -1] = few[:, :, 0], 1.0
    flags = terminated, truncated, over
    moved = (np.roll(each, 1, axis=0) for each in flags)
    calls += [(*few, *flags, gamma, lam), (*few, *moved, gamma, lam)]
    if chance:
        calls += [call(t, n_most, *inner[:, 0], chance=0.5), call(12, 8, 0.9, 0.9, chance=0.6)]
    sides = domain.one_sided(calls[0])
    calls += sides if chance else sides[:2]  # the last one has all flags set
    return domain.replaced(*(call(7, 5, *each) for each in inner.T[-2:]), *calls)


def _begins(call):
    """Steps that only begin an episode, as the one before has ended one: [t n]."""
    *_, terminated, truncated, over, _, _ = call
    return np.concatenate([over[None], (terminated | truncated)[:-1]])


def _measured(student, call):
    """A call's advantages, and the sums of the absolute terms, as if no episode ended."""
    rewards, values, next_values, *_, gamma, lam = call
    scale, later = np.zeros_like(rewards), np.zeros_like(rewards[0])
    for t in reversed(range(len(rewards))):
        later = abs(rewards[t]) + gamma * abs(next_values[t]) + abs(values[t]) + gamma * lam * later
        scale[t] = later
    return student.advantages(*call), scale


def plain(student, rng):
    """Rollouts in which no episode ends."""
    pairs = [_measured(student, call) for call in _calls(student, rng, 0.0)]
    found, scale = zip(*pairs, strict=True)
    flat = [np.concatenate([each.ravel() for each in column]) for column in (found, scale)]
    return dict(zip(("advantage", "advantage__scale"), flat, strict=True))


def ended(student, rng):
    """Rollouts with all flags: steps that are transitions, and those that begin an episode."""
    arrays = {name: [] for name in ("advantage", "advantage__scale", "begun", "begun__scale")}
    for call in _calls(student, rng, 0.2):
        begins = _begins(call)
        found, scale = _measured(student, call)
        arrays["advantage"].append(found[~begins])
        arrays["advantage__scale"].append(scale[~begins])
        arrays["begun"].append(found[begins])
        arrays["begun__scale"].append(scale[begins])
    return {name: np.concatenate(parts) for name, parts in arrays.items()}
