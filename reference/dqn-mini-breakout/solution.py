"""Parallel Q-learning with λ-returns on a small Breakout, without replay memory or target network.

Sources: S1 "Q-Learning" (regression on Bellman's equation, ε-greedy behaviour), S2 "Deep Q
Networks"; Peng and Williams 1996 for returns that mix the largest value of each next state with
what was received after it; Gallici et al. 2024 for many games at once and LayerNorm in place of a
memory and a second network.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from jaxtyping import Bool, Float64, Int64
from torch import Tensor, nn

if TYPE_CHECKING:
    import gymnasium

CELLS = 10 * 10
HIDDEN = 64
GAMMA = 0.95
LAMBDA = 0.8
ROLLOUT = 32  # steps between two rounds of updates
BATCH, EPOCHS = 256, 4
LEARNING_RATE = 2e-3  # falls to 0
EPSILON_FIRST, EPSILON_LAST, EXPLORATION = 1.0, 0.05, 0.3  # reached after this share of the steps


def lambda_returns(
    rewards: Float64[Tensor, "t n"],
    q_next: Float64[Tensor, "t n a"],
    terminated: Bool[Tensor, "t n"],
    truncated: Bool[Tensor, "t n"],
    gamma: float,
    lam: float,
) -> Float64[Tensor, "t n"]:
    """y_t = r_t + γ ((1-λ) V(s'_t) + λ y_{t+1}), V = max_a Q; backwards from the last step."""
    V = q_next.max(dim=2).values
    y = torch.zeros_like(rewards)
    following = V[-1]
    for t in reversed(range(len(rewards))):
        future = torch.where(truncated[t], V[t], (1 - lam) * V[t] + lam * following)
        following = rewards[t] + gamma * torch.where(terminated[t], 0.0, future)
        y[t] = following
    return y


class Player:
    """Q(s, ·): one hidden layer, normalised."""

    def __init__(self, channels: int, actions: int, generator: torch.Generator) -> None:
        layers = [nn.Linear(channels * CELLS, HIDDEN), nn.Linear(HIDDEN, actions)]
        for layer in layers:
            bound = layer.in_features**-0.5
            for parameter in layer.parameters():
                nn.init.uniform_(parameter, -bound, bound, generator=generator)
        self.actions = actions
        self.network = nn.Sequential(layers[0], nn.LayerNorm(HIDDEN), nn.ReLU(), layers[1])

    def learn(self, env: gymnasium.vector.VectorEnv, steps: int, generator: torch.Generator) -> int:
        """Rollouts of all games in turn with several passes over what was seen."""
        optimiser = torch.optim.Adam(self.network.parameters(), lr=LEARNING_RATE)
        s = self._features(env.reset()[0])
        fresh = torch.zeros(env.num_envs, dtype=torch.bool)
        used = 0
        while used + ROLLOUT <= steps:
            done = used / steps
            optimiser.param_groups[0]["lr"] = LEARNING_RATE * (1 - done)
            decay = min(done / EXPLORATION, 1.0)
            epsilon = EPSILON_FIRST + (EPSILON_LAST - EPSILON_FIRST) * decay
            rollout = []
            for _ in range(ROLLOUT):
                a = self._explore(s, epsilon, generator)
                seen, rewards, terminated, truncated, _ = env.step(a.numpy())
                outcome = torch.from_numpy(rewards), *map(torch.from_numpy, (terminated, truncated))
                s_next = self._features(seen)
                rollout.append((s, a, s_next, *outcome, ~fresh))
                s, fresh = s_next, outcome[1] | outcome[2]
            used += ROLLOUT
            self._update(optimiser, rollout, generator)
        return used

    def _explore(self, s: Tensor, epsilon: float, generator: torch.Generator) -> Tensor:
        """Greedy actions, and any action with probability ε."""
        with torch.no_grad():
            greedy = self.network(s).argmax(dim=1)
        explores = torch.rand(len(s), generator=generator) < epsilon
        drawn = torch.randint(self.actions, (len(s),), generator=generator)
        return torch.where(explores, drawn, greedy)

    def _update(
        self, optimiser: torch.optim.Optimizer, rollout: list, generator: torch.Generator
    ) -> None:
        """Regression of Q(s, a) on λ-returns of the network before the update."""
        s, a, s_next, r, terminated, truncated, real = map(torch.stack, zip(*rollout, strict=True))
        with torch.no_grad():
            q_next = self.network(s_next)
        y = lambda_returns(r, q_next.double(), terminated, truncated, GAMMA, LAMBDA)
        s, a, y = s[real], a[real], y[real].float()
        for _ in range(EPOCHS):
            for rows in torch.randperm(len(s), generator=generator).split(BATCH):
                q = self.network(s[rows]).gather(1, a[rows, None]).squeeze(1)
                loss = (y[rows] - q).square().mean()
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()

    def act(self, observations: Bool[Tensor, "b c h w"]) -> Int64[Tensor, " b"]:
        """argmax_a Q(s, a)."""
        with torch.no_grad():
            return self.network(observations.flatten(1).float()).argmax(dim=1)

    @staticmethod
    def _features(seen) -> Tensor:
        return torch.from_numpy(seen).flatten(1).float()
