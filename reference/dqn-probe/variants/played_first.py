"""Plays first and learns afterwards; a loop over steps, a matrix of values, torch's scheduler."""

import torch

BATCH = 64


def transitions(first, actions, rewards, arrived, terminated, truncated):
    rows = []
    running = torch.ones(len(first), dtype=torch.bool)
    before = first
    for t in range(len(actions)):
        mine = running.nonzero().squeeze(1)
        now = before, actions[t], rewards[t], arrived[t], terminated[t]
        rows.append([column[mine] for column in now])
        running = ~(running & (terminated[t] | truncated[t]))
        before = arrived[t]
    return tuple(torch.cat(column) for column in zip(*rows, strict=True))


class Agent:
    def __init__(self, observations, actions, generator):
        self.theta = torch.zeros(observations, actions, dtype=torch.float64)

    def learn(self, env, steps, gamma, generator):
        memory = self.play(env, steps, generator)
        theta = self.theta.clone().requires_grad_()
        adam = torch.optim.Adam([theta], lr=0.1)
        updates = 2 * steps
        decay = torch.optim.lr_scheduler.LambdaLR(adam, lambda done: 1 - done / updates)
        for update in range(updates):
            if update % 10 == 0:
                old = theta.detach().clone()
            rows = torch.randint(len(memory[0]), (BATCH,), generator=generator)
            s, a, r, after, terminal = (column[rows] for column in memory)
            best = (after @ old).amax(1) * (~terminal)
            delta = r + gamma * best - (s @ theta)[torch.arange(BATCH), a]
            adam.zero_grad()
            (delta**2).mean().backward()
            adam.step()
            decay.step()
        self.theta = theta.detach()
        return steps

    def play(self, env, steps, generator):
        count = self.theta.shape[1]
        actions = torch.randint(count, (steps, env.num_envs), generator=generator)
        seen, _ = env.reset()
        record = []
        for a in actions:
            after, rewards, terminated, truncated, _ = env.step(a.numpy())
            record.append((rewards, after, terminated, truncated))
        rest = [torch.stack([torch.as_tensor(x) for x in c]) for c in zip(*record, strict=True)]
        return transitions(torch.as_tensor(seen), actions, *rest)

    def q(self, observations):
        return observations @ self.theta
