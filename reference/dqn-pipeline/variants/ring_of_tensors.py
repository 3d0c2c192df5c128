"""Everything in preallocated tensors: a ring with a write head, stacks by modular indices."""

import torch


class FrameStack:
    def __init__(self, k):
        self.k = k
        self.buffer = None

    def reset(self, frame):
        self.buffer = frame.expand(self.k, *frame.shape).clone()
        return self.buffer.clone()

    def step(self, frame):
        self.buffer = torch.roll(self.buffer, -1, dims=0)
        self.buffer[-1] = frame
        return self.buffer.clone()


def stacks(frames, starts, k):
    t, h, w = frames.shape
    result = torch.zeros(t, k, h, w, dtype=torch.uint8)
    stack = FrameStack(k)
    for i in range(t):
        result[i] = stack.reset(frames[i]) if i == 0 or starts[i] else stack.step(frames[i])
    return result


def epsilon(steps, first, last, duration):
    slope = (last - first) / duration
    value = first + slope * steps.to(torch.float64)
    return torch.where(steps < duration, value, torch.full_like(value, last))


def epsilons_of_run(ended, first, last, duration):
    made, values = 0, []
    for row in ended:
        values.append(epsilon(torch.tensor([made]), first, last, duration))
        made += row.numel()
    return torch.cat(values)


def successors(arrived, final, ended, same_step):
    real = torch.ones(ended.shape, dtype=torch.bool)
    following = arrived.clone()
    if same_step:
        following[ended] = final[ended]
    else:
        real[1:] &= ~ended[:-1]
    return following, real


class Memory:
    def __init__(self, capacity, k):
        self.capacity, self.k = capacity, k
        self.added = 0
        self.frames = None
        self.actions = torch.zeros(capacity, dtype=torch.int64)
        self.rewards = torch.zeros(capacity, dtype=torch.float64)
        self.terminated = torch.zeros(capacity, dtype=torch.bool)
        self.final = torch.zeros(capacity, dtype=torch.bool)
        self.begin = torch.zeros(capacity, dtype=torch.int64)  # of its episode, counted in frames
        self.now_begins, self.now_final = 0, False

    def add(self, frame, action, reward, terminated, truncated):
        if self.frames is None:
            self.frames = torch.zeros(self.capacity, *frame.shape, dtype=torch.uint8)
        slot = self.added % self.capacity
        self.frames[slot] = frame
        self.actions[slot], self.rewards[slot] = action, reward
        self.terminated[slot] = terminated
        self.final[slot], self.begin[slot] = self.now_final, self.now_begins
        self.added += 1
        if self.now_final:
            self.now_final, self.now_begins = False, self.added
        else:
            self.now_final = terminated or truncated
        return len(self._valid())

    def _valid(self):
        """Numbers, counted from the first frame that was ever added."""
        oldest = max(0, self.added - self.capacity)
        numbers = torch.arange(oldest, self.added - 1)
        slots = numbers % self.capacity
        needed = torch.maximum(numbers - self.k + 1, self.begin[slots])
        return numbers[(needed >= oldest) & ~self.final[slots]]

    def _stacks(self, numbers):
        begin = self.begin[numbers % self.capacity]
        wanted = numbers[:, None] + torch.arange(1 - self.k, 1)
        return self.frames[torch.maximum(wanted, begin[:, None]) % self.capacity]

    def look_up(self, numbers):
        chosen = self._valid()[numbers]
        slots = chosen % self.capacity
        return (
            self._stacks(chosen),
            self.actions[slots],
            self.rewards[slots],
            self._stacks(chosen + 1),
            self.terminated[slots],
        )

    def _drawn(self, m, generator):
        weights = torch.ones(len(self._valid()), dtype=torch.float64)
        return torch.multinomial(weights, m, replacement=True, generator=generator)


def sample(memory, m, generator):
    return memory.look_up(memory._drawn(m, generator))
