"""Frame stacks, ε, successors and replay memory of deep Q-learning, as on S1 "A Stack of States".

Sources: Mnih et al. 2015 (four frames, the annealed ε, the replay memory); Bellemare et al. 2013
for frames and agent steps; Gymnasium's two modes of autoreset for s'.
"""

from collections import deque
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float64, Int64, UInt8
from torch import Tensor


class FrameStack:
    """x_{t-k+1}, ..., x_t, where frames before the episode are its first one."""

    def __init__(self, k: int) -> None:
        self.frames: deque[Tensor] = deque(maxlen=k)
        self.k = k

    def reset(self, frame: UInt8[Tensor, "h w"]) -> UInt8[Tensor, "k h w"]:
        self.frames.extend([frame] * self.k)
        return torch.stack(list(self.frames))

    def step(self, frame: UInt8[Tensor, "h w"]) -> UInt8[Tensor, "k h w"]:
        self.frames.append(frame)
        return torch.stack(list(self.frames))


def stacks(
    frames: UInt8[Tensor, "t h w"], starts: Bool[Tensor, " t"], k: int
) -> UInt8[Tensor, "t k h w"]:
    """Slot j of the stack of frame i is frame max(i - k + 1 + j, b), if its episode began at b."""
    i = torch.arange(len(frames))
    b = torch.where(starts, i, 0).cummax(dim=0).values
    slots = i[:, None] - k + 1 + torch.arange(k)
    return frames[torch.maximum(slots, b[:, None])]


def _annealed(
    steps: Int64[Tensor, " t"], first: float, last: float, duration: int
) -> Float64[Tensor, " t"]:
    """ε_s = ε_0 + (ε_∞ - ε_0) min(s / D, 1)."""
    share = (steps.double() / duration).clamp(max=1)
    return first + (last - first) * share


def epsilon(
    steps: Int64[Tensor, " t"], first: float, last: float, duration: int
) -> Float64[Tensor, " t"]:
    """ε_s at the given steps s."""
    return _annealed(steps, first, last, duration)


def epsilons_of_run(
    ended: Bool[Tensor, "t n"], first: float, last: float, duration: int
) -> Float64[Tensor, " t"]:
    """Before call i each of the n environments has made i steps, whatever its episodes did."""
    t, n = ended.shape
    return _annealed(torch.arange(t) * n, first, last, duration)


def successors(
    arrived: Float64[Tensor, "t n d"],
    final: Float64[Tensor, "t n d"],
    ended: Bool[Tensor, "t n"],
    same_step: bool,
) -> tuple[Float64[Tensor, "t n d"], Bool[Tensor, "t n"]]:
    """s' is the last observation of its own episode; a step that only resets is no transition."""
    if same_step:
        return torch.where(ended[..., None], final, arrived), torch.ones_like(ended)
    begins = torch.zeros_like(ended)
    begins[1:] = ended[:-1]
    return arrived, ~begins


@dataclass(frozen=True)
class Entry:
    """What is stored with a frame.

    Attributes:
        age: frames of the same episode before it.
        leaves: whether an action was taken at it, so that another frame of the episode follows.
    """

    frame: Tensor
    action: int
    reward: float
    terminated: bool
    age: int
    leaves: bool


class Memory:
    """The newest entry is the last one; beyond the capacity the first one goes."""

    def __init__(self, capacity: int, k: int) -> None:
        self.entries: deque[Entry] = deque(maxlen=capacity)
        self.k = k
        self.age, self.ended = 0, False

    def add(
        self,
        frame: UInt8[Tensor, "h w"],
        action: int,
        reward: float,
        terminated: bool,
        truncated: bool,
    ) -> int:
        """After an action that ended the episode comes its last frame, then a new episode."""
        leaves = not self.ended
        self.entries.append(Entry(frame, action, reward, terminated, self.age, leaves))
        self.age = self.age + 1 if leaves else 0
        self.ended = leaves and (terminated or truncated)
        return len(self._drawable())

    def _drawable(self) -> list[int]:
        """Places of entries whose next frame is there, and all of whose stack is."""
        return [
            place
            for place, entry in enumerate(self.entries)
            if entry.leaves and place + 1 < len(self.entries) and self._past(entry) <= place
        ]

    def _past(self, entry: Entry) -> int:
        """Frames of the stack that lie before an entry."""
        return min(entry.age, self.k - 1)

    def _stack(self, place: int) -> Tensor:
        past = self._past(self.entries[place])
        frames = [self.entries[i].frame for i in range(place - past, place + 1)]
        return torch.stack([frames[0]] * (self.k - len(frames)) + frames)

    def _transitions(self, numbers: Int64[Tensor, " m"]) -> tuple[Tensor, ...]:
        drawable = self._drawable()
        places = [drawable[number] for number in numbers.tolist()]
        entries = [self.entries[place] for place in places]
        return (
            torch.stack([self._stack(place) for place in places]),
            torch.tensor([entry.action for entry in entries]),
            torch.tensor([entry.reward for entry in entries], dtype=torch.float64),
            torch.stack([self._stack(place + 1) for place in places]),
            torch.tensor([entry.terminated for entry in entries]),
        )

    def look_up(self, numbers: Int64[Tensor, " m"]) -> tuple[Tensor, ...]:
        return self._transitions(numbers)

    def _sample(self, m: int, generator: torch.Generator) -> tuple[Tensor, ...]:
        """Every row is any of the transitions that can be drawn, with the same probability."""
        numbers = torch.randint(len(self._drawable()), (m,), generator=generator)
        return self._transitions(numbers)


def sample(memory: Memory, m: int, generator: torch.Generator) -> tuple[Tensor, ...]:
    """(s, a, r, s', terminated) of m rows."""
    return memory._sample(m, generator)
