"""Targets, losses and target network of deep Q-learning. Fill in the bodies; keep the signatures.

Tensors are float64. B is the batch of transitions (s, a, r, s'), A the number of actions, D the
number of features of a state. Actions are numbered from 0. `terminated` says that s' is a
terminal state, `truncated` that the episode was cut off at s' for another reason (a time limit).
Where one argument `discounts` stands for both, it is γ, or 0 for a transition without a future.
"""

from jaxtyping import Bool, Float64, Int64
from torch import Tensor


def dqn_targets(
    rewards: Float64[Tensor, " b"],
    q_next: Float64[Tensor, "b a"],
    terminated: Bool[Tensor, " b"],
    truncated: Bool[Tensor, " b"],
    gamma: float,
) -> Float64[Tensor, " b"]:
    """y = E[r + γ max_a' Q(s', a')] of every transition; q_next[b, a'] is Q(s', a')."""
    raise NotImplementedError


def dqn_loss(
    q: Float64[Tensor, "b a"], actions: Int64[Tensor, " b"], targets: Float64[Tensor, " b"]
) -> Float64[Tensor, ""]:
    """Mean over the batch of (y - Q(s, a))²; q[b, a] is Q(s, a)."""
    raise NotImplementedError


def huber_loss(
    q: Float64[Tensor, "b a"],
    actions: Int64[Tensor, " b"],
    targets: Float64[Tensor, " b"],
    delta: float,
) -> Float64[Tensor, ""]:
    """Mean over the batch of Huber's function of y - Q(s, a), quadratic up to `delta`."""
    raise NotImplementedError


def update_direction(
    q: Float64[Tensor, "b a"], actions: Int64[Tensor, " b"], targets: Float64[Tensor, " b"]
) -> Float64[Tensor, "b a"]:
    """The slide's bracket: the direction of -½ times the gradient of dqn_loss with respect to q."""
    raise NotImplementedError


def td_loss_linear(
    weights: Float64[Tensor, "d a"],
    phi: Float64[Tensor, "b d"],
    actions: Int64[Tensor, " b"],
    rewards: Float64[Tensor, " b"],
    phi_next: Float64[Tensor, "b d"],
    discounts: Float64[Tensor, " b"],
) -> Float64[Tensor, ""]:
    """dqn_loss of Q(s, ·) = φ(s) W, with targets from the same W, held constant."""
    raise NotImplementedError


class Learner:
    """Q(s, ·) = φ(s) W with online weights that learn and target weights that are copied."""

    def __init__(
        self, weights: Float64[Tensor, "d a"], learning_rate: float, sync_every: int
    ) -> None:
        """Both sets of weights start at `weights`."""
        raise NotImplementedError

    def step(
        self,
        phi: Float64[Tensor, "b d"],
        actions: Int64[Tensor, " b"],
        rewards: Float64[Tensor, " b"],
        phi_next: Float64[Tensor, "b d"],
        discounts: Float64[Tensor, " b"],
    ) -> Float64[Tensor, ""]:
        """One step of gradient descent on dqn_loss; returns the loss before the step."""
        raise NotImplementedError

    def online_values(self, phi: Float64[Tensor, "b d"]) -> Float64[Tensor, "b a"]:
        """Q(s, ·) by the online weights."""
        raise NotImplementedError

    def target_values(self, phi: Float64[Tensor, "b d"]) -> Float64[Tensor, "b a"]:
        """Q(s, ·) by the target weights."""
        raise NotImplementedError
