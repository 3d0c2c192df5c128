"""The same player, convolutions written out: cut patches, multiply by a matrix; in float64.

Two actions of almost equal value may be ranked otherwise than in float32, and the games then take
another course; on average the scores are the same. The learner has layers in a row and float32,
looks at its pictures as it goes, and works out the targets of one game after the other.
"""

import gymnasium
import numpy as np
import torch
from jaxtyping import Bool, Float64, Int64, UInt8
from safetensors.torch import load_file
from torch import Tensor, einsum, float64, nn, no_grad


def convolve(x: Tensor, kernel: Tensor, bias: Tensor, stride: int) -> Tensor:
    """[b c y x] -> [b o y' x'], with the strided windows as two extra axes."""
    size = kernel.shape[-1]
    windows = x.unfold(2, size, stride).unfold(3, size, stride)  # [b c y' x' size size]
    return einsum("bcyxij,ocij->boyx", windows, kernel) + bias[:, None, None]


def standardise(x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """Mean 0 and variance 1 over everything but the batch, then an affine map a feature."""
    axes = tuple(range(1, x.dim()))
    centred = x - x.mean(axes, keepdim=True)
    variance = centred.pow(2).mean(axes, keepdim=True)
    return centred / (variance + 1e-5).sqrt() * scale + shift


class Player:
    def __init__(self, checkpoint: str) -> None:
        for name, value in load_file(checkpoint).items():
            setattr(self, name.replace(".", "_"), value.to(float64))

    @no_grad()
    def act(self, observations: UInt8[Tensor, "b 4 84 84"]) -> Int64[Tensor, " b"]:
        x = observations.to(float64) / 255
        x = (x[..., 0::2, :] + x[..., 1::2, :]) / 2  # rows in pairs
        x = (x[..., 0::2] + x[..., 1::2]) / 2  # columns in pairs: [b 4 42 42]
        x = ((x - self.usual) / self.spread).minimum(x.new_tensor(3)).maximum(x.new_tensor(-3))
        x = convolve(x, self.conv1_weight, self.conv1_bias, 3)
        x = standardise(x, self.norm1_weight, self.norm1_bias).clamp(min=0)
        x = convolve(x, self.conv2_weight, self.conv2_bias, 2)
        x = standardise(x, self.norm2_weight, self.norm2_bias).clamp(min=0)
        x = convolve(x, self.conv3_weight, self.conv3_bias, 1)
        x = standardise(x, self.norm3_weight, self.norm3_bias).clamp(min=0)
        x = x.reshape(len(x), -1) @ self.dense_weight.T + self.dense_bias
        x = standardise(x, self.norm4_weight, self.norm4_bias).clamp(min=0)
        Q = x @ self.head_weight.T + self.head_bias
        return Q.sort(dim=1, descending=True).indices[:, 0]


def targets(rewards, best, over, cut):
    """Peng's λ-returns of one game: four lists of the same length; best are values of s_{t+1}."""
    found, later = [], best[-1]
    for r, v, ends, stops in reversed(list(zip(rewards, best, over, cut, strict=True))):
        if ends:
            later = r
        elif stops:
            later = r + 0.95 * v
        else:
            later = r + 0.95 * (0.1 * v + 0.9 * later)
        found.append(later)
    return found[::-1]


class Learner:
    def __init__(self, generator: torch.Generator) -> None:
        self.net = nn.Sequential(
            nn.Conv2d(4, 16, 6, 3), nn.LayerNorm([16, 13, 13]), nn.ReLU(),
            nn.Conv2d(16, 32, 4, 2), nn.LayerNorm([32, 5, 5]), nn.ReLU(), nn.Flatten(),
            nn.Linear(800, 128), nn.LayerNorm(128), nn.ReLU(), nn.Linear(128, 6),
        )  # fmt: skip
        self.usual, self.spread = torch.zeros(1, 1, 42, 42), torch.ones(1, 1, 42, 42)

    def see(self, frames) -> Tensor:
        pictures = np.asarray(frames)
        quarter = pictures[..., ::2, ::2].astype(np.float32) + pictures[..., 1::2, ::2]
        quarter += pictures[..., ::2, 1::2]
        quarter += pictures[..., 1::2, 1::2]
        return ((torch.from_numpy(quarter) / 1020 - self.usual) / self.spread).clamp(-3, 3)

    def learn(self, env: gymnasium.vector.VectorEnv, steps: int, generator: torch.Generator) -> int:
        n, used = env.num_envs, 0
        env.reset()
        seen = []
        for _ in range(min(480, steps)):
            frames, *_ = env.step(torch.randint(6, (n,), generator=generator).numpy())
            used += 1
            if used % 8 == 0:
                seen.append(self.see(frames[:, 3:]))
        if not seen:
            return used
        seen = torch.cat(seen)
        self.usual = seen.mean(0, keepdim=True)
        self.spread = seen.std(0, keepdim=True).clamp(min=0.05)
        optimiser = torch.optim.RAdam(self.net.parameters())
        state, ended = self.see(env.reset()[0]), np.zeros(n, dtype=bool)
        while used + 32 <= steps:
            part = used / steps
            ε = max(0.05, 1 - 0.95 * part / 0.3)
            states, actions, counts, outcomes = [], [], [], []
            for _ in range(32):
                with no_grad():
                    chosen = self.net(state).argmax(1)
                for i in (torch.rand(n, generator=generator) < ε).nonzero().flatten():
                    chosen[i] = torch.randint(6, (), generator=generator)
                frames, rewards, over, cut, _ = env.step(chosen.numpy())
                states.append(state)
                actions.append(chosen)
                counts.append(torch.from_numpy(~ended))
                outcomes.append((rewards, over, cut))
                state, ended = self.see(frames), over | cut
                used += 1
            with no_grad():
                best = torch.stack([self.net(s).amax(1) for s in [*states[1:], state]]).T.tolist()
            rewards, over, cut = (np.stack(part).T.tolist() for part in zip(*outcomes, strict=True))
            y = torch.tensor([*map(targets, rewards, best, over, cut)]).T  # [32 n]
            for group in optimiser.param_groups:
                group["lr"] = 1e-3 + part * (5e-5 - 1e-3)
            real = torch.cat(counts)
            s, a, y = torch.cat(states)[real], torch.cat(actions)[real], y.flatten()[real]
            order = [torch.randperm(len(s), generator=generator) for _ in range(2)]
            for i in torch.cat(order).split(64):
                optimiser.zero_grad()
                q = self.net(s[i]).gather(1, a[i].unsqueeze(1)).squeeze(1)
                (q - y[i]).pow(2).mean().div(2).backward()
                nn.utils.clip_grad_norm_(self.net.parameters(), 10)
                optimiser.step()
        return used

    @no_grad()
    def act(self, observations: UInt8[Tensor, "b 4 84 84"]) -> Int64[Tensor, " b"]:
        return self.net(self.see(observations)).argmax(dim=1)


def episode_score(
    rewards: Float64[Tensor, " t"], lives: Int64[Tensor, " t"], game_over: Bool[Tensor, " t"]
) -> Float64[Tensor, ""]:
    """Step by step, as one would keep the score at the screen."""
    score = rewards.new_zeros(())
    for reward, over in zip(rewards, game_over, strict=True):
        score = score + reward
        if over:
            break
    return score
