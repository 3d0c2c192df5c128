"""Baselines in policy gradients. Fill in the bodies; keep the signatures.

Tensors are float64, states and actions int64. n is the number of trajectories (m where these are
all that can occur), t the number of steps, s the number of states, a the number of actions. The
policy is a softmax over the rows of `theta`: π(a|s) = exp θ[s, a] / Σ_a' exp θ[s, a'].
`rewards[i, t]` follows `actions[i, t]`; there is no discounting.
"""

from jaxtyping import Float64, Int64
from torch import Tensor


def pg_baseline(
    states: Int64[Tensor, "n t"],
    actions: Int64[Tensor, "n t"],
    rewards: Float64[Tensor, "n t"],
    theta: Float64[Tensor, "s a"],
    baseline: Float64[Tensor, "t s"],
) -> Float64[Tensor, "n s a"]:
    """Reward-to-go policy gradient with baseline b_t(s_t), one estimate a trajectory."""
    raise NotImplementedError


def optimal_baseline(
    scores: Float64[Tensor, "n p"],
    returns: Float64[Tensor, " n"],
    weights: Float64[Tensor, " n"],
) -> Float64[Tensor, ""]:
    """The constant b that minimises the total variance of (R - b)·score under `weights`."""
    raise NotImplementedError


def optimal_state_baseline(
    states: Int64[Tensor, "m t"],
    actions: Int64[Tensor, "m t"],
    rewards: Float64[Tensor, "m t"],
    theta: Float64[Tensor, "s a"],
    weights: Float64[Tensor, " m"],
) -> Float64[Tensor, "t s"]:
    """The table b_t(s) that minimises the total variance of `pg_baseline` under `weights`."""
    raise NotImplementedError


def ema_baseline(returns: Float64[Tensor, " n"], beta: float) -> Float64[Tensor, " n"]:
    """Exponential moving average of the returns of earlier trajectories, starting from 0."""
    raise NotImplementedError


def fit_baseline(
    states: Int64[Tensor, "n t"],
    actions: Int64[Tensor, "n t"],
    rewards: Float64[Tensor, "n t"],
    theta: Float64[Tensor, "s a"],
) -> Float64[Tensor, "t s"]:
    """A baseline b_t(s) estimated from sampled trajectories, for use on other trajectories."""
    raise NotImplementedError
