"""A matrix of discounts, a weighted cross-entropy, one network class in float32, one optimiser."""

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy, mse_loss


def returns_of(rewards, mask, gamma):
    t = torch.arange(rewards.shape[1])
    ahead = t[:, None] - t[None, :]
    discounts = torch.where(ahead >= 0, gamma ** ahead.clamp(min=0).to(rewards.dtype), 0.0)
    return (rewards.detach().masked_fill(~mask, 0.0) @ discounts).masked_fill(~mask, 0.0)


def advantages(rewards, values, mask, gamma):
    return (returns_of(rewards, mask, gamma) - values).masked_fill(~mask, 0.0)


def others_mean(rewards, mask, gamma):
    G = returns_of(rewards, mask, gamma)
    running = mask.sum(dim=0)
    means = (G.sum(dim=0) - G) / (running - 1).clamp(min=1)
    return means.masked_fill(~mask | (running < 2), 0.0)


def policy_loss(logits, actions, rewards, values, mask, gamma):
    with torch.no_grad():
        weights = (returns_of(rewards, mask, gamma) - values).masked_fill(~mask, 0.0)
    nll = cross_entropy(logits.flatten(0, 1), actions.flatten(), reduction="none")
    return weights.flatten() @ nll / rewards.shape[0]


def value_loss(values, rewards, mask, gamma):
    return mse_loss(values[mask], returns_of(rewards, mask, gamma)[mask])


class Agent(nn.Module):
    def __init__(self, observations, actions, generator):
        super().__init__()
        self.logits = nn.Sequential(
            nn.Linear(observations, 32), nn.Tanh(), nn.Linear(32, actions)
        )
        self.value = nn.Sequential(nn.Linear(observations, 32), nn.Tanh(), nn.Linear(32, 1))

    def learn(self, env, steps, generator):
        policy_optimiser = torch.optim.Adam(self.logits.parameters(), lr=0.02)
        value_optimiser = torch.optim.Adam(self.value.parameters(), lr=0.02)
        left, warm_up = steps, 3
        while left >= 200:
            batch = self.episodes(env, generator)
            states, actions, rewards, mask = (
                torch.from_numpy(np.stack(column, axis=1)) for column in zip(*batch, strict=True)
            )
            rewards = rewards.float()
            left -= len(batch)
            warm_up -= 1
            if warm_up < 0:
                baseline = 200 * self.value(states)[..., 0]
                policy_optimiser.zero_grad()
                policy_loss(self.logits(states), actions, rewards, baseline, mask, 1.0).backward()
                policy_optimiser.step()
            target = returns_of(rewards, mask, 1.0)[mask] / 200
            for _ in range(20):
                value_optimiser.zero_grad()
                mse_loss(self.value(states[mask])[:, 0], target).backward()
                value_optimiser.step()
        return steps - left

    def episodes(self, env, generator):
        batch, playing = [], np.ones(env.num_envs, dtype=bool)
        observations = env.reset()[0].astype(np.float32)
        while playing.any():
            with torch.no_grad():
                pi = nn.functional.softmax(self.logits(torch.from_numpy(observations)), dim=1)
            actions = pi.multinomial(1, generator=generator).squeeze(1).numpy()
            following, rewards, terminated, truncated, _ = env.step(actions)
            batch.append((observations, actions, rewards, playing.copy()))
            playing &= ~np.logical_or(terminated, truncated)
            observations = following.astype(np.float32)
        return batch

    def act(self, observations):
        scores = self.logits(observations.float()).detach()
        return scores.topk(1, dim=1).indices[:, 0]
