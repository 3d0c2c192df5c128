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
GAMMAS = (1.0, 0.99, 0.8)


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
    """A mask of n episodes of different lengths, one of them t steps long."""
    lengths = rng.integers(1, t + 1, n)
    lengths[rng.integers(n)] = t
    return np.arange(t) < lengths[:, None]


def returns(student, rng):
    """Rewards to go of batches of several sizes; what follows the end of an episode is not 0."""
    found, sizes = [], []
    for n, t in ((1, 1), (3, 3), (5, 12), (32, 25)):
        rewards, mask = rng.normal(1.0, 2.0, (n, t)), _lengths(rng, n, t)
        live = np.abs(rewards) * mask
        for gamma in GAMMAS:
            found.append(student.reward_to_go(rewards, mask, gamma).ravel())
            weights = np.triu(gamma ** np.abs(np.subtract.outer(np.arange(t), np.arange(t))))
            sizes.append((live @ weights.T + np.abs(rewards).mean() * ~mask).ravel())
    return {"to_go": np.concatenate(found), "to_go__scale": np.concatenate(sizes)}


def _batch(rng, n, t, actions):
    """(logits, actions, returns, mask) and the absolute terms [n, t] of the loss."""
    logits, mask = rng.normal(0.0, 2.0, (n, t, actions)), _lengths(rng, n, t)
    taken, weights = rng.integers(actions, size=(n, t)), rng.normal(3.0, 4.0, (n, t))
    normalised = logits - np.log(np.exp(logits).sum(axis=2, keepdims=True))
    surprise = -np.take_along_axis(normalised, taken[:, :, None], axis=2)[:, :, 0]
    terms = np.abs(weights) * (surprise + np.abs(logits).max(axis=2)) / n
    return (logits, taken, weights, mask), terms


def loss(student, rng):
    """The value, with more steps than episodes and with fewer."""
    found, sizes = [], []
    for n, t, actions in ((1, 4, 2), (6, 15, 2), (20, 7, 3)):
        batch, terms = _batch(rng, n, t, actions)
        found.append(student.reinforce_loss(*batch))
        sizes.append((terms * batch[-1]).sum())
    return {"value": np.array(found), "value__scale": np.array(sizes)}


def gradient(student, rng):
    """The gradient by the logits.

    There are as many steps as episodes, so that a confusion of the two axes gives a number and
    no exception.
    """
    found, sizes = [], []
    for n, actions in ((1, 2), (6, 2), (15, 3)):
        batch, _ = _batch(rng, n, n, actions)
        cotangent = np.asarray(rng.uniform(0.5, 2.0))
        (grad,) = student.vjp("reinforce_loss", batch, (0,), cotangent)
        weights = np.abs(batch[2])
        terms = np.where(batch[3], weights, weights.mean()) * cotangent / n
        found.append(grad.ravel())
        sizes.append(np.repeat(terms, actions))
    return {"grad": np.concatenate(found), "grad__scale": np.concatenate(sizes)}
