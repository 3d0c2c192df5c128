"""Tabular Q-learning: y = r + γ max_a' Q(s', a'), and Q(s, a) moves towards y by a step α.

Sources: S1 "Q-Learning" (Q(s, a) for every state-action pair; the target y of Bellman's optimality
equation), S2 "ε-greedy Method" (the behaviour); Watkins & Dayan 1992 for the rule, Even-Dar &
Mansour 2003 for α = 1 / n^ω.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Bool, Float64, Int64
from torch import Tensor

if TYPE_CHECKING:
    import gymnasium


def q_update(
    Q: Float64[Tensor, "b s a"],
    state: Int64[Tensor, " b"],
    action: Int64[Tensor, " b"],
    reward: Float64[Tensor, " b"],
    next_state: Int64[Tensor, " b"],
    terminated: Bool[Tensor, " b"],
    alpha: Float64[Tensor, " b"],
    gamma: Float64[Tensor, " b"],
) -> Float64[Tensor, "b s a"]:
    """Q(s, a) ← Q(s, a) + α (y - Q(s, a)), with y = r where s' is terminal."""
    row = torch.arange(len(Q))
    future = Q[row, next_state].amax(dim=1)
    y = reward + gamma * torch.where(terminated, 0.0, future)
    Q = Q.clone()
    Q[row, state, action] += alpha * (y - Q[row, state, action])
    return Q


def epsilon_greedy(
    Q: Float64[Tensor, "b s a"], state: Int64[Tensor, " b"], epsilon: Float64[Tensor, " b"]
) -> Float64[Tensor, "b a"]:
    """π(a|s) = ε / A + (1 - ε) / |argmax Q(s, ·)| on the maximum, ε / A elsewhere."""
    values = Q[torch.arange(len(Q)), state]
    best = (values == values.amax(dim=1, keepdim=True)).double()
    greedy = best / best.sum(dim=1, keepdim=True)
    return epsilon[:, None] / values.shape[1] + (1 - epsilon[:, None]) * greedy


class _Table:
    """Q(s, a) and the number N(s, a) of its updates."""

    def __init__(self, Q: Tensor, N: Tensor, omega: float, gamma: float) -> None:
        self.Q, self.N = Q.numpy().copy(), N.numpy().copy()
        self.omega, self.gamma = omega, gamma

    def learn(self, s: int, a: int, r: float, s2: int, terminated: bool) -> None:
        """One transition: the n-th update of an entry has the step size n^(-ω)."""
        self.N[s, a] += 1
        alpha = float(self.N[s, a]) ** -self.omega
        y = r if terminated else r + self.gamma * self.Q[s2].max()
        self.Q[s, a] += alpha * (y - self.Q[s, a])

    def tensors(self) -> tuple[Tensor, Tensor]:
        return torch.from_numpy(self.Q), torch.from_numpy(self.N)


def q_replay(
    Q: Float64[Tensor, "s a"],
    N: Int64[Tensor, "s a"],
    states: Int64[Tensor, "t n"],
    actions: Int64[Tensor, "t n"],
    rewards: Float64[Tensor, "t n"],
    next_states: Int64[Tensor, "t n"],
    terminated: Bool[Tensor, "t n"],
    truncated: Bool[Tensor, "t n"],
    omega: float,
    gamma: float,
) -> tuple[Float64[Tensor, "s a"], Int64[Tensor, "s a"]]:
    """Step by step and copy by copy; a step that follows an end only starts an episode."""
    table = _Table(Q, N, omega, gamma)
    steps, copies = states.shape
    for t in range(steps):
        for i in range(copies):
            if t > 0 and (terminated[t - 1, i] or truncated[t - 1, i]):
                continue
            s, a, s2 = int(states[t, i]), int(actions[t, i]), int(next_states[t, i])
            table.learn(s, a, float(rewards[t, i]), s2, bool(terminated[t, i]))
    return table.tensors()


def _draw(values: Tensor, epsilon: float, generator: torch.Generator) -> Tensor:
    """With probability ε any action, else one of the best; anew for every row of values."""
    n, actions = values.shape
    explores = torch.rand(n, generator=generator, dtype=torch.float64) < epsilon
    best = (values == values.amax(dim=1, keepdim=True)).double()
    greedy = torch.multinomial(best, 1, generator=generator)[:, 0]
    return torch.where(explores, torch.randint(actions, (n,), generator=generator), greedy)


def learn(
    env: gymnasium.vector.VectorEnv,
    Q: Float64[Tensor, "s a"],
    steps: int,
    epsilon: float,
    omega: float,
    gamma: float,
    generator: torch.Generator,
) -> tuple[Float64[Tensor, "s a"], Int64[Tensor, "s a"]]:
    """Acts ε-greedily by the table so far and learns from every transition at once."""
    table = _Table(Q, torch.zeros_like(Q, dtype=torch.int64), omega, gamma)
    s, _ = env.reset()
    starts = np.zeros(env.num_envs, dtype=bool)
    for _ in range(steps):
        a = _draw(torch.from_numpy(table.Q[s]), epsilon, generator).numpy()
        s2, r, terminated, truncated, _ = env.step(a)
        for i in np.flatnonzero(~starts):
            table.learn(s[i], a[i], r[i], s2[i], terminated[i])
        s, starts = s2, terminated | truncated
    return table.tensors()
