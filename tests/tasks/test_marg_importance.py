"""The reference of marg-importance against closed forms, quadrature and the figures of the toy."""

import math
import re

import numpy as np
import pytest
import torch
from scipy.special import logsumexp
from scipy.stats import multivariate_normal, norm, skew

from harness import kinds
from harness.collect.bare import BareProgram
from harness.errors import ProgramError
from harness.feasibility import required_draws
from harness.records import COMMON, Step
from harness.seeds import PUBLIC_KEY
from harness.statistics import unbiased
from tests.support.programs import (
    ROOT,
    edited,
    first_looks,
    honest_programs,
    load,
    load_module,
    submission,
)
from tests.support.tensors import nodes_of, tensor
from tests.support.toy import BIAS, ETA, W, X

REFERENCE = ROOT / "reference" / "marg-importance"
TASK = load("marg-importance")
MODEL = (tensor(W), tensor(BIAS), tensor(ETA))
LOG_P = multivariate_normal(BIAS, W @ W.T + ETA * np.eye(3)).logpdf(X)
PRIOR = (np.zeros(2), np.ones(2))
DRAWN = "eps = torch.randn(n, *mu.shape, generator=generator, dtype=mu.dtype)\n"
POOR = (np.array([0.3, -0.2]), np.array([0.6, 0.9]))


@pytest.fixture(scope="module")
def solution():
    return load_module(REFERENCE / "solution.py")


@pytest.fixture(scope="module")
def measure():
    return load_module(ROOT / "tasks" / "marg-importance" / "measure.py")


def toy_weights(solution, mu, sigma, eps, weight=W):
    """log w [m, 1] of the toy's x at noise [m, 2]."""
    q = (tensor(mu)[None], tensor(np.log(sigma))[None])
    return solution.log_weights(
        tensor(X)[None], *q, tensor(weight), *MODEL[1:], tensor(eps)[:, None]
    )


def posterior(weight=W):
    """Mean and precision of z given the toy's x."""
    precision = np.eye(2) + weight.T @ weight / ETA
    return np.linalg.solve(precision, weight.T @ (X - BIAS) / ETA), precision


def second_moment(mu, sigma):
    """E_q[w²] / p(x)² = ∫ p(z | x)² / q(z) dz in closed form."""
    mean, precision = posterior()
    of_q = np.diag(sigma**-2.0)
    joint = 2 * precision - of_q
    assert (np.linalg.eigvalsh(joint) > 0).all()
    vector = 2 * precision @ mean - of_q @ mu
    log_volume = np.linalg.slogdet(precision)[1] + np.log(sigma).sum()
    log_volume -= 0.5 * np.linalg.slogdet(joint)[1]
    exponent = 0.5 * vector @ np.linalg.solve(joint, vector) - mean @ precision @ mean
    return math.exp(log_volume + exponent + 0.5 * mu @ of_q @ mu)


def test_the_example_of_the_statement(solution):
    x, model = tensor([[1.5, 1.0]]), (tensor([[2.0], [0.0]]), tensor([0.5, 0.0]), tensor(0.5))
    eps = tensor([[[0.0]], [[1.0]]])
    wanted = {
        (0.5, -1.0): (-3.269730, -3.562678),
        (0.0, 0.0): (-3.144730, -3.144730),
        (4 / 9, -math.log(3)): (-3.354453, -3.354453),
    }
    for (mu, log_sigma), values in wanted.items():
        found = solution.log_weights(x, tensor([[mu]]), tensor([[log_sigma]]), *model, eps)
        assert found.ravel().tolist() == pytest.approx(values, abs=6e-7)
    a = tensor([[1.0], [3.0], [1.0], [3.0]]).log()
    found = [
        solution.jensen_gap(tensor([[1.0], [3.0]]), tensor([0.75, 0.25])),
        solution.log_px_is(a),
        solution.log_px_is(a - 1000),
        solution.iw_bound(a, 1),
        solution.iw_bound(a, 4),
        solution.iw_bound(a.sort(dim=0).values, 2),
        solution.rel_var(a),
        solution.rel_var(a + 1000),
    ]
    wanted = [0.130812, 0.693147, -999.306853, 0.549306, 0.693147, 0.549306, 0.25, 0.25]
    assert [value.item() for value in found] == pytest.approx(wanted, abs=6e-7)


