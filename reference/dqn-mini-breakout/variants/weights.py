"""λ-returns as sums with explicit weights; a network by hand, one-hot actions, float64 returns."""

import numpy as np
import torch
from torch.nn import functional as F


def lambda_returns(rewards, q_next, terminated, truncated, gamma, lam):
    steps = len(rewards)
    best = q_next.amax(dim=-1)
    lost = terminated.to(rewards.dtype)
    stops = truncated.clone()
    stops[-1] = True
    stops = stops.to(rewards.dtype)
    own = gamma * (1 - lost) * (stops + (1 - stops) * (1 - lam))
    chained = gamma * (1 - lost) * (1 - stops) * lam
    one_step = rewards + own * best
    found = []
    for i in range(steps):
        weight = torch.ones_like(rewards[0])
        total = torch.zeros_like(rewards[0])
        for k in range(i, steps):
            total = total + weight * one_step[k]
            weight = weight * chained[k]
        found.append(total)
    return torch.stack(found)


class Player:
    def __init__(self, channels, actions, generator):
        inside = 100 * channels
        edge, narrow = inside**-0.5, 64**-0.5
        shapes = ((64, inside), edge), ((64,), edge), ((actions, 64), narrow), ((actions,), narrow)
        drawn = [(2 * torch.rand(shape, generator=generator) - 1) * to for shape, to in shapes]
        self.weights = [torch.nn.Parameter(each) for each in drawn]
        self.scale = torch.nn.Parameter(torch.ones(64))
        self.shift = torch.nn.Parameter(torch.zeros(64))
        self.count = actions

    def values(self, x):
        first, first_bias, second, second_bias = self.weights
        hidden = F.layer_norm(F.linear(x, first, first_bias), (64,), self.scale, self.shift)
        return F.linear(hidden.clamp(min=0), second, second_bias)

    def learn(self, env, steps, generator):
        parameters = [*self.weights, self.scale, self.shift]
        adam = torch.optim.Adam(parameters, lr=RATE)
        n, rounds = env.num_envs, steps // LENGTH
        seen, _ = env.reset()
        begins = np.zeros(n, dtype=bool)
        for number in range(rounds):
            share = number * LENGTH / steps
            adam.param_groups[0]["lr"] = RATE * (1 - share)
            chance = max(0.05, 1 - 0.95 * share / EXPLORATION)
            before, after = np.zeros((2, LENGTH, *seen.shape), dtype=bool)
            taken = np.zeros((LENGTH, n), dtype=np.int64)
            paid = np.zeros((LENGTH, n))
            lost, cut, real = np.zeros((3, LENGTH, n), dtype=bool)
            for t in range(LENGTH):
                before[t], real[t] = seen, ~begins
                taken[t] = self.act(torch.from_numpy(seen)).numpy()
                odd = torch.rand(n, generator=generator).numpy() < chance
                taken[t, odd] = torch.randint(self.count, (n,), generator=generator).numpy()[odd]
                seen, paid[t], lost[t], cut[t], _ = env.step(taken[t])
                after[t] = seen
                begins = lost[t] | cut[t]
            with torch.no_grad():
                following = self.values(torch.from_numpy(after).flatten(2).float()).double()
            flags = torch.from_numpy(lost), torch.from_numpy(cut)
            wanted = lambda_returns(torch.from_numpy(paid), following, *flags, GAMMA, LAMBDA)
            mask = torch.from_numpy(real)
            inputs = torch.from_numpy(before).flatten(2)[mask].float()
            chosen = F.one_hot(torch.from_numpy(taken)[mask], self.count).float()
            self.fit(adam, inputs, chosen, wanted[mask].float(), generator)
        return rounds * LENGTH

    def fit(self, adam, inputs, chosen, wanted, generator):
        for _ in range(PASSES):
            order = torch.randperm(len(inputs), generator=generator)
            for start in range(0, len(order), 256):
                rows = order[start : start + 256]
                guess = (self.values(inputs[rows]) * chosen[rows]).sum(dim=1)
                adam.zero_grad()
                F.mse_loss(guess, wanted[rows]).backward()
                adam.step()

    @torch.no_grad()
    def act(self, observations):
        return self.values(observations.flatten(1).float()).argmax(dim=1)


GAMMA, LAMBDA, LENGTH, PASSES, RATE, EXPLORATION = 0.95, 0.8, 32, 4, 2e-3, 0.3
