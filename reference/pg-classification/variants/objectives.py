"""Objectives first, autograd after: the mean reward J, and the log-likelihood of the targets."""

import torch


def _probabilities(logits):
    return torch.exp(logits - torch.logsumexp(logits, dim=1, keepdim=True))


def _mask(classes, logits):
    return torch.zeros_like(logits).scatter(1, classes.unsqueeze(1), 1.0)


def _slope(objective, point):
    leaf = point.detach().clone().requires_grad_()
    with torch.enable_grad():
        value = objective(leaf)
    (gradient,) = torch.autograd.grad(value, leaf)
    return gradient


def _mean_reward(logits, targets, r_wrong, r_right):
    y_t = (_probabilities(logits) * _mask(targets, logits)).sum(1)
    return (r_wrong + (r_right - r_wrong) * y_t).sum()


def _log_likelihood(logits, targets):
    return (torch.log_softmax(logits, 1) * _mask(targets, logits)).sum()


def reinforce_update(logits, actions, targets, r_wrong, r_right):
    right = (actions == targets).double()
    rewards = r_right * right + r_wrong * (1 - right)
    return torch.diag(rewards) @ (_mask(actions, logits) - _probabilities(logits))


def cross_entropy_update(logits, targets):
    return _slope(lambda z: _log_likelihood(z, targets), logits)


def expected_update(logits, targets, r_wrong, r_right):
    return _slope(lambda z: _mean_reward(z, targets, r_wrong, r_right), logits)


def total_variance(logits, targets, r_wrong, r_right, baselines):
    y, t = _probabilities(logits), _mask(targets, logits)
    r = r_right * t + r_wrong * (1 - t) - baselines[:, None]
    eye = torch.eye(logits.shape[1], dtype=logits.dtype)
    lengths = (eye[None] - y[:, None, :]).square().sum(2)
    mean = y * (r - (y * r).sum(1, keepdim=True))
    return (y * r.square() * lengths).sum(1) - mean.square().sum(1)


def log_prob_changes(logits, targets, r_wrong, r_right):
    y, t = _probabilities(logits), _mask(targets, logits)
    others = y.square().sum(1, keepdim=True) - y.square()
    return (r_right * t + r_wrong * (1 - t)) * ((1 - y).square() + others)


def policy_loss(weights, images, actions, targets, r_wrong, r_right):
    logits = images @ weights
    log_y = (logits * _mask(actions, logits)).sum(1) - torch.logsumexp(logits, 1)
    right = (actions == targets).double()
    return -((r_wrong + (r_right - r_wrong) * right) * log_y).sum() / len(images)


def train(weights, images, targets, r_wrong, r_right, rate, steps):
    count, one, other = len(images), weights.clone(), weights.clone()
    for _ in range(steps):
        one = one + rate / count * _slope(
            lambda w: _mean_reward(images @ w, targets, r_wrong, r_right), one
        )
        other = other + rate / count * _slope(lambda w: _log_likelihood(images @ w, targets), other)
    return one, other
