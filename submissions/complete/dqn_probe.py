"""DQN on the probe problems: linear network, target network, replay buffer."""

import gymnasium
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

LR = 0.1
BATCH_SIZE = 64
TARGET_PERIOD = 10


def transitions(first, actions, rewards, arrived, terminated, truncated):
    t, n = actions.shape
    s, a, r, s_next, d = [], [], [], [], []
    resetting = [False] * n
    for i in range(t):
        for j in range(n):
            if resetting[j]:
                # this step only brought the first observation of a new episode
                resetting[j] = False
                continue
            s.append(first[j] if i == 0 else arrived[i - 1, j])
            a.append(actions[i, j])
            r.append(rewards[i, j])
            s_next.append(arrived[i, j])
            d.append(terminated[i, j])
            resetting[j] = bool(terminated[i, j] or truncated[i, j])
    return torch.stack(s), torch.stack(a), torch.stack(r), torch.stack(s_next), torch.stack(d)


class ReplayBuffer:
    def __init__(self, size, obs_dim):
        self.obs = np.zeros((size, obs_dim), dtype=np.float32)
        self.next_obs = np.zeros((size, obs_dim), dtype=np.float32)
        self.act = np.zeros(size, dtype=np.int64)
        self.rew = np.zeros(size, dtype=np.float32)
        self.term = np.zeros(size, dtype=np.float32)
        self.n = 0

    def store(self, obs, act, rew, next_obs, term):
        k = len(act)
        where = slice(self.n, self.n + k)
        self.obs[where], self.act[where], self.rew[where] = obs, act, rew
        self.next_obs[where], self.term[where] = next_obs, term
        self.n += k

    def sample(self, generator):
        i = torch.randint(0, self.n, (BATCH_SIZE,), generator=generator).numpy()
        arrays = (self.obs[i], self.act[i], self.rew[i], self.next_obs[i], self.term[i])
        return [torch.from_numpy(array) for array in arrays]


class Agent:
    def __init__(self, observations, actions, generator):
        self.num_actions = actions
        self.net = nn.Linear(observations, actions, bias=False)
        with torch.no_grad():
            self.net.weight.normal_(0.0, 0.1, generator=generator)
        self.target = nn.Linear(observations, actions, bias=False)
        self.sync()

    def sync(self):
        self.target.load_state_dict(self.net.state_dict())

    def learn(self, env: gymnasium.vector.VectorEnv, steps, gamma, generator):
        opt = torch.optim.Adam(self.net.parameters(), lr=LR)
        schedule = torch.optim.lr_scheduler.LinearLR(opt, 1.0, 1e-3, total_iters=2 * steps)
        buffer = ReplayBuffer(steps * env.num_envs, self.net.in_features)
        obs, _ = env.reset()
        alive = np.ones(env.num_envs, dtype=bool)
        n_updates = 0
        for _ in range(steps):
            shape = (env.num_envs,)
            act = torch.randint(0, self.num_actions, shape, generator=generator).numpy()
            next_obs, rew, term, trunc, _ = env.step(act)
            buffer.store(obs[alive], act[alive], rew[alive], next_obs[alive], term[alive])
            alive = ~(term | trunc)
            obs = next_obs
            for _ in range(2):
                self.update(opt, buffer.sample(generator), gamma)
                schedule.step()
                n_updates += 1
                if n_updates % TARGET_PERIOD == 0:
                    self.sync()
        return steps

    def update(self, opt, batch, gamma):
        obs, act, rew, next_obs, term = batch
        with torch.no_grad():
            next_q = self.target(next_obs).max(1)[0]
            y = rew + gamma * (1 - term) * next_q
        q = self.net(obs).gather(1, act.view(-1, 1)).view(-1)
        loss = F.mse_loss(q, y)
        opt.zero_grad()
        loss.backward()
        opt.step()

    def q(self, observations):
        with torch.no_grad():
            return self.net(observations.float()).double()
