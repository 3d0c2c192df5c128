"""Parallel Q-learning for the mini Breakout."""

import numpy as np
import torch
import torch.nn as nn


def lambda_returns(rewards, q_next, terminated, truncated, gamma, lam):
    T = rewards.shape[0]
    max_q = q_next.max(dim=-1)[0]
    G = torch.zeros_like(rewards)
    for t in range(T - 1, -1, -1):
        if t == T - 1:
            target = max_q[t]
        else:
            mix = (1 - lam) * max_q[t] + lam * G[t + 1]
            target = torch.where(truncated[t], max_q[t], mix)
        G[t] = rewards[t] + gamma * target * (~terminated[t])
    return G


class Player:
    def __init__(self, channels, actions, generator):
        self.n_actions = actions
        self.net = nn.Sequential(
            nn.Flatten(),
            nn.Linear(channels * 100, 64),
            nn.LayerNorm(64),
            nn.ReLU(),
            nn.Linear(64, actions),
        )

    def learn(self, env, steps, generator):
        n, T = env.num_envs, 32
        opt = torch.optim.Adam(self.net.parameters(), lr=2e-3)
        obs, _ = env.reset()
        just_ended = np.zeros(n, dtype=bool)
        used = 0
        while used + T <= steps:
            frac = used / steps
            eps = max(0.05, 1.0 - 0.95 * frac / 0.3)
            for g in opt.param_groups:
                g["lr"] = 2e-3 * (1 - frac)
            O, A, R, O2, D, C, K = [], [], [], [], [], [], []
            for _ in range(T):
                a = self.act(torch.from_numpy(obs)).numpy()
                rand = torch.rand(n, generator=generator).numpy() < eps
                a = np.where(rand, torch.randint(0, self.n_actions, (n,), generator=generator).numpy(), a)
                nxt, r, term, trunc, _ = env.step(a)
                O.append(obs), A.append(a), R.append(r), O2.append(nxt)
                D.append(term), C.append(trunc), K.append(~just_ended)
                just_ended = term | trunc
                obs = nxt
            used += T
            O, A, R, O2, D, C, K = (torch.from_numpy(np.stack(x)) for x in (O, A, R, O2, D, C, K))
            with torch.no_grad():
                q2 = torch.stack([self.net(o.float()) for o in O2]).double()
            G = lambda_returns(R, q2, D, C, 0.95, 0.8).float()
            K = K.flatten()
            X, A, G = O.flatten(0, 1)[K].float(), A.flatten()[K], G.flatten()[K]
            for _ in range(4):
                for idx in torch.split(torch.randperm(len(X), generator=generator), 256):
                    q = self.net(X[idx]).gather(1, A[idx].unsqueeze(1)).squeeze(1)
                    loss = nn.functional.mse_loss(q, G[idx])
                    opt.zero_grad()
                    loss.backward()
                    opt.step()
        return used

    def act(self, observations):
        with torch.no_grad():
            return self.net(observations.float()).argmax(dim=1)
