"""A weighted cross-entropy, a matrix of discounts, returns normalised over the batch, float32."""

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy


def reward_to_go(rewards, mask, gamma):
    t = torch.arange(rewards.shape[1])
    ahead = t[:, None] - t[None, :]
    discounts = torch.where(ahead >= 0, gamma ** ahead.clamp(min=0).to(rewards.dtype), 0.0)
    return (rewards.masked_fill(~mask, 0.0) @ discounts).masked_fill(~mask, 0.0)


def reinforce_loss(logits, actions, returns, mask):
    weights = returns.masked_fill(~mask, 0.0).flatten()
    nll = cross_entropy(logits.flatten(0, 1), actions.flatten(), reduction="none")
    return weights @ nll / returns.shape[0]


class Policy(nn.Sequential):
    def __init__(self, observations, actions, generator):
        super().__init__(nn.Linear(observations, 32), nn.Tanh(), nn.Linear(32, actions))

    def learn(self, env, steps, generator):
        optimiser = torch.optim.Adam(self.parameters(), lr=0.01)
        left = steps
        while left >= 200:
            batch = self._episodes(env, generator)
            observations, actions, rewards, mask = (
                torch.from_numpy(np.stack(column, axis=1)) for column in zip(*batch, strict=True)
            )
            left -= len(batch)
            returns = reward_to_go(rewards, mask, 0.99)
            live = returns[mask]
            weights = ((returns - live.mean()) / (live.std() + 1e-8)).float()
            loss = reinforce_loss(self(observations), actions, weights, mask)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        return steps - left

    def _episodes(self, env, generator):
        batch, playing = [], np.ones(env.num_envs, dtype=bool)
        observations = env.reset()[0].astype(np.float32)
        while playing.any():
            with torch.no_grad():
                pi = nn.functional.softmax(self(torch.from_numpy(observations)), dim=1)
            actions = pi.multinomial(1, generator=generator).squeeze(1).numpy()
            following, rewards, terminated, truncated, _ = env.step(actions)
            batch.append((observations, actions, rewards, playing.copy()))
            playing &= ~np.logical_or(terminated, truncated)
            observations = following.astype(np.float32)
        return batch

    def act(self, observations):
        scores = self(observations.float()).detach()
        return (scores[:, 1] > scores[:, 0]).long()
