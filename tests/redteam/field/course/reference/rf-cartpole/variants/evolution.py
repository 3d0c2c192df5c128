"""Linear policies by ascent along the ranks of perturbed ones, in mirrored pairs."""

import torch

RATE, SCALE = 0.5, 0.4


class Agent:
    def __init__(self, observations, actions):
        assert actions == 2
        self.w = torch.zeros(observations, dtype=torch.float64)

    def learn(self, env, steps, generator):
        used = 0
        while True:
            half = torch.randn(
                env.num_envs // 2, len(self.w), dtype=torch.float64, generator=generator
            )
            noise = torch.cat([half, -half])
            returns, more = _one_episode_each(env, self.w + SCALE * noise, steps - used)
            used += more
            if used >= steps:
                return used
            ranks = returns.argsort().argsort().double() / (len(returns) - 1) - 0.5
            self.w = self.w + RATE * (ranks[:, None] * noise).mean(dim=0) * 4
            self.w = self.w / max(self.w.norm().item(), 1.0)

    def act(self, observations):
        return (observations @ self.w > 0).long()

    def evaluate(self, env, episodes):
        returns = []
        while len(returns) < episodes:
            returns += _one_episode_each(env, self.w.expand(env.num_envs, -1), 10**6)[0].tolist()
        return torch.tensor(returns[:episodes], dtype=torch.float64)


def _one_episode_each(env, policies, most):
    seen, _ = env.reset()
    returns, playing, used = torch.zeros(len(policies)).double(), torch.ones(len(policies)), 0
    while playing.any() and used < most:
        actions = (policies * torch.from_numpy(seen)).sum(dim=1) > 0
        seen, rewards, fallen, cut, _ = env.step(actions.long().numpy())
        returns += torch.from_numpy(rewards) * playing
        playing = playing * ~torch.from_numpy(fallen | cut)
        used += 1
    return returns, used
