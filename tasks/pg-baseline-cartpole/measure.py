"""What is measured of pg-baseline-cartpole: advantages and two losses in numbers, and who learns.

Batches are of all sizes, squares among them, on which a confusion of two axes gives a number and no
exception. Results and gradients are compared entry by entry, gradients that must be zero as well.
Scales are sums of absolute terms; a probability is as exact as its logit.

The poles are the harness's own, with a prize added: `learn` trains on a vector behind one disguise,
and the grader plays the episodes that count by itself on another vector behind the same.
"""

import numpy as np

POLES, LENGTH, STEPS, EPISODES = 16, 200, 2500, 40
OBSERVATIONS, ACTIONS = 5, 2
FACTOR = 300.0, 600.0  # what a prize of 1 pays, with either sign


class Prized:
    """Poles whose episodes end with a prize that is seen from their first step on.

    The prize of an episode is uniform in [-1, 1], the last component of every observation of it.
    When the episode ends, however it ends, `factor` times the prize is paid. So the prize is most
    of a return, no action changes it, and only a baseline that depends on the state removes it.
    """

    def __init__(self, poles, rng, factor):
        self._poles, self._rng, self._factor = poles, rng, factor
        self.num_envs, self.metadata, self.spec = poles.num_envs, poles.metadata, poles.spec

    def reset(self, *, seed=None):
        del seed
        self._prizes = self._rng.uniform(-1.0, 1.0, self.num_envs)
        self._over = np.zeros(self.num_envs, dtype=bool)
        return self._shown(self._poles.reset()[0]), {}

    def step(self, actions):
        begun = self._over  # their episode begins with what this step returns
        self._prizes = np.where(begun, self._rng.uniform(-1.0, 1.0, self.num_envs), self._prizes)
        seen, rewards, fallen, cut, _ = self._poles.step(actions)
        self._over = fallen | cut
        paid = rewards + self._factor * self._prizes * self._over
        return self._shown(seen), paid, fallen, cut, {}

    def _shown(self, seen):
        return np.column_stack([seen, self._prizes])


def learn(student, rng):
    """The mean number of steps of whole episodes after one seed of learning."""
    poles = student.environment("poles", rng)
    factor = rng.choice([-1.0, 1.0]) * rng.uniform(*FACTOR)
    agent = student.new("Agent", OBSERVATIONS, ACTIONS, student.generator())
    training = Prized(poles.vector(rng, POLES, LENGTH), rng, factor)
    env = student.serve(training, (OBSERVATIONS,), ACTIONS, max_steps=POLES * STEPS)
    agent.learn(env, STEPS, student.generator())
    played = _play(student, agent, Prized(poles.vector(rng, EPISODES, LENGTH), rng, factor))
    return {"steps": np.asarray(played.mean())}


def _play(student, agent, poles):
    """How many steps the first episode of each pole takes, by `act`: [poles]."""
    seen, _ = poles.reset()
    playing, steps = np.ones(poles.num_envs, dtype=bool), np.zeros(poles.num_envs)
    while playing.any():
        actions = agent.act(seen)
        if not ((actions >= 0) & (actions < ACTIONS)).all():
            student.refuse(f"act returned an action outside 0..{ACTIONS - 1}")
        seen, _, fallen, cut, _ = poles.step(actions)
        steps += playing
        playing &= ~(fallen | cut)
    return steps


# ----------------------------------------------------------------------------- batches of episodes


def _shapes(student, rng):
    """(n, t, a): ordinary first, the smallest, squares, all numbers of episodes, the longest."""
    (n, t, a), (n_most, t_most, a_most) = zip(*map(student.domain.sizes, "nta"), strict=True)
    yield from ((5, 7, 3), (5, 7, 3), (n, t, a), (6, 6, 4), (2, 2, 2), (1, 9, 3), (8, 1, 2))
    rows = rng.permutation(np.arange(n, n_most + 1))[:14].tolist()
    for i, n_drawn in enumerate(rows):
        yield n_drawn, int(rng.integers(2, 20)), a + i % (a_most - a + 1)
    yield from ((2, t_most, a), (n, t_most, a_most))


