"""Step by step, with scores written out and everything summed in loops over the steps."""

import torch


def _log_policy(theta):
    return theta - torch.logsumexp(theta, dim=-1, keepdim=True)


def log_prob(states, actions, theta, start, transitions):
    log_policy, rows = _log_policy(theta), len(states)
    total = torch.zeros(rows, dtype=theta.dtype)
    for t in range(states.shape[1]):
        s, a = states[:, t], actions[:, t]
        arrived = start[s] if t == 0 else transitions[states[:, t - 1], actions[:, t - 1], s]
        total = total + arrived.log() + log_policy[s, a]
    return total


def prob_gradient(states, actions, theta, start, transitions):
    pi, rows = _log_policy(theta).exp(), torch.arange(len(states))
    p = start[states[:, 0]].clone()
    score = torch.zeros(len(states), *theta.shape, dtype=theta.dtype)
    for t in range(states.shape[1]):
        s, a = states[:, t], actions[:, t]
        p *= pi[s, a]
        if t > 0:
            p *= transitions[states[:, t - 1], actions[:, t - 1], s]
        score[rows, s] -= pi[s]
        score[rows, s, a] += 1
    return p[:, None, None] * score


def total_return(rewards, gamma):
    total = torch.zeros_like(rewards[:, :1])
    for t in reversed(range(rewards.shape[1])):
        total = rewards[:, t : t + 1] + gamma * total
    return total


def reward_to_go(rewards, gamma):
    columns, following = [], 0.0
    for r in reversed(rewards.unbind(1)):
        following = r + gamma * following
        columns.insert(0, following)
    return torch.stack(columns, dim=1)


def discounted_reward_to_go(rewards, gamma):
    found = torch.empty_like(rewards)
    for t in range(rewards.shape[1]):
        found[:, t] = sum(gamma**later * rewards[:, later] for later in range(t, rewards.shape[1]))
    return found


def reinforce_loss(logits, actions, weights):
    w = torch.tensor(weights.tolist(), dtype=logits.dtype)
    total = torch.zeros(len(logits), dtype=logits.dtype)
    for t in range(logits.shape[1]):
        log_policy = _log_policy(logits[:, t])
        total = total - w[:, t] * log_policy[torch.arange(len(logits)), actions[:, t]]
    return total


def total_return_loss(logits, actions, returns):
    n, loss = len(logits), torch.zeros((), dtype=logits.dtype)
    for i in range(n):
        log_policy = _log_policy(logits[i])
        chosen = log_policy[torch.arange(len(log_policy)), actions[i]]
        loss = loss - returns[i, 0].item() * chosen.sum()
    return loss / n
