"""What is measured of pg-reinforce-cartpole: returns and a loss in numbers, and who learns.

The poles are Gymnasium's own vector of cart-poles: its parameters are attributes, it takes a seed,
and a step of 32 poles costs 31 microseconds. Everything of a seed is drawn: parameters within a
tenth of the usual ones, a rotation of the components at unit size, which number pushes to which
side. The grader plays the episodes that count by itself, with new poles behind the same disguise.
"""

import numpy as np

POLES, LENGTH, STEPS, EPISODES = 32, 200, 2500, 40
SIZES = np.array([0.5, 0.5, 0.1, 0.5])  # of position, velocity, angle, angular velocity
OBSERVATIONS, ACTIONS = 4, 2
GAMMAS = 0.99, 0.8


class Poles:
    """Cart-poles whose components are rotated, whose actions are renumbered.

    ``disguise`` is (rotation [4, 4], actions [2], factors [5] of gravity, mass of the cart, mass of
    the pole, its length and the force). Seeded once: what ``reset`` is told is not heeded, so that
    every reset begins anew.
    """

    def __init__(self, rng, count, disguise):
        from gymnasium.envs.classic_control.cartpole import CartPoleVectorEnv

        self._rotation, self._order, factors = disguise
        self._env = env = CartPoleVectorEnv(count, max_episode_steps=LENGTH)
        for name, factor in zip(
            ("gravity", "masscart", "masspole", "length", "force_mag"), factors, strict=True
        ):
            setattr(env, name, getattr(env, name) * factor)
        env.total_mass = env.masscart + env.masspole
        env.polemass_length = env.masspole * env.length
        env.reset(seed=int(rng.integers(2**31)))
        self.num_envs = count

    def reset(self, *, seed=None):
        del seed
        return self._disguised(self._env.reset()[0]), {}

    def step(self, actions):
        seen, *ended, _ = self._env.step(self._order[actions])
        return self._disguised(seen), *ended, {}

    def _disguised(self, seen):
        return (seen / SIZES) @ self._rotation.T


def disguise(rng):
    """A rotation or reflection from Haar's law, the order of the actions, five factors.

    Behind 1,000 of them, weights that balance the plain pole reached a mean return of 175 in 13 %,
    drawn directions in 11 %, and untrained networks in 5 % (of 300): what does not learn succeeds
    that often. Learning takes 6.7 updates until a batch reaches 100, and 6.8 without (40 seeds).
    """
    rotation, triangle = np.linalg.qr(rng.normal(size=(4, 4)))
    return rotation * np.sign(np.diag(triangle)), rng.permutation(2), rng.uniform(0.9, 1.1, 5)


def learn(student, rng):
    """The mean return of whole episodes after one seed of learning."""
    hidden = disguise(rng)
    policy = student.new("Policy", OBSERVATIONS, ACTIONS, student.generator())
    poles = Poles(rng, POLES, hidden)
    env = student.serve(poles, (OBSERVATIONS,), ACTIONS, max_steps=POLES * STEPS)
    policy.learn(env, STEPS, student.generator())
    return {"return": np.asarray(_play(student, policy, Poles(rng, EPISODES, hidden)).mean())}


def _play(student, policy, poles):
    """The return of the first episode of each pole, by ``act``."""
    seen, _ = poles.reset()
    playing, returns = np.ones(poles.num_envs, dtype=bool), np.zeros(poles.num_envs)
    while playing.any():
        actions = policy.act(seen)
        if not ((actions >= 0) & (actions < ACTIONS)).all():
            student.refuse(f"act returned an action outside 0..{ACTIONS - 1}")
        seen, rewards, fallen, cut, _ = poles.step(actions)
        returns += rewards * playing
        playing &= ~(fallen | cut)
    return returns


def _lengths(rng, n, t):
    """A mask of n episodes of different lengths, of several one is t steps long."""
    lengths = rng.integers(1, t + 1, n)
    if n > 1:
        lengths[rng.integers(n)] = t
    return np.arange(t) < lengths[:, None]


def returns(student, rng):
    """Rewards to go of batches of several sizes; what follows the end of an episode is not 0.

    Each argument of a call is also exchanged alone, so that a result which is kept by some of them
    comes back where another has changed; whole numbers and the largest returns are among them.
    """
    (n_least, t_least), (n_most, t_most) = zip(*map(student.domain.sizes, "nt"), strict=True)
    gammas = *GAMMAS, *np.sort(student.domain.draw(rng, "gamma", 2))
    some = tuple(int(size) for size in rng.integers(2, 12, 2))
    calls = []
    for n, t in ((5, 12), (3, 3), some, (n_least, t_least), (1, 9), (n_most, 25), (2, t_most)):
        mask = _lengths(rng, n, t)
        calls += [(student.domain.draw(rng, "rewards", n, t), mask, float(g)) for g in gammas]
    other = student.domain.draw(rng, "rewards", 5, 12), _lengths(rng, 5, 12), GAMMAS[1]
    whole = rng.integers(-3, 4, (4, 6)).astype(float), _lengths(rng, 4, 6), 1.0
    largest = np.abs(student.domain.draw(rng, "rewards", 2)).max() * rng.choice([-1.0, 1.0])
    calls += [whole, (np.full((2, t_most), largest), np.ones((2, t_most), dtype=bool), 1.0)]
    found, sizes = [], []
    for rewards, mask, gamma in student.domain.replaced(calls[0], other, *calls[1:], alike="axes"):
        steps, live = np.arange(mask.shape[1]), np.abs(rewards) * mask
        found.append(student.reward_to_go(rewards, mask, gamma).ravel())
        weights = np.triu(gamma ** np.abs(np.subtract.outer(steps, steps)))
        sizes.append((live @ weights.T + np.abs(rewards).mean() * ~mask).ravel())
    return {"to_go": np.concatenate(found), "to_go__scale": np.concatenate(sizes)}


