"""Treats cuts as ends, forgets to detach, adds the entropy, and averages the update."""

import torch
import torch.nn.functional as F


def n_step_returns(rewards, next_values, terminated, truncated, gamma, n_steps):
    done = (terminated | truncated).double()
    returns = torch.zeros_like(rewards)
    steps = rewards.shape[1]
    for t in range(steps):
        end = min(t + n_steps, steps)
        value = next_values[:, end - 1]
        for k in range(end - 1, t - 1, -1):
            value = rewards[:, k] + gamma * (1 - done[:, k]) * value
        returns[:, t] = value
    return returns


def advantage(q, logits):
    probs = torch.softmax(logits, dim=1)
    return q - (probs * q).sum(1, keepdim=True)


def actor_loss(logits, actions, advantages):
    dist = torch.distributions.Categorical(logits=logits)
    return -(dist.log_prob(actions) * advantages).mean()


def critic_loss(values, returns):
    return F.mse_loss(values, returns)


def entropy(logits):
    probs = torch.softmax(logits, dim=1)
    return -(probs * torch.log(probs + 1e-8)).sum(1)


def a2c_loss(
    theta, phi, features, next_features, actions, rewards, terminated, truncated, gamma, n_steps,
    value_weight, entropy_weight,
):
    logits = (features @ theta).flatten(0, 1)
    values = (features @ phi).flatten()
    next_values = next_features @ phi
    returns = n_step_returns(rewards, next_values, terminated, truncated, gamma, n_steps).flatten()
    loss = actor_loss(logits, actions.flatten(), returns - values)
    loss = loss + value_weight * critic_loss(values, returns)
    return loss + entropy_weight * entropy(logits).mean()


def a2c_update(
    theta, phi, features, next_features, actions, rewards, terminated, truncated, gamma, n_steps,
    alpha, beta,
):
    logits, values = features @ theta, features @ phi
    returns = n_step_returns(
        rewards, next_features @ phi, terminated, truncated, gamma, n_steps
    )
    error = returns - values
    score = F.one_hot(actions, theta.shape[1]) - logits.softmax(-1)
    up = torch.einsum("nt,ntd,nta->da", error, features, score) / error.numel()
    down = torch.einsum("nt,ntd->d", error, features) / error.numel()
    return theta + alpha * up, phi + 2 * beta * down
