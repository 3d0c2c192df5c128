"""elbo-gaussian-kl: the reference against independent figures."""

import importlib.util
import math
from pathlib import Path

import pytest
import torch

from harness import kinds
from harness.collect.bare import BareProgram
from harness.records import Step
from harness.seeds import PUBLIC_KEY
from tests.support.programs import load

SOLUTION = Path(__file__).parents[2] / "reference" / "elbo-gaussian-kl" / "solution.py"


@pytest.fixture(scope="module")
def solution():
    spec = importlib.util.spec_from_file_location("elbo_gaussian_kl_solution", SOLUTION)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


MU = torch.tensor([[0.3, -0.2]], dtype=torch.float64)
LOG_SIGMA = torch.tensor([[0.6, 0.9]], dtype=torch.float64).log()


def test_kl_of_the_toy_posterior(solution):
    """The linear-Gaussian toy's KL, .2662 nats, and what three slips make of it."""
    assert solution.kl_std_normal(MU, LOG_SIGMA).item() == pytest.approx(0.2662, abs=5e-5)
    read_as_variance = solution.kl_std_normal(MU, LOG_SIGMA / 2).item()
    assert read_as_variance == pytest.approx(0.1231, abs=5e-5)
    assert solution.kl_std_normal(MU, LOG_SIGMA).item() / 2 == pytest.approx(0.1331, abs=5e-5)
    zeros = torch.zeros_like(MU)
    reversed_ = solution.kl_diag(zeros, zeros, MU, LOG_SIGMA).item()
    assert reversed_ == pytest.approx(0.5397, abs=5e-5)


def test_divergence_of_a_narrowing_gaussian(solution):
    """KL of N(mu, s^2 I) from N(0, I) for s = .1 … 1e-4 (K = 2): 3.680, 8.275, 12.881, 17.486.

    The recipe's mean (0.3, -0.2) adds .065; the catalogue's figures agree with it.
    """
    found = [
        solution.kl_std_normal(MU, torch.full_like(MU, math.log(s))).item()
        for s in (0.1, 0.01, 1e-3, 1e-4)
    ]
    assert found == pytest.approx([3.680, 8.275, 12.881, 17.486], abs=6e-4)


def test_figures_of_other_courses(solution):
    """KL(mu = 2) = 2 and KL(ln sigma = 1) = 2.194528, as the UvA course's unit tests have them."""
    one, zero = torch.ones(1, 1, dtype=torch.float64), torch.zeros(1, 1, dtype=torch.float64)
    assert solution.kl_std_normal(2 * one, zero).item() == pytest.approx(2.0)
    assert solution.kl_std_normal(zero, one).item() == pytest.approx(2.194528, abs=5e-7)


def test_entropy_by_quadrature(solution):
    nodes = torch.linspace(-12, 12, 200_001, dtype=torch.float64)
    for sigma in (0.5, 1.0, 2.0):
        density = torch.distributions.Normal(0.0, sigma).log_prob(nodes).to(torch.float64)
        integral = -(density.exp() * density).sum() * (nodes[1] - nodes[0])
        log_sigma = torch.tensor([[math.log(sigma)]], dtype=torch.float64)
        assert solution.gaussian_entropy(log_sigma).item() == pytest.approx(integral.item(), 1e-5)


def test_statement_example(solution):
    assert solution.kl_std_normal(MU, LOG_SIGMA).item() == pytest.approx(0.266186, abs=5e-7)
    assert solution.gaussian_entropy(LOG_SIGMA).item() == pytest.approx(2.221691, abs=5e-7)


@pytest.mark.parametrize("place", range(3))
def test_honest_algebra_keeps_its_distance_from_the_tolerance_under_many_keys(place):
    """½(exp(2(ln σ₁ - ln σ₂)) + …) failed 5 of 4,000 keys while S left out what exp amplifies."""
    task = load("elbo-gaussian-kl")
    check = task.spec.check("pair")
    form = task.reference.variants[place]
    with BareProgram(task, form) as own, BareProgram(task, task.reference.solution) as target:
        for key in range(60):
            step = Step(1, key)
            found, wanted = (
                item.statistics("pair", step, PUBLIC_KEY)["pair"] for item in (own, target)
            )
            assert kinds.decide(check, [kinds.Evidence(found, wanted)]).margin <= 0.2
