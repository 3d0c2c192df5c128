"""Own samples by torch.multinomial; a level is found by going through the CDF step by step."""

import itertools

import torch
from torch.nn.functional import cross_entropy


def _pixels(height, width):
    return itertools.product(range(height), range(width))


def _first_above(p, u):
    level = torch.full(u.shape, p.shape[1] - 1)
    undecided = torch.ones(u.shape, dtype=torch.bool)
    reached = torch.zeros_like(u)
    for k in range(p.shape[1]):
        reached = reached + p[:, k]
        level[undecided & (u < reached)] = k
        undecided &= u >= reached
    return level


def sample(model, u):
    x = torch.zeros(u.shape, dtype=torch.int64)
    for r, c in _pixels(*u.shape[1:]):
        p = model(x).softmax(1)[..., r, c]
        x[:, r, c] = _first_above(p, u[:, r, c])
    return x


def complete(model, x, observed, u):
    done = x.clone()
    for r, c in _pixels(*x.shape[1:]):
        missing = ~observed[:, r, c]
        if not bool(missing.any()):
            continue
        p = model(done).softmax(1)[..., r, c]
        done[missing, r, c] = _first_above(p, u[:, r, c])[missing]
    return done


def log_completion(model, x, observed):
    nats = cross_entropy(model(x), x, reduction="none")
    return -nats.masked_fill(observed, 0.0).sum((1, 2))


def draw(model, n, h, w, generator):
    x = torch.zeros(n, h, w, dtype=torch.int64)
    for r, c in _pixels(h, w):
        p = model(x).softmax(1)[..., r, c]
        x[:, r, c] = torch.multinomial(p, 1, generator=generator)[:, 0]
    return x