def _mask(student, rng, n, t):
    """Episodes of different lengths: drawn, with one that is whole, or with the same for all.

    The longest batches have one that is whole, the latest step that there may be.
    """
    mask = student.domain.draw(rng, "mask", n, t)
    kind = rng.integers(3)
    if n == 1 < t < student.domain.sizes("t")[1]:
        mask[0, -1] = False  # what follows a single episode does not count, either
    elif kind == 0 or t == student.domain.sizes("t")[1]:
        mask[rng.integers(n)] = True
    elif kind == 1:
        mask[:] = True
    return mask


def _batch(student, rng, n, t, a, whole=False):
    """Logits, actions, rewards, values, mask; γ is drawn apart.

    Batches of whole numbers are among them; in some the policy leaves choices, and in some rewards
    and values are so small that a number added to them would show.
    """
    draw = student.domain.draw
    actions = rng.integers(a, size=(n, t))
    if whole:
        rewards, values = rng.integers(-3, 4, (2, n, t)).astype(np.float64)
        logits = rng.integers(-2, 3, (n, t, a)).astype(np.float64)
        return logits, actions, rewards, values, _mask(student, rng, n, t)
    size = rng.choice([1.0, 1e-2, 1e-6])
    rewards, values = size * draw(rng, "rewards", n, t), size * draw(rng, "values", n, t)
    logits = draw(rng, "logits", n, t, a) if rng.random() < 0.5 else rng.normal(size=(n, t, a))
    return logits, actions, rewards, values, _mask(student, rng, n, t)


def _calls(student, rng):
    """(logits, actions, rewards, values, mask, γ) of all calls.

    The first two are of one size; each argument is also exchanged alone, so that a result which is
    kept by some of them comes back where another has changed. The first one's episodes are all
    whole, those of the second are not.
    """
    shapes = list(_shapes(student, rng))
    gammas = student.domain.draw(rng, "gamma", len(shapes))
    gammas[:2] = 0.9, 0.7
    calls = [
        (*_batch(student, rng, *shape, whole=i == 3), float(gamma))
        for i, (shape, gamma) in enumerate(zip(shapes, gammas, strict=True))
    ]
    for shape in ((4, 6, 2), (3, 5, 3)):
        calls += [(*_batch(student, rng, *shape), gamma) for gamma in (0.0, 1.0)]
    # a discount whose powers vanish before a long episode ends
    small = float(10.0 ** rng.uniform(-3.0, -2.0))
    calls.append((*_batch(student, rng, 2, student.domain.sizes("t")[1], 2), small))
    # the largest advantages that there may be
    most = student.domain.sizes("t")[1]
    logits, actions, *_ = _batch(student, rng, 2, most, 2)
    far = np.full((2, most), rng.choice([-1.0, 1.0]) * student.domain.draw(rng, "rewards", 2).max())
    calls.append((logits, actions, far, -far, np.ones((2, most), dtype=bool), 1.0))
    near = float(10.0 ** rng.uniform(-9.0, -7.0))
    calls += [(*_batch(student, rng, 4, 6, 2, whole=True), gamma) for gamma in (near, 1.0 - near)]
    calls += [_fading(student, rng), _close(rng), *_coincident(rng)]
    first, second, *others = calls
    n, t = first[4].shape
    ends = rng.integers(1, max(t, 2), n)
    first = (*first[:4], np.ones((n, t), dtype=bool), first[5])
    second = (*second[:4], np.arange(t) < ends[:, None], second[5])
    return student.domain.replaced(first, second, *others, first, alike="axes")


def _fading(student, rng):
    """The most of all axes at once; one episode ends after the other, so that any number runs."""
    n, t, a = (student.domain.sizes(axis)[1] for axis in "nta")
    ends = rng.permutation(np.linspace(t / n, t, n).round())
    batch = _batch(student, rng, n, t, a)
    return *batch[:4], np.arange(t) < ends[:, None], float(rng.uniform(0.97, 1.0))


