"""Targets row by row; a numpy memory laid out by calls; a network by hand; copies by assignment."""

import numpy as np
import torch


def double_targets(rewards, q_next, q_next_target, terminated, truncated, gamma):
    found = []
    for r, online, target, end in zip(
        rewards.tolist(), q_next.tolist(), q_next_target.tolist(), terminated.tolist(), strict=True
    ):
        best = max(range(len(online)), key=online.__getitem__)
        found.append(r if end else r + gamma * target[best])
    return torch.tensor(found, dtype=rewards.dtype)


class Values:
    def __init__(self, generator):
        self.weights = []
        for inputs, outputs in ((4, 32), (32, 32), (32, 2)):
            edge = inputs**-0.5
            for shape in ((inputs, outputs), (outputs,)):
                drawn = (2 * torch.rand(shape, generator=generator) - 1) * edge
                self.weights.append(drawn.requires_grad_())

    def frozen(self):
        return [weight.detach().clone() for weight in self.weights]


def values(weights, x):
    W, b, U, c, V, d = weights
    return ((x @ W + b).clamp(min=0) @ U + c).clamp(min=0) @ V + d


def train(env, steps, generator):
    Q = Values(generator)
    old = Q.frozen()
    adam = torch.optim.Adam(Q.weights, lr=2e-3)
    n, size = env.num_envs, 20_000 // env.num_envs
    states = np.zeros((size + 1, n, 4), dtype=np.float32)  # of calls; one more than transitions
    arrived = np.zeros((size, n, 4), dtype=np.float32)
    acted = np.zeros((size, n), dtype=np.int64)
    paid = np.zeros((size, n))
    fell, cut, real = np.zeros((3, size, n), dtype=bool)
    rng = np.random.default_rng(int(torch.randint(2**31, (1,), generator=generator)))
    seen, waiting, updates = env.reset()[0], np.zeros(n, dtype=bool), 0
    for call in range(steps):
        i = call % size
        states[i], real[i] = seen, ~waiting
        with torch.no_grad():
            actions = values(Q.weights, torch.from_numpy(states[i])).numpy().argmax(axis=1)
        epsilon = max(0.05, 1 - 0.95 * call / (0.25 * steps))
        odd = rng.random(n) < epsilon
        actions[odd] = rng.integers(2, size=odd.sum())
        seen, paid[i], fell[i], cut[i], _ = env.step(actions)
        acted[i], arrived[i], waiting = actions, seen, fell[i] | cut[i]
        if call < 30:
            continue
        filled = min(call + 1, size)
        at = rng.integers(filled, size=128), rng.integers(n, size=128)
        while not real[at].all():  # those that only begin an episode are drawn anew
            poor = np.flatnonzero(~real[at])
            at[0][poor] = rng.integers(filled, size=len(poor))
            at[1][poor] = rng.integers(n, size=len(poor))
        following = torch.from_numpy(arrived[at])
        with torch.no_grad():
            y = double_targets(
                torch.from_numpy(paid[at]),
                values(Q.weights, following).double(),
                values(old, following).double(),
                torch.from_numpy(fell[at]),
                torch.from_numpy(cut[at]),
                0.97,
            ).float()
        guess = values(Q.weights, torch.from_numpy(states[at]))[np.arange(128), acted[at]]
        adam.zero_grad()
        ((guess - y) ** 2).mean().backward()
        adam.step()
        updates += 1
        if updates % 50 == 0:
            old = Q.frozen()
    return steps
