import os
import random

import numpy as np
import torch


def square(x):
    return x**2


def product(a, b):
    return (a * b.detach()).sum()


def kinds(a, b, c, d, e):
    return a, b, c, d, e


def scalars(i, x, b, s):
    return i + len(s), x, not b


def scaled(x, factor=2.0):
    assert isinstance(x, torch.Tensor)
    return x * factor


def noise(n, generator):
    return torch.randn(n, generator=generator, dtype=torch.float64)


def numpy_noise(n, generator):
    return torch.from_numpy(generator.normal(size=n))


def global_noise(n):
    columns = [random.random(), np.random.random(), torch.rand((), dtype=torch.float64)]
    return torch.tensor([columns] * n, dtype=torch.float64)


def apply(f, x):
    return f(x)


def read(path):
    return os.path.getsize(path)


def play(env, steps):
    observations, _ = env.reset()
    total = 0.0
    for _ in range(steps):
        actions = (observations[:, 0] > 0).astype(np.int64)
        observations, rewards, terminations, truncations, _ = env.step(actions)
        total += float(rewards.sum())
    env.close()
    assert observations.shape == (env.num_envs, *env.observation_shape)
    return env.num_actions, total


def choose(env, action):
    env.reset(seed=3, options={})
    env.step([action] * env.num_envs)
    return 1


def predict(model, x):
    return model.predict(x)


def nothing():
    pass


class Model(torch.nn.Module):
    def __init__(self, slope, offset=0.0):
        super().__init__()
        self.slope = torch.nn.Parameter(torch.tensor(slope, dtype=torch.float64))
        self.register_buffer("offset", torch.tensor([offset], dtype=torch.float64))
        self.calls = 0

    def predict(self, x):
        self.calls += 1
        return self.slope * x + self.offset

    def count(self):
        return self.calls


class Plain:
    pass
