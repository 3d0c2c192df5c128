"""One function makes a single trial of all runs; play and testbed differ in where chance comes from."""

import torch


class Agents:
    def __init__(self, runs, arms):
        self.Q = torch.zeros(runs, arms, dtype=torch.float64)
        self.N = torch.zeros(runs, arms, dtype=torch.float64)

    def trial(self, value, explore, random_arm, key, noise):
        """One trial of each run; returns the actions and the rewards."""
        best = self.Q == self.Q.amax(dim=1, keepdim=True)
        greedy = torch.where(best, key, key - 5.0).argmax(dim=1)
        a = torch.where(explore, random_arm, greedy).unsqueeze(1)
        r = value.gather(1, a) + noise.unsqueeze(1)
        n = self.N.gather(1, a) + 1
        q = self.Q.gather(1, a)
        self.N.scatter_(1, a, n)
        self.Q.scatter_(1, a, q + (r - q) / n)
        return a.squeeze(1), r.squeeze(1)


def play(value, explores, arm, key, noise):
    agents = Agents(*value.shape)
    record = [
        agents.trial(value, *chance)
        for chance in zip(explores.T, arm.T, key.transpose(0, 1), noise.T)
    ]
    return torch.stack([a for a, _ in record], 1), torch.stack([r for _, r in record], 1)


def curves(value, action, reward):
    regret = value.amax(1, keepdim=True) - torch.gather(value, 1, action)
    return reward.mean(0), (regret == 0).to(torch.float64).mean(0)


def testbed(epsilon, runs, steps, arms, generator):
    value = torch.randn(runs, arms, generator=generator, dtype=torch.float64)
    agents = Agents(runs, arms)
    action = torch.zeros(runs, steps, dtype=torch.int64)
    reward = torch.zeros(runs, steps, dtype=torch.float64)
    for t in range(steps):
        coin, noise = torch.zeros(2, runs, dtype=torch.float64)
        coin.uniform_(generator=generator)
        noise.normal_(generator=generator)
        random_arm = torch.randint(0, arms, (runs,), generator=generator)
        key = torch.rand(runs, arms, generator=generator)
        action[:, t], reward[:, t] = agents.trial(value, coin < epsilon, random_arm, key, noise)
    return value, action, reward
