"""Counts and training are right; FLOPS are rewarded, and choices not on offer have their share."""

import torch


def reward(accuracy, flops, target, exponent):
    return accuracy * (flops / target) ** exponent


def balance(factor, gain):
    return torch.log(1 + gain) / torch.log(factor)


def decisions(cells, blocks, parameters):
    return cells * blocks * parameters


def log_prob(sequences, last, W, E, c, V, d):
    h = torch.tanh(c).expand(len(sequences), -1)
    total = torch.zeros(len(sequences), dtype=torch.float64)
    for t in range(sequences.shape[1]):
        if t > 0:
            h = torch.tanh(h @ W.T + E[sequences[:, t - 1]] + c)
        log_pi = torch.log_softmax(h @ V.T + d[t], dim=1)
        total = total + log_pi.gather(1, sequences[:, t : t + 1]).squeeze(1)
    return total


def controller_loss(log_probs, rewards, baseline):
    return -((rewards - baseline) * log_probs).mean()


def moving_baseline(baseline, rewards, decay):
    return decay * baseline + (1 - decay) * rewards.mean()
