"""Plain loops over rows and steps for the returns; masks in place of gather; gradients by hand."""

import torch


def _one(rewards, values, terminated, truncated, gamma, n_steps, first):
    """The return of one step of one row."""
    total, t, power = 0.0, first, 1.0
    while True:
        total = total + power * rewards[t]
        power = power * gamma
        if terminated[t]:
            return total
        if truncated[t] or t == len(rewards) - 1 or t - first == n_steps - 1:
            return total + power * values[t]
        t += 1


def n_step_returns(rewards, next_values, terminated, truncated, gamma, n_steps):
    lists = [each.tolist() for each in (rewards, next_values, terminated, truncated)]
    rows = [
        [_one(*row, gamma, n_steps, t) for t in range(rewards.shape[1])]
        for row in zip(*lists, strict=True)
    ]
    return torch.tensor(rows, dtype=rewards.dtype)


def _log_policy(logits):
    return logits - torch.logsumexp(logits, dim=-1, keepdim=True)


def _mask(actions, logits):
    return (actions[..., None] == torch.arange(logits.shape[-1])).to(logits.dtype)


def advantage(q, logits):
    policy = _log_policy(logits).exp()
    return q - policy.unsqueeze(1).bmm(q.unsqueeze(2)).squeeze(2)


def actor_loss(logits, actions, advantages):
    chosen = (_mask(actions, logits) * _log_policy(logits)).sum(-1)
    return (-advantages.detach() * chosen).sum() / chosen.numel()


def critic_loss(values, returns):
    error = values - returns.detach()
    return (error * error).sum() / error.numel()


def entropy(logits):
    log_policy = _log_policy(logits)
    return (-log_policy * torch.softmax(logits, dim=-1)).sum(-1)


def a2c_loss(theta, phi, features, next_features, actions, rewards, terminated, truncated, *rest):
    gamma, n_steps, value_weight, entropy_weight = rest
    frozen = phi.detach()
    target = n_step_returns(rewards, next_features @ frozen, terminated, truncated, gamma, n_steps)
    gain = target - features @ frozen
    logits = features @ theta
    log_policy = _log_policy(logits)
    chosen = (_mask(actions, logits) * log_policy).sum(-1)
    loss = -gain * chosen + value_weight * (features @ phi - target) ** 2
    return (loss + entropy_weight * (log_policy.exp() * log_policy).sum(-1)).mean()


def a2c_update(theta, phi, features, next_features, actions, rewards, terminated, truncated, *rest):
    gamma, n_steps, alpha, beta = rest
    target = n_step_returns(rewards, next_features @ phi, terminated, truncated, gamma, n_steps)
    actor, critic = torch.zeros_like(theta), torch.zeros_like(phi)
    for i in range(features.shape[0]):
        for t in range(features.shape[1]):
            x = features[i, t]
            gain = target[i, t] - x @ phi
            score = _mask(actions[i, t], theta) - torch.softmax(x @ theta, dim=0)
            actor += gain * torch.outer(x, score)
            critic += gain * x
    return theta + alpha * actor, phi + 2 * beta * critic
