"""torch's losses, a pair of modules and torch.optim, as someone who knows the library writes it."""

import copy

import torch
from torch import nn
from torch.nn import functional


@torch.no_grad()
def dqn_targets(rewards, q_next, terminated, truncated, gamma):
    return rewards + gamma * q_next.amax(-1).masked_fill(terminated, 0.0)


def dqn_loss(q, actions, targets):
    return functional.mse_loss(q[torch.arange(len(q)), actions], targets)


def huber_loss(q, actions, targets, delta):
    return functional.huber_loss(q[torch.arange(len(q)), actions], targets, delta=delta)


def update_direction(q, actions, targets):
    with torch.enable_grad():
        leaf = q.clone().requires_grad_()
        dqn_loss(leaf, actions, targets).backward()
    return leaf.grad / -2


def td_loss_linear(weights, phi, actions, rewards, phi_next, discounts):
    with torch.no_grad():
        best = torch.einsum("bd,da->ba", phi_next, weights).amax(-1)
        targets = torch.addcmul(rewards, discounts, best)
    return dqn_loss(torch.einsum("bd,da->ba", phi, weights), actions, targets)


class Learner:
    def __init__(self, weights, learning_rate, sync_every):
        self.network = nn.Linear(*weights.shape, bias=False, dtype=torch.float64)
        with torch.no_grad():
            self.network.weight.copy_(weights.T)
        self.frozen = copy.deepcopy(self.network).requires_grad_(False)
        self.optimizer = torch.optim.SGD(self.network.parameters(), lr=learning_rate)
        self.left, self.sync_every = sync_every, sync_every

    def step(self, phi, actions, rewards, phi_next, discounts):
        targets = torch.addcmul(rewards, discounts, self.frozen(phi_next).amax(-1))
        loss = dqn_loss(self.network(phi), actions, targets)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        self.left -= 1
        if self.left == 0:
            self.frozen.load_state_dict(self.network.state_dict())
            self.left = self.sync_every
        return loss

    def online_values(self, phi):
        return self.network(phi)

    def target_values(self, phi):
        return self.frozen(phi)
