"""Double Q-learning, in float32, behaviour that becomes half greedy; a memory in numpy."""

import numpy as np
import torch
from torch import nn
from torch.nn.functional import mse_loss


def transitions(first, actions, rewards, arrived, terminated, truncated):
    ended = torch.logical_or(terminated, truncated)
    kept = torch.ones_like(ended)
    kept[1:] = ended[:-1].logical_not()
    step, place = kept.nonzero(as_tuple=True)
    seen = torch.vstack([first.unsqueeze(0), arrived])
    return (
        seen[step, place],
        actions[step, place],
        rewards[step, place],
        seen[step + 1, place],
        terminated[step, place],
    )


class Agent(nn.Module):
    def __init__(self, observations, actions, generator):
        super().__init__()
        self.values = nn.Linear(observations, actions, bias=False)
        self.delayed = nn.Linear(observations, actions, bias=False)
        self.delayed.requires_grad_(False)
        self.rows = []

    def learn(self, env, steps, gamma, generator):
        rng = np.random.default_rng(int(torch.randint(2**31, (), generator=generator)))
        optimiser = torch.optim.Adam(self.values.parameters(), lr=0.1)
        seen, _ = env.reset()
        over = np.zeros(env.num_envs, dtype=bool)
        memory = None
        for step in range(steps):
            a = self.behave(seen, 1 - 0.5 * step / steps, rng)
            after, r, terminated, truncated, _ = env.step(a)
            rows = [x[~over] for x in (seen, a, r, after, terminated)]
            pairs = rows if memory is None else zip(memory, rows, strict=True)
            memory = rows if memory is None else [np.concatenate(pair) for pair in pairs]
            seen, over = after, terminated | truncated
            optimiser.param_groups[0]["lr"] = 0.1 * (steps - step) / steps
            for update in (2 * step, 2 * step + 1):
                if update % 10 == 0:
                    self.delayed.load_state_dict(self.values.state_dict())
                places = rng.integers(len(memory[0]), size=64)
                self.update(optimiser, [torch.as_tensor(x[places]) for x in memory], gamma)
        return steps

    def behave(self, seen, epsilon, rng):
        greedy = self.q(torch.as_tensor(seen)).argmax(1).numpy()
        drawn = rng.integers(self.values.out_features, size=len(seen))
        return np.where(rng.random(len(seen)) < epsilon, drawn, greedy)

    def update(self, optimiser, batch, gamma):
        s, a, r, after, terminal = batch
        s, after = s.float(), after.float()
        with torch.no_grad():
            chosen = self.values(after).argmax(1, keepdim=True)
            future = self.delayed(after).gather(1, chosen).squeeze(1)
            y = (r + gamma * future * (~terminal)).float()
        loss = mse_loss(self.values(s).gather(1, a.unsqueeze(1)).squeeze(1), y)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

    @torch.no_grad()
    def q(self, observations):
        return self.values(observations.float()).double()
