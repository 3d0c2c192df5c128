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
            return torch.max(self.network(observations), dim=1)[1]


def episode_score(rewards, lives, game_over):
    total = torch.zeros((), dtype=rewards.dtype)
    for reward, over in zip(rewards, game_over):
        total = total + reward
        if over:
            break
    return total