def test_the_figures_of_the_statement_are_those_of_the_toy(solution):
    """Relative variances 3.58, 14193, .0285, and 1344 from a sample; log p -9.3572."""
    mean, precision = posterior()
    best = (mean, np.diag(precision) ** -0.5)
    figures = [second_moment(*q) - 1 for q in (PRIOR, POOR, best)]
    assert figures == pytest.approx([3.5814, 14193, 0.0285], rel=2e-4, abs=5e-6)
    assert pytest.approx(-9.3572, abs=5e-5) == LOG_P
    eps = np.random.default_rng(1).normal(size=(400_000, 2))
    sampled = solution.rel_var(toy_weights(solution, *POOR, eps)).item()
    statement = (ROOT / "tasks" / "marg-importance" / "README.md").read_text(encoding="utf-8")
    told = re.search(r"came out at (\d+)\)", statement)
    assert told is not None
    assert round(sampled) == int(told[1])
    for figure in ("| 3.58 |", "| 14193 |", "| 0.0285 |", "-9.3572", "-13.29", "-11.32", "-10.09"):
        assert figure in statement


def test_the_prior_as_a_proposal_has_the_relative_variance_of_the_catalogue(solution):
    """3.58, from 200,000 samples and in closed form."""
    eps = np.random.default_rng(5).normal(size=(200_000, 2))
    log_w = toy_weights(solution, *PRIOR, eps)
    assert solution.rel_var(log_w).item() == pytest.approx(second_moment(*PRIOR) - 1, rel=0.02)
    error = math.sqrt(3.58 / len(eps))
    assert solution.log_px_is(log_w).item() == pytest.approx(LOG_P, abs=4 * error)


def test_the_posterior_as_a_proposal_has_none(solution):
    weight = np.array([[1.5, 0.0], [0.0, 0.7], [0.0, 0.0]])
    mean, precision = posterior(weight)
    eps = np.random.default_rng(6).normal(size=(500, 2))
    log_w = toy_weights(solution, mean, np.diag(precision) ** -0.5, eps, weight)
    log_p = multivariate_normal(BIAS, weight @ weight.T + ETA * np.eye(3)).logpdf(X)
    assert np.allclose(log_w, log_p, atol=1e-13)
    assert solution.rel_var(log_w).item() < 1e-27
    for n in (1, 5, 50):
        assert solution.iw_bound(log_w, n).item() == pytest.approx(log_p, abs=1e-13)


def test_the_bounds_of_the_toy(solution):
    """-13.2940, -11.32 and -10.09 for 1, 5 and 50 samples.

    The catalogue has -10.12 for 50: 4,000 groups of the recipe, -10.1237 ± .0153. From 40,000
    groups it is -10.0885 ± .0048.
    """
    eps = np.random.default_rng(8).normal(size=(300_000, 2))
    log_w = toy_weights(solution, *POOR, eps)
    for n, wanted, slack in [(1, -13.2940, 0.0), (5, -11.3179, 0.0027), (50, -10.0885, 0.0048)]:
        groups = torch.logsumexp(log_w.reshape(-1, n), dim=1) - math.log(n)
        found = solution.iw_bound(log_w, n).item()
        assert found == pytest.approx(groups.mean().item(), rel=1e-12)
        error = math.hypot(groups.std().item() / len(groups) ** 0.5, slack)
        assert abs(found - wanted) < 4 * error
        assert found < LOG_P
    # the expectation of log w is a quadratic's: exact at few nodes
    grid, law = nodes_of(3, 2)
    first = torch.as_tensor(law) @ toy_weights(solution, *POOR, grid)
    assert first.item() == pytest.approx(-13.2940, abs=5e-5)


def test_weights_have_the_mean_p(solution):
    """E_q[w] = p(x) for every proposal; by quadrature where w is smooth in the noise."""
    mean, precision = posterior()
    grid, law = nodes_of(60, 2)
    for away, wider in [(0.0, 1.2), (0.4, 1.5), (-0.7, 1.0)]:
        q = (mean + away, wider * np.diag(precision) ** -0.5)
        log_w = toy_weights(solution, *q, grid).numpy()[:, 0]
        assert math.log(law @ np.exp(log_w)) == pytest.approx(LOG_P, abs=1e-9)
        second = law @ np.exp(2 * (log_w - LOG_P))
        assert second == pytest.approx(second_moment(*q), rel=1e-6)


