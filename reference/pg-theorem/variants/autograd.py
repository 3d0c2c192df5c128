"""Values as differentiable functions of θ: gradients by autograd, without the theorem."""

import torch
from torch.func import grad, jacrev


def _state_values(P, R, pi, gamma):
    rewards = torch.einsum("sa,sa->s", pi, R)
    moves = torch.einsum("sa,sax->sx", pi, P)
    return torch.linalg.solve(torch.eye(len(P)).double() - gamma * moves, rewards)


def values(P, R, pi, gamma):
    v = _state_values(P, R, pi, gamma)
    return v, R + gamma * (P * v).sum(-1)


def visitation(P, pi, h, gamma):
    # J is linear in the rewards of the states, and μ is its slope
    def objective(rewards):
        return h @ _state_values(P, rewards[:, None].expand_as(pi), pi, gamma)

    return grad(objective)(torch.zeros_like(h))


def policy_jacobian(theta):
    return torch.vmap(jacrev(lambda row: torch.softmax(row, 0)))(theta)


def value_gradient(P, R, theta, gamma):
    return jacrev(lambda t: _state_values(P, R, torch.softmax(t, 1), gamma))(theta)


def policy_gradient(P, R, theta, h, gamma):
    return grad(lambda t: h @ _state_values(P, R, torch.softmax(t, 1), gamma))(theta)


def finite_horizon_gradient(P, R, theta, h, gamma, horizon):
    def expected_return(t):
        pi, v = torch.softmax(t, 1), torch.zeros_like(h)
        for _ in range(horizon):
            v = (pi * (R + gamma * P @ v)).sum(1)
        return h @ v

    return grad(expected_return)(theta)


def reinforce_objective(theta, mu, q):
    with torch.no_grad():
        weights = mu[:, None] * torch.softmax(theta, 1) * q
    surprise = torch.logsumexp(theta, 1, keepdim=True) - theta
    return torch.sum(weights * surprise)
