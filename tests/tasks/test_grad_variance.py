"""The reference of grad-variance against closed forms and the figures of the toy model."""

import itertools

import numpy as np
import pytest
import torch

from harness.collect.bare import BareProgram
from harness.feasibility import required_draws
from tests.support.programs import ROOT, first_looks, honest_programs, load, load_module
from tests.support.tensors import tensor
from tests.support.toy import BIAS, ETA, W, X

REFERENCE = ROOT / "reference" / "grad-variance"
TASK = load("grad-variance")

MU, SIGMA = np.array([[0.3, -0.2]]), np.array([[0.6, 0.9]])


@pytest.fixture(scope="module")
def solution():
    return load_module(REFERENCE / "solution.py")


@pytest.fixture(scope="module")
def measure():
    return load_module(ROOT / "tasks" / "grad-variance" / "measure.py")


def law_of(dimensions, count=12):
    """Noise [m, 1, k] at the nodes, and their weights."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(count)
    grid = np.array(list(itertools.product(nodes, repeat=dimensions)))
    law = np.prod(list(itertools.product(weights, repeat=dimensions)), axis=1)
    return tensor(grid)[:, None], tensor(law / law.sum())


def square(z):
    return (z**2).sum(dim=-1)


def four_variances(solution, f, mu, sigma, count=12):
    """Pathwise, then the score without baseline, with E f and with b*; and the two baselines."""
    mu, log_sigma = tensor(mu), tensor(np.log(sigma))
    eps, law = law_of(mu.shape[1], count)
    args = (f, mu, log_sigma, eps)
    average = torch.einsum("m,mb->b", law, f(mu + log_sigma.exp() * eps))
    best = solution.optimal_baseline(*args, law)
    found = [solution.pathwise_samples(*args)]
    found += [solution.score_samples(*args, b) for b in (0 * best, average, best)]
    variances = [solution.total_variance(samples, law).item() for samples in found]
    means = torch.stack([torch.einsum("m,mbk->bk", law, samples) for samples in found])
    return variances, means, (average.item(), best.item())


def test_the_example_of_the_statement(solution):
    args = (square, tensor([[1.0]]), tensor([[0.0]]), tensor([[[0.5]], [[-1.0]]]))
    assert solution.pathwise_samples(*args).ravel().tolist() == [3.0, 0.0]
    assert solution.score_samples(*args, tensor([2.0])).ravel().tolist() == [0.125, 2.0]
    found = solution.total_variance(tensor([[[3.0]], [[0.0]]]), tensor([0.25, 0.75]))
    assert found.tolist() == [1.6875]
    best = solution.optimal_baseline(*args, tensor([0.5, 0.5]))
    assert best.tolist() == pytest.approx([0.45], rel=1e-15)


def test_the_variances_at_mu_and_sigma_one(solution):
    """4, 30, 18 and 14."""
    variances, means, baselines = four_variances(solution, square, [[1.0]], [[1.0]])
    assert variances == pytest.approx([4, 30, 18, 14], rel=1e-12)
    assert baselines == pytest.approx((2, 4), rel=1e-12)
    assert torch.allclose(means, tensor(2.0), rtol=1e-12)


@pytest.mark.parametrize(("mu", "sigma"), [(-0.7, 0.4), (2.5, 1.5), (0.1, 3.0)])
def test_the_variances_have_their_closed_forms_and_their_order(solution, mu, sigma):
    variances, means, baselines = four_variances(solution, square, [[mu]], [[sigma]])
    m, s = mu**2, sigma**2
    wanted = [4 * s, m**2 / s + 14 * m + 15 * s, 8 * m + 10 * s, 8 * m + 6 * s]
    assert variances == pytest.approx(wanted, rel=1e-11)
    assert variances[0] < variances[3] < variances[2] < variances[1]
    assert baselines == pytest.approx((m + s, m + 3 * s), rel=1e-12)
    assert torch.allclose(means, tensor(2 * mu), rtol=1e-11)


def test_the_order_turns_round_for_a_quick_oscillation(solution):
    """cos 10z: 50 by the path, .5 by the score."""
    variances, _, _ = four_variances(
        solution, lambda z: (10 * z).cos().sum(dim=-1), [[1.0]], [[1.0]], count=160
    )
    assert variances[0] == pytest.approx(50, rel=1e-3)
    assert variances[1] == pytest.approx(0.5, rel=1e-3)


def test_the_ratios_of_the_toy_bound(solution):
    """By μ the score of log p(x, z) - log q(z) has 207.85 times the variance of the path, and 14.05
    times with E f as its baseline.

    The recipe's 157 is that of log p - log q + ln 2π: its joint lacks the prior's constant. What
    is constant in f cancels against a baseline, so that its 14 holds.
    """
    mu, log_sigma = tensor(MU), tensor(np.log(SIGMA))
    eps, law = law_of(2, 8)
    q = torch.distributions.Normal(mu, log_sigma.exp())

    def log_joint(z):
        residual = tensor(X - BIAS) - z @ tensor(W).T
        log_lik = -(residual**2).sum(-1) / (2 * ETA) - 1.5 * np.log(2 * np.pi * ETA)
        return log_lik - 0.5 * (z**2).sum(-1) - np.log(2 * np.pi)

    def log_ratio(z):
        return log_joint(z) - q.log_prob(z).sum(-1)

    # log q along the path does not depend on μ
    path = solution.pathwise_samples(log_joint, mu, log_sigma, eps)
    least = solution.total_variance(path, law).item()
    assert least == pytest.approx(3.624, rel=0.01)

    bound = torch.einsum("m,mb->b", law, log_ratio(mu + log_sigma.exp() * eps))
    assert bound.item() == pytest.approx(-13.2940, abs=5e-5)
    best = solution.optimal_baseline(log_ratio, mu, log_sigma, eps, law)
    found = []
    for baseline in (0 * bound, bound, best, 0 * bound - np.log(2 * np.pi)):
        samples = solution.score_samples(log_ratio, mu, log_sigma, eps, baseline)
        mean = torch.einsum("m,mbk->k", law, samples).tolist()
        assert mean == pytest.approx([-4.24068757, 1.23778354], abs=5e-9)
        found.append(solution.total_variance(samples, law).item() / least)
    none, average, optimal, shifted = found
    assert none == pytest.approx(207.85, abs=0.01)
    assert shifted == pytest.approx(157.73, abs=0.01)
    assert average == pytest.approx(14.05, abs=0.01)
    assert optimal < average


def test_no_other_baseline_has_less_variance(solution):
    rng = np.random.default_rng(4)
    mu, log_sigma = tensor(rng.normal(size=(3, 2))), tensor(rng.uniform(-1, 0.5, (3, 2)))
    eps, law = law_of(2, 6)
    args = (square, mu, log_sigma, eps.expand(-1, 3, -1))
    best = solution.optimal_baseline(*args, law)
    least = solution.total_variance(solution.score_samples(*args, best), law)
    for away in (-0.1, 0.1):
        other = solution.total_variance(solution.score_samples(*args, best + away), law)
        assert (other > least).all()


def test_the_moments_of_the_function_of_steps(measure):
    """The law that own estimates are held against: simulated with 400,000 draws."""
    rng = np.random.default_rng(7)
    mu, sigma, base, height = np.array([[0.4, -0.3]]), np.array([[0.7, 1.1]]), 7.0, 4.5
    gradient, spread, _ = measure._steps_moments(mu, sigma, base, height)
    eps = rng.normal(size=(400_000, 2))
    value = base + measure._term(mu + sigma * eps, height).sum(1, keepdims=True)
    plain = value * eps / sigma
    assert np.allclose(plain.std(0), spread[0], rtol=0.01)
    found = (value - value.mean()) * eps / sigma
    error = found.std(0) / np.sqrt(len(eps))
    assert (np.abs(found.mean(0) - gradient[0]) < 5 * error).all()
    # a bias of half the gradient is one that must be found
    least = TASK.spec.check("own-mean").min_detectable
    assert (np.abs(gradient / 2) > least * spread).any()


def _of_steps(measure, problem, mu, sigma, eps):
    """Values [n, rows, 1] of the function of a problem."""
    return problem.base + measure._term(mu + sigma * eps, problem.height).sum(-1, keepdims=True)


@pytest.mark.parametrize("seed", range(5))
def test_rows_whose_function_has_the_mean_zero(measure, seed):
    """Simulated with 200,000 draws; the value of one other draw is a baseline that leaves room."""
    rng = np.random.default_rng(seed)
    rows = measure._centred(rng, 4.5)
    eps = rng.normal(size=(200_000, 2, 2))
    value = _of_steps(measure, rows, rows.mu, rows.sigma, eps)
    assert (np.abs(value.mean(0)) < 0.1 * value.std(0)).all()
    gradient, spread, paired = rows.moments
    assert np.allclose((value * eps / rows.sigma).std(0), spread, rtol=0.03)
    other = (value - np.roll(value, 1, axis=0)) * eps / rows.sigma
    assert np.allclose(other.std(0), paired, rtol=0.03)
    # f at σ = 1 or at the first row's μ: another gradient by far more than what must be found
    least = TASK.spec.check("own-mean").min_detectable
    for row, mu, sigma in ((0, rows.mu, 1.0), (1, rows.mu[:1], rows.sigma)):
        wrong = _of_steps(measure, rows, mu, sigma, eps) * eps / rows.sigma
        away = np.abs(wrong.mean(0) - gradient)
        assert (away > 1.5 * least * paired)[row].all()


@pytest.mark.parametrize("k", [2, 4])
@pytest.mark.parametrize("seed", range(20))
def test_a_row_with_the_mean_or_the_width_of_the_other_kind_shows(measure, k, seed):
    """Where it happens in a quarter of the estimates, which come from four calls."""
    rng = np.random.default_rng(seed)
    rows = measure._two_kinds(rng, k, rng.uniform(4.0, 5.0))
    assert -12 <= rows.base <= 8
    gradient, _, paired = rows.moments
    other = np.sign(rows.mu) * np.abs(np.roll(rows.mu, measure.EACH, axis=0))
    wrong, _, _ = measure._steps_moments(other, rows.sigma, rows.base, rows.height)
    narrow = np.log(rows.sigma) < -0.8
    away = (np.abs(wrong - gradient) / paired)[narrow].reshape(2, -1).mean(axis=1)
    assert (away > (0.21 if k == 2 else 0.14)).all()

    ratio = np.log(rows.sigma[:, 0] / rows.sigma[:, 1])
    assert (ratio[: measure.EACH] < 0).all()
    assert (ratio[measure.EACH :] > 0).all()
    least = TASK.spec.check("own-law").min_detectable
    apart = np.abs(ratio - np.roll(ratio, measure.EACH))
    # the arctangent of a ratio of two normal draws that is multiplied by exp(apart)
    distance = 2 / np.pi * np.arctan(np.exp(apart / 2)) - 0.5
    assert distance.mean() / 4 > least


@pytest.mark.parametrize("blocks", [True, False])
def test_kinds_of_rows_stand_in_blocks_or_take_turns(measure, blocks):
    for seed in range(10):
        kinds = measure._in_order(np.random.default_rng(seed), 3, blocks)
        assert sorted(np.bincount(kinds)) == [3, 4]
        assert (np.diff(kinds) != 0).sum() == (1 if blocks else 6)


def test_the_draws_are_enough_for_the_declared_power():
    draws = TASK.spec.measurements["own_noise"].draws
    assert draws is not None
    checks = [one for one in TASK.spec.checks_of("own_noise") if one.kind != "property"]
    assert max(required_draws(check) for check in checks) <= draws


def test_honest_estimates_pass_at_the_first_stage():
    for program in honest_programs(TASK):
        with BareProgram(TASK, program) as running:
            for name, outcome in first_looks(TASK, running, "own_noise", 2):
                assert outcome.status == "PASS", (program.name, name)
