"""One-hot masks in place of indices, sums in place of steps; one uniform number for each action."""

import torch


def update_average(Q, N, action, reward):
    taken = torch.nn.functional.one_hot(action, Q.shape[1])
    counts = N + taken
    means = (N.double() * Q + reward[:, None]) / counts.clamp(min=1).double()
    return torch.where(taken.bool(), means, Q), counts


def update_constant(Q, action, reward, alpha):
    taken = torch.nn.functional.one_hot(action, Q.shape[1]).bool()
    return torch.where(taken, (1 - alpha) * Q + alpha * reward[:, None], Q)


def estimates(initial, action, reward):
    taken = torch.nn.functional.one_hot(action, initial.shape[1]).double()
    sums, counts = torch.zeros_like(taken), torch.zeros_like(taken)
    sums[:, 1:] = torch.cumsum(taken * reward[:, :, None], dim=1)[:, :-1]
    counts[:, 1:] = torch.cumsum(taken, dim=1)[:, :-1]
    means = sums / torch.clamp(counts, min=1.0)
    return torch.where(counts == 0, initial[:, None, :].expand_as(means), means)


def share_within(reward, value, radius):
    runs, trials = reward.shape
    inside = torch.zeros(trials, dtype=torch.float64)
    for n in range(trials):
        mean = reward[:, : n + 1].mean(dim=1)
        within = (mean > value - radius) & (mean < value + radius)
        inside[n] = within.sum().item() / runs
    return inside


def _law(Q, epsilon):
    arms = Q.shape[1]
    best = Q >= Q.amax(dim=1, keepdim=True)
    on_top = (1 - epsilon) / best.sum(dim=1)
    return torch.where(best, on_top[:, None], torch.zeros_like(Q)) + (epsilon / arms)[:, None]


def action_probabilities(Q, epsilon):
    return _law(Q, epsilon)


def act(Q, epsilon, generator):
    law = _law(Q, epsilon)
    possible = law > 0
    below = torch.cumsum(law, dim=1)
    u = torch.rand(len(Q), 1, dtype=torch.float64, generator=generator) * below[:, -1:]
    beyond = (below > u) & possible
    return torch.argmax(beyond.long(), dim=1)
