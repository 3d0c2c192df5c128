"""Targets, loss and target network of deep Q-learning, as on S1 "Q-Learning".

L_i(θ_i) = E[(y - Q(s, a; θ_i))²] with y = r + γ max_a' Q(s', a'; θ_{i-1}), where θ_{i-1} is the
target network's and y is a number. Sources: Mnih et al. 2013, equations 2 and 3, and Mnih et al.
2015 for the copy every C updates; Pardo et al. 2018 for episodes that are cut off.
"""

import torch
from jaxtyping import Bool, Float64, Int64
from torch import Tensor


def _targets(
    rewards: Float64[Tensor, " b"],
    discounts: Float64[Tensor, " b"],
    q_next: Float64[Tensor, "b a"],
) -> Float64[Tensor, " b"]:
    """y = r + γ max_a' Q(s', a'), where the discount of the transition is γ or 0."""
    return rewards + discounts * q_next.max(dim=1).values


def dqn_targets(
    rewards: Float64[Tensor, " b"],
    q_next: Float64[Tensor, "b a"],
    terminated: Bool[Tensor, " b"],
    truncated: Bool[Tensor, " b"],
    gamma: float,
) -> Float64[Tensor, " b"]:
    """y = r + γ (1 - d) max_a' Q(s', a'), where d = 1 only for a terminal s'."""
    d = terminated.double()
    return _targets(rewards, gamma * (1 - d), q_next)


def _taken(q: Float64[Tensor, "b a"], actions: Int64[Tensor, " b"]) -> Float64[Tensor, " b"]:
    """Q(s, a) of the action that was taken."""
    return q.gather(1, actions[:, None]).squeeze(1)


def dqn_loss(
    q: Float64[Tensor, "b a"], actions: Int64[Tensor, " b"], targets: Float64[Tensor, " b"]
) -> Float64[Tensor, ""]:
    """L = 1/B Σ (y - Q(s, a))²."""
    error = targets - _taken(q, actions)
    return (error**2).mean()


def huber_loss(
    q: Float64[Tensor, "b a"],
    actions: Int64[Tensor, " b"],
    targets: Float64[Tensor, " b"],
    delta: float,
) -> Float64[Tensor, ""]:
    """1/B Σ h(e), with h(e) = ½ e² where |e| ≤ δ and δ (|e| - ½ δ) elsewhere."""
    e = (targets - _taken(q, actions)).abs()
    return torch.where(e <= delta, 0.5 * e**2, delta * (e - 0.5 * delta)).mean()


def update_direction(
    q: Float64[Tensor, "b a"], actions: Int64[Tensor, " b"], targets: Float64[Tensor, " b"]
) -> Float64[Tensor, "b a"]:
    """-½ ∂L/∂Q = 1/B (y - Q(s, a)) at the taken action, 0 at the others."""
    error = targets - _taken(q, actions)
    return torch.zeros_like(q).scatter(1, actions[:, None], error[:, None] / len(error))


def td_loss_linear(
    weights: Float64[Tensor, "d a"],
    phi: Float64[Tensor, "b d"],
    actions: Int64[Tensor, " b"],
    rewards: Float64[Tensor, " b"],
    phi_next: Float64[Tensor, "b d"],
    discounts: Float64[Tensor, " b"],
) -> Float64[Tensor, ""]:
    """L of Q(s, ·) = φ(s) W, its target a constant."""
    y = _targets(rewards, discounts, phi_next @ weights).detach()
    return dqn_loss(phi @ weights, actions, y)


class Learner:
    """θ_i learns; θ_{i-1} is a copy of it that is renewed every C updates."""

    def __init__(
        self, weights: Float64[Tensor, "d a"], learning_rate: float, sync_every: int
    ) -> None:
        self.online = weights.clone()
        self.learning_rate, self.sync_every = learning_rate, sync_every
        self.updates = 0
        self.sync()

    def sync(self) -> None:
        self.target = self.online.clone()

    def step(
        self,
        phi: Float64[Tensor, "b d"],
        actions: Int64[Tensor, " b"],
        rewards: Float64[Tensor, " b"],
        phi_next: Float64[Tensor, "b d"],
        discounts: Float64[Tensor, " b"],
    ) -> Float64[Tensor, ""]:
        """W ← W - α ∂L/∂W in place; after every C-th update the copy is renewed."""
        y = _targets(rewards, discounts, self.target_values(phi_next))
        weights = self.online.clone().requires_grad_()
        loss = dqn_loss(phi @ weights, actions, y)
        (gradient,) = torch.autograd.grad(loss, weights)
        self.online -= self.learning_rate * gradient
        self.updates += 1
        if self.updates % self.sync_every == 0:
            self.sync()
        return loss.detach()

    def online_values(self, phi: Float64[Tensor, "b d"]) -> Float64[Tensor, "b a"]:
        return phi @ self.online

    def target_values(self, phi: Float64[Tensor, "b d"]) -> Float64[Tensor, "b a"]:
        return phi @ self.target
