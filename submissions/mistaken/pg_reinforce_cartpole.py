"""REINFORCE for the cart pole."""

import torch
from torch import nn
from torch.distributions import Categorical


def reward_to_go(rewards, mask, gamma):
    G = torch.zeros_like(rewards)
    running = torch.zeros(rewards.shape[0], dtype=rewards.dtype)
    for t in reversed(range(rewards.shape[1])):
        running = rewards[:, t] + gamma * running
        G[:, t] = running
    return G * mask


def reinforce_loss(logits, actions, returns, mask):
    logp = Categorical(logits=logits).log_prob(actions)
    return -(logp * returns * mask).sum() / mask.sum()


class Policy(nn.Module):
    def __init__(self, observations, actions, generator):
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(observations, 32),
            nn.Tanh(),
            nn.Linear(32, actions),
        )

    def learn(self, env, steps, generator):
        opt = torch.optim.Adam(self.parameters(), lr=0.01)
        used = 0
        while used + 200 <= steps:
            obs, _ = env.reset()
            done = torch.zeros(env.num_envs, dtype=torch.bool)
            S, A, R = [], [], []
            while not done.all():
                with torch.no_grad():
                    a = Categorical(logits=self.net(torch.tensor(obs).float())).sample()
                obs, r, term, trunc, _ = env.step(a.numpy())
                S.append(torch.tensor(obs).float())
                A.append(a)
                R.append(torch.tensor(r).float())
                done |= torch.tensor(term | trunc)
                used += 1
            S, A, R = torch.stack(S, 1), torch.stack(A, 1), torch.stack(R, 1)
            mask = torch.ones_like(R)
            G = reward_to_go(R, mask, 0.99)
            loss = reinforce_loss(self.net(S), A, G, mask)
            opt.zero_grad()
            loss.backward()
            opt.step()
        return used

    def act(self, observations):
        return self.net(observations.float()).argmax(1)
