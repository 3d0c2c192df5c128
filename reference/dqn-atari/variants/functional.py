"""The same player as a pure function of its weights: no modules, channels last, pooled by hand.

The learner keeps its weights in a dictionary, fills arrays made beforehand, and uses Adam.
"""

from collections.abc import Mapping

import gymnasium
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float64, Int64, UInt8
from safetensors import safe_open
from torch import Tensor


def read(checkpoint: str) -> dict[str, Tensor]:
    weights = {}
    with safe_open(checkpoint, framework="pt") as file:
        for name in file.keys():
            weights[name] = file.get_tensor(name)
    return weights


def block(x: Tensor, w: Mapping[str, Tensor], i: int, stride: int) -> Tensor:
    """Convolution, normalisation over all of a sample's features, rectification."""
    kernel = w[f"conv{i}.weight"].contiguous(memory_format=torch.channels_last)
    x = F.conv2d(x, kernel, w[f"conv{i}.bias"], stride)
    scale = w[f"norm{i}.weight"]
    return F.relu(F.layer_norm(x, scale.shape, scale, w[f"norm{i}.bias"]))


def q_values(w: Mapping[str, Tensor], frames: Tensor) -> Tensor:
    """[b 4 84 84] uint8 -> [b 6]."""
    b = frames.shape[0]
    # Pool 2x2 as a sum of integers: exact, and only a quarter of the pixels becomes float.
    tiles = frames.view(b, 4, 42, 2, 42, 2).sum(dim=(3, 5), dtype=torch.int32)
    x = (tiles.float() / (4 * 255) - w["usual"]) / w["spread"]
    x = F.hardtanh(x, -3.0, 3.0).contiguous(memory_format=torch.channels_last)
    for i, stride in enumerate((3, 2, 1), start=1):
        x = block(x, w, i, stride)
    x = F.linear(x.contiguous().view(b, -1), w["dense.weight"], w["dense.bias"])
    x = F.relu(F.layer_norm(x, (256,), w["norm4.weight"], w["norm4.bias"]))
    return F.linear(x, w["head.weight"], w["head.bias"])


class Player:
    def __init__(self, checkpoint: str) -> None:
        self.weights = read(checkpoint)

    def act(self, observations: UInt8[Tensor, "b 4 84 84"]) -> Int64[Tensor, " b"]:
        with torch.inference_mode():
            best = q_values(self.weights, observations.contiguous()).max(dim=-1).indices
        return best.clone()


def tiles(frames: Tensor) -> Tensor:
    """[b c 84 84] uint8 -> means of two by two pixels, [b c 42 42] in 0..1."""
    b, c = frames.shape[:2]
    return frames.reshape(b, c, 42, 2, 42, 2).sum(dim=(3, 5), dtype=torch.int32) / (4 * 255)


def layer(generator: torch.Generator, *shape: int) -> tuple[Tensor, Tensor]:
    """Weights and biases, uniform within 1/sqrt(inputs)."""
    bound = 1 / torch.Size(shape[1:]).numel() ** 0.5
    weight = torch.empty(shape).uniform_(-bound, bound, generator=generator)
    bias = torch.empty(shape[0]).uniform_(-bound, bound, generator=generator)
    return weight, bias


def small(w: Mapping[str, Tensor], x: Tensor) -> Tensor:
    """Values [b 6] of standardised pictures [b 4 42 42]."""
    for name, stride in (("a", 3), ("b", 2)):
        x = F.conv2d(x, w[name], w[name + "0"], stride)
        x = F.relu(F.layer_norm(x, w[name + "1"].shape, w[name + "1"], w[name + "2"]))
    x = F.linear(x.flatten(1), w["c"], w["c0"])
    x = F.relu(F.layer_norm(x, (128,), w["c1"], w["c2"]))
    return F.linear(x, w["d"], w["d0"])


