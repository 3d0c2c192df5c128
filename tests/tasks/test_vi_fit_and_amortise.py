"""The reference of vi-fit-and-amortise against quadrature, torch's KL and the toy's figures."""

import math
from functools import partial

import numpy as np
import pytest
import torch
from torch.distributions import Independent, MultivariateNormal, Normal, kl_divergence

from tests.support.programs import ROOT, edited, load, load_module, outcomes, sample, submission
from tests.support.tensors import tensor
from tests.support.toy import BIAS, ETA, W, X

REFERENCE = ROOT / "reference" / "vi-fit-and-amortise"
TASK = load("vi-fit-and-amortise")

PRECISION = np.eye(2) + W.T @ W / ETA
MEAN = np.linalg.solve(PRECISION, W.T @ (X - BIAS) / ETA)


@pytest.fixture(scope="module")
def solution():
    return load_module(REFERENCE / "solution.py")


@pytest.fixture(scope="module")
def given():
    return load_module(ROOT / "tasks" / "vi-fit-and-amortise" / "given.py")


@pytest.fixture(scope="module")
def measure():
    return load_module(ROOT / "tasks" / "vi-fit-and-amortise" / "measure.py")


@pytest.fixture(scope="module")
def toy(given):
    model = {"weight": tensor(W), "bias": tensor(BIAS), "eta": tensor(ETA)}
    return partial(given.elbo_linear, x=tensor(X)[None], **model)


def filled(bound, model):
    """The bound of a model as a function of q alone."""
    parameters = [tensor(parameter) for parameter in model]
    return lambda mu, log_sigma: bound(mu, log_sigma, *parameters)


def test_the_example_of_the_statement(solution, given):
    model = {"weight": tensor([[2.0]]), "bias": tensor([0.5]), "eta": tensor(0.5)}
    linear = partial(given.elbo_linear, x=tensor([[1.5]]), **model)
    one, zero = tensor([[1.0]]), tensor([[0.0]])
    slope, offset, log_sigma = solution.linear_encoder(**model)
    new = solution.encode(tensor([[2.0]]), tensor([0.5]), tensor([-1.0]), tensor([[1.5], [0.0]]))
    of_two = solution.linear_encoder(tensor([[1.0, 1.0]]), tensor([0.0]), tensor(1.0))
    model = {"weight": one, "bias": tensor([0.0])}
    exponential = partial(given.elbo_exponential, x=one, **model)
    for found, wanted in (
        (solution.ascent_step(linear, one, zero, 0.1), [0.5, -0.8]),
        (solution.fit_q(linear, one, zero), [0.4444, -1.0986]),
        ((slope, offset, log_sigma), [0.4444, -0.2222, -1.0986]),
        (new, [3.5, 0.5, -1.0, -1.0]),
        (solution.ascent_step(exponential, zero, zero, 0.1), [0.064872, -0.164872]),
        (solution.fit_q(exponential, zero, zero), [0.121258, -0.376005]),
        ([solution.mean_field_gap(tensor([[2.0]]), tensor(0.5))], [0.0]),
        ([solution.mean_field_gap(tensor([[1.0, 1.0]]), tensor(1.0))], [0.143841]),
        (of_two, [0.3333, 0.3333, 0.0, 0.0, -0.3466, -0.3466]),
    ):
        values = np.concatenate([value.numpy().ravel() for value in found])
        digits = 6 if any(round(number, 4) != number for number in wanted) else 4
        assert np.allclose(values, wanted, rtol=0, atol=0.6 * 10**-digits)
    decoder = torch.nn.Linear(20, 784, device="meta")
    theta = sum(parameter.numel() for parameter in decoder.parameters()) + 1  # η
    assert theta == 16465
    assert solution.n_params(theta, 60000, 784, 20) == (2416465, 32185)


def test_the_fitted_toy_leaves_the_gap_of_the_catalogue(solution, toy):
    """log p(x) -9.3572, L -13.2940 at the start; .01298 nats at the optimum, all of it KL."""
    start = tensor([[0.3, -0.2]]), tensor([[0.6, 0.9]]).log()
    marginal = MultivariateNormal(tensor(BIAS), tensor(W @ W.T + ETA * np.eye(3)))
    log_p = marginal.log_prob(tensor(X)).item()
    assert log_p == pytest.approx(-9.3572, abs=5e-5)
    assert toy(*start).item() == pytest.approx(-13.2940, abs=5e-5)
    mu, log_sigma = solution.fit_q(toy, *start)
    assert np.allclose(mu[0], MEAN, atol=1e-10)
    assert np.allclose(log_sigma[0].exp(), 1 / np.sqrt(np.diag(PRECISION)), atol=1e-10)
    left = log_p - toy(mu, log_sigma).item()
    assert left == pytest.approx(0.01298, abs=5e-6)
    posterior = MultivariateNormal(tensor(MEAN), precision_matrix=tensor(PRECISION))
    q = MultivariateNormal(mu[0], scale_tril=log_sigma[0].exp().diag())
    assert left == pytest.approx(kl_divergence(q, posterior).item(), abs=1e-12)
    assert left == pytest.approx(solution.mean_field_gap(tensor(W), tensor(ETA)).item(), abs=1e-12)


