"""REINFORCE with a learnt baseline on a cart-pole, as in the lectures.

G_t is the return from step t on, V(s) the value network's baseline and π(a|s) the softmax of a
policy network. Sources: S2 "REINFORCE with Baseline" (policy network by REINFORCE, value network by
mean squared error), S1 "Variance reduction" and "How to choose the baseline?", S3 "Reward
Baselines"; Sutton and Barto 2018, section 13.4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from jaxtyping import Bool, Float64, Int64
from torch import Tensor, nn

if TYPE_CHECKING:
    import gymnasium

HIDDEN = 32
LEARNING_RATE = 0.02
GAMMA = 1.0
HORIZON = 200  # no episode is longer
UNIT = 200.0  # of the value network's output
WARM_UP = 3  # batches on which the value network alone is trained
FITS = 20  # updates of the value network after a batch


def _reward_to_go(rewards: Tensor, mask: Tensor, gamma: float) -> Tensor:
    """G_t = Σ_{t' ≥ t} γ^(t'-t) r_t' over the steps of the episode; 0 where it has ended."""
    r = torch.where(mask, rewards, 0.0).detach()
    t = torch.arange(r.shape[1])
    ahead = t[:, None] - t  # t' - t, [t' t]
    discount = torch.where(ahead >= 0, gamma ** ahead.clamp(min=0).to(r.dtype), 0.0)
    return r @ discount


def advantages(
    rewards: Float64[Tensor, "n t"],
    values: Float64[Tensor, "n t"],
    mask: Bool[Tensor, "n t"],
    gamma: float,
) -> Float64[Tensor, "n t"]:
    """G_t - V(s_t)."""
    return torch.where(mask, _reward_to_go(rewards, mask, gamma) - values, 0.0)


def others_mean(
    rewards: Float64[Tensor, "n t"], mask: Bool[Tensor, "n t"], gamma: float
) -> Float64[Tensor, "n t"]:
    """(1/(m_t - 1)) Σ_{j ≠ i} G_t^j over the m_t episodes that are running at step t."""
    G = _reward_to_go(rewards, mask, gamma)
    others = 1 - torch.eye(len(G), dtype=G.dtype)
    total, count = others @ G, others @ mask.to(G.dtype)
    return torch.where(mask & (count > 0), total / count.clamp(min=1), 0.0)


def policy_loss(
    logits: Float64[Tensor, "n t a"],
    actions: Int64[Tensor, "n t"],
    rewards: Float64[Tensor, "n t"],
    values: Float64[Tensor, "n t"],
    mask: Bool[Tensor, "n t"],
    gamma: float,
) -> Float64[Tensor, ""]:
    """-(1/n) Σ_i Σ_t (G_t - V(s_t)) log π(a_t|s_t): its gradient estimates -∇J."""
    advantage = _reward_to_go(rewards, mask, gamma) - values.detach()
    log_pi = torch.log_softmax(logits, dim=2)
    chosen = log_pi.gather(2, actions[:, :, None]).squeeze(2)
    terms = torch.where(mask, advantage * chosen, 0.0)
    return -terms.sum(dim=1).mean()


def value_loss(
    values: Float64[Tensor, "n t"],
    rewards: Float64[Tensor, "n t"],
    mask: Bool[Tensor, "n t"],
    gamma: float,
) -> Float64[Tensor, ""]:
    """The mean of (V(s_t) - G_t)² over the steps that were taken."""
    error = values - _reward_to_go(rewards, mask, gamma)
    return torch.where(mask, error**2, 0.0).sum() / mask.sum()


class Agent:
    """π(a|s) and V(s), each a network with one hidden layer."""

    def __init__(self, observations: int, actions: int, generator: torch.Generator) -> None:
        self.policy = _network(observations, actions, generator)
        self.critic = _network(observations, 1, generator)

    def learn(self, env: gymnasium.vector.VectorEnv, steps: int, generator: torch.Generator) -> int:
        """After every batch of one episode a pole, one update of π and then some of V."""
        actor = torch.optim.Adam(self.policy.parameters(), lr=LEARNING_RATE)
        critic = torch.optim.Adam(self.critic.parameters(), lr=LEARNING_RATE)
        used, batches = 0, 0
        while used + HORIZON <= steps:
            states, actions, rewards, mask = self._play(env, generator)
            if batches >= WARM_UP:
                values = self._values(states)
                loss = policy_loss(self.policy(states), actions, rewards, values, mask, GAMMA)
                _step(actor, loss)
            for _ in range(FITS):
                _step(critic, value_loss(self._values(states), rewards, mask, GAMMA))
            used, batches = used + rewards.shape[1], batches + 1
        return used

    def _values(self, states: Tensor) -> Tensor:
        """V(s) of states [n t o]: [n t]."""
        return UNIT * self.critic(states).squeeze(2)

    def _play(self, env: gymnasium.vector.VectorEnv, generator: torch.Generator) -> list[Tensor]:
        """s_t, a_t, r_t and the mask of one episode of every pole, [n t ...]."""
        observations, _ = env.reset()
        running = torch.ones(env.num_envs, dtype=torch.bool)
        episode = []
        while running.any():
            s = torch.from_numpy(observations)
            with torch.no_grad():
                pi = self.policy(s).softmax(dim=1)
            a = torch.multinomial(pi, 1, generator=generator).squeeze(1)
            observations, rewards, fallen, cut, _ = env.step(a.numpy())
            r = torch.from_numpy(rewards)
            episode.append((s, a, r, running))
            running = running & ~torch.from_numpy(fallen | cut)
        return [torch.stack(column, dim=1) for column in zip(*episode, strict=True)]

    def act(self, observations: Float64[Tensor, "b o"]) -> Int64[Tensor, " b"]:
        """argmax_a π(a|s)."""
        with torch.no_grad():
            return self.policy(observations).argmax(dim=1)


def _network(inputs: int, outputs: int, generator: torch.Generator) -> nn.Sequential:
    """inputs → HIDDEN → outputs with tanh, in float64."""
    layers = [nn.Linear(inputs, HIDDEN), nn.Linear(HIDDEN, outputs)]
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
