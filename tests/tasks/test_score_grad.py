"""The reference of score-grad against closed forms, and against the pathwise estimator."""

from functools import partial

import numpy as np
import pytest
import torch

from tests.support.programs import ROOT, load, load_module, mutant_module
from tests.support.tensors import moments, tensor

REFERENCE = ROOT / "reference" / "score-grad"
TASK = load("score-grad")


@pytest.fixture(scope="module")
def solution():
    return load_module(REFERENCE / "solution.py")


@pytest.fixture(scope="module")
def given():
    return load_module(ROOT / "tasks" / "score-grad" / "given.py")


@pytest.fixture(scope="module")
def pathwise():
    return load_module(ROOT / "reference" / "reparam-grad" / "solution.py").grad_pathwise


def sine(z):
    return z.sin().sum(dim=-1)


def one_hot_moments(solution, f, logits):
    """Mean and variance [c] of the one-sample estimate over all categories."""
    p = torch.softmax(logits, 0)
    corners = torch.eye(len(logits), dtype=torch.float64)
    rows = logits.expand(len(logits), -1)
    found = solution.grad_score_categorical(f, rows, corners[None])
    mean = p @ found
    return mean, p @ (found - mean) ** 2


def test_the_example_of_the_statement(solution, given):
    mu, log_sigma = tensor([[1.0]]), tensor([[0.0]])
    eps = tensor([[[0.5]], [[-1.0]]])
    z = tensor([[[1.5]], [[0.0]]])
    by_mu, by_log_sigma = solution.score(z, mu, log_sigma)
    assert by_mu.ravel().tolist() == [0.5, -1.0]
    assert by_log_sigma.ravel().tolist() == [-0.75, 0.0]
    found = solution.grad_score(given.square, mu, log_sigma, eps)
    assert [grad.item() for grad in found] == pytest.approx([0.5625, -0.84375], rel=1e-14)
    found = solution.grad_score_loo(given.square, mu, log_sigma, eps)
    assert [grad.item() for grad in found] == pytest.approx([1.6875, -0.84375], rel=1e-14)
    f = partial(given.codebook, codes=tensor([[1.0], [3.0]]), x=tensor([[2.5]]))
    logits = tensor([np.log(3), 0.0])
    found = solution.grad_score_categorical(f, logits[None], tensor([[[1.0, 0.0]]]))
    assert found.ravel().tolist() == pytest.approx([-0.5625, 0.5625], rel=1e-14)
    mean, _ = one_hot_moments(solution, f, logits)
    assert mean.tolist() == pytest.approx([-0.375, 0.375], rel=1e-13)


@pytest.mark.parametrize("sigma", [0.3, 1.0, 2.0])
def test_a_score_has_mean_zero_and_the_fisher_information_as_its_variance(solution, sigma):
    mean, variance = moments(
        partial(solution.grad_score, lambda z: torch.ones(z.shape[:2])), [0.7], [sigma], count=5
    )
    assert np.abs(mean).max() < 1e-13
    assert np.allclose(variance[:, 0], [1 / sigma**2, 2], rtol=1e-12)


@pytest.mark.parametrize(("mu", "sigma"), [(1.0, 1.0), (-0.7, 0.4), (2.5, 1.5)])
def test_the_moments_for_z_squared_have_their_closed_forms(solution, given, mu, sigma):
    """Mean 2μ, 2σ²; variance by μ μ⁴/σ² + 14μ² + 15σ², which is 30 at (1, 1)."""
    mean, variance = moments(partial(solution.grad_score, given.square), [mu], [sigma], count=8)
    assert np.allclose(mean[:, 0], [2 * mu, 2 * sigma**2], rtol=1e-12)
    wanted = mu**4 / sigma**2 + 14 * mu**2 + 15 * sigma**2
    assert variance[0, 0] == pytest.approx(wanted, rel=1e-12)


@pytest.mark.parametrize("samples", [1, 2])
def test_it_estimates_what_the_pathwise_estimator_estimates(solution, pathwise, samples):
    mu, sigma = [0.4, -1.3], [0.8, 0.5]
    found, _ = moments(partial(solution.grad_score, sine), mu, sigma, samples=samples, count=12)
    wanted, _ = moments(partial(pathwise, sine), mu, sigma, count=12)
    assert np.allclose(found, wanted, atol=1e-8)


