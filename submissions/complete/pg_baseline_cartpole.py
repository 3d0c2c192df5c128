"""REINFORCE with a value baseline on the cart-pole."""

import torch
import torch.nn as nn


def discounted(rewards, mask, gamma):
    with torch.no_grad():
        R = rewards * mask
        n, T = R.shape
        G = torch.zeros_like(R)
        G[:, T - 1] = R[:, T - 1]
        for t in range(T - 2, -1, -1):
            G[:, t] = R[:, t] + gamma * G[:, t + 1]
    return G


def advantages(rewards, values, mask, gamma):
    return (discounted(rewards, mask, gamma) - values) * mask


def others_mean(rewards, mask, gamma):
    G = discounted(rewards, mask, gamma)
    b = torch.zeros_like(G)
    for i in range(G.shape[0]):
        other = mask.clone()
        other[i] = False
        m = other.sum(0)
        b[i] = (G * other).sum(0) / torch.clamp(m, min=1)
    return b * mask


def policy_loss(logits, actions, rewards, values, mask, gamma):
    A = advantages_of(rewards, values, mask, gamma)
    logp = torch.log_softmax(logits, dim=-1)
    logp_a = torch.gather(logp, -1, actions.unsqueeze(-1)).squeeze(-1)
    return -(logp_a * A).sum() / logits.shape[0]


def advantages_of(rewards, values, mask, gamma):
    return (discounted(rewards, mask, gamma) - values.detach()) * mask


def value_loss(values, rewards, mask, gamma):
    G = discounted(rewards, mask, gamma)
    return (((values - G) * mask) ** 2).sum() / mask.sum()


class Agent:
    def __init__(self, observations, actions, generator):
        def mlp(outputs):
            return nn.Sequential(nn.Linear(observations, 32), nn.Tanh(), nn.Linear(32, outputs))

        self.actor = mlp(actions)
        self.critic = mlp(1)
        self.actor_opt = torch.optim.Adam(self.actor.parameters(), lr=0.02)
        self.critic_opt = torch.optim.Adam(self.critic.parameters(), lr=0.02)

    def V(self, S):
        return self.critic(S).squeeze(-1) * 200

    def learn(self, env, steps, generator):
        used, batches = 0, 0
        while used + 200 <= steps:
            obs, _ = env.reset()
            done = torch.zeros(env.num_envs, dtype=torch.bool)
            S, A, R, M = [], [], [], []
            while not done.all():
                s = torch.from_numpy(obs).float()
                with torch.no_grad():
                    probs = self.actor(s).softmax(-1)
                a = torch.multinomial(probs, 1, generator=generator).flatten()
                obs, r, term, trunc, _ = env.step(a.numpy())
                used += 1
                S.append(s)
                A.append(a)
                R.append(torch.from_numpy(r).float())
                M.append(~done)
                done = done | torch.from_numpy(term) | torch.from_numpy(trunc)
            S, A, R, M = (torch.stack(x, 1) for x in (S, A, R, M))
            if batches >= 3:
                self.actor_opt.zero_grad()
                policy_loss(self.actor(S), A, R, self.V(S), M, 1.0).backward()
                self.actor_opt.step()
            for _ in range(20):
                self.critic_opt.zero_grad()
                value_loss(self.V(S), R, M, 1.0).backward()
                self.critic_opt.step()
            batches += 1
        return used

    def act(self, observations):
        with torch.no_grad():
            return self.actor(observations.float()).argmax(-1)
