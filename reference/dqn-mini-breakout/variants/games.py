"""λ-returns game by game with plain numbers; a convolution as wide as the board; lists of steps."""

import torch
from torch import nn

ROLLOUT, PASSES, RATE = 32, 4, 2e-3


def lambda_returns(rewards, q_next, terminated, truncated, gamma, lam):
    found = torch.empty_like(rewards)
    for game in range(rewards.shape[1]):
        later = None
        for t in range(rewards.shape[0] - 1, -1, -1):
            value = q_next[t, game].max().item()
            if terminated[t, game]:
                future = 0.0
            elif later is None or truncated[t, game]:
                future = value
            else:
                future = value + lam * (later - value)
            later = rewards[t, game].item() + gamma * future
            found[t, game] = later
    return found


class Player(nn.Module):
    def __init__(self, channels, actions, generator):
        super().__init__()
        self.board = nn.Conv2d(channels, 64, 10)
        self.norm = nn.LayerNorm(64)
        self.head = nn.Linear(64, actions)
        for layer, inputs in ((self.board, 100 * channels), (self.head, 64)):
            for parameter in layer.parameters():
                edge = inputs**-0.5
                parameter.data.uniform_(-edge, edge, generator=generator)

    def forward(self, observations):
        found = self.board(observations.float()).flatten(1)
        return self.head(torch.relu(self.norm(found)))

    def learn(self, env, steps, generator):
        self.optimiser = torch.optim.Adam(self.parameters(), lr=RATE)
        state = torch.tensor(env.reset()[0])
        waiting = torch.zeros(env.num_envs, dtype=torch.bool)
        for used in range(0, steps - ROLLOUT + 1, ROLLOUT):
            for group in self.optimiser.param_groups:
                group["lr"] = RATE * (steps - used) / steps
            epsilon = max(0.05, 1.0 - 0.95 * used / (0.3 * steps))
            record = []
            for _ in range(ROLLOUT):
                chance = torch.full((env.num_envs,), epsilon)
                explore = torch.bernoulli(chance, generator=generator).bool()
                actions = self.act(state)
                number = int(explore.sum())
                actions[explore] = torch.randint(
                    self.head.out_features, (number,), generator=generator
                )
                seen, rewards, lost, cut, _ = env.step(actions.numpy())
                following = torch.tensor(seen)
                outcome = torch.tensor(rewards), torch.tensor(lost), torch.tensor(cut)
                record.append((state, actions, following, *outcome, waiting))
                state, waiting = following, outcome[1].logical_or(outcome[2])
            self.improve(record, generator)
        return steps // ROLLOUT * ROLLOUT

    def improve(self, record, generator):
        states, actions, following, rewards, lost, cut, waiting = (
            torch.stack(column) for column in zip(*record, strict=True)
        )
        with torch.no_grad():
            values = self(following.flatten(0, 1)).unflatten(0, rewards.shape)
        returns = lambda_returns(rewards, values.to(torch.float64), lost, cut, 0.95, 0.8)
        played = waiting.logical_not()
        states, actions, returns = states[played], actions[played], returns[played].float()
        for _ in range(PASSES):
            for rows in torch.randperm(len(states), generator=generator).split(256):
                values = self(states[rows])
                chosen = values[torch.arange(len(rows)), actions[rows]]
                loss = nn.functional.mse_loss(chosen, returns[rows])
                self.optimiser.zero_grad()
                loss.backward()
                self.optimiser.step()

    def act(self, observations):
        with torch.no_grad():
            return self(observations).max(dim=1).indices
