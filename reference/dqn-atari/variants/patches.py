"""The same player, convolutions written out: cut patches, multiply by a matrix; in float64.

Two actions of almost equal value may be ranked otherwise than in float32, and the games then take
another course; on average the scores are the same.
"""

from jaxtyping import Bool, Float64, Int64, UInt8
from safetensors.torch import load_file
from torch import Tensor, einsum, float64, no_grad


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
