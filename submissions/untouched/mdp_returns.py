"""Returns and probabilities of trajectories. Fill in the bodies; keep the signatures.

Rewards and probabilities are float64, states and actions int64, masks Bool. b is the number of
trajectories, each by itself; t is the number of steps, s of states, a of actions. The reward of
step t follows the action of step t.
"""

from jaxtyping import Bool, Float64, Int64
from torch import Tensor


def stream_returns(
    rewards: Float64[Tensor, " t"], ends: Bool[Tensor, " t"], gamma: float
) -> Float64[Tensor, " t"]:
    """G_t of every step of episodes one after the other; `ends` is true at their last steps."""
    raise NotImplementedError


def padded_returns(
    rewards: Float64[Tensor, "b t"], mask: Bool[Tensor, "b t"], gamma: float
) -> Float64[Tensor, "b t"]:
    """G_t of every step of one episode a row; 0 where `mask` is false."""
    raise NotImplementedError


def trajectory_return(
    rewards: Float64[Tensor, "b t"], mask: Bool[Tensor, "b t"], gamma: float
) -> Float64[Tensor, " b"]:
    """R(τ) = Σ_t γ^t r_t over the steps where `mask` is true."""
    raise NotImplementedError


def log_prob(
    states: Int64[Tensor, "b t"],
    actions: Int64[Tensor, "b t"],
    last: Int64[Tensor, " b"],
    mask: Bool[Tensor, "b t"],
    start: Float64[Tensor, " s"],
    policy: Float64[Tensor, "s a"],
    transitions: Float64[Tensor, "s a s"],
) -> Float64[Tensor, " b"]:
    """ln p(τ) of every trajectory, from its first state to `last`, the state after its steps."""
    raise NotImplementedError