def _batch(student, rng, n, t, actions):
    """(logits, actions, returns, mask) of n episodes.

    The largest logits and returns stand in a row of their own: a sum would hide others beside them.
    In the first row what follows the end is small. The longest batch has an episode of its length.
    """
    logits, mask = rng.normal(0.0, 2.0, (n, t, actions)), _lengths(rng, n, t)
    mask[-1] |= t == student.domain.sizes("t")[1]
    taken, weights = rng.integers(actions, size=(n, t)), rng.normal(3.0, 4.0, (n, t))
    logits[-1] = student.domain.draw(rng, "logits", t, actions)
    weights[-1] = student.domain.draw(rng, "reinforce_loss.returns", t)
    weights[0] *= np.where(mask[0] | (n == 1), 1.0, 1e-5)
    return logits, taken, weights, mask


def _terms(logits, taken, weights, mask):
    """The absolute terms of the loss [n t]; 0 where the mask is False."""
    normalised = logits - logits.max(axis=2, keepdims=True)
    normalised -= np.log(np.exp(normalised).sum(axis=2, keepdims=True))
    surprise = -np.take_along_axis(normalised, taken[:, :, None], axis=2)[:, :, 0]
    return mask * np.abs(weights) * (surprise + np.abs(logits).max(axis=2)) / len(logits)


def _batches(student, rng, sizes):
    """Batches of some sizes, the first two of which are equal, and of the smallest and the largest.

    After the first one come those in which one argument alone is that of the second.
    """
    (n, t, a), (n_most, t_most, a_most) = zip(*map(student.domain.sizes, "nta"), strict=True)
    ends = (n, t, a_most), (n, t_most, a), (n_most, t, a)
    first, *others = (_batch(student, rng, *size) for size in (*sizes, *ends))
    return student.domain.replaced(first, others[0], *others, alike="axes")


def loss(student, rng):
    """The value, with more steps than episodes and with fewer."""
    found, sizes = [], []
    for batch in _batches(student, rng, ((6, 15, 2), (6, 15, 2), (20, 7, 3), (1, 4, 2))):
        found.append(student.reinforce_loss(*batch))
        sizes.append(_terms(*batch).sum())
    return {"value": np.array(found), "value__scale": np.array(sizes)}


def gradient(student, rng):
    """The gradient by the logits.

    There are as many steps as episodes, so that a confusion of the two axes gives a number and
    no exception. The smallest scale of an entry is that of its own probability.
    """
    found, sizes = [], []
    for batch in _batches(student, rng, ((6, 6, 2), (6, 6, 2), (15, 15, 3))):
        logits, taken, weights, mask = batch
        cotangent = np.asarray(rng.uniform(0.5, 2.0))
        (grad,) = student.vjp("reinforce_loss", batch, (0,), cotangent)
        top = logits.max(axis=2, keepdims=True)
        pi = np.exp(logits - top) / np.exp(logits - top).sum(axis=2, keepdims=True)
        chosen = np.eye(logits.shape[2])[taken] + pi * (1 + 2 * np.abs(logits).max())
        size = np.where(mask, np.abs(weights), np.abs(weights).mean()) * cotangent / len(logits)
        found.append(grad.ravel())
        sizes.append((size[:, :, None] * chosen).ravel())
    return {"grad": np.concatenate(found), "grad__scale": np.concatenate(sizes)}


def _asked(policy, seen, order, size):
    """The actions of all rows, asked for in some order and in parts of a size: [rows]."""
    actions = np.zeros(len(seen), dtype=np.int64)
    for first in range(0, len(order), size):
        part = order[first : first + size]
        actions[part] = policy.act(seen[part])
    return actions


def acts(student, rng):
    """Whether untrained policies act row by row, in range, whatever the row, other rows or call.

    Each is asked again and again, for all rows, for parts of any size and for single rows, in order
    and in others. One row in ten may have two actions: logits that are equal in single precision
    are decided by rounding. Where the same array is sent again, no row may, whatever the number of
    the call.
    """
    (b, o), (b_most, o_most) = zip(*map(student.domain.sizes, "bo"), strict=True)
    found, asked = [], {}  # what of two alike the one was asked, the other one is asked, too
    usual, wide = (b_most, OBSERVATIONS, ACTIONS), (16, o_most, 5)
    for rows, width, actions in (usual, wide, wide, (16, o, 3)):
        policy = student.new("Policy", width, actions, student.generator())
        drawn = student.domain.draw(rng, "act.observations", rows, width)
        seen = asked.setdefault((rows, width), drawn)
        again = [policy.act(seen) for _ in range(8)]
        first = again[0]
        single = [_asked(policy, seen, rng.permutation(rows), b) for _ in range(160 // rows + 1)]
        sizes = (*(rows,) * 12, *range(b + 1, rows))
        mixed = [_asked(policy, seen, rng.permutation(rows), size) for size in sizes]
        repeated = [(each == rounds[0]).all() for rounds in (again, single) for each in rounds]
        moved = (np.stack([*single, *mixed]) != first).any(axis=0)
        found += [((first >= 0) & (first < actions)).all(), *repeated, moved.mean() <= 0.1]
    return {"alike": np.array(found)}


def example(student, rng):
    del rng
    return {"agrees": student.example()}