def test_the_gap_of_a_lognormal_is_half_its_variance(solution):
    grid, law = nodes_of(40, 1)
    sigma = np.array([0.0, 0.3, 1.0, 2.0])
    gap = solution.jensen_gap(tensor(np.exp(1.7 + sigma * grid)), tensor(law))
    assert np.allclose(gap, sigma**2 / 2, atol=1e-12)


def test_expected_bounds_rise_to_log_p(solution):
    """Over the joint law of up to four samples, at ten nodes, for one latent dimension."""
    mass, model = 0.6, (tensor([[1.1]]), tensor([0.2]), tensor(0.5))
    x = 1.9
    log_p = multivariate_normal(0.2, 1.1**2 + 0.5).logpdf(x)
    grid, law = nodes_of(10, 4)
    count = len(law)
    q = (tensor(np.full((count, 1), 0.1)), tensor(np.full((count, 1), math.log(mass))))
    eps = tensor(grid.T[..., None])
    log_w = solution.log_weights(tensor(np.full((count, 1), x)), *q, *model, eps)
    expected = [law @ solution.iw_bound(log_w[:n], n).numpy() for n in (1, 2, 3, 4)]
    assert (np.diff([*expected, log_p]) > 0.01).all()


def test_groups_within_groups_never_lower_the_bound(solution, measure):
    rng = np.random.default_rng(9)
    for spread in (0.01, 1.0, 30.0):
        log_w = tensor(rng.normal(0, spread, (12, 20)))
        for small, large in measure.REFINED:
            assert (solution.iw_bound(log_w, small) < solution.iw_bound(log_w, large)).all()
        assert torch.allclose(solution.iw_bound(log_w, 1), log_w.mean(dim=0))
        assert torch.allclose(solution.iw_bound(log_w, 12), solution.log_px_is(log_w))


@pytest.mark.parametrize("shift", [-1000.0, 0.0, 1000.0])
def test_a_common_factor_and_empty_samples_are_harmless(solution, shift):
    log_w = tensor([[0.0, 1.0], [-math.inf, 2.0], [1.0, 0.5]])
    plain = np.exp(log_w.numpy())
    wanted = np.log(plain.mean(0)) + shift
    assert np.allclose(solution.log_px_is(log_w + shift), wanted, rtol=1e-13)
    wanted = plain.var(0) / plain.mean(0) ** 2
    assert np.allclose(solution.rel_var(log_w + shift), wanted, rtol=1e-12)


def test_narrow_and_wide_proposals_stay_finite():
    for path in (REFERENCE / "solution.py", ROOT / "submissions/complete/marg_importance.py"):
        log_w = toy_weights(load_module(path), np.zeros(2), np.exp([-30.0, 30.0]), np.ones((3, 2)))
        assert torch.isfinite(log_w).all()


def test_moments_of_the_own_weights(measure):
    """The law that own estimates are held against, on a fine grid."""
    wider, shift = np.array([1.25, 1.4]), np.array([-0.4, 0.3])
    eps = np.linspace(-12, 12, 24_001)[:, None]
    law = np.exp(-(eps**2) / 2)
    ratio = wider * np.exp(eps**2 / 2 - (shift + wider * eps) ** 2 / 2)
    for j in (1, 2, 3, 4):
        wanted = ((law * ratio**j).sum(0) / law.sum()).prod()
        assert measure._moment(j, wider, shift) == pytest.approx(wanted, rel=1e-9)
    assert measure._moment(1, wider, shift) == pytest.approx(1, rel=1e-12)


def own_draws(running, replicates):
    return [running.metrics("own_noise", Step(1, i), PUBLIC_KEY) for i in range(replicates)]


def standardised(seen, metric):
    return (seen[metric] - seen[f"{metric}__expected"]) / seen[f"{metric}__scale"]


def test_own_draws_have_the_mean_and_the_spread_that_they_are_held_against():
    with BareProgram(TASK, TASK.reference.solution) as running:
        drawn = own_draws(running, 8)
    for metric in ("ratio", "excess"):
        values = np.concatenate([standardised(seen, metric) for seen in drawn])
        assert abs(values.mean()) < 4 / math.sqrt(values.size)
        assert values.var() == pytest.approx(1, abs=0.04)


