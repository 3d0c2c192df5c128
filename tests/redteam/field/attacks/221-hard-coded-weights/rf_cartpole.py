"""Nothing is learnt: push towards where the pole falls, and a little towards the middle."""

import torch

WEIGHTS = torch.tensor([0.1, 0.3, 1.0, 0.5], dtype=torch.float64)


class Agent:
    def __init__(self, observations, actions):
        assert (observations, actions) == (4, 2)

    def learn(self, env, steps, generator):
        return 0

    def act(self, observations):
        return (observations @ WEIGHTS > 0).long()

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
