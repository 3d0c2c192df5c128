import numpy as np
import torch


class FrameStack:
    def __init__(self, k):
        self.k = k

    def reset(self, frame):
        self.stack = torch.stack([frame for _ in range(self.k)])
        return self.stack

    def step(self, frame):
        self.stack = torch.cat([self.stack[1:], frame.unsqueeze(0)])
        return self.stack


def stacks(frames, starts, k):
    out = []
    begin = 0
    for i in range(len(frames)):
        if starts[i]:
            begin = i
        idx = [max(j, begin) for j in range(i - k + 1, i + 1)]
        out.append(frames[idx])
    return torch.stack(out)


def epsilon(steps, first, last, duration):
    return torch.from_numpy(np.interp(steps.numpy(), [0, duration], [first, last]))


def epsilons_of_run(ended, first, last, duration):
    steps = ended.shape[1] * torch.arange(ended.shape[0])
    return epsilon(steps, first, last, duration)


def successors(arrived, final, ended, same_step):
    if same_step:
        s_next = arrived.clone()
        for i, j in ended.nonzero().tolist():
            s_next[i, j] = final[i, j]
        return s_next, torch.full_like(ended, True)
    previous = torch.cat([torch.zeros_like(ended[:1]), ended[:-1]])
    return arrived.clone(), torch.logical_not(previous)


class Memory:
    """entries: number of the frame -> everything about it; numbers of lost frames are deleted."""

    def __init__(self, capacity, k):
        self.capacity, self.k = capacity, k
        self.data = {}
        self.next_number = 0
        self.begin = 0
        self.waiting_for_last = False

    def add(self, frame, action, reward, terminated, truncated):
        i = self.next_number
        self.next_number += 1
        self.data[i] = (frame, action, reward, terminated, self.begin, not self.waiting_for_last)
        self.data.pop(i - self.capacity, None)
        if self.waiting_for_last:
            self.waiting_for_last = False
            self.begin = i + 1
        elif terminated or truncated:
            self.waiting_for_last = True
        return len(self.valid())

    def frame_numbers(self, i):
        begin = self.data[i][4]
        return [max(j, begin) for j in range(i - self.k + 1, i + 1)]

    def valid(self):
        good = []
        for i in sorted(self.data):
            played = self.data[i][5]
            if played and i + 1 in self.data and all(j in self.data for j in self.frame_numbers(i)):
                good.append(i)
        return good

    def stack(self, i):
        return torch.stack([self.data[j][0] for j in self.frame_numbers(i)])

    def look_up(self, numbers):
        valid = self.valid()
        chosen = [valid[j] for j in numbers]
        s = torch.stack([self.stack(i) for i in chosen])
        a = torch.tensor([self.data[i][1] for i in chosen])
        r = torch.tensor([self.data[i][2] for i in chosen], dtype=torch.float64)
        s_next = torch.stack([self.stack(i + 1) for i in chosen])
        d = torch.tensor([self.data[i][3] for i in chosen])
        return s, a, r, s_next, d


def sample(memory, m, generator):
    return memory.look_up(torch.randint(0, len(memory.valid()), (m,), generator=generator))
