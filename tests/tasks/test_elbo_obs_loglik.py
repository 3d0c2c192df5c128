"""The reference of elbo-obs-loglik against scipy, quadrature and finite differences."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal

from harness.collect.bare import BareProgram
from harness.errors import ProgramError
from harness.records import COMMON
from harness.seeds import PUBLIC_KEY
from tests.support.programs import ROOT, edited, load, load_module
from tests.support.tensors import tensor

REFERENCE = ROOT / "reference" / "elbo-obs-loglik"
TASK = load("elbo-obs-loglik")
_RNG = np.random.default_rng(12)
X, MEAN = _RNG.normal(size=(2, 6, 3))


@pytest.fixture(scope="module")
def solution():
    return load_module(REFERENCE / "solution.py")


def test_the_example_of_the_statement(solution):
    x, mean = tensor([[1.0, 2.0]]), tensor([[0.0, 0.0]])
    best = solution.best_eta(x, mean)
    assert best.item() == 2.5
    found = [solution.gauss_loglik(x, mean, eta).item() for eta in (tensor(0.5), tensor(1.0), best)]
    assert np.allclose(found, [-6.144730, -4.337877, -3.754168], atol=5e-7)


@pytest.mark.parametrize("eta", [0.01, 0.5, 1.0, 30.0])
def test_values_are_those_of_a_normal_density_of_that_variance(solution, eta):
    found = solution.gauss_loglik(tensor(X), tensor(MEAN), tensor(eta))
    wanted = [
        multivariate_normal(mean, eta * np.eye(3)).logpdf(x)
        for x, mean in zip(X, MEAN, strict=True)
    ]
    assert np.allclose(found, wanted, rtol=1e-12)


@pytest.mark.parametrize("eta", [0.04, 2.0])
def test_the_density_has_integral_one_and_variance_eta(solution, eta):
    grid = np.linspace(-12, 12, 4001) * math.sqrt(eta)
    x = tensor(grid[:, None])
    density = solution.gauss_loglik(x, torch.zeros_like(x), tensor(eta)).exp().numpy()
    cell = grid[1] - grid[0]
    assert density.sum() * cell == pytest.approx(1, abs=1e-12)
    assert (density * grid**2).sum() * cell == pytest.approx(eta, rel=1e-12)


def test_the_slope_by_eta_is_that_of_finite_differences(solution):
    eta, step = tensor(0.7).requires_grad_(), 1e-6
    solution.gauss_loglik(tensor(X), tensor(MEAN), eta).sum().backward()
    above, below = (
        solution.gauss_loglik(tensor(X), tensor(MEAN), tensor(0.7 + side)).sum().item()
        for side in (step, -step)
    )
    assert eta.grad.item() == pytest.approx((above - below) / (2 * step), rel=1e-7)


def test_a_bare_squared_error_is_the_loss_at_a_half(solution):
    """X2: its gradients are those of η = ½; at unit variance they are half as large."""
    mean = tensor(MEAN).requires_grad_()

    def gradient(loss):
        return torch.autograd.grad(loss, mean)[0]

    bare = gradient(((tensor(X) - mean) ** 2).sum())
    half, one = (
        gradient(-solution.gauss_loglik(tensor(X), mean, tensor(eta)).sum()) for eta in (0.5, 1.0)
    )
    assert torch.allclose(bare, half, rtol=1e-12)
    assert torch.allclose(bare, 2 * one, rtol=1e-12)


def test_no_other_variance_fits_better(solution):
    best = solution.best_eta(tensor(X), tensor(MEAN))
    at_best = solution.gauss_loglik(tensor(X), tensor(MEAN), best).sum()
    for factor in (0.5, 0.99, 1.01, 2.0):
        other = solution.gauss_loglik(tensor(X), tensor(MEAN), best * factor).sum()
        assert other < at_best
    slope = torch.autograd.functional.jacobian(
        lambda eta: solution.gauss_loglik(tensor(X), tensor(MEAN), eta).sum(), best
    )
    assert abs(slope.item()) < 1e-12


def test_the_best_variance_is_that_of_the_noise(solution):
    """20,000 residuals of variance .3: within four standard errors (.0120)."""
    noise = np.random.default_rng(1).normal(0, math.sqrt(0.3), (10_000, 2))
    found = solution.best_eta(tensor(noise), torch.zeros(10_000, 2, dtype=torch.float64))
    assert found.item() == pytest.approx(0.3, abs=0.012)


def test_far_rows_stay_finite(solution):
    far = solution.gauss_loglik(tensor([[1e3] * 4]), tensor([[0.0] * 4]), tensor(1e-3))
    assert far.item() == pytest.approx(-2e9 - 2 * math.log(2 * math.pi * 1e-3), rel=1e-15)


def test_a_column_is_refused_where_gradients_are_taken_too():
    program = edited(TASK, "sum(dim=1)", "sum(dim=1, keepdim=True)")
    with BareProgram(TASK, program) as running:
        with pytest.raises(ProgramError, match="expected"):
            running.metrics("gradient", COMMON, PUBLIC_KEY)
