"""bbvi-mixture: the density, unbiased estimates, the divergence, who learns, and who can't."""

import math

import numpy as np
import pytest
import torch
from scipy.optimize import minimize

from harness.collect.bare import BareProgram
from harness.kinds import seed_success
from harness.records import COMMON, Program, Step
from harness.seeds import PUBLIC_KEY
from tests.support.programs import (
    ROOT,
    edited,
    honest_programs,
    load,
    load_module,
    one_seed,
    outcomes,
    variants_are_slow,
)
from tests.support.tensors import tensor

FOLDER, REFERENCE = ROOT / "tasks" / "bbvi-mixture", ROOT / "reference" / "bbvi-mixture"
TASK = load("bbvi-mixture")
CHECKS = {check.id: check for check in TASK.spec.checks}
HONEST = ["solution", "autograd", "by_component", "stratified", "complete"]
WRONG = [mutant for mutant in TASK.reference.mutants if mutant.mistake.check == "learns"]
EXACT = [name for name in TASK.spec.measurements if name != "learn"]


@pytest.fixture(scope="module")
def solution():
    return load_module(REFERENCE / "solution.py")


@pytest.fixture(scope="module")
def given():
    return load_module(FOLDER / "given.py")


@pytest.fixture(scope="module")
def measure():
    return load_module(FOLDER / "measure.py")


#: One dimension, two components that overlap.
PAIR = tensor([0.7, 0.1]), tensor([[-1.0], [0.6]]), tensor([[-0.2], [0.3]])
NODES = torch.linspace(-9.0, 9.0, 121, dtype=torch.float64)[:, None]


def quartic(z):
    """A smooth target with two modes."""
    return (3 + 1.5 * z + 2 * z**2 - 0.5 * z**4)[:, 0]


def true_gradient(solution):
    """∇L of PAIR by automatic differentiation of a sum over the nodes."""
    leaves = [part.clone().requires_grad_() for part in PAIR]
    log_q = solution.log_q(NODES, *leaves)
    bound = (log_q.exp() * (quartic(NODES) - log_q)).sum() * (NODES[1, 0] - NODES[0, 0])
    return flat(torch.autograd.grad(bound, leaves))


def flat(parts):
    return torch.cat([part.reshape(-1) for part in parts])


def expected(estimator, samples, every):
    """The mean of an estimator over the joint law of its samples, at a part of the nodes."""
    nodes = NODES[::every, 0]
    law = torch.exp(true_log_q(nodes[:, None]))
    law = law / law.sum()
    if samples == 2:
        nodes, law = torch.cartesian_prod(nodes, nodes), torch.outer(law, law).ravel()
    pairs = zip(law, nodes.reshape(len(law), samples, 1), strict=True)
    return sum(weight * flat(estimator(quartic, *PAIR, z)) for weight, z in pairs if weight > 1e-20)


def scores(solution, z):
    """The gradient of log q at PAIR for every sample, by autograd; one tensor a parameter."""
    rows = []
    for point in z:
        leaves = [part.clone().requires_grad_() for part in PAIR]
        rows.append(torch.autograd.grad(solution.log_q(point[None], *leaves).sum(), leaves))
    return [torch.stack(part) for part in zip(*rows, strict=True)]


def true_log_q(z):
    logits, mu, log_sigma = PAIR
    log_normal = torch.distributions.Normal(mu[:, 0], log_sigma[:, 0].exp()).log_prob(z)
    return (torch.log_softmax(logits, 0) + log_normal).logsumexp(1)


# --- the formulas ----------------------------------------------------------------------------


def test_the_density_is_that_of_the_library_and_integrates_to_one(solution):
    q = [tensor(part) for part in np.random.default_rng(1).normal(size=(2, 4, 3))]
    logits, z = tensor([2.0, 3.0, 1.0, 2.5]), torch.linspace(-4, 4, 30).double().reshape(10, 3)
    law = torch.distributions.MixtureSameFamily(
        torch.distributions.Categorical(logits=logits),
        torch.distributions.Independent(torch.distributions.Normal(q[0], q[1].exp()), 1),
    )
    torch.testing.assert_close(solution.log_q(z, logits, *q), law.log_prob(z), rtol=1e-12, atol=0)
    total = solution.log_q(NODES, *PAIR).exp().sum() * (NODES[1, 0] - NODES[0, 0])
    assert total.item() == pytest.approx(1, abs=1e-9)


