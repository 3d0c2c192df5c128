"""The reference of vae-loss-step against scipy, longdouble and finite differences."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import norm

from harness.collect.bare import BareProgram
from harness.records import COMMON
from harness.seeds import PUBLIC_KEY
from tests.support.programs import ROOT, edited, load, load_module
from tests.support.tensors import tensor

REFERENCE = ROOT / "reference" / "vae-loss-step"
TASK = load("vae-loss-step")
PROGRAMS = sorted([REFERENCE / "solution.py", *(REFERENCE / "variants").glob("*.py")])
B, D, K = 6, 4, 3


@pytest.fixture(scope="module", params=PROGRAMS, ids=lambda path: path.stem)
def program(request):
    return load_module(request.param)


@pytest.fixture(scope="module")
def solution():
    return load_module(REFERENCE / "solution.py")


def network(seed, b=B):
    rng = np.random.default_rng(seed)
    drawn = rng.uniform(0, 1, (b, D)), rng.normal(size=(b, K)), rng.normal(size=(K, D))
    return [
        tensor(array) for array in (*drawn, 0.2 * rng.normal(size=(K, D)), rng.normal(size=(D, K)))
    ]


def test_a_network_of_zeros_costs_a_bit_a_pixel(program):
    x, eps, *parameters = network(0)
    zeros = [torch.zeros_like(w) for w in parameters]
    assert program.network_loss(x, eps, *zeros).item() == pytest.approx(D * math.log(2), rel=1e-15)
    codes = torch.zeros(B, K, dtype=torch.float64)
    loss, rec, latent = program.vae_loss(x, torch.zeros_like(x), codes, codes)
    assert rec.item() == loss.item() == pytest.approx(D * math.log(2), rel=1e-15)
    assert latent.item() == 0


@pytest.mark.parametrize("logit", [-1000.0, -37.5, -5.0, 0.0, 20.5, 36.0, 1000.0])
@pytest.mark.parametrize("x", [0.0, 0.25, 1.0])
def test_bernoulli_pixels_against_extended_precision(program, x, logit):
    wide = np.longdouble(logit)
    wanted = np.logaddexp(np.longdouble(0), wide) - np.longdouble(x) * wide
    found = program.bernoulli_rec(tensor([[x]]), tensor([[logit]])).item()
    assert found == pytest.approx(float(wanted), rel=1e-13, abs=1e-12)


def test_gaussian_pixels_are_those_of_scipy(program):
    rng = np.random.default_rng(1)
    x, mean = rng.normal(size=(2, B, D))
    wanted = -norm(mean, math.sqrt(0.3)).logpdf(x).sum(axis=1)
    assert np.allclose(
        program.gaussian_rec(tensor(x), tensor(mean), tensor(0.3)), wanted, rtol=1e-13
    )


def test_the_divergence_is_an_integral(program):
    """KL = ∫ q ln(q / p), by quadrature on a line, summed over dimensions."""
    mu, log_sigma = np.array([[0.7, -1.2]]), np.array([[-0.5, 0.4]])
    z = np.linspace(-15, 15, 6001)[:, None]
    q = norm(mu, np.exp(log_sigma))
    wanted = (q.pdf(z) * (q.logpdf(z) - norm.logpdf(z))).sum() * (z[1, 0] - z[0, 0])
    assert program.kl(tensor(mu), tensor(log_sigma)).item() == pytest.approx(wanted, rel=1e-10)


def test_rows_twice_or_in_another_order_are_the_same_loss_and_step(program):
    x, eps, *parameters = network(2)
    order = torch.randperm(B, generator=torch.Generator().manual_seed(0))
    once = program.network_loss(x, eps, *parameters)
    for rows in (order, torch.cat([order, order])):
        assert torch.allclose(
            program.network_loss(x[rows], eps[rows], *parameters), once, rtol=1e-13
        )
        for found, wanted in zip(
            program.sgd_step(x[rows], eps[rows], *parameters, 0.3),
            program.sgd_step(x, eps, *parameters, 0.3),
            strict=True,
        ):
            assert torch.allclose(found, wanted, rtol=1e-12, atol=1e-13)


def test_a_step_is_that_of_finite_differences(program):
    x, eps, *old = network(3)
    new = program.sgd_step(x, eps, *old, 0.5)
    width = 1e-6
    for place in range(3):
        for index in np.ndindex(*old[place].shape):
            sides = []
            for side in (width, -width):
                moved = [w.clone() for w in old]
                moved[place][index] += side
                sides.append(program.network_loss(x, eps, *moved).item())
            slope = (sides[0] - sides[1]) / (2 * width)
            assert (old[place] - new[place])[index].item() == pytest.approx(0.5 * slope, abs=1e-7)


def test_a_small_step_lowers_the_loss_and_none_changes_nothing(program):
    x, eps, *old = network(4)
    new = program.sgd_step(x, eps, *old, 1e-3)
    assert program.network_loss(x, eps, *new) < program.network_loss(x, eps, *old)
    assert all(map(torch.equal, program.sgd_step(x, eps, *old, 0.0), old))


def test_a_softplus_that_is_straight_from_twenty_on_is_not_enough():
    """It has no hint, since it differs in the ninth place alone; the check sees it all the same."""
    program = edited(
        TASK,
        "log_p, log_not_p = logsigmoid(x_logits), logsigmoid(-x_logits)",
        "log_p, log_not_p = (-torch.nn.functional.softplus(s * x_logits) for s in (-1, 1))",
    )
    found = []
    for one in (program, TASK.reference.solution):
        with BareProgram(TASK, one) as running:
            found.append(running.metrics("bernoulli", COMMON, PUBLIC_KEY))
    error = np.abs(found[0]["rec"] - found[1]["rec"])
    assert (error > 1600 * np.finfo(float).eps * found[1]["rec__scale"]).any()
