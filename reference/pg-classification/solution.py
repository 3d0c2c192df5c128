"""Classification by policy gradient beside cross-entropy, as on S3 "RL for Classification".

z are the logits, y = softmax z, a and t one-hot action and target. REINFORCE moves z by r (a - y),
logistic regression by t - y; the mean of the first over a ~ y is (r_right - r_wrong) y_t times the
second. Sources: S3 "RL for Classification" and "Reward Baselines"; Williams 1992.
"""

import torch
from jaxtyping import Float64, Int64
from torch import Tensor
from torch.nn.functional import one_hot


def _score(logits: Float64[Tensor, "b k"], classes: Int64[Tensor, " b"]) -> Float64[Tensor, "b k"]:
    """∂ log y_c / ∂z = c - y for classes c."""
    y = logits.softmax(dim=1)
    return one_hot(classes, logits.shape[1]) - y


def _at(table: Float64[Tensor, "b k"], classes: Int64[Tensor, " b"]) -> Float64[Tensor, "b 1"]:
    """The entry of each row at its class."""
    return table.gather(1, classes[:, None])


def _rewards(
    logits: Float64[Tensor, "b k"], targets: Int64[Tensor, " b"], r_wrong: float, r_right: float
) -> Float64[Tensor, "b k"]:
    """r(a, t) of every action."""
    return torch.full_like(logits, r_wrong).scatter(1, targets[:, None], r_right)


def reinforce_update(
    logits: Float64[Tensor, "b k"],
    actions: Int64[Tensor, " b"],
    targets: Int64[Tensor, " b"],
    r_wrong: float,
    r_right: float,
) -> Float64[Tensor, "b k"]:
    """r (a - y)."""
    r = _at(_rewards(logits, targets, r_wrong, r_right), actions)
    return r * _score(logits, actions)


def cross_entropy_update(
    logits: Float64[Tensor, "b k"], targets: Int64[Tensor, " b"]
) -> Float64[Tensor, "b k"]:
    """t - y."""
    return _score(logits, targets)


def _expected(
    logits: Float64[Tensor, "b k"], targets: Int64[Tensor, " b"], r_wrong: float, r_right: float
) -> Float64[Tensor, "b k"]:
    """(r_right - r_wrong) y_t (t - y): what r_wrong adds to all rewards has the mean zero."""
    y_t = _at(logits.softmax(dim=1), targets)
    return (r_right - r_wrong) * y_t * _score(logits, targets)


def expected_update(
    logits: Float64[Tensor, "b k"], targets: Int64[Tensor, " b"], r_wrong: float, r_right: float
) -> Float64[Tensor, "b k"]:
    """E[r (a - y)] over a ~ y."""
    return _expected(logits, targets, r_wrong, r_right)


def _lengths(logits: Float64[Tensor, "b k"]) -> Float64[Tensor, "b k"]:
    """|a - y|² = 1 - 2 y_a + Σ_k y_k² of every action a."""
    y = logits.softmax(dim=1)
    return 1 - 2 * y + (y**2).sum(dim=1, keepdim=True)


def total_variance(
    logits: Float64[Tensor, "b k"],
    targets: Int64[Tensor, " b"],
    r_wrong: float,
    r_right: float,
    baselines: Float64[Tensor, " b"],
) -> Float64[Tensor, " b"]:
    """E[(r - b)² |a - y|²] - |E[r (a - y)]|²."""
    advantage = _rewards(logits, targets, r_wrong, r_right) - baselines[:, None]
    square = (logits.softmax(dim=1) * advantage**2 * _lengths(logits)).sum(dim=1)
    mean = _expected(logits, targets, r_wrong, r_right)
    return square - (mean**2).sum(dim=1)


def log_prob_changes(
    logits: Float64[Tensor, "b k"], targets: Int64[Tensor, " b"], r_wrong: float, r_right: float
) -> Float64[Tensor, "b k"]:
    """∇_z log y_a · r (a - y) = r |a - y|²."""
    return _rewards(logits, targets, r_wrong, r_right) * _lengths(logits)


def policy_loss(
    weights: Float64[Tensor, "d k"],
    images: Float64[Tensor, "b d"],
    actions: Int64[Tensor, " b"],
    targets: Int64[Tensor, " b"],
    r_wrong: float,
    r_right: float,
) -> Float64[Tensor, ""]:
    """-1/B Σ r log y_a."""
    logits = images @ weights
    r = _at(_rewards(logits, targets, r_wrong, r_right), actions)
    log_y = logits.log_softmax(dim=1)
    return -(r * _at(log_y, actions)).mean()


def train(
    weights: Float64[Tensor, "d k"],
    images: Float64[Tensor, "b d"],
    targets: Int64[Tensor, " b"],
    r_wrong: float,
    r_right: float,
    rate: float,
    steps: int,
) -> tuple[Float64[Tensor, "d k"], Float64[Tensor, "d k"]]:
    """W ← W + α 1/B Σ x uᵀ, with u = E[r (a - y)] for one and u = t - y for the other."""
    by_reward, by_cross_entropy = weights.clone(), weights.clone()
    for _ in range(steps):
        u = _expected(images @ by_reward, targets, r_wrong, r_right)
        by_reward = by_reward + rate * images.T @ u / len(images)
        u = _score(images @ by_cross_entropy, targets)
        by_cross_entropy = by_cross_entropy + rate * images.T @ u / len(images)
    return by_reward, by_cross_entropy
