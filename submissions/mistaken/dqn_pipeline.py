from collections import deque

import torch


class FrameStack:
    def __init__(self, k):
        self.frames = deque(maxlen=k)
        self.k = k

    def reset(self, frame):
        for _ in range(self.k):
            self.frames.append(frame)
        return torch.stack(tuple(self.frames))

    def step(self, frame):
        self.frames.append(frame)
        return torch.stack(tuple(self.frames))


def stacks(frames, starts, k):
    buffer = frames[:1].repeat(k, 1, 1)
    found = []
    for frame, start in zip(frames, starts):
        if start:
            buffer[:] = frame
        buffer[:-1] = buffer[1:].clone()
        buffer[-1] = frame
        found.append(buffer)  # every entry is the same buffer
    return torch.stack(found)


def epsilon(steps, first, last, duration):
    return first - (first - last) * steps.double() / duration  # goes on below `last`


def epsilons_of_run(ended, first, last, duration):
    made, values = 0, []
    for row in ended:
        values.append(max(last, first - (first - last) * made / duration))  # cannot rise
        made += len(row)
    return torch.tensor(values, dtype=torch.float64)


def successors(arrived, final, ended, same_step):
    if same_step:
        return arrived.clone(), torch.ones_like(ended)  # the new episode's observation
    real = torch.ones_like(ended)
    real[1:] = ~ended[:-1]
    return arrived.clone(), real


class Memory:
    def __init__(self, capacity, k):
        self.entries = deque(maxlen=capacity)
        self.k = k
        self.age, self.over = 0, False

    def add(self, frame, action, reward, terminated, truncated):
        self.entries.append((frame, action, reward, terminated, self.age, not self.over))
        if self.over:
            self.age, self.over = 0, False
        else:
            self.age, self.over = self.age + 1, terminated or truncated
        return len(self.places())

    def places(self):
        found = []
        for i in range(len(self.entries) - 1):
            age, played = self.entries[i][4:]
            if played and min(age, self.k - 1) <= i:
                found.append(i)
        return found

    def stack(self, i):
        age = self.entries[i][4]
        return torch.stack([self.entries[i - min(age, j)][0] for j in reversed(range(self.k))])

    def look_up(self, numbers):
        places = self.places()
        chosen = [places[j] for j in numbers.tolist()]
        _, a, r, d, _, _ = zip(*(self.entries[i] for i in chosen))
        return (
            torch.stack([self.stack(i) for i in chosen]),
            torch.tensor(a),
            torch.tensor(r, dtype=torch.float64),
            torch.stack([self.stack(i + 1) for i in chosen]),
            torch.tensor(d),
        )


def sample(memory, m, generator):
    # a permutation: nothing comes twice before everything has come once
    count = len(memory.places())
    order = [torch.randperm(count, generator=generator) for _ in range(-(-m // count))]
    return memory.look_up(torch.cat(order)[:m])
