"""What stands between the game and the Q-network: frame stacks, ε, s', replay memory.

Fill in the bodies; keep the signatures. Frames are grey pictures, uint8 [h w]. A stack has k of
them, oldest first. t counts steps in time, n environments that run side by side, m rows of a batch.
"""

import torch
from jaxtyping import Bool, Float64, Int64, UInt8
from torch import Tensor


class FrameStack:
    """The last k frames of one episode that is being played."""

    def __init__(self, k: int) -> None:
        raise NotImplementedError

    def reset(self, frame: UInt8[Tensor, "h w"]) -> UInt8[Tensor, "k h w"]:
        """An episode begins with this frame: k copies of it."""
        raise NotImplementedError

    def step(self, frame: UInt8[Tensor, "h w"]) -> UInt8[Tensor, "k h w"]:
        """The episode goes on with this frame: the last k frames, oldest first."""
        raise NotImplementedError


def stacks(
    frames: UInt8[Tensor, "t h w"], starts: Bool[Tensor, " t"], k: int
) -> UInt8[Tensor, "t k h w"]:
    """The stacks of a whole record; `starts[i]` says that an episode begins with frame i."""
    raise NotImplementedError


def epsilon(
    steps: Int64[Tensor, " t"], first: float, last: float, duration: int
) -> Float64[Tensor, " t"]:
    """ε at each of the steps: linear from `first` at 0 to `last` at `duration`, then flat."""
    raise NotImplementedError


def epsilons_of_run(
    ended: Bool[Tensor, "t n"], first: float, last: float, duration: int
) -> Float64[Tensor, " t"]:
    """The ε of each of t calls that step n environments at once, from the start of training on.

    `ended[i, j]` says that an episode of environment j ended with call i.
    """
    raise NotImplementedError


def successors(
    arrived: Float64[Tensor, "t n d"],
    final: Float64[Tensor, "t n d"],
    ended: Bool[Tensor, "t n"],
    same_step: bool,
) -> tuple[Float64[Tensor, "t n d"], Bool[Tensor, "t n"]]:
    """(s' of every step, whether the step is a transition) of environments that reset themselves.

    `arrived` are the observations that the steps returned; `final` holds the last observation of
    an episode where one ended, in same-step mode, and means nothing elsewhere.
    """
    raise NotImplementedError


class Memory:
    """A replay memory of the last `capacity` frames that were added."""

    def __init__(self, capacity: int, k: int) -> None:
        raise NotImplementedError

    def add(
        self,
        frame: UInt8[Tensor, "h w"],
        action: int,
        reward: float,
        terminated: bool,
        truncated: bool,
    ) -> int:
        """Adds a frame, the action taken at it and what came of that.

        Returns:
            The number of transitions that can be drawn now.
        """
        raise NotImplementedError

    def look_up(
        self, numbers: Int64[Tensor, " m"]
    ) -> tuple[
        UInt8[Tensor, "m k h w"],
        Int64[Tensor, " m"],
        Float64[Tensor, " m"],
        UInt8[Tensor, "m k h w"],
        Bool[Tensor, " m"],
    ]:
        """(s, a, r, s', terminated) of transitions by number; 0 is the oldest that can be drawn."""
        raise NotImplementedError


def sample(
    memory: Memory, m: int, generator: torch.Generator
) -> tuple[
    UInt8[Tensor, "m k h w"],
    Int64[Tensor, " m"],
    Float64[Tensor, " m"],
    UInt8[Tensor, "m k h w"],
    Bool[Tensor, " m"],
]:
    """m transitions of a memory, drawn uniformly and with replacement with `generator`."""
    raise NotImplementedError