def test_an_integrand_without_a_gradient(solution, given):
    """E sign z = 2 Φ(μ/σ) - 1, so 2 φ(μ/σ)/σ by μ and -2 φ(μ/σ) μ/σ by ln σ."""
    generator = torch.Generator().manual_seed(1)
    mu, log_sigma = tensor([[0.5]]), tensor([[0.2]])
    eps = torch.randn(200_000, 1, 1, generator=generator, dtype=torch.float64)
    found = [grad.item() for grad in solution.grad_score(given.signs, mu, log_sigma, eps)]
    ratio = 0.5 * np.exp(-0.2)
    density = np.exp(-(ratio**2) / 2) / np.sqrt(2 * np.pi)
    # one sample's sd is about 4, so the mean's .01
    assert found == pytest.approx([2 * density * np.exp(-0.2), -2 * density * ratio], abs=0.04)


@pytest.mark.parametrize("samples", [2, 3])
def test_the_leave_one_out_baseline_keeps_the_mean_and_lowers_the_variance(
    solution, given, samples
):
    """At (1, 1): a fresh baseline of M - 1 values adds Var f/(M - 1) to 18, over M; Var f = 6."""
    settings = {"samples": samples, "count": 6}
    mean, variance = moments(
        partial(solution.grad_score_loo, given.square), [1.0], [1.0], **settings
    )
    assert np.allclose(mean[:, 0], [2, 2], rtol=1e-12)
    _, plain = moments(partial(solution.grad_score, given.square), [1.0], [1.0], **settings)
    assert plain[0, 0] == pytest.approx(30 / samples, rel=1e-12)
    # terms j and i share values: their covariance is (E ∇log q f)²/(M - 1)², M (M - 1) times
    shared = 2**2 / (samples - 1) ** 2 * samples * (samples - 1)
    wanted = (18 + 6 / (samples - 1)) / samples + shared / samples**2
    assert variance[0, 0] == pytest.approx(wanted, rel=1e-12)


def test_the_categorical_gradient_is_that_of_the_expectation(solution, given):
    rng = np.random.default_rng(2)
    logits, codes, x = (tensor(rng.normal(size=shape)) for shape in (4, (4, 2), (1, 2)))
    f = partial(given.codebook, codes=codes, x=x)
    corners = torch.eye(4, dtype=torch.float64)
    leaf = logits.clone().requires_grad_()
    expectation = torch.softmax(leaf, 0) @ f(corners[:, None])[:, 0]
    (wanted,) = torch.autograd.grad(expectation, leaf)
    mean, _ = one_hot_moments(solution, f, logits)
    assert torch.allclose(mean, wanted, rtol=1e-12)


@pytest.mark.parametrize(
    ("right", "wrong", "wanted"), [(1, 0, 0.1163), (11, 10, 78.81), (-9, -10, 71.33)]
)
def test_the_variance_of_classification_by_rewards(solution, right, wrong, wanted):
    """Five classes, the first is right: .1163, 78.81 and 71.33, with one mean for all of them."""
    logits = tensor([1, 0.5, -0.5, 0, 0.2])
    p = torch.softmax(logits, 0)
    assert p[0].item() == pytest.approx(0.3778, abs=5e-5)
    mean, variance = one_hot_moments(
        solution, lambda z: wrong + (right - wrong) * z[..., 0], logits
    )
    assert torch.allclose(mean, p[0] * (torch.eye(5, dtype=torch.float64)[0] - p), rtol=1e-9)
    assert variance.sum().item() == pytest.approx(wanted, rel=5e-4)


def test_straight_through_is_biased_in_the_example_of_the_statement(given):
    """Its expectation is (-.75, .75) where the truth is (-.375, .375)."""
    module = mutant_module(TASK, "straight-through")
    f = partial(given.codebook, codes=tensor([[1.0], [3.0]]), x=tensor([[2.5]]))
    mean, _ = one_hot_moments(module, f, tensor([np.log(3), 0.0]))
    assert mean.tolist() == pytest.approx([-0.75, 0.75], rel=1e-13)
