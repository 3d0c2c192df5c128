"""Sums over steps as the lecture's proof has them; the endless ones by doubling."""

import torch

DOUBLINGS = 13  # .99 ** 8192 is 2e-36


def _moves(P, pi):
    return (pi[:, :, None] * P).sum(1)


def _all_steps(P, pi, gamma):
    """Σ_k (γ P_π)^k as a product of 1 + (γ P_π)^(2^j)."""
    power = gamma * _moves(P, pi)
    total = torch.eye(len(P), dtype=P.dtype)
    for _ in range(DOUBLINGS):
        total = total + power @ total
        power = power @ power
    return total


def values(P, R, pi, gamma):
    v = _all_steps(P, pi, gamma) @ (pi * R).sum(1)
    return v, R + gamma * torch.einsum("sax,x->sa", P, v)


def visitation(P, pi, h, gamma):
    return h @ _all_steps(P, pi, gamma)


def policy_jacobian(theta):
    pi = torch.softmax(theta, 1)
    return torch.diag_embed(pi) - torch.einsum("sa,sc->sac", pi, pi)


def value_gradient(P, R, theta, gamma):
    pi = torch.softmax(theta, 1)
    v, q = values(P, R, pi, gamma)
    return torch.einsum("sx,xc->sxc", _all_steps(P, pi, gamma), pi * (q - v[:, None]))


def policy_gradient(P, R, theta, h, gamma):
    return torch.einsum("s,sxc->xc", h, value_gradient(P, R, theta, gamma))


def finite_horizon_gradient(P, R, theta, h, gamma, horizon):
    pi, jacobian = torch.softmax(theta, 1), policy_jacobian(theta)
    moves = _moves(P, pi)
    rewards = (pi * R).sum(1)
    total = torch.zeros_like(theta)
    for t in range(horizon):
        reached = gamma**t * (h @ torch.linalg.matrix_power(moves, t))
        value = torch.zeros_like(h)
        for k in range(horizon - t - 1):
            value = value + gamma**k * torch.linalg.matrix_power(moves, k) @ rewards
        q = R + gamma * P @ value
        total = total + reached[:, None] * (q[:, None] @ jacobian).squeeze(1)
    return total


def reinforce_objective(theta, mu, q):
    loss = torch.zeros((), dtype=theta.dtype)
    for s in range(len(theta)):
        log_pi = torch.log_softmax(theta[s], 0)
        for a in range(len(log_pi)):
            weight = mu[s].item() * log_pi[a].exp().item() * q[s, a].item()
            loss = loss - weight * log_pi[a]
    return loss
