"""Stops bootstrapping at time limits, lets the target learn, and shares one tensor for two networks."""

import torch
import torch.nn.functional as F


def dqn_targets(rewards, q_next, terminated, truncated, gamma):
    done = torch.logical_or(terminated, truncated).double()
    return rewards + gamma * (1 - done) * q_next.max(1)[0]


def dqn_loss(q, actions, targets):
    return F.mse_loss(q.gather(1, actions.view(-1, 1)).view(-1), targets)


def huber_loss(q, actions, targets, delta):
    return F.smooth_l1_loss(q.gather(1, actions.view(-1, 1)).view(-1), targets, beta=delta)


def update_direction(q, actions, targets):
    mask = F.one_hot(actions, q.shape[1])
    return mask * (targets[:, None] - q) / q.shape[0]


def td_loss_linear(weights, phi, actions, rewards, phi_next, discounts):
    targets = rewards + discounts * (phi_next @ weights).max(1)[0]
    return dqn_loss(phi @ weights, actions, targets)


class Learner:
    def __init__(self, weights, learning_rate, sync_every):
        self.online = weights
        self.target = weights
        self.learning_rate, self.sync_every = learning_rate, sync_every
        self.steps = 0

    def step(self, phi, actions, rewards, phi_next, discounts):
        targets = rewards + discounts * (phi_next @ self.target).max(1)[0]
        error = targets - (phi @ self.online).gather(1, actions.view(-1, 1)).view(-1)
        mask = F.one_hot(actions, self.online.shape[1])
        self.online += self.learning_rate * 2 * phi.T @ (mask * error[:, None]) / len(error)
        self.steps += 1
        if self.steps % self.sync_every == 0:
            self.target = self.online
        return (error**2).mean()

    def online_values(self, phi):
        return phi @ self.online

    def target_values(self, phi):
        return phi @ self.target
