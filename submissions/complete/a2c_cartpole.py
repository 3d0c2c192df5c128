"""Advantage actor-critic for the cart-pole."""

import torch
import torch.nn as nn


def advantages(rewards, values, next_values, terminated, truncated, over, gamma, lam):
    T, n = rewards.shape
    out = torch.zeros_like(rewards)
    gae = torch.zeros(n, dtype=rewards.dtype)
    for t in range(T - 1, -1, -1):
        done = terminated[t] | truncated[t]
        bootstrap = next_values[t] * (~terminated[t])
        delta = rewards[t] + gamma * bootstrap - values[t]
        gae = delta + gamma * lam * gae * (~done)
        if t == 0:
            fake = over
        else:
            fake = terminated[t - 1] | truncated[t - 1]
        out[t] = gae * (~fake)
    return out


def mlp(outputs):
    return nn.Sequential(nn.Linear(4, 32), nn.Tanh(), nn.Linear(32, outputs))


def train(env, steps, generator):
    actor, critic = mlp(2), mlp(1)
    actor_opt = torch.optim.Adam(actor.parameters(), lr=0.02)
    critic_opt = torch.optim.Adam(critic.parameters(), lr=0.02)
    obs, _ = env.reset()
    obs = torch.from_numpy(obs).float()
    over = torch.zeros(env.num_envs, dtype=torch.bool)
    used = 0
    while used + 16 <= steps:
        start = over
        S, A, R, S2, D, C, M = [], [], [], [], [], [], []
        for _ in range(16):
            with torch.no_grad():
                probs = torch.softmax(actor(obs), dim=-1)
            a = torch.multinomial(probs, 1, generator=generator).flatten()
            nxt, r, term, trunc, _ = env.step(a.numpy())
            nxt = torch.from_numpy(nxt).float()
            S.append(obs)
            A.append(a)
            R.append(torch.from_numpy(r).float())
            S2.append(nxt)
            D.append(torch.from_numpy(term))
            C.append(torch.from_numpy(trunc))
            M.append(~over)
            over = D[-1] | C[-1]
            obs = nxt
            used += 1
        S, A, R, S2, D, C, M = (torch.stack(x) for x in (S, A, R, S2, D, C, M))
        V = 50 * critic(S).squeeze(-1)
        with torch.no_grad():
            V2 = 50 * critic(S2).squeeze(-1)
            adv = advantages(R, V, V2, D, C, start, 0.98, 0.97)
            target = adv + V
        logp = torch.log_softmax(actor(S), dim=-1)
        logp = torch.gather(logp, -1, A.unsqueeze(-1)).squeeze(-1)
        actor_loss = -(adv * logp)[M].mean()
        critic_loss = ((target - V)[M] ** 2).mean()
        actor_opt.zero_grad()
        actor_loss.backward()
        actor_opt.step()
        critic_opt.zero_grad()
        critic_loss.backward()
        critic_opt.step()
    return used