def test_a_grid_of_u_gives_every_component_its_weight(solution):
    u = (torch.arange(4000, dtype=torch.float64) + 0.5) / 4000
    z = solution.sample_q(
        u,
        torch.zeros(4000, 1).double(),
        tensor([0.0, 1.0, -1.0]),
        tensor([[5.0], [7.0], [9.0]]),
        torch.zeros(3, 1).double(),
    )
    shares = [(z == mean).double().mean().item() for mean in (5, 7, 9)]
    assert shares == pytest.approx(torch.softmax(tensor([0.0, 1, -1]), 0).tolist(), abs=1 / 4000)


@pytest.mark.parametrize(("name", "samples"), [("grad_bbvi", 1), ("grad_bbvi_cv", 2)])
def test_both_estimates_have_the_gradient_of_the_bound_for_their_mean(solution, name, samples):
    found = expected(getattr(solution, name), samples, every=samples)
    wanted = true_gradient(solution)
    torch.testing.assert_close(found, wanted, rtol=0, atol=2e-5)


def test_a_coefficient_from_all_samples_is_biased(solution):
    """With two samples three of the entries are out by more than a quarter of the largest."""

    def pooled(log_p, *args):
        ell = log_p(args[-1]) - solution.log_q(args[-1], *args[:-1])
        found = []
        for h in scores(solution, args[-1]):
            weights = ell.reshape(-1, *[1] * (h.ndim - 1))
            a = (h**2 * weights).sum(0) / (h**2).sum(0)
            found.append((h * (weights - a)).mean(0))
        return found

    wanted = true_gradient(solution)
    bias = (expected(pooled, 2, every=4) - wanted).abs() / wanted.abs().max()
    assert (bias > 0.25).sum() >= 3, bias


def test_the_control_variate_with_two_samples(solution):
    """½ (h₁ - h₂)(ℓ₁ - ℓ₂), as the statement says."""
    z = tensor([[0.3], [-1.2]])
    ell = quartic(z) - solution.log_q(z, *PAIR)
    wanted = [0.5 * (h[0] - h[1]) * (ell[0] - ell[1]) for h in scores(solution, z)]
    found = solution.grad_bbvi_cv(quartic, *PAIR, z)
    torch.testing.assert_close(flat(found), flat(wanted), rtol=1e-12, atol=0)


def higher(z):
    """The target with another constant."""
    return quartic(z) + 30


def test_a_constant_changes_the_plain_estimate_only(solution):
    z = tensor(np.random.default_rng(2).normal(size=(16, 1)))
    plain, controlled = (
        (flat(estimate(higher, *PAIR, z)) - flat(estimate(quartic, *PAIR, z))).abs().max()
        for estimate in (solution.grad_bbvi, solution.grad_bbvi_cv)
    )
    assert plain > 1 and controlled < 1e-12


def test_a_denominator_that_is_tiny_is_not_zero():
    """Among the squares of scores are some of about 1e-280."""
    program = edited(TASK, "torch.where(below > 0,", "torch.where(below > 1e-200,")
    ((_, outcome),) = outcomes(TASK, program, [CHECKS["control-variate"]])
    assert outcome.status == "FAIL"


FITTED = tensor([1, 3]).log(), tensor([[-3.0], [3.0]]), tensor([[-0.7], [-0.7]])
START = tensor([0.0, 0.0]), tensor([[-4.0], [4.0]]), tensor([[0.0], [0.0]])


