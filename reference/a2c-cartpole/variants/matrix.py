"""Advantages as a product of weights and residuals; one network class, one optimiser, float32."""

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy, mse_loss


def advantages(rewards, values, next_values, terminated, truncated, over, gamma, lam):
    steps = rewards.shape[0]
    ended = torch.logical_or(terminated, truncated)
    begun = torch.vstack([over.unsqueeze(0), ended])[:steps]
    residuals = rewards - values + gamma * next_values.masked_fill(terminated, 0.0)
    episode = torch.cumsum(ended.long(), dim=0) - ended.long()  # a number that grows after an end
    k = torch.arange(steps)[None, :] - torch.arange(steps)[:, None]  # of t (row), t + k (column)
    power = (gamma * lam) ** k.clamp(min=0).to(rewards.dtype)
    same = episode[:, None, :] == episode[None, :, :]
    weights = power[:, :, None] * (same & (k >= 0)[:, :, None])
    found = torch.einsum("tkn,kn->tn", weights, residuals)
    return found.masked_fill(begun, 0.0)


class ActorCritic(nn.Module):
    def __init__(self):
        super().__init__()
        self.policy = nn.Sequential(nn.Linear(4, 32), nn.Tanh(), nn.Linear(32, 2))
        self.value = nn.Sequential(nn.Linear(4, 32), nn.Tanh(), nn.Linear(32, 1))

    def forward(self, states):
        return self.policy(states), self.value(states)[..., 0]


def train(env, steps, generator):
    model = ActorCritic()
    adam = torch.optim.Adam(model.parameters(), lr=0.02)
    state = env.reset()[0].astype(np.float32)
    over = np.zeros(env.num_envs, dtype=bool)
    rounds = steps // 16
    for _ in range(rounds):
        states, actions, rewards, fallen, cut = [state], [], [], [], []
        first = torch.from_numpy(over)
        for _ in range(16):
            with torch.no_grad():
                pi = model.policy(torch.from_numpy(state)).softmax(dim=-1)
            draws = torch.rand(env.num_envs, generator=generator)
            action = (draws >= pi[:, 0]).long().numpy()
            observation, reward, down, late, _ = env.step(action)
            state, over = observation.astype(np.float32), down | late
            for column, item in (
                (states, state),
                (actions, action),
                (rewards, reward),
                (fallen, down),
                (cut, late),
            ):
                column.append(item)
        rewards, fallen, cut = (torch.tensor(np.stack(each)) for each in (rewards, fallen, cut))
        logits, outputs = model(torch.tensor(np.stack(states)))
        values = 50 * outputs.detach().double()
        advantage = advantages(rewards, values[:-1], values[1:], fallen, cut, first, 0.98, 0.97)
        stays = torch.vstack([first.unsqueeze(0), (fallen | cut)[:-1]]).logical_not()
        chosen = torch.tensor(np.stack(actions))[stays]
        surprise = cross_entropy(logits[:-1][stays], chosen, reduction="none")
        targets = (advantage + values[:-1])[stays].float() / 50
        loss = (advantage[stays].float() * surprise).mean() + mse_loss(outputs[:-1][stays], targets)
        adam.zero_grad()
        loss.backward()
        adam.step()
    return rounds * 16
