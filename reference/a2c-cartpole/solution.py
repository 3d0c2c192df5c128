"""Advantage actor-critic on cart-poles that are moved side by side.

δ_t = r_t + γ V(s'_t) - V(s_t) is the advantage over one step; sums of them with weights (γλ)^k are
advantages over all numbers of steps. Sources: S1 "Actor-Critic Algorithm" (the advantage function,
actor and critic trained together); Schulman et al. 2016, equation 16, for the sum; Mnih et al. 2016
for rollouts of fixed length.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from jaxtyping import Bool, Float64
from torch import Tensor, nn

if TYPE_CHECKING:
    import gymnasium

OBSERVATIONS, ACTIONS, HIDDEN = 4, 2, 32
GAMMA, LAMBDA = 0.98, 0.97
ROLLOUT = 16  # steps between two updates
LEARNING_RATE = 0.02
UNIT = 50.0  # of the critic's output, 1 / (1 - γ)


def advantages(
    rewards: Float64[Tensor, "t n"],
    values: Float64[Tensor, "t n"],
    next_values: Float64[Tensor, "t n"],
    terminated: Bool[Tensor, "t n"],
    truncated: Bool[Tensor, "t n"],
    over: Bool[Tensor, " n"],
    gamma: float,
    lam: float,
) -> Float64[Tensor, "t n"]:
    """A_t = δ_t + γ λ A_{t+1} within an episode, backwards from the last step."""
    ends = terminated | truncated
    begins = _begins(ends, over)
    V_next = torch.where(terminated, 0.0, next_values)
    delta = rewards + gamma * V_next - values
    A = torch.zeros_like(rewards)
    following = torch.zeros_like(rewards[0])
    for t in reversed(range(len(rewards))):
        following = delta[t] + gamma * lam * torch.where(ends[t], 0.0, following)
        A[t] = following
    return torch.where(begins, 0.0, A)


def _begins(ends: Tensor, over: Tensor) -> Tensor:
    """Steps after the one that ended an episode: they bring its first state, and nothing else."""
    return torch.cat([over[None], ends[:-1]])


def train(env: gymnasium.vector.VectorEnv, steps: int, generator: torch.Generator) -> int:
    """Rollouts of all poles in turn with one update of actor and critic."""
    actor, critic = (_network(outputs, generator) for outputs in (ACTIONS, 1))
    ascent = torch.optim.Adam(actor.parameters(), lr=LEARNING_RATE)
    descent = torch.optim.Adam(critic.parameters(), lr=LEARNING_RATE)
    s = torch.from_numpy(env.reset()[0])
    over = torch.zeros(env.num_envs, dtype=torch.bool)
    used = 0
    while used + ROLLOUT <= steps:
        rollout = []
        for _ in range(ROLLOUT):
            with torch.no_grad():
                pi = actor(s).softmax(dim=1)
            a = torch.multinomial(pi, 1, generator=generator).squeeze(1)
            seen, *outcome, _ = env.step(a.numpy())
            s_next = torch.from_numpy(seen)
            rollout.append((s, a, s_next, *map(torch.from_numpy, outcome)))
            s = s_next
        states, actions, next_states, r, terminated, truncated = (
            torch.stack(column) for column in zip(*rollout, strict=True)
        )
        V = UNIT * critic(states).squeeze(2)
        with torch.no_grad():
            V_next = UNIT * critic(next_states).squeeze(2)
            A = advantages(r, V, V_next, terminated, truncated, over, GAMMA, LAMBDA)
            G = A + V
        ends = terminated | truncated
        real = ~_begins(ends, over)
        log_pi = actor(states).log_softmax(dim=2).gather(2, actions[:, :, None]).squeeze(2)
        _step(ascent, -(A * log_pi)[real].mean())
        _step(descent, (G - V)[real].square().mean())
        over, used = ends[-1], used + ROLLOUT
    return used


def _network(outputs: int, generator: torch.Generator) -> nn.Sequential:
    """OBSERVATIONS → HIDDEN → outputs with tanh, in float64."""
    layers = [nn.Linear(OBSERVATIONS, HIDDEN), nn.Linear(HIDDEN, outputs)]
    for layer in layers:
        bound = layer.in_features**-0.5
        for parameter in layer.parameters():
            nn.init.uniform_(parameter, -bound, bound, generator=generator)
    return nn.Sequential(layers[0], nn.Tanh(), layers[1]).double()


def _step(optimiser: torch.optim.Optimizer, loss: Tensor) -> None:
    """One step down the gradient."""
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
