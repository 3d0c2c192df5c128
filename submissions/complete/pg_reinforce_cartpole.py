"""REINFORCE with reward-to-go on the cart-pole."""

import torch
import torch.nn as nn


def reward_to_go(rewards, mask, gamma):
    rewards = rewards * mask
    n, T = rewards.shape
    G = torch.zeros_like(rewards)
    G[:, T - 1] = rewards[:, T - 1]
    for t in range(T - 2, -1, -1):
        G[:, t] = rewards[:, t] + gamma * G[:, t + 1]
    return G


def reinforce_loss(logits, actions, returns, mask):
    logp = torch.log_softmax(logits, dim=-1)
    logp_a = torch.gather(logp, -1, actions.unsqueeze(-1)).squeeze(-1)
    return -(logp_a * returns * mask).sum() / logits.shape[0]


class Policy:
    def __init__(self, observations, actions, generator):
        self.model = nn.Sequential(
            nn.Linear(observations, 32),
            nn.Tanh(),
            nn.Linear(32, actions),
        )
        self.opt = torch.optim.Adam(self.model.parameters(), lr=0.01)

    def learn(self, env, steps, generator):
        used = 0
        while used + 200 <= steps:
            obs, _ = env.reset()
            done = torch.zeros(env.num_envs, dtype=torch.bool)
            S, A, R, M = [], [], [], []
            while not done.all():
                s = torch.from_numpy(obs).float()
                with torch.no_grad():
                    probs = self.model(s).softmax(-1)
                a = torch.multinomial(probs, 1, generator=generator).flatten()
                obs, r, term, trunc, _ = env.step(a.numpy())
                used += 1
                S.append(s)
                A.append(a)
                R.append(torch.from_numpy(r).float())
                M.append(~done)
                done = done | torch.from_numpy(term) | torch.from_numpy(trunc)
            S, A, R, M = (torch.stack(x, 1) for x in (S, A, R, M))
            G = reward_to_go(R, M, 0.99)
            loss = reinforce_loss(self.model(S), A, G, M)
            self.opt.zero_grad()
            loss.backward()
            self.opt.step()
        return used

    def act(self, observations):
        with torch.no_grad():
            return self.model(observations.float()).argmax(-1)
