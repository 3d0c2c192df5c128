"""One list an episode, returns by Horner's rule, losses summed in Python, draws by inversion."""

import torch
from torch import nn


def to_go(rewards, gamma):
    """Discounted sums of a list of numbers, from each place to the end."""
    found, later = [], 0.0
    for r in reversed(rewards):
        later = r + gamma * later
        found.append(later)
    return found[::-1]


def table(rewards, mask, gamma):
    """The same for every row of a batch, 0 after the end."""
    rows = torch.zeros(rewards.shape, dtype=rewards.dtype)
    for i in range(len(rewards)):
        alive = int(mask[i].sum())
        rows[i, :alive] = rewards.new_tensor(
            to_go(rewards[i, :alive].tolist(), gamma)
        )
    return rows


def advantages(rewards, values, mask, gamma):
    return torch.where(mask, table(rewards, mask, gamma) - values, torch.zeros_like(values))


def others_mean(rewards, mask, gamma):
    G, found = table(rewards, mask, gamma), torch.zeros_like(rewards)
    for i in range(len(G)):
        rest = [j for j in range(len(G)) if j != i]
        count = mask[rest].sum(dim=0)
        some = (count > 0) & mask[i]
        found[i, some] = G[rest].sum(dim=0)[some] / count[some]
    return found


def policy_loss(logits, actions, rewards, values, mask, gamma):
    G, baseline, total = table(rewards, mask, gamma), values.detach(), logits.new_zeros(())
    for i in range(len(logits)):
        alive = int(mask[i].sum())
        z, a = logits[i, :alive], actions[i, :alive]
        log_pi = z[torch.arange(alive), a] - torch.logsumexp(z, dim=1)
        total = total - torch.dot((G - baseline)[i, :alive], log_pi)
    return total / len(logits)


def value_loss(values, rewards, mask, gamma):
    G, squares, count = table(rewards, mask, gamma), values.new_zeros(()), 0
    for i in range(len(values)):
        alive = int(mask[i].sum())
        squares = squares + (G[i, :alive] - values[i, :alive]).square().sum()
        count += alive
    return squares / count


class Net(nn.Module):
    def __init__(self, inputs, outputs, generator):
        super().__init__()
        self.hidden, self.out = nn.Linear(inputs, 32), nn.Linear(32, outputs)
        for layer in (self.hidden, self.out):
            edge = 1 / layer.in_features**0.5
            layer.weight.data.uniform_(-edge, edge, generator=generator)
            layer.bias.data.uniform_(-edge, edge, generator=generator)

    def forward(self, s):
        return self.out(torch.tanh(self.hidden(s)))


class Agent:
    def __init__(self, observations, actions, generator):
        self.pi, self.v = Net(observations, actions, generator), Net(observations, 1, generator)

    def learn(self, env, steps, generator):
        self.adam_pi = torch.optim.Adam(self.pi.parameters(), lr=2e-2)
        self.adam_v = torch.optim.Adam(self.v.parameters(), lr=2e-2)
        used = number = 0
        while steps - used >= 200:
            number += 1
            episodes, made = self.batch(env, generator)
            self.update(episodes, improve=number > 3)
            used += made
        return used

    def update(self, episodes, improve):
        states = torch.stack([s for episode in episodes for s in episode[0]])
        actions = torch.tensor([a for episode in episodes for a in episode[1]])
        G = torch.tensor([g for episode in episodes for g in to_go(episode[2], 1.0)])
        if improve:
            advantage = G - 200 * self.v(states).detach()[:, 0]
            log_pi = torch.log_softmax(self.pi(states), dim=1)[torch.arange(len(G)), actions]
            self.adam_pi.zero_grad()
            (-(advantage * log_pi).sum() / len(episodes)).backward()
            self.adam_pi.step()
        for _ in range(20):
            self.adam_v.zero_grad()
            ((200 * self.v(states)[:, 0] - G) ** 2).mean().backward()
            self.adam_v.step()

    def batch(self, env, generator):
        episodes = [([], [], []) for _ in range(env.num_envs)]
        over = [False] * env.num_envs
        seen, _ = env.reset()
        made = 0
        while not all(over):
            s = torch.as_tensor(seen, dtype=torch.float32)
            with torch.no_grad():
                below = torch.softmax(self.pi(s), dim=1).cumsum(dim=1)[:, :-1]
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
            return self.pi(observations.float()).max(dim=1).indices
