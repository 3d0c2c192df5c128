"""The reference of reparam-grad against closed forms and against the figures of the toy model."""

from functools import partial

import numpy as np
import pytest
import torch

from tests.support.programs import ROOT, load, load_module
from tests.support.tensors import moments, nodes_of, tensor
from tests.support.toy import BIAS, ETA, W, X

REFERENCE = ROOT / "reference" / "reparam-grad"
TASK = load("reparam-grad")

M, S = np.array([0.3, -0.2]), np.array([0.6, 0.9])


@pytest.fixture(scope="module")
def solution():
    return load_module(REFERENCE / "solution.py")


@pytest.fixture(scope="module")
def given():
    return load_module(ROOT / "tasks" / "reparam-grad" / "given.py")


@pytest.fixture(scope="module")
def path_derivative():
    return load_module(REFERENCE / "variants" / "path_derivative.py")


def log_joint(given, weight, x=X):
    model = {"weight": tensor(weight), "bias": tensor(BIAS), "eta": tensor(ETA)}
    return partial(given.log_joint, x=tensor(x)[None], **model)


def test_the_example_of_the_statement(solution, given):
    mu, log_sigma = torch.ones(1, 1, dtype=torch.float64), torch.zeros(1, 1, dtype=torch.float64)
    eps = tensor([[[0.5]], [[-1.0]]])
    weight, bias = tensor([[2.0]]), tensor([0.5])
    x, eta = tensor([[1.5]]), tensor(0.5)
    joint = partial(given.log_joint, x=x, weight=weight, bias=bias, eta=eta)
    lik = partial(given.log_lik, x=x, eta=eta)
    assert np.allclose(
        solution.grad_pathwise(given.square, mu, log_sigma, eps), [[[1.5]], [[0.75]]]
    )
    assert np.allclose(solution.grad_elbo(joint, mu, log_sigma, eps), [[[-2.75]], [[-3.375]]])
    by_weight, by_bias = solution.grad_theta(lik, weight, bias, mu, log_sigma, eps)
    assert np.allclose(by_weight, [[-3.0]])
    assert np.allclose(by_bias, [-1.0])


@pytest.mark.parametrize(("mu", "sigma"), [(1.0, 1.0), (-0.7, 0.4), (2.5, 1.5)])
def test_the_expectation_for_z_squared_is_two_mu_and_two_sigma_squared(solution, given, mu, sigma):
    mean, variance = moments(partial(solution.grad_pathwise, given.square), [mu], [sigma])
    assert np.allclose(mean[:, 0], [2 * mu, 2 * sigma**2], rtol=1e-12)
    # 2zσε = 2μσε + 2σ²ε²
    wanted = [4 * sigma**2, 4 * mu**2 * sigma**2 + 8 * sigma**4]
    assert np.allclose(variance[:, 0], wanted, rtol=1e-12)


def test_the_variance_at_mu_and_sigma_one_is_four(solution, given):
    _, variance = moments(partial(solution.grad_pathwise, given.square), [1.0], [1.0])
    assert variance[0, 0] == pytest.approx(4.0, rel=1e-12)


@pytest.mark.parametrize(("mu", "sigma"), [(0.3, 1.0), (-2.0, 0.5), (1.1, 1.5)])
def test_the_expectation_for_sine_has_its_closed_form(solution, given, mu, sigma):
    """E sin z = sin μ e^(-σ²/2)."""
    mean, _ = moments(partial(solution.grad_pathwise, given.sine), [mu], [sigma])
    damping = np.exp(-(sigma**2) / 2)
    wanted = [np.cos(mu) * damping, -(sigma**2) * np.sin(mu) * damping]
    assert np.allclose(mean[:, 0], wanted, atol=1e-12)


@pytest.mark.parametrize("samples", [2, 3])
def test_the_variance_falls_with_the_number_of_samples(solution, given, samples):
    one, variance_one = moments(
        partial(solution.grad_pathwise, given.square), [1.2], [0.8], count=4
    )
    more, variance = moments(
        partial(solution.grad_pathwise, given.square), [1.2], [0.8], samples=samples, count=4
    )
    assert np.allclose(one, more, rtol=1e-12)
    assert np.allclose(variance, variance_one / samples, rtol=1e-12)


