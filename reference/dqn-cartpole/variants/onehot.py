"""Targets by one-hot actions; a list of transitions as memory; a network class, coins."""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F


def double_targets(rewards, q_next, q_next_target, terminated, truncated, gamma):
    chosen = F.one_hot(q_next.max(dim=1).indices, q_next.shape[1]).bool()
    future = q_next_target.masked_fill(~chosen, 0.0).sum(dim=1)
    return rewards + gamma * future.masked_fill(terminated, 0.0)


class QNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(4, 32), nn.Linear(32, 32)
        self.last = nn.Linear(32, 2)

    def forward(self, x):
        return self.last(F.relu(self.second(F.relu(self.first(x)))))


def train(env, steps, generator):
    online, target = QNet(), QNet()
    target.load_state_dict(online.state_dict())
    adam = torch.optim.Adam(online.parameters(), lr=0.002)
    memory = []
    state = torch.tensor(env.reset()[0], dtype=torch.float32)
    ended = np.zeros(env.num_envs, dtype=bool)
    learnt = 0
    for number in range(1, steps + 1):
        share = (number - 1) / steps
        epsilon = 1 - 0.95 * min(1.0, share / 0.25)
        with torch.no_grad():
            action = online(state).argmax(dim=1)
        coins = torch.bernoulli(torch.full((env.num_envs,), epsilon), generator=generator) > 0
        action[coins] = torch.randint(2, (int(coins.sum()),), generator=generator)
        observed, reward, fallen, late, _ = env.step(action.numpy())
        following = torch.tensor(observed, dtype=torch.float32)
        for i in np.flatnonzero(~ended):
            flags = float(reward[i]), bool(fallen[i]), bool(late[i])
            memory.append((state[i], int(action[i]), following[i], *flags))
        del memory[:-20_000]
        state, ended = following, fallen | late
        if number > 30:
            rows = torch.randint(len(memory), (128,), generator=generator).tolist()
            s, a, s_next, r, fell, cut = zip(*(memory[row] for row in rows), strict=True)
            s_next = torch.stack(s_next)
            with torch.no_grad():
                after = online(s_next).double(), target(s_next).double()
            r = torch.tensor(r, dtype=torch.float64)
            fell, cut = torch.tensor(fell), torch.tensor(cut)
            wanted = double_targets(r, *after, fell, cut, 0.97)
            guess = online(torch.stack(s))[torch.arange(128), torch.tensor(a)]
            adam.zero_grad()
            F.mse_loss(guess, wanted.float()).backward()
            adam.step()
            learnt += 1
            if learnt % 50 == 0:
                target.load_state_dict(online.state_dict())
    return steps
