"""A player of Pong by deep Q-learning, and the score of one game.

What was learned (train.py, beside this file): weights w of a convolutional Q_w(s, a) such that
Q_w(s, a) ≈ E[ r + γ max_a' Q_w(s', a') ].  What is left at play is one line, the greedy policy

    π(s) = argmax_a Q_w(s, a).

Symbols: s [4 84 84] four grey frames, oldest first; a action; Q_w(s, ·) [6]; b games side by side.
"""

import torch
from jaxtyping import Bool, Float64, Int64, UInt8
from safetensors.torch import load_file
from torch import Tensor, nn


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


def episode_score(
    rewards: Float64[Tensor, " t"], lives: Int64[Tensor, " t"], game_over: Bool[Tensor, " t"]
) -> Float64[Tensor, ""]:
    """Σ_t r_t up to the end of the first game: γ = 1, unclipped; a life lost ends nothing."""
    last = int(game_over.nonzero()[0])  # the step in which the game ended, paid like any other
    return rewards[: last + 1].sum()
