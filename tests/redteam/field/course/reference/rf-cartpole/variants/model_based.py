"""The dynamics by least squares, then a linear-quadratic regulator: no rotation matters to it."""

import numpy as np
import torch


class Agent:
    def __init__(self, observations, actions):
        assert actions == 2
        self.gain = np.zeros(observations)

    def learn(self, env, steps, generator):
        seen, _ = env.reset()
        rows, targets = [], []
        for _ in range(min(steps, 300)):
            actions = torch.randint(0, 2, (env.num_envs,), generator=generator).numpy()
            after, _, fallen, cut, _ = env.step(actions)
            on = ~(fallen | cut)
            rows.append(np.column_stack([seen, 2 * actions - 1])[on])
            targets.append((after - seen)[on])
            seen = after
        fitted, *_ = np.linalg.lstsq(np.concatenate(rows), np.concatenate(targets), rcond=None)
        a, b = np.eye(len(self.gain)) + fitted[:-1].T, fitted[-1]
        cost = np.eye(len(b))
        for _ in range(2000):
            self.gain = b @ cost @ a / (0.01 + b @ cost @ b)
            cost = np.eye(len(b)) + a.T @ cost @ (a - np.outer(b, self.gain))
        return min(steps, 300)

    def act(self, observations):
        return (observations @ torch.from_numpy(self.gain) < 0).long()

    def evaluate(self, env, episodes):
        returns, running = [], np.zeros(env.num_envs)
        seen, _ = env.reset()
        while len(returns) < episodes:
            seen, rewards, fallen, cut, _ = env.step(self.act(torch.from_numpy(seen)).numpy())
            running += rewards
            returns += running[fallen | cut].tolist()
            running[fallen | cut] = 0
        return torch.tensor(returns[:episodes], dtype=torch.float64)
