"""No autograd in the learner: the gradient of a linear Q written out, and one-hot masks."""

import torch


def _one_hot(actions, q):
    return (actions[:, None] == torch.arange(q.shape[1])).double()


def dqn_targets(rewards, q_next, terminated, truncated, gamma):
    bootstrap = rewards + gamma * torch.sort(q_next, dim=1).values[:, -1]
    return torch.where(terminated, rewards, bootstrap)


def _errors(q, actions, targets):
    return (q * _one_hot(actions, q)).sum(1) - targets


def dqn_loss(q, actions, targets):
    errors = _errors(q, actions, targets)
    return torch.dot(errors, errors) / len(errors)


def huber_loss(q, actions, targets, delta):
    errors = _errors(q, actions, targets)
    inside = errors.clamp(-delta, delta)
    return (inside * (errors - 0.5 * inside)).sum() / len(errors)


def update_direction(q, actions, targets):
    return -_errors(q, actions, targets)[:, None] * _one_hot(actions, q) / q.shape[0]


def td_loss_linear(weights, phi, actions, rewards, phi_next, discounts):
    constant = weights.detach().clone()
    q_next = (phi_next[:, :, None] * constant).sum(1)
    targets = dqn_targets(rewards, q_next, discounts == 0, None, discounts)
    return dqn_loss((phi[:, :, None] * weights).sum(1), actions, targets)


class Learner:
    def __init__(self, weights, learning_rate, sync_every):
        self.history = [weights]
        self.copied = 0
        self.rate, self.every = learning_rate, sync_every

    def step(self, phi, actions, rewards, phi_next, discounts):
        q_next = self.target_values(phi_next)
        targets = dqn_targets(rewards, q_next, discounts == 0, None, discounts)
        q = self.online_values(phi)
        uphill = phi.T @ update_direction(q, actions, targets)
        self.history.append(self.history[-1] + 2 * self.rate * uphill)
        done = len(self.history) - 1
        self.copied = done - done % self.every
        return dqn_loss(q, actions, targets)

    def online_values(self, phi):
        return phi @ self.history[-1]

    def target_values(self, phi):
        return phi @ self.history[self.copied]
