"""Actions drawn from the probabilities of all arms by one multinomial draw; numpy for the rest."""

import numpy as np
import torch


class _Means:
    """Means of the rewards of every arm of every run; 0 where there are none."""

    def __init__(self, runs, arms):
        self.sums = np.zeros((runs, arms))
        self.counts = np.zeros((runs, arms), dtype=np.int64)
        self.runs = np.arange(runs)

    def best(self):
        means = self.sums / np.maximum(self.counts, 1)
        return means >= means.max(axis=1, keepdims=True)

    def add(self, action, reward):
        np.add.at(self.sums, (self.runs, action), reward)
        np.add.at(self.counts, (self.runs, action), 1)


def play(value, explores, arm, key, noise):
    value, explores, arm, key, noise = (x.numpy() for x in (value, explores, arm, key, noise))
    means = _Means(*value.shape)
    action, reward = arm.copy(), noise.copy()
    for t in range(arm.shape[1]):
        choice = np.ma.masked_array(key[:, t], ~means.best()).argmax(axis=1)
        action[:, t] = np.where(explores[:, t], arm[:, t], choice)
        reward[:, t] += np.take_along_axis(value, action[:, t, None], 1)[:, 0]
        means.add(action[:, t], reward[:, t])
    return torch.from_numpy(action), torch.from_numpy(reward)


def curves(value, action, reward):
    optimal = torch.zeros(action.shape, dtype=torch.float64)
    for i, (q, row) in enumerate(zip(value, action, strict=True)):
        optimal[i] = (q[row] == q.max()).double()
    return torch.mean(reward, 0), torch.mean(optimal, 0)


def testbed(epsilon, runs, steps, arms, generator):
    value = torch.zeros(runs, arms, dtype=torch.float64).normal_(generator=generator)
    action = torch.zeros(runs, steps, dtype=torch.int64)
    reward = torch.zeros(runs, steps, dtype=torch.float64)
    means = _Means(runs, arms)
    for t in range(steps):
        best = torch.from_numpy(means.best()).double()
        pi = (1 - epsilon) * best / best.sum(1, keepdim=True) + epsilon / arms
        action[:, t] = torch.multinomial(pi, 1, generator=generator)[:, 0]
        mean = value.gather(1, action[:, t : t + 1])[:, 0]
        reward[:, t] = torch.normal(mean, 1.0, generator=generator)
        means.add(action[:, t].numpy(), reward[:, t].numpy())
    return value, action, reward
