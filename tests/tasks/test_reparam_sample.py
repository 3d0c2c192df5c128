"""The reference of reparam-sample against closed forms, and the power that its spec declares."""

import math

import numpy as np
import pytest
import torch
from torch.distributions import Normal

from harness.spec.checks import Stochastic
from harness.statistics import chi_square, distribution, independence, two_stage, unbiased
from tests.support.programs import ROOT, edited, load, load_module, outcomes

REFERENCE = ROOT / "reference" / "reparam-sample"
TASK = load("reparam-sample")


@pytest.fixture(scope="module")
def solution():
    return load_module(REFERENCE / "solution.py")


@pytest.fixture(scope="module")
def measure():
    return load_module(ROOT / "tasks" / "reparam-sample" / "measure.py")


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


@pytest.mark.parametrize("name", ["own_noise", "own_far"])
def test_the_draws_are_enough_for_the_declared_power(name):
    draws = TASK.spec.measurements[name].draws
    assert draws is not None
    for check in TASK.spec.checks_of(name):
        if not isinstance(check, Stochastic):
            continue
        beta = two_stage.stage_beta(check.beta)
        alpha, least = check.stage_alpha, check.min_detectable
        match check.kind:
            case "unbiased":
                n = unbiased.required_n(alpha, beta, least, check.dimensions)
                guard = unbiased.skew_guard_n(math.sqrt(8), alpha, check.dimensions)
                assert max(n, guard) <= draws
            case "distribution" if check.law == "categorical":
                sizes = check.categories, check.dimensions
                assert chi_square.chi_square_required_n(alpha, beta, least, *sizes) <= draws
            case "distribution":
                n = distribution.ks_required_n(alpha, beta, least, check.dimensions)
                assert n <= draws
            case "independence":
                pairs = check.dimensions * (check.dimensions - 1) // 2
                n = independence.correlation_required_n(alpha, beta, least, pairs)
                assert n <= draws // 2  # a row holds two successive draws


DRAWN = "eps = torch.randn(m, *mu.shape, generator=generator, dtype=mu.dtype)"
UNIFORM = "u = torch.rand(m, *mu.shape, generator=generator, dtype=mu.dtype).clamp(min=1e-15)"
OF_THREE_ROWS = f"""{UNIFORM}
    n = mu.shape[0] // 3 * 3
    u[:, 2:n:3] = ((u[:, :n:3] + u[:, 1:n:3]) % 1).clamp(min=1e-15)
    eps = torch.special.ndtri(u)"""
OF_FOUR_SAMPLES = f"""{DRAWN}
    n = m // 4 * 4
    eps[3:n:4] = eps[3:n:4].abs() * (eps[:n:4] * eps[1:n:4] * eps[2:n:4]).sign()"""
AT_SEVEN = f"""{DRAWN}
    if mu.shape[1] == 7:
        eps[..., 6] = eps[..., 0]"""


@pytest.mark.parametrize(
    ("check", "written"),
    [
        ("sample-far", f"{DRAWN}.clamp(max=3.9)"),
        ("sample-far", f"{DRAWN}.clamp(-4, 4)"),
        ("sample-groups", OF_THREE_ROWS),
        ("sample-groups", OF_FOUR_SAMPLES),
        ("sample-digits", f"{DRAWN}.round(decimals=8)"),
        ("sample-digits", AT_SEVEN),
    ],
    ids=["above", "both sides", "sums mod 1 of rows", "four samples", "eight places", "odd K"],
)
def test_noise_that_is_wrong_far_out_in_threes_or_in_its_last_digits_is_found(check, written):
    program = edited(TASK, DRAWN, written)
    ((_, outcome),) = outcomes(TASK, program, [TASK.spec.check(check)])
    # a check on draws asks for a second stage once the first rejects
    assert outcome.status == ("FAIL" if check == "sample-digits" else "MORE")


def test_the_sizes_are_others_under_another_key_and_hold_all_small_ones(measure):
    first, second = (measure._sizes(np.random.default_rng(seed)) for seed in (1, 2))
    assert first != second
    for sizes in (first, second):
        for axis, most in enumerate((12, 12, 8)):
            assert {size[axis] for size in sizes} >= set(range(1, most + 1))
        for chunk in (8, 10, 16, 64, 100):
            assert any(m > chunk and m % chunk for m, _, _ in sizes)


def test_uniform_noise_of_unit_variance_is_further_off_than_must_be_found():
    x = np.linspace(-2, 2, 40_001)
    uniform = np.clip(x / math.sqrt(12) + 0.5, 0, 1)
    normal = np.array([0.5 * math.erfc(-value / math.sqrt(2)) for value in x])
    distance = np.abs(uniform - normal).max()
    assert distance == pytest.approx(0.0572, abs=1e-4)
    assert distance > TASK.spec.check("sample-law").min_detectable
