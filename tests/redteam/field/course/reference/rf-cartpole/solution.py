"""Linear policies by the cross-entropy method: one policy an environment, the best refit."""

import torch

GENERATIONS, ELITE, NOISE = 12, 6, 0.15


class Agent:
    def __init__(self, observations, actions):
        assert actions == 2
        self.w = torch.zeros(observations, dtype=torch.float64)

    def learn(self, env, steps, generator):
        n, used = env.num_envs, 0
        mean, spread = self.w, torch.ones_like(self.w)
        for _ in range(GENERATIONS):
            noise = torch.randn(n, len(mean), dtype=mean.dtype, generator=generator)
            policies = mean + spread * noise
            seen, _ = env.reset()
            returns, playing = torch.zeros(n, dtype=mean.dtype), torch.ones(n, dtype=torch.bool)
            while playing.any() and used < steps:
                actions = (policies * torch.from_numpy(seen)).sum(dim=1) > 0
                seen, rewards, fallen, cut, _ = env.step(actions.long().numpy())
                returns += torch.from_numpy(rewards) * playing
                playing &= ~torch.from_numpy(fallen | cut)
                used += 1
            if used >= steps:
                break
            best = policies[returns.topk(ELITE).indices]
            mean, spread = best.mean(dim=0), best.std(dim=0) + NOISE
        self.w = mean
        return used

    def act(self, observations):
        return (observations @ self.w > 0).long()

    def evaluate(self, env, episodes):
        returns, running = [], torch.zeros(env.num_envs, dtype=torch.float64)
        seen, _ = env.reset()
        while len(returns) < episodes:
            actions = self.act(torch.from_numpy(seen))
            seen, rewards, fallen, cut, _ = env.step(actions.numpy())
            running += torch.from_numpy(rewards)
            ended = torch.from_numpy(fallen | cut)
            returns += running[ended].tolist()
            running[ended] = 0
        return torch.tensor(returns[:episodes], dtype=torch.float64)
