"""The reference of elbo-point-mass against limits, quadrature and the figures of the toy model."""

import itertools
import math

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal

from harness.collect.bare import BareProgram
from harness.errors import ProgramError
from harness.records import Step
from harness.seeds import PUBLIC_KEY
from tests.support.programs import ROOT, edited, load, load_module
from tests.support.tensors import tensor
from tests.support.toy import BIAS, ETA, W, X

REFERENCE = ROOT / "reference" / "elbo-point-mass"
TASK = load("elbo-point-mass")

M = np.array([0.3, -0.2])


@pytest.fixture(scope="module")
def solution():
    return load_module(REFERENCE / "solution.py")


MODEL = (tensor(W), tensor(BIAS))


def test_the_example_of_the_statement(solution):
    weight, bias, x = tensor([[2.0], [0.0]]), tensor([0.5, 0.0]), tensor([1.5, 1.0])
    kl = solution.kl_as_sigma_to_zero(tensor([1.0]), tensor([0.0, -1.0, -2.0]))
    assert np.allclose(kl, [0.5, 1.067668, 2.009158], atol=5e-7)
    assert np.allclose(solution.best_point(x, weight, bias), [0.5])
    recon = solution.recon_term(x, weight, bias, tensor(0.5), tensor([0.5]), tensor([0.0, -1.0]))
    assert np.allclose(recon, [-6.144730, -2.686071], atol=5e-7)
    log_p = solution.loglik_vs_eta(x, weight, bias, tensor([0.5, 0.01]))
    assert np.allclose(log_p, [-3.354453, -50.354376], atol=5e-7)


def test_divergences_of_the_toy(solution):
    """3.680, 8.275, 12.881, 17.486 nats at σ = .1 … 1e-4, and 2 ln 10 between them in the end."""
    widths = tensor([0.1, 0.01, 1e-3, 1e-4]).log()
    found = solution.kl_as_sigma_to_zero(tensor(M), widths)
    assert np.allclose(found, [3.680, 8.275, 12.881, 17.486], atol=6e-4)
    assert np.allclose(np.diff(found)[1:], 2 * math.log(10), atol=2e-4)


@pytest.mark.parametrize("k", [1, 2, 7])
def test_what_is_left_of_the_divergence_is_a_constant(solution, k):
    """KL + K ln σ → ½ Σ (μ² - 1), down to widths whose square has no double."""
    mu = np.linspace(-1, 2, k)
    log_sigma = np.array([-20.0, -30.0, -400.0])
    found = solution.kl_as_sigma_to_zero(tensor(mu), tensor(log_sigma)).numpy()
    assert np.allclose(found + k * log_sigma, 0.5 * (mu**2 - 1).sum(), atol=1e-11)


def test_the_reconstruction_term_rises_to_its_value_at_the_point(solution):
    """-(‖x - G(z*)‖² + σ² tr W Wᵀ) / 2η - D/2 ln 2πη, highest at z* for every width."""
    best = solution.best_point(tensor(X), *MODEL)
    log_sigmas = np.linspace(1, -12, 27)
    term = solution.recon_term(tensor(X), *MODEL, tensor(ETA), best, tensor(log_sigmas)).numpy()
    assert (np.diff(term) > 0).all()
    point = best.numpy()
    limit = multivariate_normal(W @ point + BIAS, ETA * np.eye(3)).logpdf(X)
    assert term[-1] == pytest.approx(limit, abs=1e-9)
    gaps = (limit - term) / np.exp(2 * log_sigmas)
    assert np.allclose(gaps[:10], (W**2).sum() / (2 * ETA), rtol=1e-6)
    for angle in np.linspace(0, 6, 7):
        beside = tensor(point + 0.1 * np.array([math.cos(angle), math.sin(angle)]))
        other = solution.recon_term(tensor(X), *MODEL, tensor(ETA), beside, tensor(log_sigmas))
        assert (other.numpy() < term).all()


@pytest.mark.parametrize("sigma", [1.0, 0.3, 0.01])
def test_the_reconstruction_term_is_an_expectation(solution, sigma):
    nodes, mass = np.polynomial.hermite_e.hermegauss(6)
    total = 0.0
    for pair in itertools.product(zip(nodes, mass / mass.sum(), strict=True), repeat=2):
        z = M + sigma * np.array([node for node, _ in pair])
        density = multivariate_normal(W @ z + BIAS, ETA * np.eye(3)).logpdf(X)
        total += math.prod(weight for _, weight in pair) * density
    width = tensor([math.log(sigma)])
    found = solution.recon_term(tensor(X), *MODEL, tensor(ETA), tensor(M), width)
    assert found.item() == pytest.approx(total, rel=1e-12)


def test_the_log_likelihood_of_the_toy(solution):
    """-9.3572 nats at η = .5."""
    found = solution.loglik_vs_eta(tensor(X), *MODEL, tensor([ETA, 0.01])).numpy()
    assert found[0] == pytest.approx(-9.3572, abs=5e-5)
    wanted = [multivariate_normal(BIAS, W @ W.T + eta * np.eye(3)).logpdf(X) for eta in (ETA, 0.01)]
    assert np.allclose(found, wanted, rtol=1e-11)


def test_on_the_manifold_the_density_grows_with_half_the_missing_dimensions(solution):
    """Slope ½ (D - K) by ln 1/η: ½ for the toy."""
    x, etas = W @ M + BIAS, np.logspace(-6, -9, 4)
    found = solution.loglik_vs_eta(tensor(x), *MODEL, tensor(etas)).numpy()
    assert np.allclose(np.diff(found) / np.log(10), 0.5, atol=1e-5)


def test_off_the_manifold_it_falls_like_the_squared_distance(solution):
    """-c²/2η leads, c the distance to the range of the decoder."""
    residual = (X - BIAS) - W @ np.linalg.lstsq(W, X - BIAS)[0]
    etas = np.logspace(-4, -8, 5)
    found = solution.loglik_vs_eta(tensor(X), *MODEL, tensor(etas)).numpy()
    assert np.allclose(found * 2 * etas / (residual @ residual), -1, atol=1e-2)
    assert np.allclose((found * 2 * etas)[2:], -(residual @ residual), rtol=1e-3)


def test_no_divergence_is_anything_but_finite(solution):
    extremes = solution.kl_as_sigma_to_zero(tensor([0.0, 1e3]), tensor([-30.0, 30.0]))
    assert torch.isfinite(extremes).all()


def test_a_point_that_is_not_finite_ends_the_trial():
    with (
        BareProgram(
            TASK, edited(TASK, "weight.T @ (x - bias))", "weight.T @ (x - bias)) / 0")
        ) as running,
        pytest.raises(ProgramError, match="not finite"),
    ):
        running.metrics("rising", Step(1, 0), PUBLIC_KEY)
