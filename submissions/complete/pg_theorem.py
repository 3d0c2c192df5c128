"""Policy gradient theorem, tabular."""

import torch
import torch.nn.functional as F


def _q(P, R, pi, gamma):
    # Bellman equations for pairs (s, a) directly
    S, A = R.shape
    pairs = torch.einsum("sax,xb->saxb", P, pi).reshape(S * A, S * A)
    return torch.linalg.solve(torch.eye(S * A, dtype=R.dtype) - gamma * pairs, R.flatten()).view(S, A)


def values(P, R, pi, gamma):
    q = _q(P, R, pi, gamma)
    return (pi * q).sum(dim=1), q


def _inverse(P, pi, gamma):
    S = P.size(0)
    P_pi = (pi.unsqueeze(1) @ P).squeeze(1)
    return torch.inverse(torch.eye(S, dtype=P.dtype) - gamma * P_pi)


def visitation(P, pi, h, gamma):
    return _inverse(P, pi, gamma).T @ h


def policy_jacobian(theta):
    S, A = theta.shape
    pi = F.softmax(theta, dim=1)
    J = torch.zeros(S, A, A, dtype=theta.dtype)
    for a in range(A):
        for c in range(A):
            J[:, a, c] = pi[:, a] * (1 - pi[:, a]) if a == c else -pi[:, a] * pi[:, c]
    return J


def _advantage_term(P, R, theta, gamma):
    pi = F.softmax(theta, dim=1)
    q = _q(P, R, pi, gamma)
    return pi, pi * (q - (pi * q).sum(dim=1, keepdim=True))


def value_gradient(P, R, theta, gamma):
    pi, term = _advantage_term(P, R, theta, gamma)
    return _inverse(P, pi, gamma).unsqueeze(2) * term.unsqueeze(0)


def policy_gradient(P, R, theta, h, gamma):
    pi, term = _advantage_term(P, R, theta, gamma)
    mu = h @ _inverse(P, pi, gamma)
    return mu.unsqueeze(1) * term


def finite_horizon_gradient(P, R, theta, h, gamma, horizon):
    pi = F.softmax(theta, dim=1)
    # distribution of the state at every step
    d = [h]
    for _ in range(horizon - 1):
        d.append(torch.einsum("s,sa,sax->x", d[-1], pi, P))
    grad = torch.zeros_like(theta)
    v = torch.zeros_like(h)
    for t in range(horizon - 1, -1, -1):
        q = R + gamma * torch.tensordot(P, v, dims=1)
        v = (pi * q).sum(dim=1)
        grad += gamma**t * d[t].unsqueeze(1) * pi * (q - v.unsqueeze(1))
    return grad


def reinforce_objective(theta, mu, q):
    log_pi = F.log_softmax(theta, dim=1)
    weights = (mu.unsqueeze(1) * F.softmax(theta, dim=1) * q).detach()
    return -(weights * log_pi).sum()
