"""The reference of path-derivative against closed forms and the figures of the toy model."""

from functools import partial

import numpy as np
import pytest
import torch

from tests.support.programs import ROOT, load, load_module
from tests.support.tensors import moments, tensor
from tests.support.toy import BIAS, ETA, W, X

REFERENCE = ROOT / "reference" / "path-derivative"
TASK = load("path-derivative")

MU, SIGMA = np.array([0.3, -0.2]), np.array([0.6, 0.9])
# A weight whose columns are at right angles: its posterior is a diagonal Gaussian.
ORTHOGONAL = np.array([[1.5, 0.0], [0.0, 0.7], [0.0, 0.0]])


@pytest.fixture(scope="module")
def solution():
    return load_module(REFERENCE / "solution.py")


@pytest.fixture(scope="module")
def given():
    return load_module(ROOT / "tasks" / "path-derivative" / "given.py")


def log_joint(given, weight):
    model = {"weight": tensor(weight), "bias": tensor(BIAS), "eta": tensor(ETA)}
    return partial(given.linear_gaussian, x=tensor(X)[None], **model)


def posterior_of_the_orthogonal_model():
    precision = 1 + (ORTHOGONAL**2).sum(0) / ETA
    return ORTHOGONAL.T @ (X - BIAS) / ETA / precision, 1 / np.sqrt(precision)


def test_the_example_of_the_statement(solution, given):
    model = {"weight": tensor([[2.0]]), "bias": tensor([0.5]), "eta": tensor(0.5)}
    joint = partial(given.linear_gaussian, x=tensor([[1.5]]), **model)
    args = (tensor([[1.0]]), tensor([[0.0]]), tensor([[[0.5]], [[-1.0]]]))
    for found, wanted in (
        (solution.grad_total(joint, *args), [-2.75, -3.375]),
        (solution.score_term(*args), [-0.25, -0.375]),
        (solution.grad_path_derivative(joint, *args), [-3.0, -3.75]),
    ):
        assert [grad.item() for grad in found] == pytest.approx(wanted, rel=1e-14)
    for estimator in (solution.grad_total, solution.grad_path_derivative):
        mean, _ = moments(partial(estimator, joint), [1.0], [1.0], count=5)
        assert mean.ravel().tolist() == pytest.approx([-5, -8], rel=1e-12)
    mu, log_sigma = tensor([[4 / 9]]), tensor([[-np.log(3)]])
    eps = tensor([[[0.7]]])
    path = solution.grad_path_derivative(joint, mu, log_sigma, eps)
    assert max(grad.abs().item() for grad in path) < 1e-14
    whole, _ = solution.grad_total(joint, mu, log_sigma, eps)
    assert whole.item() == pytest.approx(-3 * 0.7, rel=1e-13)


def test_both_have_the_gradient_of_the_toy_bound_as_their_mean(solution, given):
    """-4.24069, 1.23778 by μ and .21120, -.07546 by σ."""
    by_mu = W.T @ (X - BIAS - W @ MU) / ETA - MU
    by_sigma = -(W**2).sum(0) * SIGMA / ETA - SIGMA + 1 / SIGMA
    for estimator in (solution.grad_total, solution.grad_path_derivative):
        mean, _ = moments(partial(estimator, log_joint(given, W)), MU, SIGMA, count=5)
        assert np.allclose(mean, [by_mu, SIGMA * by_sigma], rtol=1e-11)
        assert np.allclose(mean[0], [-4.24068757, 1.23778354], atol=5e-9)
        assert np.allclose(mean[1] / SIGMA, [0.21119754, -0.07546097], atol=5e-9)


def test_the_variance_of_the_toy_away_from_the_posterior(solution, given):
    """By μ the path derivative's slope in ε is the whole's, and 1/σ more."""
    slope = -(W.T @ W / ETA + np.eye(2)) * SIGMA
    _, whole = moments(partial(solution.grad_total, log_joint(given, W)), MU, SIGMA, count=5)
    _, path = moments(
        partial(solution.grad_path_derivative, log_joint(given, W)), MU, SIGMA, count=5
    )
    assert whole[0].sum() == pytest.approx((slope**2).sum(), rel=1e-11)
    assert whole[0].sum() == pytest.approx(3.624, rel=0.01)
    assert path[0].sum() == pytest.approx(((slope + np.diag(1 / SIGMA)) ** 2).sum(), rel=1e-11)


def test_at_the_posterior_the_path_derivative_has_no_variance(solution, given):
    """Below 1e-25 (4e-31 in the recipe) where the whole derivative by μ keeps 7.46."""
    where = posterior_of_the_orthogonal_model()
    joint = log_joint(given, ORTHOGONAL)
    mean, path = moments(partial(solution.grad_path_derivative, joint), *where, count=5)
    assert np.abs(mean).max() < 1e-12
    assert path.sum() < 1e-25
    mean, whole = moments(partial(solution.grad_total, joint), *where, count=5)
    assert np.abs(mean).max() < 1e-12
    assert whole[0].sum() == pytest.approx(7.46, rel=0.005)
    # by μ it is the precision: here the score, with the sign turned
    assert whole[0].sum() == pytest.approx((1 / where[1] ** 2).sum(), rel=1e-12)
    assert whole[1].sum() == pytest.approx(4, rel=1e-12)


def test_far_from_the_posterior_it_can_be_the_noisier_of_the_two(solution, given):
    """Where q is much wider than the posterior, dropping the score helps; much narrower, not."""
    joint = log_joint(given, ORTHOGONAL)
    mu, sigma = posterior_of_the_orthogonal_model()
    for factor, path_wins in ((1.5, True), (0.5, False)):
        found = [
            moments(partial(estimator, joint), mu, factor * sigma, count=5)[1][0].sum()
            for estimator in (solution.grad_path_derivative, solution.grad_total)
        ]
        assert (found[0] < found[1]) == path_wins, (factor, found)


def test_the_score_term_has_mean_zero_and_the_fisher_information_as_its_variance(solution):
    mean, variance = moments(solution.score_term, MU, SIGMA, count=5)
    assert np.abs(mean).max() < 1e-14
    assert np.allclose(variance, [1 / SIGMA**2, [2, 2]], rtol=1e-12)


@pytest.mark.parametrize("log_sigma", [-30.0, 30.0])
def test_far_out_everything_stays_finite(solution, given, log_sigma):
    args = (tensor([[1.0, -2.0]]), tensor([[log_sigma, log_sigma]]), tensor([[[0.5, -1.0]]]))
    joint = log_joint(given, W)
    found = [*solution.grad_total(joint, *args), *solution.grad_path_derivative(joint, *args)]
    assert all(grad.isfinite().all() for grad in [*found, *solution.score_term(*args)])


def test_the_mixture_is_a_density(given):
    axis = torch.linspace(-9, 9, 181, dtype=torch.float64)
    z = torch.cartesian_prod(axis, axis)[:, None]
    centres = tensor([[1.0, -2.0], [-1.5, 0.5], [2.0, 2.0], [0.0, 0.0]])
    mass = given.mixture(z, centres).exp().sum() * 0.1**2
    assert mass.item() == pytest.approx(1, abs=1e-9)
