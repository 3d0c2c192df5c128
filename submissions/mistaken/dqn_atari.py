import torch
from safetensors.torch import load_file
from torch import nn


def conv(inputs, outputs, kernel, stride, size):
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride), nn.LayerNorm((outputs, size, size)), nn.ReLU()
    )


class Standardise(nn.Module):
    """Half the resolution, minus what a pixel usually shows, in units of its spread."""

    def __init__(self, usual, spread):
        super().__init__()
        self.usual, self.spread = usual, spread

    def forward(self, frames):
        small = frames.unfold(2, 2, 2).unfold(3, 2, 2).float().mean((-2, -1)) / 255
        return torch.clamp((small - self.usual) / self.spread, min=-3, max=3)


class Player:
    def __init__(self, checkpoint):
        weights = load_file(checkpoint)
        body = nn.Sequential(
            conv(4, 32, 6, 3, 13),
            conv(32, 64, 4, 2, 5),
            conv(64, 64, 3, 1, 3),
            nn.Sequential(nn.Flatten(), nn.Linear(576, 256)),
            nn.LayerNorm(256),
            nn.ReLU(),
            nn.Linear(256, 6),
        )
        names = {"3.1": "dense", "4": "norm4", "6": "head"}
        for i in range(3):
            names |= {f"{i}.0": f"conv{i + 1}", f"{i}.1": f"norm{i + 1}"}
        body.load_state_dict(
            {f"{k}.{part}": weights[f"{v}.{part}"] for k, v in names.items() for part in ("weight", "bias")}
        )
        self.network = nn.Sequential(Standardise(weights["usual"], weights["spread"]), body).eval()

    def act(self, observations):
        with torch.no_grad():
            newest_first = observations.flip(1)
            return torch.max(self.network(newest_first), dim=1)[1]


class Learner:
    def __init__(self, generator):
        self.net = nn.Sequential(
            conv(4, 16, 6, 3, 13),
            conv(16, 32, 4, 2, 5),
            nn.Sequential(nn.Flatten(), nn.Linear(800, 128)),
            nn.LayerNorm(128),
            nn.ReLU(),
            nn.Linear(128, 6),
        )
        self.usual, self.spread = torch.zeros(42, 42), torch.ones(42, 42)

    def see(self, frames):
        small = nn.functional.avg_pool2d(torch.as_tensor(frames).float(), 2) / 255
        return torch.clamp((small - self.usual) / self.spread, min=-3, max=3)

    def learn(self, env, steps, generator):
        n, horizon, gamma, lam = env.num_envs, 32, 0.95, 0.9
        env.reset()
        calls, shown = 0, []
        while calls < min(480, steps):
            frames = env.step(torch.randint(6, (n,), generator=generator).numpy())[0]
            calls += 1
            if calls % 10 == 0:
                shown.append(nn.functional.avg_pool2d(torch.as_tensor(frames[:, 3]).float(), 2) / 255)
        if shown:
            shown = torch.cat(shown)
            self.usual, self.spread = shown.mean(0), shown.std(0).clamp(min=0.05)

        optimiser = torch.optim.Adam(self.net.parameters(), lr=1e-3)
        x = self.see(env.reset()[0])
        resets = torch.zeros(n, dtype=torch.bool)
        while (calls + horizon) * n <= steps:
            part = calls * n / steps
            epsilon = max(0.05, 1 - 0.95 * part / 0.3)
            for group in optimiser.param_groups:
                group["lr"] = 1e-3 + (5e-5 - 1e-3) * part
            states, actions, rewards, ends, cuts, real, best = [], [], [], [], [], [], []
            for _ in range(horizon):
                with torch.no_grad():
                    q = self.net(x)
                a = q.argmax(1)
                explore = torch.rand(n, generator=generator) < epsilon
                a[explore] = torch.randint(6, (int(explore.sum()),), generator=generator)
                frames, r, end, cut, _ = env.step(a.numpy())
                end, cut = torch.as_tensor(end), torch.as_tensor(cut)
                for kept, value in zip(
                    (states, actions, rewards, ends, cuts, real, best),
                    (x, a, torch.as_tensor(r).float(), end, cut, ~resets, q.max(1)[0]),
                ):
                    kept.append(value)
                resets = end | cut
                x = self.see(frames)
            calls += horizon

            with torch.no_grad():
                best.append(self.net(x).max(1)[0])
            target, targets = best[-1], []
            for t in range(horizon - 1, -1, -1):
                ahead = (1 - lam) * best[t + 1] + lam * target
                ahead = torch.where(cuts[t], best[t + 1], ahead)
                target = rewards[t] + gamma * (~ends[t]).float() * ahead
                targets.insert(0, target)
            keep = torch.cat(real)
            s, a, y = (torch.cat(each)[keep] for each in (states, actions, targets))
            for _ in range(2):
                for rows in torch.randperm(len(s), generator=generator).split(64):
                    chosen = self.net(s[rows])[torch.arange(len(rows)), a[rows]]
                    loss = ((chosen - y[rows]) ** 2).mean() / 2
                    optimiser.zero_grad()
                    loss.backward()
                    nn.utils.clip_grad_norm_(self.net.parameters(), 10)
                    optimiser.step()
        return calls

    def act(self, observations):
        with torch.no_grad():
            return self.net(self.see(observations)).argmax(1)


def episode_score(rewards, lives, game_over):
    total = torch.zeros((), dtype=rewards.dtype)
    for reward, over in zip(rewards, game_over):
        total = total + reward.clamp(-1, 1)
        if over:
            break
    return total
