"""REINFORCE with rewards to go on a cart-pole, as in the lectures.

G_t is the reward to go and π(a|s) the softmax of a policy network. Sources: S2 "REINFORCE
Algorithm" (the loss is a weighted NLL), S3 "REINFORCE" (r_t(τ), "only future rewards"), S1 "Idea 1"
and "Idea 2" (rewards to go, discount); Williams 1992.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from jaxtyping import Bool, Float64, Int64
from torch import Tensor, nn

if TYPE_CHECKING:
    import gymnasium

HIDDEN = 32
LEARNING_RATE = 0.01
GAMMA = 0.99
HORIZON = 200  # no episode is longer


def reward_to_go(
    rewards: Float64[Tensor, "n t"], mask: Bool[Tensor, "n t"], gamma: float
) -> Float64[Tensor, "n t"]:
    """G_t = r_t + γ G_{t+1}, from the last step of an episode backwards."""
    r = torch.where(mask, rewards, 0.0)
    G = torch.zeros_like(r)
    following = torch.zeros_like(r[:, 0])
    for t in reversed(range(r.shape[1])):
        following = r[:, t] + gamma * following
        G[:, t] = following
    return G


def reinforce_loss(
    logits: Float64[Tensor, "n t a"],
    actions: Int64[Tensor, "n t"],
    returns: Float64[Tensor, "n t"],
    mask: Bool[Tensor, "n t"],
) -> Float64[Tensor, ""]:
    """-(1/n) Σ_i Σ_t G_t log π(a_t|s_t): its gradient estimates -∇J."""
    log_pi = torch.log_softmax(logits, dim=2)
    chosen = log_pi.gather(2, actions[:, :, None]).squeeze(2)
    terms = torch.where(mask, returns * chosen, 0.0)
    return -terms.sum(dim=1).mean()


class Policy:
    """π(a|s) = softmax of a network with one hidden layer."""

    def __init__(self, observations: int, actions: int, generator: torch.Generator) -> None:
        layers = [nn.Linear(observations, HIDDEN), nn.Linear(HIDDEN, actions)]
        for layer in layers:
            bound = layer.in_features**-0.5
            for parameter in layer.parameters():
                nn.init.uniform_(parameter, -bound, bound, generator=generator)
        self.network = nn.Sequential(layers[0], nn.Tanh(), layers[1]).double()

    def learn(self, env: gymnasium.vector.VectorEnv, steps: int, generator: torch.Generator) -> int:
        """One update by Adam after every batch of one episode a pole."""
        optimiser = torch.optim.Adam(self.network.parameters(), lr=LEARNING_RATE)
        used = 0
        while used + HORIZON <= steps:
            states, actions, rewards, mask = self._play(env, generator)
            used += rewards.shape[1]
            G = reward_to_go(rewards, mask, GAMMA)
            loss = reinforce_loss(self.network(states), actions, G, mask)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        return used

    def _play(self, env: gymnasium.vector.VectorEnv, generator: torch.Generator) -> list[Tensor]:
        """s_t, a_t, r_t and the mask of one episode of every pole, [n t ...]."""
        observations, _ = env.reset()
        running = torch.ones(env.num_envs, dtype=torch.bool)
        episode = []
        while running.any():
            s = torch.from_numpy(observations)
            with torch.no_grad():
                pi = self.network(s).softmax(dim=1)
            a = torch.multinomial(pi, 1, generator=generator).squeeze(1)
            observations, rewards, fallen, cut, _ = env.step(a.numpy())
            r = torch.from_numpy(rewards)
            episode.append((s, a, r, running))
            running = running & ~torch.from_numpy(fallen | cut)
        return [torch.stack(column, dim=1) for column in zip(*episode, strict=True)]

    def act(self, observations: Float64[Tensor, "b o"]) -> Int64[Tensor, " b"]:
        """argmax_a π(a|s)."""
        with torch.no_grad():
            return self.network(observations).argmax(dim=1)