def test_the_draws_are_enough_for_the_declared_power_and_their_skewness():
    draws = TASK.spec.measurements["own_noise"].draws
    assert draws is not None
    mean, variance, independence = TASK.spec.checks_of("own_noise")
    assert max(required_draws(mean), required_draws(variance)) <= draws
    assert required_draws(independence) <= draws // 2  # a row holds two rows of the batch
    (law,) = (check for check in TASK.spec.checks_of("own_law") if check.kind == "distribution")
    assert required_draws(law) <= TASK.spec.measurements["own_law"].draws
    with BareProgram(TASK, TASK.reference.solution) as running:
        drawn = own_draws(running, 4)
    for check in (mean, variance):
        found = max(abs(skew(standardised(seen, check.metric), axis=0)).max() for seen in drawn)
        guard = unbiased.skew_guard_n(found, check.nominal_alpha, check.dimensions)
        assert guard <= draws, check.id


@pytest.mark.parametrize("measurement", ["own_noise", "own_law", "single_rows"])
def test_honest_estimates_pass_at_the_first_stage(measurement):
    for item in honest_programs(TASK):
        with BareProgram(TASK, item) as running:
            for name, outcome in first_looks(TASK, running, measurement, 2):
                assert outcome.status == "PASS", (item.name, name)


def test_the_noise_that_estimates_are_made_of_can_be_recovered(measure):
    """Up to rounding: log w of a single sample is linear in it."""
    with BareProgram(TASK, edited(TASK, DRAWN, f"{DRAWN}    eps = 0 * eps + 0.7\n")) as running:
        with pytest.raises(ProgramError, match="the same draws"):
            running.metrics("own_law", COMMON, PUBLIC_KEY)
    nearly = f"{DRAWN}    eps = 1e-9 * eps + 0.7\n"
    with BareProgram(TASK, edited(TASK, DRAWN, nearly)) as running:
        drawn = running.metrics("own_law", COMMON, PUBLIC_KEY)
    assert drawn["noise"].shape == (9700, 2)
    assert np.allclose(drawn["noise"], 0.7, atol=1e-7)
    assert not drawn["pattern"][:2].any()


@pytest.mark.parametrize(
    ("name", "wrong", "spoils"),
    [
        ("right", lambda e: e, []),
        ("clamped", lambda e: e.clip(-3, 3), [0, 1]),
        ("float32", lambda e: e.astype(np.float32).astype(float), [1, 2]),
        ("mirrored", lambda e: np.concatenate([e, -e[::-1, ::-1]]), [1]),
        ("repeated", lambda e: e[[0, 1, 2, 3, 3, 4, 5, 6]] + 1e-15, [1]),
    ],
)
def test_noise_that_is_not_haphazard(measure, name, wrong, spoils):
    pattern = measure._haphazard(wrong(np.random.default_rng(4).normal(size=(8, 2425))))
    assert np.flatnonzero(~pattern).tolist() == spoils, name


def test_noise_with_the_mean_square_of_its_law_is_not_haphazard(measure):
    noise = np.random.default_rng(6).normal(size=(8, 2425))
    scaled = noise / np.sqrt((noise**2).mean(axis=1, keepdims=True))
    assert measure._haphazard(noise).all()
    assert measure._haphazard(scaled).tolist() == 3 * [True] + [False] + 8 * [True]


def test_noise_that_is_spread_evenly_is_not_haphazard(measure):
    rng = np.random.default_rng(5)
    places = (
        rng.permuted(np.tile(np.arange(2425.0), (8, 1)), axis=1) + rng.random((8, 2425))
    ) / 2425
    assert measure._haphazard(norm.ppf(places)).tolist() == 4 * [True] + 8 * [False]
    assert not measure._haphazard(np.full((4, 10), np.nan)).any()


def test_the_expectation_that_single_rows_are_held_against(measure):
    """And how far the average of the calls strays: by the bound of Chernoff below 1e-11."""
    spread, slack, calls = measure.SINGLE_SPREAD, measure.SINGLE_SLACK, measure.SINGLE_CALLS
    eps = np.random.default_rng(6).normal(size=(200_000, 16))
    found = logsumexp(spread * eps, axis=1) - math.log(16) - spread**2 / 2
    assert found.mean() == pytest.approx(measure.SINGLE_MEAN, abs=4 * found.std() / len(eps) ** 0.5)
    for tilt in (1.0, -1.5):
        rate = logsumexp(tilt * (found - measure.SINGLE_MEAN)) - math.log(len(eps))
        assert calls * (rate - abs(tilt) * slack) < math.log(0.5e-11), tilt
    log_mean = -(spread**2) / 2
    assert measure.SINGLE_MEAN - slack - log_mean > 5 * spread / (16 * calls) ** 0.5


