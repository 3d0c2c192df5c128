"""Transitions are built when their next frame comes, and thrown away when a frame of theirs is."""

import itertools

import torch


class FrameStack:
    def __init__(self, k):
        self.k, self.seen = k, []

    def reset(self, frame):
        self.seen = []
        return self.step(frame)

    def step(self, frame):
        self.seen = [*self.seen, frame][-self.k :]
        missing = self.k - len(self.seen)
        return torch.stack([self.seen[0]] * missing + self.seen)


def stacks(frames, starts, k):
    begins = [i for i in range(len(frames)) if i == 0 or bool(starts[i])]
    parts = []
    for first, after in itertools.pairwise([*begins, len(frames)]):
        episode = frames[first:after]
        padded = torch.cat([episode[:1]] * (k - 1) + [episode])
        parts.append(padded.unfold(0, k, 1).movedim(-1, 1))
    return torch.cat(parts)


def epsilon(steps, first, last, duration):
    left = (duration - steps).clamp(min=0) / torch.tensor(duration, dtype=torch.float64)
    return last * (1 - left) + first * left


def epsilons_of_run(ended, first, last, duration):
    before = torch.ones_like(ended, dtype=torch.int64).sum(1).cumsum(0) - ended.shape[1]
    return epsilon(before, first, last, duration)


def successors(arrived, final, ended, same_step):
    pairs = []
    for column in range(ended.shape[1]):
        resetting = False
        for row in range(ended.shape[0]):
            over = bool(ended[row, column])
            source = final if same_step and over else arrived
            pairs.append((source[row, column], not resetting))
            resetting = over and not same_step
    following = torch.stack([each for each, _ in pairs])
    real = torch.tensor([each for _, each in pairs])
    t, n, d = arrived.shape
    return following.reshape(n, t, d).transpose(0, 1), real.reshape(n, t).T


class Memory:
    def __init__(self, capacity, k):
        self.capacity, self.k = capacity, k
        self.clock, self.transitions = 0, []
        self.stack = FrameStack(k)
        self.open = None  # what waits for its next frame: (needs, state, action, reward, terminal)
        self.length, self.over = 0, False

    def add(self, frame, action, reward, terminated, truncated):
        state = self.stack.reset(frame) if self.length == 0 else self.stack.step(frame)
        if self.open is not None:
            needs, before, *played, end = self.open
            self.transitions.append((needs, (before, *played, state, end)))
        needs = self.clock - min(self.length, self.k - 1)
        self.clock += 1
        if self.over:
            self.open, self.length, self.over = None, 0, False
        else:
            self.open = (needs, state, action, reward, terminated)
            self.length, self.over = self.length + 1, terminated or truncated
        oldest = self.clock - self.capacity
        self.transitions = [item for item in self.transitions if item[0] >= oldest]
        return len(self.transitions)

    def look_up(self, numbers):
        chosen = [self.transitions[i][1] for i in numbers.tolist()]
        s, a, r, s_next, end = zip(*chosen, strict=True)
        rewards = torch.tensor(r, dtype=torch.float64)
        return torch.stack(s), torch.tensor(a), rewards, torch.stack(s_next), torch.tensor(end)

    def _drawn(self, m, generator):
        u = torch.rand(m, generator=generator, dtype=torch.float64)
        return self.look_up((u * len(self.transitions)).long())


def sample(memory, m, generator):
    return memory._drawn(m, generator)
