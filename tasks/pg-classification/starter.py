"""Classification by policy gradient, beside cross-entropy. Fill in the bodies; keep the signatures.

Tensors are float64, actions and targets int64. b is the number of images, k that of classes, d that
of pixels. The policy of an image is the softmax y of its logits z; where weights are given, the
logits of an image x are x @ weights. An action is rewarded with r_right where it is the target,
else with r_wrong. Updates are directions in which logits go up.
"""

from jaxtyping import Float64, Int64
from torch import Tensor


def reinforce_update(
    logits: Float64[Tensor, "b k"],
    actions: Int64[Tensor, " b"],
    targets: Int64[Tensor, " b"],
    r_wrong: float,
    r_right: float,
) -> Float64[Tensor, "b k"]:
    """r(a, t) ∂ log y_a / ∂z of every image, for the actions that were sampled."""
    raise NotImplementedError


def cross_entropy_update(
    logits: Float64[Tensor, "b k"], targets: Int64[Tensor, " b"]
) -> Float64[Tensor, "b k"]:
    """∂ log y_t / ∂z of every image."""
    raise NotImplementedError


def expected_update(
    logits: Float64[Tensor, "b k"], targets: Int64[Tensor, " b"], r_wrong: float, r_right: float
) -> Float64[Tensor, "b k"]:
    """The mean of `reinforce_update` over actions a ~ y, exactly, of every image."""
    raise NotImplementedError


def total_variance(
    logits: Float64[Tensor, "b k"],
    targets: Int64[Tensor, " b"],
    r_wrong: float,
    r_right: float,
    baselines: Float64[Tensor, " b"],
) -> Float64[Tensor, " b"]:
    """Total variance over a ~ y of REINFORCE's update with reward r - baseline, of every image."""
    raise NotImplementedError


def log_prob_changes(
    logits: Float64[Tensor, "b k"], targets: Int64[Tensor, " b"], r_wrong: float, r_right: float
) -> Float64[Tensor, "b k"]:
    """Entry a: the rate at which log y_a changes along REINFORCE's update for the action a."""
    raise NotImplementedError


def policy_loss(
    weights: Float64[Tensor, "d k"],
    images: Float64[Tensor, "b d"],
    actions: Int64[Tensor, " b"],
    targets: Int64[Tensor, " b"],
    r_wrong: float,
    r_right: float,
) -> Float64[Tensor, ""]:
    """The loss whose descent in `weights` is REINFORCE's update, averaged over the batch."""
    raise NotImplementedError


def train(
    weights: Float64[Tensor, "d k"],
    images: Float64[Tensor, "b d"],
    targets: Int64[Tensor, " b"],
    r_wrong: float,
    r_right: float,
    rate: float,
    steps: int,
) -> tuple[Float64[Tensor, "d k"], Float64[Tensor, "d k"]]:
    """Weights after `steps` updates from the same start: by expected reward, by cross-entropy."""
    raise NotImplementedError
