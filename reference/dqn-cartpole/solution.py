"""Deep Q-learning on cart-poles: a replay memory, a target network, and double targets.

Q(s, a) is fitted to y = r + γ Q⁻(s', argmax_a Q(s', a)), where Q⁻ is a copy of Q that is renewed
after every SYNC updates. Sources: S1 "Q-Learning" (regression on Bellman's equation) and "Deep Q
Learning" (Mnih et al. 2015); van Hasselt et al. 2016 for the two networks in one target.
"""

from __future__ import annotations

import copy
from itertools import pairwise
from typing import TYPE_CHECKING

import torch
from jaxtyping import Bool, Float64
from torch import Tensor, nn

if TYPE_CHECKING:
    import gymnasium

OBSERVATIONS, ACTIONS, HIDDEN = 4, 2, 32
GAMMA = 0.97
LEARNING_RATE = 2e-3
CAPACITY, BATCH = 20_000, 128  # transitions
FILLING = 30  # calls of step() before the first update
SYNC = 50  # updates from one copy to the next
EPSILON_FIRST, EPSILON_LAST, EXPLORATION = 1.0, 0.05, 0.25  # reached after this share of the steps


def double_targets(
    rewards: Float64[Tensor, " b"],
    q_next: Float64[Tensor, "b a"],
    q_next_target: Float64[Tensor, "b a"],
    terminated: Bool[Tensor, " b"],
    truncated: Bool[Tensor, " b"],
    gamma: float,
) -> Float64[Tensor, " b"]:
    """y = r + γ Q⁻(s', argmax_a Q(s', a)); a cut is no end."""
    best = q_next.argmax(dim=1)
    future = q_next_target.gather(1, best[:, None]).squeeze(1)
    return rewards + gamma * torch.where(terminated, 0.0, future)


class Memory:
    """The last CAPACITY transitions (s, a, r, s', terminated, truncated)."""

    def __init__(self) -> None:
        state, flag = (OBSERVATIONS,), torch.bool
        kinds = (state, None), ((), torch.int64), ((), torch.float64), (state, None)
        kinds = *kinds, ((), flag), ((), flag)
        self.columns = [torch.zeros(CAPACITY, *shape, dtype=dtype) for shape, dtype in kinds]
        self.added = 0

    def add(self, *transitions: Tensor) -> None:
        rows = (self.added + torch.arange(len(transitions[0]))) % CAPACITY
        for column, new in zip(self.columns, transitions, strict=True):
            column[rows] = new
        self.added += len(rows)

    def sample(self, generator: torch.Generator) -> list[Tensor]:
        rows = torch.randint(min(self.added, CAPACITY), (BATCH,), generator=generator)
        return [column[rows] for column in self.columns]


def train(env: gymnasium.vector.VectorEnv, steps: int, generator: torch.Generator) -> int:
    """One update after every call of step(), once the memory holds something."""
    Q = _network(generator)
    Q_target = copy.deepcopy(Q)
    optimiser = torch.optim.Adam(Q.parameters(), lr=LEARNING_RATE)
    memory, updates = Memory(), 0
    s = torch.from_numpy(env.reset()[0]).float()
    over = torch.zeros(env.num_envs, dtype=torch.bool)
    for step in range(steps):
        decay = min(step / (EXPLORATION * steps), 1.0)
        epsilon = EPSILON_FIRST + (EPSILON_LAST - EPSILON_FIRST) * decay
        a = _explore(Q, s, epsilon, generator)
        seen, *outcome, _ = env.step(a.numpy())
        r, terminated, truncated = map(torch.from_numpy, outcome)
        s_next = torch.from_numpy(seen).float()
        real = ~over  # the call after an end only begins an episode
        memory.add(*(each[real] for each in (s, a, r, s_next, terminated, truncated)))
        s, over = s_next, terminated | truncated
        if step < FILLING:
            continue
        _update(Q, Q_target, optimiser, memory.sample(generator))
        updates += 1
        if updates % SYNC == 0:
            Q_target.load_state_dict(Q.state_dict())
    return steps


def _explore(Q: nn.Module, s: Tensor, epsilon: float, generator: torch.Generator) -> Tensor:
    """The action of the largest value, and any action with probability ε."""
    with torch.no_grad():
        greedy = Q(s).argmax(dim=1)
    explores = torch.rand(len(s), generator=generator) < epsilon
    drawn = torch.randint(ACTIONS, (len(s),), generator=generator)
    return torch.where(explores, drawn, greedy)


def _update(
    Q: nn.Module, Q_target: nn.Module, optimiser: torch.optim.Optimizer, batch: list[Tensor]
) -> None:
    """One step down the mean of (y - Q(s, a))²; y is a number."""
    s, a, r, s_next, terminated, truncated = batch
    with torch.no_grad():
        q_next, q_next_target = Q(s_next).double(), Q_target(s_next).double()
    y = double_targets(r, q_next, q_next_target, terminated, truncated, GAMMA).float()
    q = Q(s).gather(1, a[:, None]).squeeze(1)
    optimiser.zero_grad()
    (y - q).square().mean().backward()
    optimiser.step()


def _network(generator: torch.Generator) -> nn.Sequential:
    """OBSERVATIONS → HIDDEN → HIDDEN → ACTIONS with ReLU."""
    sizes = OBSERVATIONS, HIDDEN, HIDDEN, ACTIONS
    layers = [nn.Linear(inputs, outputs) for inputs, outputs in pairwise(sizes)]
    for layer in layers:
        bound = layer.in_features**-0.5
        for parameter in layer.parameters():
            nn.init.uniform_(parameter, -bound, bound, generator=generator)
    return nn.Sequential(layers[0], nn.ReLU(), layers[1], nn.ReLU(), layers[2])
