"""The policy gradient theorem on MDPs with known tables. Fill in the bodies; keep the signatures.

Tensors are float64. s is the number of states, a of actions. P[s, a, t] is the probability of state
t after action a in state s, R[s, a] the expected reward of that step, h[s] the probability that an
episode begins in s, pi[s, a] = π(a|s). Policies given by `theta` [s a] are a softmax over each row.
"""

from jaxtyping import Float64
from torch import Tensor


def values(
    P: Float64[Tensor, "s a s"],
    R: Float64[Tensor, "s a"],
    pi: Float64[Tensor, "s a"],
    gamma: float,
) -> tuple[Float64[Tensor, " s"], Float64[Tensor, "s a"]]:
    """(v_π, q_π) of episodes that never end, γ < 1."""
    raise NotImplementedError


def visitation(
    P: Float64[Tensor, "s a s"],
    pi: Float64[Tensor, "s a"],
    h: Float64[Tensor, " s"],
    gamma: float,
) -> Float64[Tensor, " s"]:
    """μ(s) = Σ_k γ^k P(s_k = s), not normalised, γ < 1."""
    raise NotImplementedError


def policy_jacobian(theta: Float64[Tensor, "s a"]) -> Float64[Tensor, "s a a"]:
    """∂π(a|s)/∂θ[s, c] at [s, a, c]."""
    raise NotImplementedError


def value_gradient(
    P: Float64[Tensor, "s a s"],
    R: Float64[Tensor, "s a"],
    theta: Float64[Tensor, "s a"],
    gamma: float,
) -> Float64[Tensor, "s s a"]:
    """∂v_π(s)/∂θ[x, c] at [s, x, c], γ < 1."""
    raise NotImplementedError


def policy_gradient(
    P: Float64[Tensor, "s a s"],
    R: Float64[Tensor, "s a"],
    theta: Float64[Tensor, "s a"],
    h: Float64[Tensor, " s"],
    gamma: float,
) -> Float64[Tensor, "s a"]:
    """∇_θ J with J = Σ_s h(s) v_π(s), γ < 1; an equality, not up to a factor."""
    raise NotImplementedError


def finite_horizon_gradient(
    P: Float64[Tensor, "s a s"],
    R: Float64[Tensor, "s a"],
    theta: Float64[Tensor, "s a"],
    h: Float64[Tensor, " s"],
    gamma: float,
    horizon: int,
) -> Float64[Tensor, "s a"]:
    """∇_θ of the expected return of episodes of `horizon` steps, γ ≤ 1."""
    raise NotImplementedError


def reinforce_objective(
    theta: Float64[Tensor, "s a"],
    mu: Float64[Tensor, " s"],
    q: Float64[Tensor, "s a"],
) -> Float64[Tensor, ""]:
    """-Σ_s μ(s) Σ_a π(a|s) q(s, a) ln π(a|s); differentiable by θ, through the logarithm alone."""
    raise NotImplementedError
