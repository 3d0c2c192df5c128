"""One list an episode, returns by Horner's rule, a float32 network, draws by inversion."""

import torch
from torch import nn

STEPS = 200


def reward_to_go(rewards, mask, gamma):
    rows = []
    for row, alive in zip(rewards, mask, strict=True):
        length = int(alive.sum())
        found, later = torch.zeros_like(row), 0.0
        for t in range(length - 1, -1, -1):
            later = float(row[t]) + gamma * later
            found[t] = later
        rows.append(found)
    return torch.stack(rows)


def reinforce_loss(logits, actions, returns, mask):
    total = logits.new_zeros(())
    for i in range(len(logits)):
        length = int(mask[i].sum())
        z, a = logits[i, :length], actions[i, :length]
        log_pi = z[torch.arange(length), a] - torch.logsumexp(z, dim=1)
        total = total - torch.dot(returns[i, :length], log_pi)
    return total / len(logits)


class Policy(nn.Module):
    def __init__(self, observations, actions, generator):
        super().__init__()
        self.hidden, self.out = nn.Linear(observations, 32), nn.Linear(32, actions)
        for layer in (self.hidden, self.out):
            edge = 1 / layer.in_features**0.5
            layer.weight.data.uniform_(-edge, edge, generator=generator)
            layer.bias.data.uniform_(-edge, edge, generator=generator)

    def forward(self, s):
        return self.out(torch.tanh(self.hidden(s)))

    def learn(self, env, steps, generator):
        adam = torch.optim.Adam(self.parameters(), lr=1e-2)
        used = 0
        while steps - used >= STEPS:
            episodes, made = self.batch(env, generator)
            used += made
            adam.zero_grad()
            loss = torch.zeros(())
            for states, actions, rewards in episodes:
                loss = loss + self.episode_loss(states, actions, rewards)
            (loss / len(episodes)).backward()
            adam.step()
        return used

    def episode_loss(self, states, actions, rewards):
        to_go, later = [], 0.0
        for r in reversed(rewards):
            later = r + 0.99 * later
            to_go.insert(0, later)
        log_pi = torch.log_softmax(self(torch.stack(states)), dim=1)
        chosen = log_pi[torch.arange(len(actions)), torch.tensor(actions)]
        return -(torch.tensor(to_go) * chosen).sum()

    def batch(self, env, generator):
        episodes = [([], [], []) for _ in range(env.num_envs)]
        over = [False] * env.num_envs
        seen, _ = env.reset()
        made = 0
        while not all(over):
            s = torch.as_tensor(seen, dtype=torch.float32)
            with torch.no_grad():
                below = torch.softmax(self(s), dim=1).cumsum(dim=1)[:, :-1]
            u = torch.rand(env.num_envs, 1, generator=generator)
            a = (u > below).sum(dim=1)
            seen, rewards, fallen, cut, _ = env.step(a.numpy())
            made += 1
            for i, (states, actions, paid) in enumerate(episodes):
                if not over[i]:
                    states.append(s[i])
                    actions.append(int(a[i]))
                    paid.append(float(rewards[i]))
                    over[i] = bool(fallen[i] or cut[i])
        return episodes, made

    def act(self, observations):
        with torch.no_grad():
            return self(observations.float()).max(dim=1).indices
