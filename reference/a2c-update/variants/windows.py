"""Sums step by step from the first one on, torch.distributions, and autograd for the update."""

import torch
from torch.distributions import Categorical
from torch.nn import functional


@torch.no_grad()
def n_step_returns(rewards, next_values, terminated, truncated, gamma, n_steps):
    rows, steps = rewards.shape
    returns = torch.zeros(rows, steps, dtype=rewards.dtype)
    for start in range(steps):
        total = torch.zeros(rows, dtype=rewards.dtype)
        going, discount = torch.ones(rows, dtype=torch.bool), 1.0
        stop = min(start + n_steps, steps)
        for t in range(start, stop):
            total = total + torch.where(going, discount * rewards[:, t], 0.0)
            discount *= gamma
            ends = terminated[:, t] | truncated[:, t]
            if t == stop - 1:
                ends = torch.ones_like(ends)
            bootstraps = going & ends & ~terminated[:, t]
            total = total + torch.where(bootstraps, discount * next_values[:, t], 0.0)
            going = going & ~ends
        returns[:, start] = total
    return returns


def advantage(q, logits):
    policy = Categorical(logits=logits).probs
    return q - torch.einsum("ba,ba->b", policy, q)[:, None]


def actor_loss(logits, actions, advantages):
    nll = functional.cross_entropy(logits, actions, reduction="none")
    return torch.dot(nll, advantages.detach()) / len(actions)


def critic_loss(values, returns):
    return functional.mse_loss(values, returns.detach())


def entropy(logits):
    return Categorical(logits=logits).entropy()


def a2c_loss(
    theta,
    phi,
    features,
    next_features,
    actions,
    rewards,
    terminated,
    truncated,
    gamma,
    n_steps,
    value_weight,
    entropy_weight,
):
    x = features.flatten(0, 1)
    policy, values = Categorical(logits=x @ theta), x @ phi
    with torch.no_grad():
        ahead = next_features @ phi
        target = n_step_returns(rewards, ahead, terminated, truncated, gamma, n_steps).flatten()
        weights = target - values
    actor = -(policy.log_prob(actions.flatten()) * weights).mean()
    critic = (values - target).square().mean()
    return actor + value_weight * critic - entropy_weight * policy.entropy().mean()


def a2c_update(
    theta,
    phi,
    features,
    next_features,
    actions,
    rewards,
    terminated,
    truncated,
    gamma,
    n_steps,
    alpha,
    beta,
):
    flags = terminated, truncated
    theta, phi = theta.clone().requires_grad_(), phi.clone().requires_grad_()
    ahead = (next_features @ phi).detach()
    target = n_step_returns(rewards, ahead, *flags, gamma, n_steps)
    error = target - features @ phi
    log_pi = torch.log_softmax(features @ theta, dim=-1)
    taken = log_pi.gather(2, actions.unsqueeze(2)).squeeze(2)
    (up,) = torch.autograd.grad((error.detach() * taken).sum(), theta)
    (down,) = torch.autograd.grad(error.pow(2).sum(), phi)
    return theta.detach() + alpha * up, phi.detach() - beta * down
