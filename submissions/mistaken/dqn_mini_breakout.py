"""Q(lambda) on mini Breakout."""

import torch
from torch import nn


def lambda_returns(rewards, q_next, terminated, truncated, gamma, lam):
    done = (terminated | truncated).double()
    v = q_next.max(dim=-1).values
    out = torch.zeros_like(rewards)
    nxt = v[-1]
    for t in reversed(range(rewards.shape[0])):
        nxt = rewards[t] + gamma * (1 - done[t]) * ((1 - lam) * v[t] + lam * nxt)
        out[t] = nxt
    return out


class Player(nn.Module):
    def __init__(self, channels, actions, generator):
        super().__init__()
        self.actions = actions
        self.net = nn.Sequential(
            nn.Flatten(), nn.Linear(channels * 100, 64), nn.ReLU(), nn.Linear(64, actions)
        )

    def learn(self, env, steps, generator):
        opt = torch.optim.Adam(self.parameters(), lr=1e-3)
        obs = torch.from_numpy(env.reset()[0]).float()
        used = 0
        while used + 32 <= steps:
            S, A, R, N, D, C = [], [], [], [], [], []
            for _ in range(32):
                with torch.no_grad():
                    a = self.net(obs).argmax(1)
                nxt, r, term, trunc, _ = env.step(a.numpy())
                nxt = torch.from_numpy(nxt).float()
                for column, x in zip(
                    (S, A, R, N, D, C),
                    (nxt, a, torch.from_numpy(r), nxt, torch.from_numpy(term), torch.from_numpy(trunc)),
                ):
                    column.append(x)
                obs = nxt
            used += 32
            S, A, R, N, D, C = (torch.stack(x) for x in (S, A, R, N, D, C))
            with torch.no_grad():
                q = self.net(N.flatten(0, 1)).unflatten(0, R.shape).double()
            y = lambda_returns(R, q, D, C, 0.95, 0.8).float().flatten()
            q = self.net(S.flatten(0, 1)).gather(1, A.flatten()[:, None])[:, 0]
            loss = (q - y).pow(2).mean()
            opt.zero_grad()
            loss.backward()
            opt.step()
        return used

    def act(self, observations):
        with torch.no_grad():
            return self.net(observations.float()).argmax(1)