def test_the_variance_of_sixteen_samples_is_a_sixteenth(solution, given):
    rng = torch.Generator().manual_seed(16)
    rows = 40_000
    mu = torch.ones(rows, 1, dtype=torch.float64)
    log_sigma = torch.zeros_like(mu)
    found = []
    for m in (1, 16):
        eps = torch.randn(m, rows, 1, generator=rng, dtype=torch.float64)
        found.append(solution.grad_pathwise(given.square, mu, log_sigma, eps)[0].var().item())
    assert found[0] == pytest.approx(4, rel=0.05)
    assert found[0] / found[1] == pytest.approx(16, rel=0.05)


def test_the_elbo_gradient_of_the_toy(solution, given):
    """-4.24069, 1.23778 by μ and .21120, -.07546 by σ, against both closed forms and digits."""
    by_mu = W.T @ (X - BIAS - W @ M) / ETA - M
    by_sigma = -(W**2).sum(0) * S / ETA - S + 1 / S
    mean, variance = moments(partial(solution.grad_elbo, log_joint(given, W)), M, S, count=5)
    assert np.allclose(mean, [by_mu, S * by_sigma], rtol=1e-11)
    assert np.allclose(mean[0], [-4.24068757, 1.23778354], atol=5e-9)
    assert np.allclose(mean[1] / S, [0.21119754, -0.07546097], atol=5e-9)
    # ∂r/∂z is linear in ε; simulated with 400,000 draws: 3.624, and 26.62 by σ
    slope = (W.T @ W / ETA + np.eye(2)) * S
    assert variance[0].sum() == pytest.approx((slope**2).sum(), rel=1e-11)
    assert variance[0].sum() == pytest.approx(3.624, rel=0.01)
    assert (variance[1] / S**2).sum() == pytest.approx(26.62, rel=0.02)


def test_at_the_posterior_the_pathwise_estimate_still_varies(solution, given, path_derivative):
    """7.46 by μ; the path derivative of the variant has no variance left there (4e-31)."""
    weight = np.array([[1.5, 0.0], [0.0, 0.7], [0.0, 0.0]])
    precision = np.eye(2) + weight.T @ weight / ETA
    mean = np.linalg.solve(precision, weight.T @ (X - BIAS) / ETA)
    sigma = 1 / np.sqrt(np.diag(precision))
    total, variance = moments(
        partial(solution.grad_elbo, log_joint(given, weight)), mean, sigma, count=5
    )
    assert np.abs(total).max() < 1e-12
    assert variance[0].sum() == pytest.approx(7.46, rel=0.01)
    _, left = moments(
        partial(path_derivative.grad_elbo, log_joint(given, weight)), mean, sigma, count=5
    )
    assert left.sum() < 1e-25


def test_the_decoder_gradient_is_that_of_the_expected_log_likelihood(solution, given):
    """E (x - b - Wz) zᵀ / η = ((x - b - Wμ) μᵀ - W diag σ²) / η, and its mean over the batch."""
    rng = np.random.default_rng(5)
    mu, sigma = rng.normal(size=(4, 2)), rng.uniform(0.3, 1.5, (4, 2))
    x = rng.normal(size=(4, 3))
    lik = partial(given.log_lik, x=tensor(x), eta=tensor(ETA))
    grid, law = nodes_of(4, 2)
    by_weight, by_bias = np.zeros((3, 2)), np.zeros(3)
    for node, mass in zip(grid, law, strict=True):
        eps = tensor(np.tile(node, (1, 4, 1)))
        args = (tensor(W), tensor(BIAS), tensor(mu), tensor(np.log(sigma)), eps)
        grads = solution.grad_theta(lik, *args)
        by_weight += mass * grads[0].numpy()
        by_bias += mass * grads[1].numpy()
    residual = x - BIAS - mu @ W.T
    wanted = (residual.T @ mu / 4 - W * (sigma**2).mean(0)) / ETA
    assert np.allclose(by_weight, wanted, rtol=1e-11)
    assert np.allclose(by_bias, residual.mean(0) / ETA, rtol=1e-11)