def _close(rng):
    """Values next to the returns, of which differences of squares would not leave much."""
    n, t, a, gamma = 5, 6, 3, float(rng.uniform(0.5, 0.9))
    rewards, logits, mask = rng.normal(size=(n, t)), rng.normal(size=(n, t, a)), np.ones((n, t))
    values = rewards @ _discounts(t, gamma).T + 1e-7 * rng.normal(size=(n, t))
    return logits, rng.integers(a, size=(n, t)), rewards, values, mask > 0, gamma


def _coincident(rng):
    """Two calls of whole numbers that differ in the order of rewards alone; γ = 1.

    In the first, two episodes have the same rewards, one has none and one returns of 0 half of the
    time; no advantage of the last is other than 0. Some logits are equal.
    """
    n, t, a = 6, 5, 3
    rewards = rng.integers(-2, 3, (n, t)).astype(np.float64)
    rewards[1], rewards[2], rewards[3] = rewards[0], 0.0, [1, -1, 2, -2, 1]
    values = rng.integers(-2, 3, (n, t)).astype(np.float64)
    values[-1] = rewards[-1, ::-1].cumsum()[::-1]
    logits, actions = rng.integers(-1, 2, (n, t, a)), rng.integers(a, size=(n, t))
    logits[:2] = 0
    mask = np.ones((n, t), dtype=bool)
    mask[0, -1] = False
    ways = rewards, np.roll(rewards, 1, axis=0)
    return [(logits.astype(np.float64), actions, way, values, mask, 1.0) for way in ways]


def _discounts(t, gamma):
    """γ^(t'-t) for t' >= t, else 0: [t t']."""
    ahead = np.arange(t) - np.arange(t)[:, None]
    return np.where(ahead >= 0, gamma ** np.maximum(ahead, 0), 0.0)


def _return_size(rewards, mask, gamma):
    """The sum of the absolute terms of every return; of masked places the mean reward: [n t]."""
    live = np.abs(rewards) * mask
    return live @ _discounts(rewards.shape[1], gamma).T + np.abs(rewards).mean() * ~mask


def _flat(pairs):
    """Pairs of a result and its scale as two flat arrays."""
    columns = zip(*pairs, strict=True)
    return [np.concatenate([np.ravel(each) for each in column]) for column in columns]


def _arrays(found):
    """Metrics and their scales from pairs by name."""
    arrays = {}
    for name, pairs in found.items():
        arrays[name], arrays[f"{name}__scale"] = _flat(pairs)
    return arrays


def advantage(student, rng):
    """Advantages entry by entry; zero where an episode has ended."""
    found = []
    for _, _, rewards, values, mask, gamma in _calls(student, rng):
        size = _return_size(rewards, mask, gamma) + np.abs(values)
        found.append((student.advantages(rewards, values, mask, gamma), size + (size == 0)))
    return _arrays({"advantage": found})


def others(student, rng):
    """Means over the other running episodes; steps with one running episode are among them."""
    found = []
    for _, _, rewards, _, mask, gamma in _calls(student, rng):
        size = _return_size(rewards, mask, gamma).sum(axis=0) / np.maximum(mask.sum(axis=0) - 1, 1)
        size = np.broadcast_to(size + (size == 0), mask.shape)
        found.append((student.others_mean(rewards, mask, gamma), size))
    return _arrays({"mean": found})


def _policy_sizes(logits, rewards, values, mask, gamma):
    """Sizes of the terms of the loss [n t], and of the entries of its gradient [n t a]."""
    size = _return_size(rewards, mask, gamma) + np.abs(values)
    size = (size + (size == 0)) / len(logits)
    largest = 1 + np.abs(logits).max(axis=2)
    return size * (2 * largest + np.log(logits.shape[2])), size * largest


