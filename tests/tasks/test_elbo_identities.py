"""The reference of elbo-identities against scipy, quadrature and the figures of the toy model."""

import itertools
import math

import numpy as np
import pytest
import torch
from scipy.special import logsumexp
from scipy.stats import multivariate_normal

from tests.support.programs import ROOT, load, load_module
from tests.support.tensors import tensor
from tests.support.toy import BIAS, ETA, W, X

REFERENCE = ROOT / "reference" / "elbo-identities"
TASK = load("elbo-identities")


Q = (tensor([[0.3, -0.2]]), tensor([[0.6, 0.9]]).log())
MODEL = (tensor(W), tensor(BIAS), tensor(ETA))
TOY = (tensor(X)[None], *Q, *MODEL)


@pytest.fixture(scope="module")
def solution():
    return load_module(REFERENCE / "solution.py")


def instance(seed, b=4, d=3, k=2):
    rng = np.random.default_rng(seed)
    drawn = (rng.normal(size=(b, d)), rng.normal(size=(b, k)), rng.uniform(-1.2, 0.4, (b, k)))
    model = (rng.normal(size=(d, k)), rng.normal(size=d), rng.uniform(0.3, 1.0))
    return tuple(tensor(array) for array in (*drawn, *model))


def lower_bound(solution, x, mu, log_sigma, *model):
    return solution.reconstruction(x, mu, log_sigma, *model) - solution.kl_prior(mu, log_sigma)


def test_the_example_of_the_statement(solution):
    x, q = tensor([[1.5, 1.0]]), (tensor([[0.5]]), tensor([[-1.0]]))
    model = (tensor([[2.0], [0.0]]), tensor([0.5, 0.0]), tensor(0.5))
    found = [
        solution.log_marginal(x, *model),
        solution.reconstruction(x, *q, *model),
        solution.expected_log_joint(x, *q, *model),
        solution.kl_posterior(x, *q, *model),
        solution.kl_prior(*q),
        solution.entropy(q[1]),
        *solution.log_weight(x, *q, *model, tensor([[[0.0]], [[1.0]]])),
        lower_bound(solution, x, *q, *model),
    ]
    wanted = [-3.354453, -2.686071, -3.797677, 0.024285, 0.692668, 0.418939]
    wanted += [-3.269730, -3.562678, -3.378739]
    assert np.allclose([value.item() for value in found], wanted, atol=6e-7, rtol=0)
    mixture = (tensor([0.5, 0.5]).log(), tensor([[-1.0], [1.0]]), tensor([[0.0], [0.0]]))
    found = solution.log_marginal_mixture(tensor([[0.0], [1000.0]]), *mixture)
    assert np.allclose(found, [-1.418939, -499002.112086], atol=6e-7, rtol=0)


def test_the_figures_of_the_toy(solution):
    """log p -9.3572, L -13.2940, gap 3.9368; KL to the prior .2662."""
    assert solution.log_marginal(TOY[0], *MODEL).item() == pytest.approx(-9.3572, abs=5e-5)
    assert lower_bound(solution, *TOY).item() == pytest.approx(-13.2940, abs=5e-5)
    assert solution.kl_posterior(*TOY).item() == pytest.approx(3.9368, abs=5e-5)
    assert solution.kl_prior(*Q).item() == pytest.approx(0.2662, abs=5e-5)


def test_the_best_independent_q_leaves_a_gap(solution):
    """.01298 nats at m = posterior mean, σ_i² = 1 / (P)_ii, and a zero gradient there."""
    precision = np.eye(2) + W.T @ W / ETA
    mean = np.linalg.solve(precision, W.T @ (X - BIAS) / ETA)
    mu = tensor(mean)[None].requires_grad_()
    log_sigma = tensor(-0.5 * np.log(np.diag(precision)))[None].requires_grad_()
    gap = solution.kl_posterior(TOY[0], mu, log_sigma, *MODEL)
    assert gap.item() == pytest.approx(0.01298, abs=5e-6)
    for slope in torch.autograd.grad(gap.sum(), (mu, log_sigma)):
        assert slope.abs().max() < 1e-12


