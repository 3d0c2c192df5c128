"""pg-theorem: the theorem against finite differences, all trajectories, and sums over steps."""

import itertools

import numpy as np
import pytest
import torch

from tests.support.programs import ROOT, load_module
from tests.support.tensors import tensor

REFERENCE = ROOT / "reference" / "pg-theorem"
HONEST = [
    REFERENCE / "solution.py",
    *sorted((REFERENCE / "variants").glob("*.py")),
    ROOT / "submissions" / "complete" / "pg_theorem.py",
]


@pytest.fixture(scope="module", params=HONEST, ids=lambda path: path.stem)
def program(request):
    return load_module(request.param)


def mdp(seed, s=3, a=2):
    """P, R, θ, h of an MDP in which no two axes could be exchanged without a trace."""
    rng = np.random.default_rng(seed)
    p, h = rng.dirichlet(np.ones(s) * 0.7, (s, a)), rng.dirichlet(np.ones(s))
    return tuple(map(tensor, (p, rng.normal(2, 1, (s, a)), rng.normal(0, 0.7, (s, a)), h)))


def swept(P, R, pi, gamma, sweeps):
    """v after so many sweeps of Bellman's equation from 0: the value of so many steps."""
    v = torch.zeros(len(P), dtype=P.dtype)
    for _ in range(sweeps):
        v = (pi * (R + gamma * P @ v)).sum(1)
    return v


def slopes(function, theta, step=1e-5):
    """Central differences of a function of θ, by its entries: those of the function come first."""
    found = []
    for place in np.ndindex(*theta.shape):
        moved = []
        for sign in (1, -1):
            other = theta.clone()
            other[place] += sign * step
            moved.append(function(other))
        found.append((moved[0] - moved[1]) / (2 * step))
    return torch.stack(found, dim=-1).reshape(*found[0].shape, *theta.shape)


@pytest.mark.parametrize("gamma", [0.0, 0.7, 0.95])
def test_the_theorem_is_a_finite_difference(program, gamma):
    P, R, theta, h = mdp(0)
    wanted = slopes(lambda t: swept(P, R, t.softmax(1), gamma, 800), theta)
    np.testing.assert_allclose(program.value_gradient(P, R, theta, gamma), wanted, atol=1e-7)
    found = program.policy_gradient(P, R, theta, h, gamma)
    np.testing.assert_allclose(found, torch.tensordot(h, wanted, 1), atol=1e-7)


@pytest.mark.parametrize("gamma", [0.0, 0.7, 1.0])
@pytest.mark.parametrize("horizon", [1, 2, 5])
def test_so_many_steps_are_a_finite_difference(program, gamma, horizon):
    P, R, theta, h = mdp(1)
    wanted = slopes(lambda t: h @ swept(P, R, t.softmax(1), gamma, horizon), theta)
    found = program.finite_horizon_gradient(P, R, theta, h, gamma, horizon)
    np.testing.assert_allclose(found, wanted, atol=1e-7)


def test_so_many_steps_are_a_mean_over_all_trajectories(program):
    """Σ_τ p(τ) Σ_t γ^t G_t ∇ln π(a_t|s_t): scores know nothing of the dynamics."""
    (P, R, theta, h), gamma, horizon = mdp(2, s=2), 0.8, 4
    log_pi, pi = theta.log_softmax(1), theta.softmax(1)
    wanted = torch.zeros_like(theta)
    pairs = list(itertools.product(range(2), range(2)))
    for path in itertools.product(pairs, repeat=horizon):
        log_p = h[path[0][0]].log() + sum(log_pi[s, a] for s, a in path)
        log_p = log_p + sum(P[s, a, x].log() for (s, a), (x, _) in itertools.pairwise(path))
        to_go = 0.0
        for t, (s, a) in reversed(list(enumerate(path))):
            to_go += gamma**t * float(R[s, a])
            wanted[s, a] += log_p.exp() * to_go
            wanted[s] -= log_p.exp() * to_go * pi[s]
    found = program.finite_horizon_gradient(P, R, theta, h, gamma, horizon)
    np.testing.assert_allclose(found, wanted, atol=1e-12)


def test_visits_are_a_sum_over_steps_and_are_not_normalised(program):
    (P, _, theta, h), gamma = mdp(3, s=4), 0.9
    pi, wanted, now = theta.softmax(1), torch.zeros(4, dtype=torch.float64), h
    for k in range(600):
        wanted = wanted + gamma**k * now
        now = torch.einsum("s,sa,sax->x", now, pi, P)
    found = program.visitation(P, pi, h, gamma)
    np.testing.assert_allclose(found, wanted, rtol=1e-12)
    assert float(found.sum()) == pytest.approx(10, rel=1e-13)


def test_normalised_visits_give_the_direction_alone(program):
    """Bug 83: the factor that the lecture's ∝ hides is 1/(1 - γ), whatever the MDP."""
    for seed, gamma in enumerate((0.5, 0.9)):
        P, R, theta, h = mdp(seed)
        pi = theta.softmax(1)
        mu = program.visitation(P, pi, h, gamma)
        q = program.values(P, R, pi, gamma)[1]
        jacobian = program.policy_jacobian(theta)
        normalised = torch.einsum("s,sa,sac->sc", mu / mu.sum(), q, jacobian)
        ratio = program.policy_gradient(P, R, theta, h, gamma) / normalised
        np.testing.assert_allclose(ratio, torch.full_like(ratio, 1 / (1 - gamma)), rtol=1e-9)


def test_long_episodes_are_endless_ones(program):
    P, R, theta, h = mdp(4)
    found = program.finite_horizon_gradient(P, R, theta, h, 0.3, 30)
    wanted = program.policy_gradient(P, R, theta, h, 0.3)
    np.testing.assert_allclose(found, wanted, atol=1e-12)


def test_values_are_those_of_many_sweeps(program):
    P, R, theta, _ = mdp(5)
    pi = theta.softmax(1)
    v, q = program.values(P, R, pi, 0.9)
    np.testing.assert_allclose(v, swept(P, R, pi, 0.9, 800), rtol=1e-12)
    np.testing.assert_allclose((pi * q).sum(1), v, rtol=1e-12)


def test_slopes_of_the_policy_are_finite_differences(program):
    theta = mdp(6, s=2, a=3)[2]
    wanted = slopes(lambda t: t.softmax(1), theta)
    own = wanted.diagonal(dim1=0, dim2=2).permute(2, 0, 1)
    np.testing.assert_allclose(program.policy_jacobian(theta), own, atol=1e-9)
    assert float(wanted.abs().sum() - own.abs().sum()) == pytest.approx(0, abs=1e-12)


def test_the_gradient_of_the_objective_is_minus_the_theorem_s(program):
    (P, R, theta, h), gamma = mdp(7), 0.8
    pi = theta.softmax(1)
    q, mu = program.values(P, R, pi, gamma)[1], program.visitation(P, pi, h, gamma)
    theta, mu, q = (each.clone().requires_grad_() for each in (theta, mu, q))
    program.reinforce_objective(theta, mu, q).backward()
    wanted = -program.policy_gradient(P, R, theta.detach(), h, gamma)
    np.testing.assert_allclose(theta.grad, wanted, rtol=1e-10)
    assert all(each.grad is None or not each.grad.any() for each in (mu, q))


def test_one_action_has_no_gradient(program):
    P, R, theta, h = mdp(8, a=1)
    assert program.policy_gradient(P, R, theta, h, 0.9).abs().max() < 1e-12
    assert program.finite_horizon_gradient(P, R, theta, h, 1.0, 6).abs().max() < 1e-12