@pytest.mark.parametrize(("q", "least", "most"), [(START, 40, 85), (FITTED, 4000, 9000)])
def test_the_control_variate_takes_the_constant_out_of_the_variance(
    solution, given, q, least, most
):
    """64 samples, 200 times: the plain estimate has 58 and 6,170 times the variance."""
    generator = torch.Generator().manual_seed(3)
    modes = tensor([0.25, 0.75]).log(), tensor([-3.0, 3.0]), tensor([0.28, 0.28]), tensor(30.0)
    found = {solution.grad_bbvi: [], solution.grad_bbvi_cv: []}
    for _ in range(200):
        u = torch.rand(64, dtype=torch.float64, generator=generator)
        eps = torch.randn(64, 1, dtype=torch.float64, generator=generator)
        z = solution.sample_q(u, eps, *q)
        for estimate, drawn in found.items():
            drawn.append(flat(estimate(lambda at: given.two_modes(at, *modes), *q, z)))
    plain, controlled = (torch.stack(drawn).var(0).sum() for drawn in found.values())
    assert least < plain / controlled < most


@pytest.mark.parametrize("name", ["ring", "two_modes"])
def test_a_target_is_a_black_box(given, name):
    parameters = {
        "ring": (tensor(1.0), tensor(1.0), tensor(0.0)),
        "two_modes": (tensor([-0.7, -0.7]), tensor([-3.0, 3.0]), tensor([0.4, 0.4]), tensor(0.0)),
    }
    z = torch.ones(3, 1, dtype=torch.float64, requires_grad=True)
    assert not getattr(given, name)(z, *parameters[name]).requires_grad


# --- the target and the divergence -----------------------------------------------------------


def test_the_target_of_the_grader_is_that_of_the_student_and_is_normalised(measure, given):
    z = np.linspace(-30, 30, 6001)
    for seed in range(5):
        weights, centres, scales = target = measure._target(np.random.default_rng([4, seed]))
        log_p = measure._log_target(z, *target)
        assert np.exp(log_p).sum() * 0.01 == pytest.approx(1, abs=1e-9)
        own = given.two_modes(
            tensor(z)[:, None], *map(tensor, (np.log(weights), centres, scales, 25.0))
        )
        np.testing.assert_allclose(own - 25.0, log_p, rtol=1e-11)


def test_the_targets_are_those_of_the_statement(measure):
    drawn = [measure._target(np.random.default_rng([5, seed])) for seed in range(400)]
    weights, centres, scales = (np.array(part) for part in zip(*drawn, strict=True))
    assert 0.7 <= weights.max(1).min() and weights.max() <= 0.8
    assert 160 < (weights[:, 0] > 0.5).sum() < 240
    assert -4.5 <= centres[:, 0].min() < -4.2 and -1.8 < centres[:, 0].max() <= -1.5
    assert 1.5 <= centres[:, 1].min() < 1.8 and 4.2 < centres[:, 1].max() <= 4.5
    sd = scales * np.pi / np.sqrt(3)
    assert sd.min() == pytest.approx(0.363, abs=2e-3) and sd.max() == pytest.approx(0.635, abs=2e-3)


def brute_force(measure, q, target):
    """KL(q ‖ p) on one fine grid."""
    z = np.linspace(-60, 60, 120_001)
    log_q, *_ = measure._density(z[:, None], q[0], q[1], q[2])
    return (np.exp(log_q) * (log_q - measure._log_target(z, *target))).sum() * (z[1] - z[0])


def test_the_divergence_is_that_of_one_fine_grid(measure):
    rng = np.random.default_rng(6)
    for _ in range(3):
        target = measure._target(rng)
        q = rng.normal(size=2), rng.normal(0, 3, (2, 1)), rng.uniform(-2, 1, (2, 1))
        assert measure._kl(q, target) == pytest.approx(brute_force(measure, q, target), rel=1e-6)


def test_the_target_itself_has_no_divergence(measure):
    """Gaussians with the modes' moments leave what the logistic shape has of its own: 0.014."""
    target = weights, centres, scales = measure._target(np.random.default_rng(7))
    q = np.log(weights), centres[:, None], np.log(scales * np.pi / np.sqrt(3))[:, None]
    assert 0.005 < measure._kl(q, target) < 0.02


