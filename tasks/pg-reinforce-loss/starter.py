"""REINFORCE: trajectories, returns and the surrogate loss. Fill in the bodies; keep the signatures.

Tensors are float64, states and actions int64. b is the number of trajectories, each by itself, and
n that of a batch which is averaged; t is the number of steps, s of states, a of actions.
`rewards[i, t]` follows `actions[i, t]`. Logarithms are natural.
"""

from jaxtyping import Float64, Int64
from torch import Tensor


def log_prob(
    states: Int64[Tensor, "b t"],
    actions: Int64[Tensor, "b t"],
    theta: Float64[Tensor, "s a"],
    start: Float64[Tensor, " s"],
    transitions: Float64[Tensor, "s a s"],
) -> Float64[Tensor, " b"]:
    """ln p(τ; θ) of every trajectory, dynamics included; differentiable by θ."""
    raise NotImplementedError


def prob_gradient(
    states: Int64[Tensor, "b t"],
    actions: Int64[Tensor, "b t"],
    theta: Float64[Tensor, "s a"],
    start: Float64[Tensor, " s"],
    transitions: Float64[Tensor, "s a s"],
) -> Float64[Tensor, "b s a"]:
    """∇_θ p(τ; θ) of every trajectory: of the probability, not of its logarithm."""
    raise NotImplementedError


def total_return(rewards: Float64[Tensor, "b t"], gamma: float) -> Float64[Tensor, "b 1"]:
    """R(τ) = Σ_t γ^t r_t, as a column."""
    raise NotImplementedError


def reward_to_go(rewards: Float64[Tensor, "b t"], gamma: float) -> Float64[Tensor, "b t"]:
    """G_t = Σ_{t' ≥ t} γ^(t' - t) r_t'."""
    raise NotImplementedError


def discounted_reward_to_go(
    rewards: Float64[Tensor, "b t"], gamma: float
) -> Float64[Tensor, "b t"]:
    """γ^t G_t."""
    raise NotImplementedError


def reinforce_loss(
    logits: Float64[Tensor, "b t a"],
    actions: Int64[Tensor, "b t"],
    weights: Float64[Tensor, "b t"],
) -> Float64[Tensor, " b"]:
    """-Σ_t w_t ln π(a_t|s_t) of every trajectory; differentiable by the logits alone."""
    raise NotImplementedError


def total_return_loss(
    logits: Float64[Tensor, "n t a"],
    actions: Int64[Tensor, "n t"],
    returns: Float64[Tensor, "n 1"],
) -> Float64[Tensor, ""]:
    """-(1/n) Σ_i R_i Σ_t ln π(a_t|s_t) of a batch; differentiable by the logits alone."""
    raise NotImplementedError