def test_at_a_posterior_of_independent_dimensions_the_gap_is_zero(solution):
    weight = np.array([[1.5, 0.0], [0.0, 0.7], [0.0, 0.0]])
    precision = np.eye(2) + weight.T @ weight / ETA
    mean = np.linalg.solve(precision, weight.T @ (X - BIAS) / ETA)
    q = (tensor(mean)[None], tensor(-0.5 * np.log(np.diag(precision)))[None])
    model = (tensor(weight), *MODEL[1:])
    assert abs(solution.kl_posterior(TOY[0], *q, *model).item()) < 1e-14
    lower, log_p = lower_bound(solution, TOY[0], *q, *model), solution.log_marginal(TOY[0], *model)
    assert lower.item() == pytest.approx(log_p.item(), abs=1e-13)
    # log p(x, z) - log q(z) is log p(x) there, whatever z
    log_w = solution.log_weight(TOY[0], *q, *model, tensor([[[0.4, -2.0]], [[3.0, 0.1]]]))
    assert np.allclose(log_w, log_p, atol=1e-13)


@pytest.mark.parametrize("k", [1, 2, 3])
def test_the_four_forms_agree_and_none_is_above_log_p(solution, k):
    nodes, mass = np.polynomial.hermite_e.hermegauss(4)
    grid = np.array(list(itertools.product(nodes, repeat=k)))
    law = np.prod(list(itertools.product(mass / mass.sum(), repeat=k)), axis=1)
    for seed in range(17):
        x, mu, log_sigma, *model = instance(seed, k=k)
        everything = (x, mu, log_sigma, *model)
        second = lower_bound(solution, *everything).numpy()
        first = solution.expected_log_joint(*everything) + solution.entropy(log_sigma)
        eps = np.tile(grid[:, None], (1, len(x), 1))
        third = law @ solution.log_weight(*everything, tensor(eps)).numpy()
        log_p = solution.log_marginal(x, *model).numpy()
        fourth = log_p - solution.kl_posterior(*everything).numpy()
        for other in (first.numpy(), third, fourth):
            assert np.allclose(other, second, rtol=1e-9, atol=1e-9)
        assert (second < log_p).all()


def test_by_q_the_bound_rises_as_the_gap_falls(solution):
    for seed in range(5):
        x, mu, log_sigma, *model = instance(seed)
        q = (mu.requires_grad_(), log_sigma.requires_grad_())
        up = torch.autograd.grad(lower_bound(solution, x, *q, *model).sum(), q)
        down = torch.autograd.grad(solution.kl_posterior(x, *q, *model).sum(), q)
        for rise, fall in zip(up, down, strict=True):
            assert torch.allclose(rise, -fall, rtol=1e-8, atol=1e-10)


def test_log_p_is_that_of_the_marginal_density(solution):
    found = solution.log_marginal(TOY[0], *MODEL).item()
    covariance = W @ W.T + ETA * np.eye(3)
    assert found == pytest.approx(multivariate_normal(BIAS, covariance).logpdf(X), rel=1e-12)
    # and the integral over z of the joint, on a fine grid
    line = np.linspace(-8, 8, 321)
    z = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)
    joint = multivariate_normal(cov=ETA * np.eye(3)).logpdf(X - BIAS - z @ W.T)
    joint += multivariate_normal(cov=np.eye(2)).logpdf(z)
    assert found == pytest.approx(logsumexp(joint) + 2 * math.log(line[1] - line[0]), abs=1e-9)


def test_a_mixture_is_the_sum_of_its_parts(solution):
    rng = np.random.default_rng(3)
    x, mu, log_sigma = rng.normal(size=(9, 3)), *rng.normal(0, 0.7, (2, 4, 3))
    pi = rng.dirichlet(np.ones(4))
    parts = [
        weight * multivariate_normal(m, np.diag(np.exp(2 * s))).pdf(x)
        for weight, m, s in zip(pi, mu, log_sigma, strict=True)
    ]
    found = solution.log_marginal_mixture(tensor(x), *map(tensor, (np.log(pi), mu, log_sigma)))
    assert np.allclose(found, np.log(sum(parts)), rtol=1e-12)


def test_far_and_narrow_stays_finite(solution):
    mixture = (tensor([0.5, 0.5]).log(), tensor([[0.0], [1.0]]), tensor([[-3.0], [1.0]]))
    far = tensor([[1e3], [-1e3]]).requires_grad_()
    log_p = solution.log_marginal_mixture(far, *mixture)
    (slope,) = torch.autograd.grad(log_p.sum(), far)
    assert torch.isfinite(log_p).all() and torch.isfinite(slope).all()
    narrow = (tensor([[0.3, -0.2]]), tensor([[-30.0, 30.0]]))
    for function in (solution.kl_posterior, solution.reconstruction, solution.expected_log_joint):
        assert torch.isfinite(function(TOY[0], *narrow, *MODEL)).all()
