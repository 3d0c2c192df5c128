"""The experiment with argmax as it is, so that the first arm is tried first in every run."""

import torch


def play(value, explores, arm, key, noise):
    b = value.shape[0]
    i = torch.arange(b)
    Q, N = torch.zeros_like(value), torch.zeros_like(value)
    A, R = torch.zeros_like(arm), torch.zeros_like(noise)
    for t in range(arm.shape[1]):
        A[:, t] = torch.where(explores[:, t], arm[:, t], Q.argmax(1))
        R[:, t] = value[i, A[:, t]] + noise[:, t]
        N[i, A[:, t]] += 1
        Q[i, A[:, t]] += (R[:, t] - Q[i, A[:, t]]) / N[i, A[:, t]]
    return A, R


def curves(value, action, reward):
    return reward.mean(0), (action == value.argmax(1, keepdim=True)).double().mean(0)


def testbed(epsilon, runs, steps, arms, generator):
    value = torch.randn(runs, arms, generator=generator, dtype=torch.float64)
    explores = torch.rand(1, steps, generator=generator).expand(runs, -1) < epsilon
    arm = torch.randint(arms, (runs, steps), generator=generator)
    noise = torch.randn(runs, steps, generator=generator, dtype=torch.float64)
    action, reward = play(value, explores, arm, None, noise)
    return value, action, reward