@pytest.mark.parametrize("sigma", [-700.0, -30.0, -5.0, 3.0, 30.0, 300.0])
def test_no_width_escapes_the_grid(measure, sigma):
    target = measure._target(np.random.default_rng(8))
    for other in (sigma, 0.0):
        q = np.zeros(2), target[1][:, None], np.array([[sigma], [other]])
        assert measure._kl(q, target) > 10 * CHECKS["learns"].threshold


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, 1e308])
@pytest.mark.parametrize("part", range(3))
def test_a_q_that_is_none_never_succeeds(measure, bad, part):
    target = measure._target(np.random.default_rng(9))
    q = [np.zeros(2), target[1][:, None].copy(), np.zeros((2, 1))]
    q[part].flat[0] = bad
    assert not measure._kl(q, target) <= CHECKS["learns"].threshold


def best(measure, target, starts):
    """The least divergence of a q with as many components as the start has."""

    def divergence(parameters):
        return measure._kl(parameters.reshape(3, -1, 1), target)

    found = [minimize(divergence, start, method="Nelder-Mead").fun for start in starts]
    return min(found)


@pytest.mark.parametrize("seed", range(2))
def test_two_components_close_the_gap_that_one_leaves(measure, monkeypatch, seed):
    """The least divergence of one Gaussian is ln(1/w) of the heavy mode, that of two is 0.01."""
    monkeypatch.setattr(measure, "STEPS", 400)
    target = weights, centres, scales = measure._target(np.random.default_rng([10, seed]))
    starts = [
        np.array([0.0, m, s]) for m, s in ((centres[0], -0.4), (centres[1], -0.4), (0.0, 1.0))
    ]
    single = best(measure, target, starts)
    assert single == pytest.approx(math.log(1 / weights.max()), abs=0.015)
    assert single > CHECKS["learns"].low
    start = np.concatenate([np.log(weights), centres, np.log(1.7 * scales)])
    assert 0.004 < best(measure, target, [start]) < 0.013 < CHECKS["learns"].threshold


# --- learning --------------------------------------------------------------------------------


def learn(program, seed=0):
    """The numbers of one seed, without a sandbox."""
    return one_seed(TASK, program, seed)


def succeeds(numbers):
    return seed_success.succeeds(CHECKS["learns"], numbers["excess"])


@pytest.mark.parametrize("index", variants_are_slow(range(len(HONEST))), ids=HONEST)
def test_an_honest_program_learns(index):
    numbers = learn(honest_programs(TASK)[index])
    assert succeeds(numbers)
    assert numbers["kl_mixture"] < 0.013 and numbers["above_mode"] < 0.013
    assert numbers["kl_single"] - numbers["kl_mixture"] > 0.2


def test_a_seed_can_be_repeated():
    source = TASK.reference.solution.files[TASK.spec.file].replace(b"= 300, 64", b"= 5, 64")
    program = Program("short", "submission", {TASK.spec.file: source})
    assert learn(program) == learn(program) != learn(program, 1)


@pytest.mark.slow
@pytest.mark.parametrize("mutant", WRONG, ids=lambda mutant: mutant.mistake.name)
def test_a_mistake_in_training_fails(mutant):
    assert not all(succeeds(learn(mutant.program, seed)) for seed in range(2))


FIXED = """
import math

import torch


def fit(log_p, c, generator):
    mu = torch.tensor([-3.0, 3.0]).double()[:c, None]
    return torch.tensor([0.0, {tilt}]).double()[:c], mu, torch.full((c, 1), -0.7).double()
"""


@pytest.mark.parametrize("tilt", [-math.log(3), math.log(3)])
def test_a_q_that_does_not_look_at_the_target_gains_nothing(tilt):
    """What fits the middle of the targets, on 50 of them."""
    program = Program("fixed", "submission", {TASK.spec.file: FIXED.format(tilt=tilt).encode()})
    with BareProgram(TASK, program) as running:
        found = [
            float(running.metrics("learn", Step(COMMON.stage, seed), PUBLIC_KEY)["excess"])
            for seed in range(50)
        ]
    assert sum(value <= CHECKS["learns"].threshold for value in found) <= 2
