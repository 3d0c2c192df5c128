"""Double DQN for the cart-pole."""

import copy

import torch
import torch.nn as nn


def double_targets(rewards, q_next, q_next_target, terminated, truncated, gamma):
    a_star = torch.argmax(q_next, dim=-1)
    rows = torch.arange(rewards.shape[0])
    bootstrap = q_next_target[rows, a_star]
    return rewards + gamma * (~terminated).double() * bootstrap


class ReplayBuffer:
    def __init__(self, capacity):
        self.capacity = capacity
        self.pos, self.size = 0, 0
        self.s = torch.zeros(capacity, 4)
        self.s2 = torch.zeros(capacity, 4)
        self.a = torch.zeros(capacity, dtype=torch.int64)
        self.r = torch.zeros(capacity)
        self.d = torch.zeros(capacity, dtype=torch.bool)
        self.c = torch.zeros(capacity, dtype=torch.bool)

    def push(self, s, a, r, s2, d, c):
        k = s.shape[0]
        idx = (torch.arange(k) + self.pos) % self.capacity
        self.s[idx], self.a[idx], self.r[idx] = s, a, r
        self.s2[idx], self.d[idx], self.c[idx] = s2, d, c
        self.pos = (self.pos + k) % self.capacity
        self.size = min(self.size + k, self.capacity)

    def sample(self, n, generator):
        i = torch.randint(0, self.size, (n,), generator=generator)
        return self.s[i], self.a[i], self.r[i], self.s2[i], self.d[i], self.c[i]


def train(env, steps, generator):
    q = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 2))
    q_target = copy.deepcopy(q)
    opt = torch.optim.Adam(q.parameters(), lr=2e-3)
    buffer = ReplayBuffer(20000)
    obs = torch.from_numpy(env.reset()[0]).float()
    done = torch.zeros(env.num_envs, dtype=torch.bool)
    n_updates = 0
    for t in range(steps):
        eps = max(0.05, 1.0 - 0.95 * t / (0.25 * steps))
        with torch.no_grad():
            a = q(obs).argmax(-1)
        random_a = torch.randint(0, 2, a.shape, generator=generator)
        a = torch.where(torch.rand(a.shape, generator=generator) < eps, random_a, a)
        nxt, r, term, trunc, _ = env.step(a.numpy())
        nxt, r = torch.from_numpy(nxt).float(), torch.from_numpy(r).float()
        term, trunc = torch.from_numpy(term), torch.from_numpy(trunc)
        keep = ~done
        buffer.push(obs[keep], a[keep], r[keep], nxt[keep], term[keep], trunc[keep])
        obs, done = nxt, term | trunc
        if t < 30:
            continue
        s, a, r, s2, d, c = buffer.sample(128, generator)
        with torch.no_grad():
            y = double_targets(r, q(s2), q_target(s2), d, c, 0.97)
        q_sa = q(s).gather(1, a.unsqueeze(1)).squeeze(1)
        loss = nn.functional.mse_loss(q_sa, y)
        opt.zero_grad()
        loss.backward()
        opt.step()
        n_updates += 1
        if n_updates % 50 == 0:
            q_target.load_state_dict(q.state_dict())
    return steps