class Learner:
    def __init__(self, generator: torch.Generator) -> None:
        w = {}
        w["a"], w["a0"] = layer(generator, 16, 4, 6, 6)
        w["b"], w["b0"] = layer(generator, 32, 16, 4, 4)
        w["c"], w["c0"] = layer(generator, 128, 800)
        w["d"], w["d0"] = layer(generator, 6, 128)
        for name, shape in (("a", (16, 13, 13)), ("b", (32, 5, 5)), ("c", (128,))):
            w[name + "1"], w[name + "2"] = torch.ones(shape), torch.zeros(shape)
        self.w = {name: value.requires_grad_() for name, value in w.items()}
        self.middle, self.width = torch.zeros(42, 42), torch.ones(42, 42)

    def seen(self, frames) -> Tensor:
        x = tiles(torch.as_tensor(frames))
        return torch.clamp((x - self.middle) / self.width, -3, 3)

    def learn(self, env: gymnasium.vector.VectorEnv, steps: int, generator: torch.Generator) -> int:
        N, T, γ, λ = env.num_envs, 32, 0.95, 0.9
        pictures, used = [torch.as_tensor(env.reset()[0])[:, -1:]], 0
        while used < min(480, steps):
            drawn = torch.randint(0, 6, (N,), generator=generator)
            frames, *_ = env.step(drawn.numpy())
            used += 1
            if used % 10 == 0:
                pictures.append(torch.as_tensor(frames)[:, -1:])
        x = tiles(torch.cat(pictures))[:, 0]
        self.middle, self.width = x.mean(0), x.std(0).clamp_min(0.05)
        adam = torch.optim.Adam(list(self.w.values()), lr=1e-3)
        X, A = torch.zeros(T + 1, N, 4, 42, 42), torch.zeros(T, N, dtype=torch.int64)
        R = torch.zeros(T, N)
        over, cut, idle = (torch.zeros(T, N, dtype=torch.bool) for _ in range(3))
        X[T] = self.seen(env.reset()[0])
        ended = torch.zeros(N, dtype=torch.bool)
        for first in range(used, steps - T + 1, T):
            adam.param_groups[0]["lr"] = 1e-3 - (1e-3 - 5e-5) * first / steps
            ε = max(0.05, 1 - 0.95 * first / (0.3 * steps))
            X[0] = X[T].clone()
            for t in range(T):
                with torch.inference_mode():
                    greedy = small(self.w, X[t]).argmax(1)
                at_random = torch.rand(N, generator=generator) < ε
                drawn = torch.randint(0, 6, (N,), generator=generator)
                A[t], idle[t] = torch.where(at_random, drawn, greedy), ended
                frames, *outcome, _ = env.step(A[t].numpy())
                R[t], over[t], cut[t] = map(torch.as_tensor, outcome)
                ended = over[t] | cut[t]
                X[t + 1] = self.seen(frames)
            used = first + T
            self.fit(adam, (X, A, R, over, cut, ~idle), (γ, λ), generator)
        return used

    def fit(self, adam, rollout, constants, generator: torch.Generator) -> None:
        X, A, R, over, cut, counts = rollout
        γ, λ = constants
        T, N = R.shape
        with torch.no_grad():
            best = small(self.w, X[1:].flatten(0, 1)).max(1).values.view(T, N)
        keep = γ * (~over).float()
        mix = λ * (~cut).float()
        y = [best[-1]]
        for t in range(T - 1, -1, -1):
            y.insert(0, R[t] + keep[t] * (best[t] + mix[t] * (y[0] - best[t])))
        rows = counts.flatten().nonzero()[:, 0]
        X, A, y = X[:-1].flatten(0, 1)[rows], A.flatten()[rows], torch.cat(y[:-1])[rows]
        for _ in range(2):
            order = torch.randperm(len(rows), generator=generator)
            for some in order.split(64):
                chosen = small(self.w, X[some])[torch.arange(len(some)), A[some]]
                loss = F.mse_loss(chosen, y[some]) / 2
                adam.zero_grad()
                loss.backward()
                torch.nn.utils.clip_grad_norm_(list(self.w.values()), 10.0)
                adam.step()

    def act(self, observations: UInt8[Tensor, "b 4 84 84"]) -> Int64[Tensor, " b"]:
        with torch.inference_mode():
            best = small(self.w, self.seen(observations)).max(dim=-1).indices
        return best.clone()


def episode_score(
    rewards: Float64[Tensor, " t"], lives: Int64[Tensor, " t"], game_over: Bool[Tensor, " t"]
) -> Float64[Tensor, ""]:
    """A mask instead of an index: a step counts if no game ended before it."""
    ended_before = game_over.cumsum(0) - game_over.long() > 0
    return torch.where(ended_before, torch.zeros_like(rewards), rewards).sum()
