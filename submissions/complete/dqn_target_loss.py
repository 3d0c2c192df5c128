"""Masks that select, a loop-free gradient, and parameters in a torch.nn.Module."""

import torch


def dqn_targets(rewards, q_next, terminated, truncated, gamma):
    best, _ = torch.max(q_next, dim=-1)
    y = rewards.clone()
    y[~terminated] += gamma * best[~terminated]
    return y


def chosen(q, actions):
    return torch.take_along_dim(q, actions.unsqueeze(-1), dim=-1).flatten()


def dqn_loss(q, actions, targets):
    return torch.mean(torch.square(chosen(q, actions) - targets))


def huber_loss(q, actions, targets, delta):
    error = chosen(q, actions) - targets
    small = error.abs() <= delta
    total = 0.5 * error[small].pow(2).sum()
    total = total + (delta * error[~small].abs() - 0.5 * delta**2).sum()
    return total / error.numel()


def update_direction(q, actions, targets):
    q = q.detach().requires_grad_(True)
    with torch.enable_grad():
        loss = dqn_loss(q, actions, targets)
    return -0.5 * torch.autograd.grad(loss, q)[0]


def td_loss_linear(weights, phi, actions, rewards, phi_next, discounts):
    with torch.no_grad():
        y = rewards + phi_next.matmul(weights).mul(discounts.unsqueeze(1)).amax(dim=1)
    return dqn_loss(phi.matmul(weights), actions, y)


class Learner(torch.nn.Module):
    def __init__(self, weights, learning_rate, sync_every):
        super().__init__()
        self.online = torch.nn.Parameter(weights)
        self.register_buffer("target", weights.detach().clone())
        self.learning_rate = learning_rate
        self.sync_every = sync_every
        self.count = 0

    def step(self, phi, actions, rewards, phi_next, discounts):
        y = rewards + discounts * torch.max(phi_next @ self.target, dim=1)[0]
        loss = dqn_loss(phi @ self.online, actions, y)
        self.online.grad = None
        loss.backward()
        with torch.no_grad():
            self.online.sub_(self.learning_rate * self.online.grad)
            self.count += 1
            if self.count % self.sync_every == 0:
                self.target.copy_(self.online)
        return loss.detach()

    def online_values(self, phi):
        return phi @ self.online

    def target_values(self, phi):
        return phi @ self.target
