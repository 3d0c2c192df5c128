"""A player of Pong by deep Q-learning, a learner of Pong, and the score of one game.

What was learned (train.py, beside this file): weights w of a convolutional Q_w(s, a) such that
Q_w(s, a) ≈ E[ r + γ max_a' Q_w(s', a') ].  What is left at play is one line, the greedy policy

    π(s) = argmax_a Q_w(s, a).

What learns here, Learner, is the same in small: rollouts of N games side by side, Peng's λ-returns

    G_t = r_t + γ (1 - d_t) [ (1 - λ) max_a Q_w(s_{t+1}, a) + λ G_{t+1} ]

held constant, and regression of Q_w(s_t, a_t) on G_t.

Symbols: s [4 84 84] four grey frames, oldest first; a action; Q_w(s, ·) [6]; b games side by side.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from jaxtyping import Bool, Float64, Int64, UInt8
from safetensors.torch import load_file
from torch import Tensor, nn

if TYPE_CHECKING:
    import gymnasium

ACTIONS = 6
LOOK = 480  # calls of env.step with drawn actions, to see what the pixels usually are
ROLLOUT, BATCH, EPOCHS = 32, 64, 2
GAMMA, LAMBDA = 0.95, 0.9
EPSILON_LAST, EXPLORATION = 0.05, 0.3  # ε falls from 1 within this share of the budget
LEARNING_RATES = 1e-3, 5e-5  # the first and the last one


class QNet(nn.Module):
    """Q_w: frames [b 4 84 84] -> values [b 6].

    States go in and one value an action comes out, so that one pass gives max_a and argmax_a.
    Layer normalisation after every layer is what lets Q-learning do without a target network.
    `usual` and `spread`, the mean and the standard deviation of every pixel under random play, are
    part of the checkpoint: what moves stands out, what is always there disappears.
    """

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("usual", torch.zeros(42, 42))
        self.register_buffer("spread", torch.ones(42, 42))
        self.conv1, self.norm1 = nn.Conv2d(4, 32, 6, stride=3), nn.LayerNorm([32, 13, 13])
        self.conv2, self.norm2 = nn.Conv2d(32, 64, 4, stride=2), nn.LayerNorm([64, 5, 5])
        self.conv3, self.norm3 = nn.Conv2d(64, 64, 3, stride=1), nn.LayerNorm([64, 3, 3])
        self.dense, self.norm4 = nn.Linear(576, 256), nn.LayerNorm(256)
        self.head = nn.Linear(256, 6)

    def forward(self, s: Tensor) -> Tensor:
        x = nn.functional.avg_pool2d(s.float() / 255, 2)  # [b 4 42 42]
        x = ((x - self.usual) / self.spread).clamp(-3, 3)
        x = self.norm1(self.conv1(x)).relu()  # [b 32 13 13]
        x = self.norm2(self.conv2(x)).relu()  # [b 64 5 5]
        x = self.norm3(self.conv3(x)).relu()  # [b 64 3 3]
        x = self.norm4(self.dense(x.flatten(1))).relu()  # [b 256]
        return self.head(x)  # [b 6]


class Player:
    """Plays greedily; has no memory, because the stack of frames is the memory."""

    def __init__(self, checkpoint: str) -> None:
        self.Q = QNet()
        self.Q.load_state_dict(load_file(checkpoint))

    @torch.no_grad()
    def act(self, observations: UInt8[Tensor, "b 4 84 84"]) -> Int64[Tensor, " b"]:
        Q = self.Q(observations)  # [b 6]
        return Q.argmax(dim=1)  # [b], ε = 0: the exploration was for learning


class SmallNet(nn.Module):
    """Q_w: standardised pictures [b 4 42 42] -> values [b 6]; some 120,000 weights."""

    def __init__(self, generator: torch.Generator) -> None:
        super().__init__()
        self.conv1, self.norm1 = nn.Conv2d(4, 16, 6, stride=3), nn.LayerNorm([16, 13, 13])
        self.conv2, self.norm2 = nn.Conv2d(16, 32, 4, stride=2), nn.LayerNorm([32, 5, 5])
        self.dense, self.norm3 = nn.Linear(800, 128), nn.LayerNorm(128)
        self.head = nn.Linear(128, ACTIONS)
        for layer in (self.conv1, self.conv2, self.dense, self.head):
            bound = layer.weight[0].numel() ** -0.5
            for parameter in layer.parameters():
                nn.init.uniform_(parameter, -bound, bound, generator=generator)

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm1(self.conv1(x)).relu()  # [b 16 13 13]
        x = self.norm2(self.conv2(x)).relu()  # [b 32 5 5]
        return self.head(self.norm3(self.dense(x.flatten(1))).relu())  # [b 6]


class Learner:
    """Q-learning in rollouts, without replay memory or target network."""

    def __init__(self, generator: torch.Generator) -> None:
        self.Q = SmallNet(generator)
        self.usual, self.spread = torch.zeros(42, 42), torch.ones(42, 42)

    def learn(self, env: gymnasium.vector.VectorEnv, steps: int, generator: torch.Generator) -> int:
        s = self._look(env, min(LOOK, steps), generator)
        optimiser = torch.optim.RAdam(self.Q.parameters(), lr=LEARNING_RATES[0])
        fresh = torch.zeros(env.num_envs, dtype=torch.bool)  # the game ended in the last step
        used = min(LOOK, steps)
        while used + ROLLOUT <= steps:
            done = used / steps
            ε = 1 + (EPSILON_LAST - 1) * min(done / EXPLORATION, 1.0)
            first, last = LEARNING_RATES
            optimiser.param_groups[0]["lr"] = first + (last - first) * done
            rollout = []
            for _ in range(ROLLOUT):
                a, v = self._explore(s, ε, generator)
                frames, r, over, cut, _ = env.step(a.numpy())
                r, over, cut = torch.from_numpy(r).float(), *map(torch.from_numpy, (over, cut))
                rollout.append((s, a, v, r, over, cut, ~fresh))
                s, fresh = self._standardised(frames), over | cut
            used += ROLLOUT
            self._update(optimiser, rollout, s, generator)
        return used

    def _look(
        self, env: gymnasium.vector.VectorEnv, calls: int, generator: torch.Generator
    ) -> Tensor:
        """Plays at random, keeps mean and spread of each pixel; the states of new games."""
        frames, _ = env.reset()
        looks = [pooled(torch.from_numpy(frames[:, 3:]))[:, 0]]
        for t in range(calls):
            drawn = torch.randint(ACTIONS, (env.num_envs,), generator=generator)
            frames, *_ = env.step(drawn.numpy())
            if t % 10 == 0:
                looks.append(pooled(torch.from_numpy(frames[:, 3:]))[:, 0])
        x = torch.cat(looks)  # [n 42 42]
        self.usual = x.mean(0)
        self.spread = x.std(0).clamp(min=0.05)
        return self._standardised(env.reset()[0])

    def _standardised(self, frames) -> Tensor:
        return self._features(torch.from_numpy(frames))

    def _features(self, s: Tensor) -> Tensor:
        """Pictures in which what moves stands out: [b 4 42 42]."""
        return ((pooled(s) - self.usual) / self.spread).clamp(-3, 3)

    def _explore(self, s: Tensor, ε: float, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """ε-greedy actions, and max_a Q_w(s, a)."""
        with torch.no_grad():
            v, greedy = self.Q(s).max(dim=1)
        explores = torch.rand(len(s), generator=generator) < ε
        drawn = torch.randint(ACTIONS, (len(s),), generator=generator)
        return torch.where(explores, drawn, greedy), v

    def _update(
        self,
        optimiser: torch.optim.Optimizer,
        rollout: list[tuple[Tensor, ...]],
        s_next: Tensor,
        generator: torch.Generator,
    ) -> None:
        """Regression of Q_w(s, a) on the λ-returns of the network before the update."""
        s, a, v, r, over, cut, real = map(torch.stack, zip(*rollout, strict=True))
        with torch.no_grad():
            v_next = torch.cat([v[1:], self.Q(s_next).amax(dim=1)[None]])  # max_a Q_w(s_{t+1}, a)
        G, following = torch.empty_like(r), v_next[-1]
        for t in reversed(range(ROLLOUT)):
            future = torch.where(cut[t], v_next[t], (1 - LAMBDA) * v_next[t] + LAMBDA * following)
            G[t] = following = r[t] + GAMMA * torch.where(over[t], 0.0, future)
        s, a, G = s[real], a[real], G[real]  # a step that reset the game was no transition of it
        for _ in range(EPOCHS):
            for rows in torch.randperm(len(s), generator=generator).split(BATCH):
                q = self.Q(s[rows]).gather(1, a[rows, None]).squeeze(1)
                loss = 0.5 * (G[rows] - q).square().mean()
                optimiser.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(self.Q.parameters(), 10.0)
                optimiser.step()

    @torch.no_grad()
    def act(self, observations: UInt8[Tensor, "b 4 84 84"]) -> Int64[Tensor, " b"]:
        return self.Q(self._features(observations)).argmax(dim=1)


def pooled(s: Tensor) -> Tensor:
    """Pictures of half the height and width, from 0 to 1: [b c 42 42]."""
    return nn.functional.avg_pool2d(s.float() / 255, 2)


def episode_score(
    rewards: Float64[Tensor, " t"], lives: Int64[Tensor, " t"], game_over: Bool[Tensor, " t"]
) -> Float64[Tensor, ""]:
    """Σ_t r_t up to the end of the first game: γ = 1, unclipped; a life lost ends nothing."""
    last = int(game_over.nonzero()[0])  # the step in which the game ended, paid like any other
    return rewards[: last + 1].sum()
