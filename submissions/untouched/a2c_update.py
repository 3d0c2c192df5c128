"""Losses and update of advantage actor-critic. Fill in the bodies; keep the signatures.

Tensors are float64, actions int64. A rollout has n rows (environments, or trajectories) of t steps;
b counts steps of which nothing but their own numbers is known, a counts actions and d features of a
state. Actor and critic are linear where weights are given: the logits of a state with features x
are x @ theta, its value is x @ phi. `next_features` and `next_values` belong to the state that a
step led to, even where the episode ended there.
"""

from jaxtyping import Bool, Float64, Int64
from torch import Tensor


def n_step_returns(
    rewards: Float64[Tensor, "n t"],
    next_values: Float64[Tensor, "n t"],
    terminated: Bool[Tensor, "n t"],
    truncated: Bool[Tensor, "n t"],
    gamma: float,
    n_steps: int,
) -> Float64[Tensor, "n t"]:
    """Discounted sum of up to `n_steps` rewards, then the value of the state that was reached."""
    raise NotImplementedError


def advantage(q: Float64[Tensor, "b a"], logits: Float64[Tensor, "b a"]) -> Float64[Tensor, "b a"]:
    """A(s, a) = Q(s, a) - V(s) of every action, where V follows from Q and the policy."""
    raise NotImplementedError


def actor_loss(
    logits: Float64[Tensor, "b a"],
    actions: Int64[Tensor, " b"],
    advantages: Float64[Tensor, " b"],
) -> Float64[Tensor, ""]:
    """The loss whose descent makes actions of positive advantage likelier; a mean over steps."""
    raise NotImplementedError


def critic_loss(
    values: Float64[Tensor, " b"], returns: Float64[Tensor, " b"]
) -> Float64[Tensor, ""]:
    """Mean squared difference of value and return."""
    raise NotImplementedError


def entropy(logits: Float64[Tensor, "b a"]) -> Float64[Tensor, " b"]:
    """Entropy of the policy in every state, in nats."""
    raise NotImplementedError


def a2c_loss(
    theta: Float64[Tensor, "d a"],
    phi: Float64[Tensor, " d"],
    features: Float64[Tensor, "n t d"],
    next_features: Float64[Tensor, "n t d"],
    actions: Int64[Tensor, "n t"],
    rewards: Float64[Tensor, "n t"],
    terminated: Bool[Tensor, "n t"],
    truncated: Bool[Tensor, "n t"],
    gamma: float,
    n_steps: int,
    value_weight: float,
    entropy_weight: float,
) -> Float64[Tensor, ""]:
    """Actor's loss plus `value_weight` times critic's, less `entropy_weight` times entropy."""
    raise NotImplementedError


def a2c_update(
    theta: Float64[Tensor, "d a"],
    phi: Float64[Tensor, " d"],
    features: Float64[Tensor, "n t d"],
    next_features: Float64[Tensor, "n t d"],
    actions: Int64[Tensor, "n t"],
    rewards: Float64[Tensor, "n t"],
    terminated: Bool[Tensor, "n t"],
    truncated: Bool[Tensor, "n t"],
    gamma: float,
    n_steps: int,
    alpha: float,
    beta: float,
) -> tuple[Float64[Tensor, "d a"], Float64[Tensor, " d"]]:
    """New theta (rate `alpha`) and phi (rate `beta`) after one iteration of the lecture's box."""
    raise NotImplementedError
