"""Reward and controller of an architecture search."""

import torch


def reward(accuracy, flops, target, exponent):
    return accuracy * torch.pow(target / flops, exponent)


def balance(factor, gain):
    return torch.log(1 + gain) / torch.log(factor)


def decisions(cells, blocks, parameters):
    return cells * blocks * parameters


def log_prob(sequences, last, W, E, c, V, d):
    state = None
    total = torch.zeros(sequences.shape[0], dtype=torch.float64)
    for t in range(sequences.shape[1]):
        if t == 0:
            state = torch.tanh(c).repeat(sequences.shape[0], 1)
        else:
            state = torch.tanh(state @ W.t() + E[sequences[:, t - 1]] + c)
        logits = state @ V.t() + d[t]
        logits[:, int(last[t]) + 1 :] = float("-inf")
        policy = torch.distributions.Categorical(logits=logits, validate_args=False)
        total = total + policy.log_prob(sequences[:, t])
    return total


def controller_loss(log_probs, rewards, baseline):
    return -((rewards - baseline) * log_probs).mean()


def moving_baseline(baseline, rewards, decay):
    return rewards.mean() * (1 - decay) + baseline * decay