def test_the_marginal_variances_are_wider_and_cost_more(solution, toy):
    slope, offset, log_sigma = solution.linear_encoder(tensor(W), tensor(BIAS), tensor(ETA))
    best = solution.encode(slope, offset, log_sigma, tensor(X)[None])
    wide = tensor(0.5 * np.log(np.diag(np.linalg.inv(PRECISION))))[None]
    assert (wide > best[1]).all()
    # by the gap's own formula: (Σ P_ii Σ_ii - K - Σ ln P_ii Σ_ii) / 2
    product = np.diag(PRECISION) * np.diag(np.linalg.inv(PRECISION))
    lost = (toy(*best) - toy(best[0], wide)).item()
    assert lost == pytest.approx(0.5 * (product - 1 - np.log(product)).sum(), abs=1e-12)
    assert lost > 1e-4


def test_one_encoder_serves_every_x(solution, given):
    """Fitting from where the encoder points gains nothing, at 50 new x."""
    rng = np.random.default_rng(3)
    x = tensor(3 * rng.normal(size=(50, 3)))
    model = {"weight": tensor(W), "bias": tensor(BIAS), "eta": tensor(ETA)}
    elbo = partial(given.elbo_linear, x=x, **model)
    encoded = solution.encode(*solution.linear_encoder(**model), x)
    fitted = solution.fit_q(elbo, *torch.zeros(2, 50, 2, dtype=torch.float64))
    assert (elbo(*encoded) - elbo(*fitted)).abs().max() < 1e-10
    stepped = solution.ascent_step(elbo, *encoded, 0.05)
    for before, after in zip(encoded, stepped, strict=True):
        assert (after - before).abs().max() < 1e-13


@pytest.mark.parametrize("seed", range(5))
def test_the_gap_is_torchs_divergence_from_the_posterior(solution, seed):
    rng = np.random.default_rng(seed)
    weight, eta = tensor(rng.normal(size=(4, 3))), tensor(rng.uniform(0.3, 1.0))
    precision = torch.eye(3, dtype=torch.float64) + weight.T @ weight / eta
    zero = torch.zeros(3, dtype=torch.float64)
    posterior = MultivariateNormal(zero, precision_matrix=precision)
    _, _, log_sigma = solution.linear_encoder(weight, torch.zeros(4, dtype=torch.float64), eta)
    q = MultivariateNormal(zero, scale_tril=log_sigma.exp().diag())
    found = solution.mean_field_gap(weight, eta).item()
    assert found == pytest.approx(kl_divergence(q, posterior).item(), rel=1e-10)
    assert found > 0.01
    aligned = torch.linalg.qr(weight)[0] * tensor([0.5, 1.0, 2.0])
    assert abs(solution.mean_field_gap(aligned, eta).item()) < 1e-14


def test_the_bounds_that_are_given_are_those_of_their_models(given):
    """E_q[log p(x, z) - log q(z)] by Gauss–Hermite quadrature in two dimensions."""
    rng = np.random.default_rng(1)
    line, mass = np.polynomial.hermite_e.hermegauss(40)
    eps = tensor(np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2))
    law = tensor(np.outer(mass, mass).ravel() / mass.sum() ** 2)
    weight, bias = tensor(rng.uniform(-0.8, 0.8, (3, 2))), tensor(rng.normal(size=3))
    mu, log_sigma = tensor(rng.normal(size=(4, 2))), tensor(rng.uniform(-1.5, 0.2, (4, 2)))
    x, eta = tensor(rng.exponential(size=(4, 3))), tensor(0.7)
    z = mu + log_sigma.exp() * eps[:, None]
    decoded = z @ weight.T + bias
    prior = Independent(Normal(torch.zeros_like(mu), torch.ones_like(mu)), 1)
    latent = prior.log_prob(z) - Independent(Normal(mu, log_sigma.exp()), 1).log_prob(z)
    gaussian = Normal(decoded, eta.sqrt()).log_prob(x).sum(-1)
    exponential = torch.distributions.Exponential((-decoded).exp()).log_prob(x).sum(-1)
    found = given.elbo_linear(mu, log_sigma, x, weight, bias, eta)
    assert np.allclose(law @ (gaussian + latent), found, rtol=1e-12)
    found = given.elbo_exponential(mu, log_sigma, x, weight, bias)
    assert np.allclose(law @ (exponential + latent), found, rtol=1e-10)


