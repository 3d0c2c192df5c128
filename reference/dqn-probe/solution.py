"""Deep Q-learning with a replay memory and a target network, as in the lecture.

Q(s, ·) = W s is as deep as these problems need. θ is what learns, θ⁻ the target network's. Sources:
S1 "Q-Learning" (target, loss, θ_{i-1}); Mnih et al. 2015, algorithm 1. Behaviour is uniformly
random: Q-learning learns Q* whatever the behaviour is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from jaxtyping import Bool, Float64, Int64
from torch import Tensor, nn

if TYPE_CHECKING:
    import gymnasium

LEARNING_RATE = 0.1  # at first; it falls linearly to 0
BATCH = 64
UPDATES = 2  # after every call of env.step
COPY_EVERY = 10  # updates


def transitions(
    first: Float64[Tensor, "n o"],
    actions: Int64[Tensor, "t n"],
    rewards: Float64[Tensor, "t n"],
    arrived: Float64[Tensor, "t n o"],
    terminated: Bool[Tensor, "t n"],
    truncated: Bool[Tensor, "t n"],
) -> tuple[
    Float64[Tensor, "m o"],
    Int64[Tensor, " m"],
    Float64[Tensor, " m"],
    Float64[Tensor, "m o"],
    Bool[Tensor, " m"],
]:
    """Every step but those that reset; s' is what arrived, and d = 1 for terminal states alone."""
    s = torch.cat([first[None], arrived[:-1]])
    ended = terminated | truncated
    resets = torch.cat([torch.zeros_like(ended[:1]), ended[:-1]])
    real = ~resets
    return s[real], actions[real], rewards[real], arrived[real], terminated[real]


class Agent:
    """Q(s, a) of a linear network."""

    def __init__(self, observations: int, actions: int, generator: torch.Generator) -> None:
        self.actions = actions
        self.network = nn.Linear(observations, actions, bias=False, dtype=torch.float64)
        bound = observations**-0.5
        nn.init.uniform_(self.network.weight, -bound, bound, generator=generator)

    def learn(
        self,
        env: gymnasium.vector.VectorEnv,
        steps: int,
        gamma: float,
        generator: torch.Generator,
    ) -> int:
        """Two updates by Adam after every call of env.step, θ⁻ ← θ after every ten."""
        target = nn.Linear(*self.network.weight.shape[::-1], bias=False, dtype=torch.float64)
        target.load_state_dict(self.network.state_dict())
        adam = torch.optim.Adam(self.network.parameters(), lr=LEARNING_RATE)
        memory = Memory(steps * env.num_envs, self.network.in_features)
        observations, _ = env.reset()
        resets = torch.zeros(env.num_envs, dtype=torch.bool)
        updates = 0
        for step in range(steps):
            s = torch.from_numpy(observations)
            a = torch.randint(self.actions, (env.num_envs,), generator=generator)
            observations, rewards, terminated, truncated, _ = env.step(a.numpy())
            r, s_next = torch.from_numpy(rewards), torch.from_numpy(observations)
            d = torch.from_numpy(terminated)
            real = ~resets
            memory.add(s[real], a[real], r[real], s_next[real], d[real])
            resets = torch.from_numpy(terminated | truncated)
            adam.param_groups[0]["lr"] = LEARNING_RATE * (1 - step / steps)
            for _ in range(UPDATES):
                batch = memory.sample(BATCH, generator)
                self._update(adam, target, batch, gamma)
                updates += 1
                if updates % COPY_EVERY == 0:
                    target.load_state_dict(self.network.state_dict())
        return steps

    def _update(
        self, adam: torch.optim.Adam, target: nn.Linear, batch: list[Tensor], gamma: float
    ) -> None:
        """One step on the mean of (y - Q(s, a; θ))², y = r + γ max_a' Q(s', a'; θ⁻) or r."""
        s, a, r, s_next, d = batch
        with torch.no_grad():
            y = r + gamma * torch.where(d, 0.0, target(s_next).max(dim=1).values)
        q = self.network(s).gather(1, a[:, None]).squeeze(1)
        loss = (y - q).square().mean()
        adam.zero_grad()
        loss.backward()
        adam.step()

    def q(self, observations: Float64[Tensor, "b o"]) -> Float64[Tensor, "b a"]:
        """Q(s, ·; θ)."""
        with torch.no_grad():
            return self.network(observations)


class Memory:
    """All transitions so far; what is sampled is drawn among them with replacement."""

    def __init__(self, capacity: int, components: int) -> None:
        self.size = 0
        wide = torch.zeros(capacity, components, dtype=torch.float64)
        self.columns = [
            wide,
            torch.zeros(capacity, dtype=torch.int64),
            torch.zeros(capacity, dtype=torch.float64),
            wide.clone(),
            torch.zeros(capacity, dtype=torch.bool),
        ]

    def add(self, *rows: Tensor) -> None:
        """Rows of s, a, r, s', d."""
        end = self.size + len(rows[0])
        for column, row in zip(self.columns, rows, strict=True):
            column[self.size : end] = row
        self.size = end

    def sample(self, count: int, generator: torch.Generator) -> list[Tensor]:
        """s, a, r, s', d of so many transitions."""
        rows = torch.randint(self.size, (count,), generator=generator)
        return [column[rows] for column in self.columns]
