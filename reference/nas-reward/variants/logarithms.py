"""Powers by logarithms; the states of all steps first, then a softmax over what a step offers."""

import torch


def reward(accuracy, flops, target, exponent):
    log_target = torch.log(torch.tensor(target, dtype=torch.float64))
    return accuracy * torch.exp(exponent * (log_target - flops.log()))


def balance(factor, gain):
    return torch.log2(1 + gain) / torch.log2(factor)


def decisions(cells, blocks, parameters):
    count = 0
    for _ in range(cells):
        count += blocks * parameters
    return count


def log_prob(sequences, last, W, E, c, V, d):
    h = torch.tanh(c).expand(len(sequences), -1)
    states = [h]
    for choice in sequences[:, :-1].unbind(1):
        h = torch.tanh(torch.einsum("ij,bj->bi", W, h) + E[choice] + c)
        states.append(h)
    logits = torch.einsum("btj,kj->btk", torch.stack(states, 1), V) + d
    total = 0.0
    for t, offered in enumerate((last + 1).tolist()):
        possible = sequences[:, t] < offered
        chosen = logits[:, t].gather(1, sequences[:, t : t + 1]).squeeze(1)
        step = chosen - torch.logsumexp(logits[:, t, :offered], dim=1)
        total = total + torch.where(possible, step, -torch.inf)
    return total


def controller_loss(log_probs, rewards, baseline):
    return (baseline - rewards) @ log_probs / len(rewards)


def moving_baseline(baseline, rewards, decay):
    old = torch.tensor(baseline, dtype=torch.float64)
    return torch.lerp(rewards.mean(), old, decay)
