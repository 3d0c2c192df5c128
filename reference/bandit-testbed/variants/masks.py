"""One-hot masks and the incremental mean; all draws of a run's trials are made beforehand."""

import torch
import torch.nn.functional as F


def _simulate(value, explores, arm, key, noise):
    Q = torch.zeros_like(value)
    N = torch.zeros(value.shape, dtype=torch.int64)
    actions, rewards = torch.empty_like(arm), torch.empty_like(noise)
    for t in range(arm.size(1)):
        top = torch.amax(Q, 1, keepdim=True)
        greedy = key[:, t].masked_fill(Q < top, float("-inf")).argmax(1)
        actions[:, t] = torch.where(explores[:, t], arm[:, t], greedy)
        mask = F.one_hot(actions[:, t], Q.size(1))
        rewards[:, t] = torch.sum(mask * value, 1) + noise[:, t]
        N = N + mask
        Q = Q + mask * (rewards[:, t, None] - Q) / N.clamp(min=1).double()
    return actions, rewards


def play(value, explores, arm, key, noise):
    return _simulate(value, explores, arm, key, noise)


def curves(value, action, reward):
    runs, trials = action.shape
    best = (value >= value.amax(1, keepdim=True)).double()
    hits = torch.stack([best.gather(1, action[:, t, None])[:, 0] for t in range(trials)])
    return reward.sum(0) / runs, hits.sum(1) / runs


def testbed(epsilon, runs, steps, arms, generator):
    def uniform(*shape):
        return torch.rand(shape, generator=generator, dtype=torch.float64)

    noise = torch.normal(0.0, 1.0, (runs, steps), generator=generator, dtype=torch.float64)
    value = torch.normal(0.0, 1.0, (runs, arms), generator=generator, dtype=torch.float64)
    explores = torch.bernoulli(torch.full((runs, steps), epsilon), generator=generator).bool()
    arm = (arms * uniform(runs, steps)).long()
    action, reward = _simulate(value, explores, arm, uniform(runs, steps, arms), noise)
    return value, action, reward
