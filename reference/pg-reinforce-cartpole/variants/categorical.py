"""torch.distributions; log-probabilities are kept with their graph while the episode is played."""

import torch
from torch.distributions import Categorical

GAMMA = 0.99


def reward_to_go(rewards, mask, gamma):
    discounts = gamma ** torch.arange(rewards.shape[1], dtype=rewards.dtype)
    discounted = discounts * rewards * mask
    return discounted.flip(1).cumsum(1).flip(1) / discounts * mask


def reinforce_loss(logits, actions, returns, mask):
    surprise = -Categorical(logits=logits).log_prob(actions)
    return (surprise * returns * mask).sum() / len(returns)


class Policy:
    def __init__(self, observations, actions, generator):
        self.net = torch.nn.Sequential(
            torch.nn.Linear(observations, 32),
            torch.nn.Tanh(),
            torch.nn.Linear(32, actions),
        ).to(torch.float64)

    def learn(self, env, steps, generator):
        self.optimiser = torch.optim.Adam(self.net.parameters(), lr=0.01)
        done = 0
        while done <= steps - 200:
            done += self.update(env)
        return done

    def update(self, env):
        log_probs, rewards, masks = [], [], []
        seen, _ = env.reset()
        alive = torch.ones(env.num_envs, dtype=torch.float64)
        while alive.sum() > 0:
            pi = Categorical(logits=self.net(torch.tensor(seen)))
            actions = pi.sample()
            seen, reward, terminated, truncated, _ = env.step(actions.numpy())
            log_probs.append(pi.log_prob(actions))
            rewards.append(torch.tensor(reward))
            masks.append(alive)
            alive = alive * torch.tensor(~terminated & ~truncated)
        mask = torch.stack(masks, dim=1)
        returns = reward_to_go(torch.stack(rewards, dim=1), mask, GAMMA)
        loss = -(torch.stack(log_probs, dim=1) * returns).sum(dim=1).mean()
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()
        return len(rewards)

    @torch.no_grad()
    def act(self, observations):
        return Categorical(logits=self.net(observations)).probs.argmax(dim=-1)
