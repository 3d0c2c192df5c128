"""Policy gradient theorem."""

import torch


def values(P, R, pi, gamma):
    S = len(P)
    P_pi = torch.einsum("sa,sax->sx", pi, P)
    v = torch.linalg.solve(torch.eye(S, dtype=P.dtype) - gamma * P_pi, (pi * R).sum(1))
    return v, R + gamma * P @ v


def visitation(P, pi, h, gamma):
    # the on-policy distribution
    P_pi = torch.einsum("sa,sax->sx", pi, P)
    S = len(P)
    mu = torch.linalg.solve((torch.eye(S, dtype=P.dtype) - gamma * P_pi).T, h)
    return mu / mu.sum()


def policy_jacobian(theta):
    pi = torch.softmax(theta, dim=1)
    return torch.diag_embed(pi) - pi[:, :, None] * pi[:, None, :]


def value_gradient(P, R, theta, gamma):
    pi = torch.softmax(theta, dim=1)
    _, q = values(P, R, pi, gamma)
    P_pi = torch.einsum("sa,sax->sx", pi, P)
    M = torch.inverse(torch.eye(len(P), dtype=P.dtype) - gamma * P_pi)
    return M[:, :, None] * torch.einsum("sa,sac->sc", q, policy_jacobian(theta))


def policy_gradient(P, R, theta, h, gamma):
    pi = torch.softmax(theta, dim=1)
    _, q = values(P, R, pi, gamma)
    mu = visitation(P, pi, h, gamma)
    return mu[:, None] * torch.einsum("sa,sac->sc", q, policy_jacobian(theta))


def finite_horizon_gradient(P, R, theta, h, gamma, horizon):
    pi = torch.softmax(theta, dim=1)
    v = torch.zeros_like(h)
    for _ in range(horizon):
        q = R + gamma * P @ v
        v = (pi * q).sum(1)
    total = torch.zeros_like(theta)
    for t in range(horizon):
        total = total + gamma**t * h[:, None] * torch.einsum("sa,sac->sc", q, policy_jacobian(theta))
        h = torch.einsum("s,sa,sax->x", h, pi, P)
    return total


def reinforce_objective(theta, mu, q):
    pi = torch.softmax(theta, dim=1)
    return -(mu[:, None] * pi * q * torch.log(pi)).sum()
