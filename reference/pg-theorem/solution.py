"""The policy gradient theorem, as on S2 "Policy Gradient Theorem" and its proof.

∇J = Σ_s μ(s) Σ_a q_π(s, a) ∇π(a|s), where μ(s) = Σ_k γ^k P(s_k = s) makes the lecture's ∝ an
equality. π(a|s) = softmax θ[s, ·]. Sources: S2 "Policy Gradient Theorem", "Proof of Policy Gradient
Theorem", "REINFORCE Algorithm"; Sutton, McAllester, Singh & Mansour 1999, theorem 1.
"""

import torch
from jaxtyping import Float64
from torch import Tensor


def _resolvent(
    P: Float64[Tensor, "s a s"], pi: Float64[Tensor, "s a"], gamma: float
) -> Float64[Tensor, "s s"]:
    """I - γ P_π, whose inverse is Σ_k γ^k P_π^k, with P_π(s, x) = Σ_a π(a|s) P(x|s, a)."""
    P_pi = torch.einsum("sa,sax->sx", pi, P)
    return torch.eye(len(P), dtype=P.dtype) - gamma * P_pi


def _values(
    P: Float64[Tensor, "s a s"],
    R: Float64[Tensor, "s a"],
    pi: Float64[Tensor, "s a"],
    gamma: float,
) -> tuple[Float64[Tensor, " s"], Float64[Tensor, "s a"]]:
    """v = r_π + γ P_π v; q(s, a) = R(s, a) + γ Σ_x P(x|s, a) v(x)."""
    v = torch.linalg.solve(_resolvent(P, pi, gamma), (pi * R).sum(dim=1))
    return v, R + gamma * P @ v


def _jacobian(theta: Float64[Tensor, "s a"]) -> Float64[Tensor, "s a a"]:
    """∂π(a|s)/∂θ[s, c] = π(a|s) (1{a = c} - π(c|s))."""
    pi = theta.softmax(dim=1)
    same = torch.eye(theta.shape[1], dtype=theta.dtype)
    return pi[:, :, None] * (same - pi[:, None, :])


def values(
    P: Float64[Tensor, "s a s"],
    R: Float64[Tensor, "s a"],
    pi: Float64[Tensor, "s a"],
    gamma: float,
) -> tuple[Float64[Tensor, " s"], Float64[Tensor, "s a"]]:
    """v_π and q_π from Bellman's linear equations."""
    return _values(P, R, pi, gamma)


def visitation(
    P: Float64[Tensor, "s a s"],
    pi: Float64[Tensor, "s a"],
    h: Float64[Tensor, " s"],
    gamma: float,
) -> Float64[Tensor, " s"]:
    """μ = h + γ P_πᵀ μ; its sum is 1/(1 - γ)."""
    return torch.linalg.solve(_resolvent(P, pi, gamma).T, h)


def policy_jacobian(theta: Float64[Tensor, "s a"]) -> Float64[Tensor, "s a a"]:
    """∇π(a|s); the row of θ that belongs to another state has no part in it."""
    return _jacobian(theta)


def _towards(
    theta: Float64[Tensor, "s a"], q: Float64[Tensor, "s a"]
) -> Float64[Tensor, "s a"]:
    """Σ_a q(s, a) ∇π(a|s), by row s of θ."""
    return torch.einsum("sa,sac->sc", q, _jacobian(theta))


def value_gradient(
    P: Float64[Tensor, "s a s"],
    R: Float64[Tensor, "s a"],
    theta: Float64[Tensor, "s a"],
    gamma: float,
) -> Float64[Tensor, "s s a"]:
    """∇v_π(s) = Σ_x Σ_k γ^k P(s → x in k steps) Σ_a q_π(x, a) ∇π(a|x)."""
    pi = theta.softmax(dim=1)
    _, q = _values(P, R, pi, gamma)
    reached = torch.linalg.inv(_resolvent(P, pi, gamma))
    return reached[:, :, None] * _towards(theta, q)


def policy_gradient(
    P: Float64[Tensor, "s a s"],
    R: Float64[Tensor, "s a"],
    theta: Float64[Tensor, "s a"],
    h: Float64[Tensor, " s"],
    gamma: float,
) -> Float64[Tensor, "s a"]:
    """∇J = Σ_s μ(s) Σ_a q_π(s, a) ∇π(a|s)."""
    pi = theta.softmax(dim=1)
    _, q = _values(P, R, pi, gamma)
    mu = torch.linalg.solve(_resolvent(P, pi, gamma).T, h)
    return mu[:, None] * _towards(theta, q)


def finite_horizon_gradient(
    P: Float64[Tensor, "s a s"],
    R: Float64[Tensor, "s a"],
    theta: Float64[Tensor, "s a"],
    h: Float64[Tensor, " s"],
    gamma: float,
    horizon: int,
) -> Float64[Tensor, "s a"]:
    """∇J = Σ_t Σ_s γ^t P(s_t = s) Σ_a q_t(s, a) ∇π(a|s), q_t the return of the steps from t on."""
    pi = theta.softmax(dim=1)
    v, later = torch.zeros_like(h), []
    for _ in range(horizon):
        q = R + gamma * P @ v
        v = (pi * q).sum(dim=1)
        later.insert(0, q)
    gradient, weight = torch.zeros_like(theta), h
    for q in later:
        gradient = gradient + weight[:, None] * _towards(theta, q)
        weight = gamma * torch.einsum("s,sa,sax->x", weight, pi, P)
    return gradient


def reinforce_objective(
    theta: Float64[Tensor, "s a"],
    mu: Float64[Tensor, " s"],
    q: Float64[Tensor, "s a"],
) -> Float64[Tensor, ""]:
    """E_{s∼μ} E_{a∼π} q(s, a) (-ln π(a|s)): the law that s and a come from is held fixed."""
    log_pi = theta.log_softmax(dim=1)
    weight = mu[:, None] * log_pi.exp() * q
    return -(weight.detach() * log_pi).sum()