def policy(student, rng):
    """The policy's loss, and its gradients by logits, by rewards and by values.

    The smallest scale of an entry is that of its own probability.
    """
    found = {"value": [], "grad": [], "critic": []}
    for logits, actions, rewards, values, mask, gamma in _calls(student, rng):
        args = (logits, actions, rewards, values, mask, gamma)
        terms, _ = _policy_sizes(logits, rewards, values, mask, gamma)
        found["value"].append((student.policy_loss(*args), (terms * mask).sum()))
        cotangent = rng.uniform(0.5, 2.0)
        grads = student.vjp("policy_loss", args, (0, 2, 3), np.asarray(cotangent))
        top = logits.max(axis=2, keepdims=True)
        pi = np.exp(logits - top) / np.exp(logits - top).sum(axis=2, keepdims=True)
        size = _return_size(rewards, mask, gamma) + np.abs(values)
        size = cotangent * (size + (size == 0)) / len(logits)
        chosen = np.eye(logits.shape[2])[actions] + pi * (1 + 2 * np.abs(logits).max())
        found["grad"].append((grads[0], size[:, :, None] * chosen))
        surprise = cotangent * (2 * np.abs(logits).max() + np.log(logits.shape[2])) / len(logits)
        found["critic"] += [(grad, np.full(mask.shape, surprise)) for grad in grads[1:]]
    return _arrays(found)


def value(student, rng):
    """The value network's loss, and its gradients by values and by rewards."""
    found = {"value": [], "grad": []}
    for _, _, rewards, values, mask, gamma in _calls(student, rng):
        args = (values, rewards, mask, gamma)
        size, cotangent = _return_size(rewards, mask, gamma) + np.abs(values), rng.uniform(0.5, 2.0)
        size += size == 0
        error = np.abs((rewards * mask) @ _discounts(mask.shape[1], gamma).T - values)
        terms = size * (error + np.finfo(np.float64).eps * size) * mask
        found["value"].append((student.value_loss(*args), terms.sum() / mask.sum()))
        by_values, by_rewards = student.vjp("value_loss", args, (0, 1), np.asarray(cotangent))
        found["grad"].append((by_values, 2 * cotangent * size / mask.sum()))
        found["grad"].append((by_rewards, 2 * cotangent * size / mask.sum()))
    return _arrays(found)


# ------------------------------------------------------------------------------ actions of an agent


def _asked(agent, seen, order, size):
    """The actions of all rows, asked for in some order and in parts of a size: [rows]."""
    actions = np.zeros(len(seen), dtype=np.int64)
    for first in range(0, len(order), size):
        part = order[first : first + size]
        actions[part] = agent.act(seen[part])
    return actions


def acts(student, rng):
    """Whether untrained agents act row by row, in range, whatever the row, other rows or call.

    One row in ten may have two actions: logits that are equal in single precision are decided by
    rounding. Where the same array is sent again, no row may, whatever the number of the call, or of
    agents that were asked in between.
    """
    (b, o), (b_most, o_most) = zip(*map(student.domain.sizes, "bo"), strict=True)
    found, begun = [], []
    asked = {}  # what of two alike the one was asked, the other one is asked, too
    usual, wide = (b_most, OBSERVATIONS, ACTIONS), (16, o_most, 5)
    for rows, width, actions in (usual, wide, wide, (16, o, 3)):
        agent = student.new("Agent", width, actions, student.generator())
        drawn = student.domain.draw(rng, "act.observations", rows, width)
        if rows == b_most:  # far from the mean; equal rows, zeros and equal numbers in one of them
            drawn[:, ::2] = np.abs(drawn[:, ::2])
            drawn[2], drawn[3], drawn[4] = drawn[1], 0.0, 1.0
        seen = asked.setdefault((rows, width), drawn)
        again = [agent.act(seen) for _ in range(8)]
        single = [_asked(agent, seen, rng.permutation(rows), b) for _ in range(160 // rows + 1)]
        sizes = (*(rows,) * 12, *range(b + 1, rows))
        mixed = [_asked(agent, seen, rng.permutation(rows), size) for size in sizes]
        repeated = [(each == rounds[0]).all() for rounds in (again, single) for each in rounds]
        moved = (np.stack([*single, *mixed]) != again[0]).any(axis=0)
        in_range = ((again[0] >= 0) & (again[0] < actions)).all()
        found += [in_range, *repeated, moved.mean() <= 0.1]
        begun.append((agent, seen, again[0]))
    found += [(agent.act(seen) == first).all() for agent, seen, first in begun]
    return {"alike": np.array(found)}


def example(student, rng):
    del rng
    return {"agrees": student.example()}