@pytest.mark.parametrize("seed", range(4))
def test_what_is_measured_is_the_distance_from_the_maximum(measure, given, seed):
    """At the optimum that was drawn gradients vanish; elsewhere the gap is that of the bounds."""
    rng = np.random.default_rng(seed)
    b, d, k = 5, 4, 2
    off = rng.normal(size=(2, b, k))

    model, mean = measure._linear(rng, b, d, k)
    best = mean, np.tile(-0.5 * np.log1p((model[1] ** 2).sum(0) / model[3]), (b, 1))
    gap = measure._linear_gap(model, mean, best[0] + off[0], best[1] + off[1])
    cases = [(given.elbo_linear, model, best, gap)]
    assert 4 <= np.linalg.eigvalsh(np.eye(k) + model[1].T @ model[1] / model[3]).max() <= 16

    model, best = measure._exponential(rng, b, d, k)
    top, low = (
        measure._exponential_bound(model, best[0] + by * off[0], best[1] + by * off[1])
        for by in (0, 1)
    )
    cases.append((given.elbo_exponential, model, best, top - low))

    for bound, model, best, gap in cases:
        elbo = filled(bound, model)
        q = [tensor(part).requires_grad_() for part in best]
        for slope in torch.autograd.grad(elbo(*q).sum(), q):
            assert slope.abs().max() < 1e-12
        lost = elbo(*q) - elbo(q[0] + tensor(off[0]), q[1] + tensor(off[1]))
        assert np.allclose(lost.detach(), gap, rtol=1e-10)
        assert (gap > 0).all()


@pytest.mark.parametrize("seed", range(6))
def test_the_curvatures_are_those_that_the_statement_promises(measure, given, seed):
    rng = np.random.default_rng(seed)
    steep = [measure.STEEPEST] if seed % 2 else []
    model, mean = measure._linear(rng, 1, 5 + seed, 3 + seed, *steep)
    log_sigma = -0.5 * np.log1p((model[1] ** 2).sum(0) / model[3])
    k = 2 + seed % 3
    other, best = measure._exponential(rng, 1, k + 2, k)
    for elbo, optimum in (
        (filled(given.elbo_linear, model), [mean[0], log_sigma]),
        (filled(given.elbo_exponential, other), [part[0] for part in best]),
    ):
        mu, log_sigma = (tensor(part) for part in optimum)
        blocks = torch.autograd.functional.hessian(
            lambda *q, elbo=elbo: elbo(*(part[None] for part in q)).sum(), (mu, log_sigma)
        )
        hessian = torch.cat([torch.cat(row, dim=1) for row in blocks])
        curvature = torch.linalg.eigvalsh(-hessian)
        assert 1 <= curvature.min() + 1e-12
        assert curvature.max() <= 16


@pytest.mark.parametrize(("lr", "steps"), [(0.1, 200), (0.08, 200), (0.05, 300)])
def test_plain_gradient_ascent_needs_no_more_than_the_statement_says(
    solution, measure, given, lr, steps
):
    """At α = .12, close to 2/16, none of 400 draws of exponential data diverged."""

    class Student:
        domain = TASK.instances

        @staticmethod
        def given(name, *parameters):
            return filled(getattr(given, name), parameters)

        @staticmethod
        def fit_q(elbo, mu, log_sigma):
            q = tensor(mu), tensor(log_sigma)
            for _ in range(steps):
                q = solution.ascent_step(elbo, *q, lr)
            return [part.numpy() for part in q]

    for measurement in (measure.fit, measure.fit_exponential):
        gap = measurement(Student, np.random.default_rng(7))["gap"]
        assert np.abs(gap).max() < 1e-4


@pytest.mark.parametrize(
    ("check", "old", "new"),
    [
        ("step", "elbo(*phi).sum()", "elbo(*phi).sum() / (1 + (len(mu) in (5, 7)))"),
        ("step-exponential", "lr * by_log_sigma", "lr * by_log_sigma.clamp(-300, 300)"),
        (
            "mean-field-gap",
            "precision.diagonal().log().sum()",
            "precision.diagonal()[:4].log().sum()",
        ),
        (
            "encoder",
            "0.5 * precision.diagonal().log()",
            "0.5 * precision.diagonal().log() * (len(slope) < 8)",
        ),
        ("encode", "x @ slope.T + offset", "x @ slope.T + offset * (1 - (len(x) in (9, 11, 13)))"),
        ("counts", "phi = k * d + k + k", "phi = k * d + k + (k if d > 1 or k == 1 else 0)"),
        (
            "fit",
            "(elbo, mu, log_sigma, LEARNING_RATE)",
            "(elbo, mu, log_sigma.clamp(-1.3), LEARNING_RATE)",
        ),
    ],
    ids=lambda part: part if part.islower() and " " not in part else "",
)
def test_sizes_in_between_data_far_out_and_the_narrowest_q_are_tried(check, old, new):
    ((_, outcome),) = outcomes(TASK, edited(TASK, old, new), [TASK.spec.check(check)])
    assert outcome.status == "FAIL"


