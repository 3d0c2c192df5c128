"""The reference of reparam-sample against closed forms, and the power that its spec declares."""

import math

import numpy as np
import pytest
import torch
from torch.distributions import Normal

from harness.statistics import distribution, independence, two_stage, unbiased
from tests.support.programs import ROOT, load, load_module

REFERENCE = ROOT / "reference" / "reparam-sample"
TASK = load("reparam-sample")


@pytest.fixture(scope="module")
def solution():
    return load_module(REFERENCE / "solution.py")


def test_the_example_of_the_statement(solution):
    mu = torch.tensor([[0.5, -1.0]], dtype=torch.float64)
    log_sigma = torch.tensor([[2.0, 0.5]], dtype=torch.float64).log()
    eps = torch.tensor([[[1.0, -2.0]], [[-0.5, 0.4]]], dtype=torch.float64)
    zbar = torch.tensor([[[1.0, 2.0]], [[3.0, -1.0]]], dtype=torch.float64)
    z = solution.rsample(mu, log_sigma, eps)
    assert np.allclose(z, [[[2.5, -2.0]], [[-0.5, -0.8]]], atol=1e-15)
    bars = torch.stack(solution.backward_rule(zbar, eps, log_sigma))
    assert np.allclose(bars[:, 0], [[4.0, 1.0], [-0.5, -4.4], [-1.0, -2.2]], atol=1e-15)
    raw = torch.tensor([[-50.0, 0.0, 2.0]], dtype=torch.float64)
    assert np.allclose(solution.sigma_exp(raw), [[1.92875e-22, 1.0, 7.389056]], rtol=1e-6)
    assert np.allclose(solution.sigma_softplus(raw), [[1.92875e-22, 0.693147, 2.126928]], rtol=1e-6)


def test_the_samples_are_those_of_the_library(solution):
    rng = torch.Generator().manual_seed(3)
    mu, log_sigma = torch.randn(2, 7, 4, generator=rng, dtype=torch.float64)
    torch.manual_seed(11)
    wanted = Normal(mu, log_sigma.exp()).rsample((5,))
    torch.manual_seed(11)
    eps = torch.empty(5, 7, 4, dtype=torch.float64).normal_()
    assert torch.allclose(solution.rsample(mu, log_sigma, eps), wanted, rtol=0, atol=1e-14)


def test_the_backward_rule_is_what_autograd_does(solution):
    rng = torch.Generator().manual_seed(4)
    mu, log_sigma = torch.randn(2, 6, 3, generator=rng, dtype=torch.float64)
    eps, zbar = torch.randn(2, 5, 6, 3, generator=rng, dtype=torch.float64)
    mu.requires_grad_()
    log_sigma.requires_grad_()
    wanted = torch.autograd.grad(solution.rsample(mu, log_sigma, eps), (mu, log_sigma), zbar)
    mu_bar, sigma_bar, log_sigma_bar = solution.backward_rule(zbar, eps, log_sigma.detach())
    assert torch.allclose(mu_bar, wanted[0])
    assert torch.allclose(log_sigma_bar, wanted[1])
    assert torch.allclose(sigma_bar, wanted[1] / log_sigma.exp())


@pytest.mark.parametrize("name", ["sigma_exp", "sigma_softplus"])
def test_sigma_is_positive_finite_and_has_a_slope_out_to_fifty(solution, name):
    raw = torch.linspace(-50, 50, 401, dtype=torch.float64)[:, None].requires_grad_()
    sigma = getattr(solution, name)(raw)
    (slope,) = torch.autograd.grad(sigma.sum(), raw)
    for value in (sigma, slope):
        assert torch.isfinite(value).all()
        assert (value > 0).all()


def test_the_draws_are_enough_for_the_declared_power():
    draws = TASK.spec.measurements["own_noise"].draws
    assert draws is not None
    for check in TASK.spec.checks_of("own_noise"):
        beta = two_stage.stage_beta(check.beta)
        least = check.min_detectable
        match check.kind:
            case "unbiased":
                n = unbiased.required_n(check.stage_alpha, beta, least, check.dimensions)
                guard = unbiased.skew_guard_n(math.sqrt(8), check.stage_alpha, check.dimensions)
                assert max(n, guard) <= draws
            case "distribution":
                n = distribution.ks_required_n(check.stage_alpha, beta, least, check.dimensions)
                assert n <= draws
            case "independence":
                pairs = check.dimensions * (check.dimensions - 1) // 2
                n = independence.correlation_required_n(check.stage_alpha, beta, least, pairs)
                assert n <= draws // 2  # a row holds two successive draws


def test_uniform_noise_of_unit_variance_is_further_off_than_must_be_found():
    x = np.linspace(-2, 2, 40_001)
    uniform = np.clip(x / math.sqrt(12) + 0.5, 0, 1)
    normal = np.array([0.5 * math.erfc(-value / math.sqrt(2)) for value in x])
    distance = np.abs(uniform - normal).max()
    assert distance == pytest.approx(0.0572, abs=1e-4)
    assert distance > TASK.spec.check("sample-law").min_detectable
