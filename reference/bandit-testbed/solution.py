"""The ten-armed testbed of the lecture: ε-greedy actions with sample averages, run beside run.

Sources: S2 "ε-greedy Method" for the experiment, "Multi-armed Bandits" for Q_t(a) and the greedy
action, "Exploitation versus Exploration" for ε; Sutton & Barto 2018, section 2.3.
"""

import torch
from jaxtyping import Bool, Float64, Int64
from torch import Tensor


def _greedy(
    total: Float64[Tensor, "b a"], count: Float64[Tensor, "b a"], key: Float64[Tensor, "b a"]
) -> Int64[Tensor, " b"]:
    """A_t = argmax_a Q_t(a), of several the one with the largest key; Q_1(a) = 0."""
    Q = torch.where(count > 0, total / count, 0.0)
    best = Q == Q.max(dim=1, keepdim=True).values
    return torch.where(best, key, -1.0).argmax(dim=1)


def play(
    value: Float64[Tensor, "b a"],
    explores: Bool[Tensor, "b t"],
    arm: Int64[Tensor, "b t"],
    key: Float64[Tensor, "b t a"],
    noise: Float64[Tensor, "b t"],
) -> tuple[Int64[Tensor, "b t"], Float64[Tensor, "b t"]]:
    """A_t greedy unless run and trial explore, then R_t = q_*(A_t) + noise."""
    row = torch.arange(len(value))
    total, count = torch.zeros_like(value), torch.zeros_like(value)
    action, reward = torch.zeros_like(arm), torch.zeros_like(noise)
    for t in range(arm.shape[1]):
        A = torch.where(explores[:, t], arm[:, t], _greedy(total, count, key[:, t]))
        R = value[row, A] + noise[:, t]
        total[row, A] += R
        count[row, A] += 1
        action[:, t], reward[:, t] = A, R
    return action, reward


def curves(
    value: Float64[Tensor, "r a"],
    action: Int64[Tensor, "r t"],
    reward: Float64[Tensor, "r t"],
) -> tuple[Float64[Tensor, " t"], Float64[Tensor, " t"]]:
    """1/r Σ R_t, and the share of runs with q_*(A_t) = max_a q_*(a)."""
    taken = value.gather(1, action)
    optimal = taken == value.max(dim=1, keepdim=True).values
    return reward.mean(dim=0), optimal.double().mean(dim=0)


def testbed(
    epsilon: float, runs: int, steps: int, arms: int, generator: torch.Generator
) -> tuple[
    Float64[Tensor, "runs arms"], Int64[Tensor, "runs steps"], Float64[Tensor, "runs steps"]
]:
    """q_*(a) ~ N(0, 1) once for each run, then trials of the ε-greedy method, R_t ~ N(q_*, 1)."""
    row = torch.arange(runs)
    value = torch.randn(runs, arms, generator=generator, dtype=torch.float64)
    total, count = torch.zeros_like(value), torch.zeros_like(value)
    actions, rewards = [], []
    for _ in range(steps):
        key = torch.rand(runs, arms, generator=generator, dtype=torch.float64)
        explores = torch.rand(runs, generator=generator, dtype=torch.float64) < epsilon
        arm = torch.randint(arms, (runs,), generator=generator)
        action = torch.where(explores, arm, _greedy(total, count, key))
        noise = torch.randn(runs, generator=generator, dtype=torch.float64)
        reward = value[row, action] + noise
        total[row, action] += reward
        count[row, action] += 1
        actions.append(action)
        rewards.append(reward)
    return value, torch.stack(actions, dim=1), torch.stack(rewards, dim=1)