def test_an_odd_number_of_samples_of_which_two_are_the_same_is_noticed():
    repeated = f"{DRAWN}    eps[-1] = eps[0] if n % 2 else eps[-1]\n"
    with BareProgram(TASK, edited(TASK, DRAWN, repeated)) as running:
        found = dict(first_looks(TASK, running, "own_noise", 1))
    assert found["own-variance"].status != "PASS"


def test_samples_of_a_single_row_that_are_mirrored_are_noticed():
    mirrored = f"{DRAWN}    eps[n // 2 :] = -eps[: n // 2] if len(x) == 1 else eps[n // 2 :]\n"
    for new, near in ((DRAWN, [True, True]), (mirrored, [True, False])):
        with BareProgram(TASK, edited(TASK, DRAWN, new)) as running:
            assert running.metrics("single_rows", COMMON, PUBLIC_KEY)["near"].tolist() == near


def test_mistakes_of_own_draws_are_found_at_every_seed():
    for mutant in TASK.reference.mutants:
        if mutant.mistake.check.startswith("own-"):
            check = TASK.spec.check(mutant.mistake.check)
            with BareProgram(TASK, mutant.program) as running:
                found = [
                    o.status
                    for name, o in first_looks(TASK, running, check.measurement, 3)
                    if name == check.id
                ]
            wanted = "FAIL" if check.kind == "property" else "MORE"
            assert found == [wanted] * 3, mutant.mistake.name


def test_the_logarithm_itself_is_no_estimate():
    """log p(x) in closed form has no noise: every call returns it."""
    known = (
        "covariance = weight @ weight.T + eta * torch.eye(x.shape[1], dtype=x.dtype)\n"
        "    law = torch.distributions.MultivariateNormal(bias, covariance)\n"
        "    return law.log_prob(x)"
    )
    with BareProgram(TASK, edited(TASK, "return log_px_is(log_w)\n", known + "\n")) as running:
        with pytest.raises(ProgramError) as caught:
            running.metrics("own_noise", COMMON, PUBLIC_KEY)
    assert caught.value.cause == "reseeded"
    noisy = known + " + 1e-9 * eps[0, :, 0]"
    with BareProgram(TASK, edited(TASK, "return log_px_is(log_w)\n", noisy + "\n")) as running:
        found = {
            name: outcome.status for name, outcome in first_looks(TASK, running, "own_noise", 1)
        }
    assert found["own-variance"] == "MORE"


# verify tries constants; these answer with what they were given, or with anything
DEGENERATE = {
    "echo": "jensen_gap = rel_var = log_px_is = lambda a, p=None: a[0]\n"
    "iw_bound = lambda a, n: a[n - 1]\n"
    "log_weights = lambda x, mu, s, w, b, eta, eps: eps[:, :, 0]\n"
    "estimate = lambda x, *rest: x[:, 0]\n",
    "noise": "import torch\n"
    "jensen_gap = rel_var = log_px_is = lambda a, p=None: torch.rand_like(a[0])\n"
    "iw_bound = lambda a, n: torch.rand_like(a[0])\n"
    "log_weights = lambda x, mu, s, w, b, eta, eps: torch.randn_like(eps[:, :, 0])\n"
    "estimate = lambda x, *rest: torch.randn(len(x), dtype=x.dtype, generator=rest[-1])\n",
}


@pytest.mark.parametrize("name", DEGENERATE)
def test_a_program_without_an_idea_passes_nothing(name):
    passed = set()
    with (
        BareProgram(TASK, submission(TASK, DEGENERATE[name])) as running,
        BareProgram(TASK, TASK.reference.solution) as reference,
    ):
        for measurement in TASK.spec.measurements:
            try:
                seen = running.metrics(measurement, COMMON, PUBLIC_KEY)
            except ProgramError as error:
                assert error.cause == "reseeded"
                continue
            wanted = reference.metrics(measurement, COMMON, PUBLIC_KEY)
            for check in TASK.spec.checks_of(measurement):
                own, target = (kinds.reduce(check, item) for item in (seen, wanted))
                outcome = kinds.decide(check, [kinds.Evidence(own, target)])
                if outcome.status == "PASS" and passed.issuperset(check.after):
                    passed.add(check.id)
    assert passed == set()
