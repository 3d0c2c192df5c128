"""One-hot choices and matrix products; the softmax is written out with its maximum taken off."""

import torch
from torch.nn.functional import one_hot


def reward(accuracy, flops, target, exponent):
    return accuracy / torch.pow(flops / target, exponent)


def balance(factor, gain):
    return (1 + gain).log() / factor.log()


def decisions(cells, blocks, parameters):
    per_cell = blocks * parameters
    return per_cell * cells


def log_prob(sequences, last, W, E, c, V, d):
    choices = one_hot(sequences, len(V)).double()
    # before the first decision nothing was chosen
    before = torch.cat([torch.zeros_like(choices[:, :1]), choices[:, :-1]], dim=1) @ E
    possible = (sequences <= last).all(dim=1)
    h = torch.zeros(len(c), dtype=torch.float64).expand(len(sequences), -1)
    terms = []
    for t, offered in enumerate(last.tolist()):
        h = (torch.matmul(W, h.unsqueeze(2)).squeeze(2) + before[:, t] + c).tanh()
        logits = torch.addmm(d[t], h, V.T)
        offer = logits[:, : offered + 1]
        top = offer.max(dim=1, keepdim=True).values.detach()
        norm = (offer - top).exp().sum(dim=1).log() + top.squeeze(1)
        terms.append((logits * choices[:, t]).sum(dim=1) - norm)
    return torch.stack(terms).sum(dim=0).masked_fill(~possible, -torch.inf)


def controller_loss(log_probs, rewards, baseline):
    terms = rewards * log_probs - baseline * log_probs
    return -terms.sum() / terms.numel()


def moving_baseline(baseline, rewards, decay):
    return baseline * decay + rewards.sum() / len(rewards) * (1 - decay)
