"""Estimates of a bandit's arms and the ε-greedy method, line by line as in the lecture.

Sources: S2 "Multi-armed Bandits" for Q_t(a) and the greedy action, "Law of Large Numbers" for the
share of means near the value, "Exploitation versus Exploration" for ε; Sutton & Barto 2018,
sections 2.2 to 2.5, for the incremental form.
"""

import torch
from jaxtyping import Float64, Int64
from torch import Tensor


def update_average(
    Q: Float64[Tensor, "b a"],
    N: Int64[Tensor, "b a"],
    action: Int64[Tensor, " b"],
    reward: Float64[Tensor, " b"],
) -> tuple[Float64[Tensor, "b a"], Int64[Tensor, "b a"]]:
    """N(A) ← N(A) + 1, then Q(A) ← Q(A) + (R - Q(A)) / N(A)."""
    row = torch.arange(len(Q))
    Q, N = Q.clone(), N.clone()
    N[row, action] += 1
    Q[row, action] += (reward - Q[row, action]) / N[row, action]
    return Q, N


def update_constant(
    Q: Float64[Tensor, "b a"],
    action: Int64[Tensor, " b"],
    reward: Float64[Tensor, " b"],
    alpha: float,
) -> Float64[Tensor, "b a"]:
    """Q(A) ← Q(A) + α (R - Q(A))."""
    row = torch.arange(len(Q))
    Q = Q.clone()
    Q[row, action] += alpha * (reward - Q[row, action])
    return Q


def estimates(
    initial: Float64[Tensor, "b a"],
    action: Int64[Tensor, "b t"],
    reward: Float64[Tensor, "b t"],
) -> Float64[Tensor, "b t a"]:
    """Q_t(a) = sum of the rewards of a before t / number of times that a was taken before t."""
    row = torch.arange(len(initial))
    total, count, before = torch.zeros_like(initial), torch.zeros_like(initial), []
    for t in range(action.shape[1]):
        before.append(torch.where(count > 0, total / count, initial))
        total[row, action[:, t]] += reward[:, t]
        count[row, action[:, t]] += 1
    return torch.stack(before, dim=1)


def share_within(
    reward: Float64[Tensor, "r t"], value: float, radius: float
) -> Float64[Tensor, " t"]:
    """How often |X̄_n - μ| < radius, n = 1 … t."""
    n = torch.arange(1, reward.shape[1] + 1)
    mean = reward.cumsum(dim=1) / n
    return ((mean - value).abs() < radius).double().mean(dim=0)


def _best(Q: Float64[Tensor, "b a"]) -> Float64[Tensor, "b a"]:
    """1 at every arm that attains the maximum of its row, 0 at the others."""
    return (Q == Q.max(dim=1, keepdim=True).values).double()


def action_probabilities(
    Q: Float64[Tensor, "b a"], epsilon: Float64[Tensor, " b"]
) -> Float64[Tensor, "b a"]:
    """π(a) = (1 - ε) / |argmax Q| on the maximum, and ε / A on top of it everywhere."""
    best = _best(Q)
    greedy = best / best.sum(dim=1, keepdim=True)
    return (1 - epsilon[:, None]) * greedy + epsilon[:, None] / Q.shape[1]


def act(
    Q: Float64[Tensor, "b a"], epsilon: Float64[Tensor, " b"], generator: torch.Generator
) -> Int64[Tensor, " b"]:
    """With probability ε any of the arms, else one of the best; all drawn anew for each row."""
    b, arms = Q.shape
    explores = torch.rand(b, generator=generator, dtype=Q.dtype) < epsilon
    any_arm = torch.randint(arms, (b,), generator=generator)
    best_arm = torch.multinomial(_best(Q), 1, generator=generator)[:, 0]
    return torch.where(explores, any_arm, best_arm)
