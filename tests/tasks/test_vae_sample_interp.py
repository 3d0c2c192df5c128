"""vae-sample-interp: the law of samples by quadrature and by counting, and moments by drawing."""

import functools

import numpy as np
import pytest
import torch

from tests.support.programs import ROOT, edited, load, load_module, outcomes

solution = load_module(ROOT / "reference" / "vae-sample-interp" / "solution.py")
given = load_module(ROOT / "tasks" / "vae-sample-interp" / "given.py")


def tensor(values):
    return torch.tensor(values, dtype=torch.float64)


@pytest.fixture
def linear():
    weight, bias = tensor([[2.0, 0.5], [-1.0, 1.0], [0.0, 1.5]]), tensor([0.5, 0.0, -1.0])
    return functools.partial(given.linear, weight=weight, bias=bias)


def test_samples_of_a_linear_decoder_have_its_marginal_law(linear):
    weight, bias, eta, n = linear.keywords["weight"], linear.keywords["bias"], tensor(0.3), 200_000
    x = solution.sample(linear, eta, 2, n, torch.Generator().manual_seed(0))
    wanted = weight @ weight.T + eta * torch.eye(3, dtype=torch.float64)
    spread = (wanted.diagonal() / n).sqrt()
    assert ((x.mean(dim=0) - bias).abs() < 5 * spread).all()
    assert torch.allclose(x.T.cov(), wanted, atol=5 * float(wanted.max()) * (2 / n) ** 0.5)


def test_bits_have_the_probabilities_of_their_logits(linear):
    u = (torch.arange(1000, dtype=torch.float64) + 0.5) / 1000
    eps = tensor([[0.3, -0.8]]).expand(1000, 2)
    x = solution.generate_bits(linear, eps, u[:, None].expand(1000, 3))
    assert torch.allclose(x.mean(dim=0), linear(eps[:1])[0].sigmoid(), atol=1e-3)


def test_a_walk_ends_at_the_codes_and_leaves_the_segment_of_outputs():
    network = functools.partial(
        given.network, inner=tensor([[1.0]]), outer=tensor([[2.0], [-1.0]]), bias=tensor([0.0, 1.0])
    )
    z1, z2 = tensor([2.0]), tensor([-0.5])
    x = solution.interpolate(network, z1, z2, tensor([1.0, 0.0, 0.5]))
    ends = torch.cat([network(z1[None]), network(z2[None])])
    assert torch.equal(x[:2], ends)
    assert not torch.allclose(x[2], ends.mean(dim=0), atol=0.1)


def test_the_aggregate_of_posteriors_that_make_up_the_prior_has_its_moments():
    """z = √.6 a + √.4 b: over a ~ N(0, 1) the laws N(√.6 a, .4) mix to N(0, 1)."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(2)
    np.testing.assert_allclose(weights / weights.sum(), 0.5)  # so that a mean is the quadrature
    mu = tensor(np.sqrt(0.6) * nodes)[:, None]
    first, second = solution.aggregate_moments(mu, torch.full_like(mu, 0.5 * np.log(0.4)))
    assert abs(first.item()) < 1e-15
    assert second.item() == pytest.approx(1.0, abs=1e-14)


@pytest.mark.parametrize("change", ["z = z.clamp(-3.9, 3.9)", "z = 0.97 * z"])
def test_codes_that_end_too_soon_or_are_too_small_are_seen(change):
    task = load("vae-sample-interp")
    program = edited(
        task,
        "    x_mean = decode(z)\n    noise",
        f"    {change}\n    x_mean = decode(z)\n    noise",
    )
    ((_, outcome),) = outcomes(task, program, [task.spec.check("sample-digits")])
    assert outcome.status == "FAIL"
