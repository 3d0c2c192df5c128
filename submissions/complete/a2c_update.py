"""Returns by one backward pass per length of window, losses from torch.nn.functional."""

import torch
import torch.nn.functional as F


def n_step_returns(rewards, next_values, terminated, truncated, gamma, n_steps):
    num_steps = rewards.size(1)
    bootstrap = next_values * (~terminated).double()
    stop = terminated | truncated
    out = []
    for t in range(num_steps):
        end = min(t + n_steps, num_steps)
        ret = bootstrap[:, end - 1]
        for k in range(end - 1, t - 1, -1):
            ret = rewards[:, k] + gamma * torch.where(stop[:, k], bootstrap[:, k], ret)
        out.append(ret)
    return torch.stack(out, dim=1)


def advantage(q, logits):
    probs = F.softmax(logits, dim=-1)
    return q - torch.sum(probs * q, dim=-1, keepdim=True)


def actor_loss(logits, actions, advantages):
    log_probs = F.log_softmax(logits, dim=-1)
    picked = log_probs[torch.arange(len(actions)), actions]
    return torch.mean(-picked * advantages.detach())


def critic_loss(values, returns):
    return F.mse_loss(values, returns.detach())


def entropy(logits):
    log_probs = F.log_softmax(logits, dim=-1)
    return torch.sum(-log_probs.exp() * log_probs, dim=-1)


def rollout(theta, phi, features, next_features, rewards, terminated, truncated, gamma, n_steps):
    """Flattened logits, values and returns of all steps."""
    logits = torch.matmul(features, theta).flatten(0, 1)
    values = torch.matmul(features, phi).flatten()
    with torch.no_grad():
        next_values = torch.matmul(next_features, phi)
    returns = n_step_returns(rewards, next_values, terminated, truncated, gamma, n_steps)
    return logits, values, returns.flatten()


def a2c_loss(
    theta, phi, features, next_features, actions, rewards, terminated, truncated, gamma, n_steps,
    value_weight, entropy_weight,
):
    logits, values, returns = rollout(
        theta, phi, features, next_features, rewards, terminated, truncated, gamma, n_steps
    )
    policy_term = actor_loss(logits, actions.flatten(), returns - values)
    value_term = critic_loss(values, returns)
    return policy_term + value_weight * value_term - entropy_weight * entropy(logits).mean()


def a2c_update(
    theta, phi, features, next_features, actions, rewards, terminated, truncated, gamma, n_steps,
    alpha, beta,
):
    logits, values, returns = rollout(
        theta, phi, features, next_features, rewards, terminated, truncated, gamma, n_steps
    )
    x = features.flatten(0, 1)
    adv = returns - values
    grad_log_pi = F.one_hot(actions.flatten(), theta.size(1)).double() - F.softmax(logits, dim=-1)
    theta = theta + alpha * x.T @ (adv[:, None] * grad_log_pi)
    phi = phi + 2 * beta * x.T @ adv
    return theta, phi