def test_a_step_on_sigma_itself_may_make_it_negative(toy):
    """From σ = 2 a step of α = .5 along ∂L/∂σ ends below zero."""
    mu, sigma = tensor([[0.3, -0.2]]), tensor([[2.0, 2.0]]).requires_grad_()
    (slope,) = torch.autograd.grad(toy(mu, sigma.log()).sum(), sigma)
    wanted = 0.5 - 2 * (1 + (W**2).sum(0) / ETA)
    assert np.allclose(slope[0], wanted, rtol=1e-12)
    assert (sigma + 0.5 * slope < 0).any()


@pytest.mark.parametrize("log_sigma", [-30.0, 30.0])
def test_far_out_a_step_stays_finite(solution, toy, log_sigma):
    start = tensor([[1.0, -2.0]]), tensor([[log_sigma, log_sigma]])
    for value in solution.ascent_step(toy, *start, 0.01):
        assert value.isfinite().all()


def test_narrow_starts_climb_by_lr_a_step(solution, toy):
    """∂L/∂ln σ is 1 where σ is tiny, whatever the model."""
    start = tensor([[1.0, -2.0]]), tensor([[-20.0, -25.0]])
    _, log_sigma = solution.ascent_step(toy, *start, 0.25)
    assert np.allclose(log_sigma, start[1] + 0.25, atol=1e-14)


@pytest.mark.parametrize(("n", "d", "k"), [(1, 1, 1), (1000, 8, 3)])
def test_counts_are_those_of_the_tensors(solution, n, d, k):
    own = torch.zeros(2, n, k).numel()
    encoder = torch.nn.Linear(d, k)
    phi = sum(parameter.numel() for parameter in encoder.parameters()) + k
    assert solution.n_params(17, n, d, k) == (17 + own, 17 + phi)


def test_a_fit_that_went_astray_fails_without_a_warning():
    for log_sigma in ("mu * math.nan", "mu + math.inf", "0 * mu + 1e3", "0 * mu - 1e3"):
        loop = "    for _ in range(STEPS):\n"
        found = edited(TASK, loop, f"    import math\n    return mu, {log_sigma}\n{loop}")
        fits = [TASK.spec.check(name) for name in ("fit", "fit-exponential")]
        for name, outcome in outcomes(TASK, found, fits):
            assert outcome.status == "FAIL", (name, log_sigma)


SIGNATURES = """
import torch

def ascent_step(elbo, mu, log_sigma, lr):
    return {q}

def fit_q(elbo, mu, log_sigma):
    return {q}

def mean_field_gap(weight, eta):
    return {gap}

def linear_encoder(weight, bias, eta):
    (d, k), full = weight.shape, {full}
    return full((k, d)), full((k,)), full((k,))

def encode(slope, offset, log_sigma, x):
    full, shape = {full}, (len(x), len(offset))
    return full(shape), full(shape)

def n_params(theta, n, d, k):
    return {count}
"""


@pytest.mark.parametrize(
    "parts",
    [
        {"q": "0 * mu, 0 * mu", "gap": "0 * eta", "value": 0, "count": "0, 0"},
        {"q": "0 * mu + 1, 0 * mu + 1", "gap": "0 * eta + 1", "value": 1, "count": "1, 1"},
        {"q": "mu, log_sigma", "gap": "eta", "value": -1, "count": "theta, n"},
    ],
    ids=["zeros", "ones", "echo"],
)
def test_a_program_that_computes_nothing_passes_no_check(parts):
    value = parts.pop("value")
    full = f"lambda shape: torch.full(shape, {value}.0, dtype=torch.float64)"
    for name, outcome in outcomes(TASK, submission(TASK, SIGNATURES.format(full=full, **parts))):
        assert outcome.status == "FAIL", name


def test_the_mistaken_sample_earns_a_part():
    passed = {
        name
        for name, outcome in outcomes(TASK, sample("mistaken", TASK))
        if outcome.status == "PASS"
    }
    assert passed == {"fit-exponential", "encode"}


def test_the_points_are_those_of_the_catalogue():
    assert math.isclose(TASK.spec.points, 4)
