"""vae-2d-gaussian: formulas, the laws of the points, the floor, refused states, who learns."""

import math

import numpy as np
import pytest
import torch
from torch.distributions import Normal, kl_divergence

from harness.errors import ProgramError
from harness.kinds import seed_success
from tests.support.programs import (
    ROOT,
    honest_programs,
    load,
    load_module,
    one_seed,
    outcomes,
    submission,
    variants_are_slow,
)

FOLDER, REFERENCE = ROOT / "tasks/vae-2d-gaussian", ROOT / "reference/vae-2d-gaussian"
TASK = load("vae-2d-gaussian")
MEASURE = load_module(FOLDER / "measure.py")
CHECKS = {check.id: check for check in TASK.spec.checks if check.kind == "seed-success"}
HONEST = ["solution", "by_hand", "distributions", "epochs", "complete"]
WRONG = {
    name: [mutant for mutant in TASK.reference.mutants if mutant.mistake.check == name]
    for name in CHECKS
}
ENTROPY = math.log(2 * math.pi * math.e) + math.log(5)


@pytest.fixture(scope="module")
def solution():
    return load_module(REFERENCE / "solution.py")


@pytest.fixture(scope="module")
def plane():
    return MEASURE


def learn(program, seed=0):
    """The numbers of one seed, without a sandbox."""
    return one_seed(TASK, program, seed)


def succeeds(name, numbers):
    return seed_success.succeeds(CHECKS[name], numbers[CHECKS[name].metric])


# --- the formulas ----------------------------------------------------------------------------


def test_example_of_the_statement(solution):
    mu, log_sigma, eps, x, x_mean, x_log_sigma = (
        torch.tensor([row], dtype=torch.float64)
        for row in ([0.5, -1], [-math.log(2), 0], [1, -2], [3, -1], [1, 0], [math.log(2), 0])
    )
    torch.testing.assert_close(
        solution.sample(mu, log_sigma, eps), torch.tensor([[1.0, -3]]).double()
    )
    rec, kl = solution.elbo_terms(x, mu, log_sigma, x_mean, x_log_sigma)
    assert (f"{rec.item():.6f}", f"{kl.item():.6f}") == ("3.531024", "0.943147")
    assert f"{solution.loss(x, mu, log_sigma, x_mean, x_log_sigma).item():.6f}" == "4.474171"


def test_terms_are_those_of_the_library(solution):
    rng = np.random.default_rng(1)
    x, x_mean, x_log_sigma = (torch.from_numpy(part) for part in rng.normal(size=(3, 30, 4)))
    mu, log_sigma = (torch.from_numpy(part) for part in rng.normal(size=(2, 30, 3)))
    rec, kl = solution.elbo_terms(x, mu, log_sigma, x_mean, x_log_sigma)
    p, q = Normal(x_mean, x_log_sigma.exp()), Normal(mu, log_sigma.exp())
    torch.testing.assert_close(rec, -p.log_prob(x).sum(1), rtol=1e-12, atol=1e-12)
    prior = Normal(torch.zeros_like(mu), 1.0)
    torch.testing.assert_close(kl, kl_divergence(q, prior).sum(1), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("row", [slice(0, 1), slice(0, 40)])
def test_the_bound_is_that_of_the_library(plane, solution, row):
    """The grader's own forward pass and bound against torch's layers and densities."""
    torch.manual_seed(1)
    vae, rng = solution.VAE(), np.random.default_rng(1)
    x = rng.normal(0.0, 3.0, (40, 2))[row]
    nats, kl = zip(*(plane.bound(rng, arrays(vae), x) for _ in range(400)), strict=True)
    with torch.no_grad():
        points = torch.from_numpy(x)
        mu, log_sigma = vae.encode(points)
        z = mu + log_sigma.exp() * torch.from_numpy(rng.normal(size=(4000, len(x), 2)))
        mean, log_sd = vae.decode(z.reshape(-1, 2))
        rec = -Normal(mean, log_sd.exp()).log_prob(points.repeat(4000, 1)).sum(1)
        wanted = kl_divergence(Normal(mu, log_sigma.exp()), Normal(0.0, 1.0)).sum(1).numpy()
    np.testing.assert_allclose(kl, np.broadcast_to(wanted, np.shape(kl)), rtol=1e-10)
    bound = rec.reshape(4000, -1).mean(0).numpy() + wanted
    np.testing.assert_allclose(np.mean(nats, axis=0), bound, rtol=0.02)


def arrays(vae):
    return {name: value.numpy() for name, value in vae.state_dict().items()}


def networks(*edits):
    """What `networks` says of the solution after replacements in its source."""
    source = (REFERENCE / "solution.py").read_text(encoding="utf-8")
    for old, new in edits:
        assert source.count(old) == 1
        source = source.replace(old, new)
    ((_, outcome),) = outcomes(TASK, submission(TASK, source), [TASK.spec.check("networks")])
    return outcome.status


@pytest.mark.parametrize(
    "edits",
    [
        [("h = torch.tanh(self.hidden(x))", "h = torch.tanh(self.hidden(x).clamp(-9, 9))")],
        [("h = torch.tanh(self.hidden(x))", "h = self.hidden(x).clamp(-18, 18).tanh()")],
        [("self.x_mean(h), self.x_log_sigma(h)", "self.x_mean(h), self.x_log_sigma(h) + 1e-9")],
        [("mu, log_sigma = self.mu(h)", "mu, log_sigma = torch.tanh(self.mu(h) / 99) * 99")],
        [("torch.tanh(self.first(z))", "torch.tanh(self.first(z.flip(1)))")],
    ],
)
def test_networks_are_compared_up_to_rounding(edits):
    """Hidden units limited at ±18 are the same ones: tanh is ±1 there in double precision."""
    assert networks(*edits) == ("PASS" if "-18" in edits[0][1] else "FAIL")


@pytest.mark.parametrize(
    ("edits", "said"),
    [
        (
            [("first, self.second =", "first, self.deep ="), ("self.second(", "self.deep(")],
            "deep.weight",
        ),
        ([("self.first, ", "self.norm = nn.BatchNorm1d(2)\n        self.first, ")], "norm.weight"),
        ([("nn.Linear(HIDDEN, HIDDEN)", "nn.Linear(HIDDEN, HIDDEN, bias=False)")], "second.bias"),
    ],
    ids=["another-name", "an-entry-too-many", "no-bias"],
)
def test_a_model_with_other_entries_is_told_so(edits, said):
    with pytest.raises(ProgramError) as found:
        networks(*edits)
    assert found.value.cause == "exception"
    assert "state_dict" in str(found.value) and said in str(found.value)


# --- the laws and the floor ------------------------------------------------------------------


def test_both_laws_have_the_entropy_of_the_statement(plane):
    rng = np.random.default_rng(2)
    for law in plane.draw_laws(rng):
        _, nats = plane.draw_points(rng, law, 200_000)
        assert nats.mean() == pytest.approx(ENTROPY, abs=4 / math.sqrt(200_000))
    assert f"{ENTROPY:.4f}" == "4.4473"


def test_points_have_the_density_that_the_floor_says(plane):
    """Against the formula of a normal law with the covariance axes axesᵀ."""
    rng = np.random.default_rng(3)
    for centre, axes in plane.draw_laws(rng):
        x, nats = plane.draw_points(rng, (centre, axes), 50)
        law = torch.distributions.MultivariateNormal(
            torch.from_numpy(centre), torch.from_numpy(axes @ axes.T)
        )
        np.testing.assert_allclose(nats, -law.log_prob(torch.from_numpy(x)), rtol=1e-12)


def test_the_laws_are_drawn_anew_for_every_seed(plane):
    drawn = [plane.draw_laws(np.random.default_rng([4, seed])) for seed in range(400)]
    centres = np.array([[centre for centre, _ in laws] for laws in drawn])
    assert -2 <= centres.min() < -1.95 and 1.95 < centres.max() <= 2
    covariances = np.array([[axes @ axes.T for _, axes in laws] for laws in drawn])
    diagonal, straight = covariances[:, 0], covariances[:, 1]
    np.testing.assert_allclose(diagonal[:, [0, 1], [0, 1]], 13.0)
    np.testing.assert_allclose(np.abs(diagonal[:, 0, 1]), 12.0)
    np.testing.assert_allclose(np.sort(straight[:, [0, 1], [0, 1]]), [[1.0, 25.0]] * 400)
    np.testing.assert_allclose(straight[:, 0, 1], 0.0)
    assert 160 < (diagonal[:, 0, 1] > 0).sum() < 240
    assert 160 < (straight[:, 0, 0] > 1).sum() < 240


class Linear:
    """x = centre + w z₁ + noise of variances d: q is the posterior, or the prior where w = 0."""

    def __init__(self, centre, w, variances):
        self.centre, self.w, self.variances = centre, w, variances
        self.spread = 1 / (1 + (w**2 / variances).sum())

    def encode(self, x):
        mu, log_sigma = np.zeros((2, *x.shape))
        mu[:, 0] = self.spread * ((x - self.centre) @ (self.w / self.variances))
        log_sigma[:, 0] = np.log(self.spread) / 2
        return mu, log_sigma

    def decode(self, z):
        mean = self.centre + z[:, :1] * self.w
        return mean, np.broadcast_to(np.log(self.variances) / 2, mean.shape)


#: Hidden units are so small that tanh is a straight line up to some 1e-10 of their size.
SMALL = 1e-6


class Student:
    """Stands for a program whose models are there from the beginning."""

    def __init__(self, models):
        self.states, self.fitted = [straight(model) for model in models], 0

    def new(self, name):
        assert name == "VAE"
        return self

    def fit(self, x, generator):
        assert x.shape == (4000, 2)
        self.fitted += 1

    def state(self):
        return self.states[(self.fitted - 1) % len(self.states)]

    def generator(self):
        return None

    def refuse(self, message):
        raise ProgramError("bad-output", message)


def straight(model):
    """The state of a network that answers what a linear model does."""
    state = {name: np.zeros(shape) for name, shape in MEASURE.shapes().items()}
    zero, unit = np.zeros((1, 2)), np.eye(2)
    for kind, (first, *others), heads in (
        ("encode", *MEASURE.ENCODER),
        ("decode", *MEASURE.DECODER),
    ):
        answers = getattr(model, kind)
        state[f"{first}.weight"][:2] = SMALL * unit
        for name in others:
            state[f"{name}.weight"][:2, :2] = unit
        for head, at_zero, at_unit in zip(heads, answers(zero), answers(unit), strict=True):
            state[f"{head}.bias"][:] = at_zero[0]
            state[f"{head}.weight"][:, :2] = (at_unit - at_zero).T / SMALL
    return state


def knows_the_law(plane, law, share):
    """The linear model of a law that leaves to z what correlates the coordinates, and `share`
    of the rest of the first coordinate."""
    centre, axes = law
    covariance = axes @ axes.T
    variance, covered = np.diag(covariance), abs(covariance[0, 1])
    w = np.sqrt([covered, covered]) * [1, np.sign(covariance[0, 1])]
    if share:
        w = np.array([np.sqrt(share * variance[0]), 0.0])
    return Linear(centre, w, variance - w**2)


def test_models_that_know_the_law_reach_the_floor_and_no_more(plane):
    """With the exact posterior the estimate has no noise, so the excess is 0 up to tanh's bend.

    A tenth to nine tenths of a coordinate's variance can go through z at no loss: that a model of
    the straight set leaves z alone is what training does, and no consequence of the bound.
    """
    for seed, share in ((5, 0), (6, 0.1), (7, 0.9)):
        laws = plane.draw_laws(np.random.default_rng(seed))
        models = [
            knows_the_law(plane, law, part) for law, part in zip(laws, (0, share), strict=True)
        ]
        student = Student(models)
        found = plane.learn(student, np.random.default_rng(seed))
        assert student.fitted == 2
        assert abs(found["excess_diagonal"]) < 1e-6 and abs(found["excess_straight"]) < 1e-6
        # the mean of the KL is the mutual information
        assert found["kl_diagonal"] == pytest.approx(math.log(5), abs=0.05)
        assert found["kl_straight"] == pytest.approx(-0.5 * math.log(1 - share), abs=0.05)


def test_a_decoder_that_ignores_z(plane):
    laws = plane.draw_laws(np.random.default_rng(8))
    models = [Linear(centre, np.zeros(2), np.diag(axes @ axes.T)) for centre, axes in laws]
    found = plane.learn(Student(models), np.random.default_rng(8))
    assert found["excess"] == found["excess_diagonal"]
    assert found["excess"] == pytest.approx(0.5 * math.log(169 / 25), abs=0.05)
    assert CHECKS["learns"].low == pytest.approx(0.5 * math.log(169 / 25), abs=0.01)
    assert found["kl_diagonal"] == found["kl_straight"] == 0


class Coarse(Linear):
    """z says `rate` nats about the place on the diagonal, less than it takes to explain it."""

    def __init__(self, law, rate):
        centre, axes = law
        self.unseen = math.exp(-2 * rate)
        self.along = axes[:, 0] / 25
        self.place = axes[:, 0] * math.sqrt(1 - self.unseen)
        super().__init__(centre, self.place, np.full(2, (25 * self.unseen + 1) / 2))

    def encode(self, x):
        mu, log_sigma = np.zeros((2, *x.shape))
        mu[:, 0] = math.sqrt(1 - self.unseen) * ((x - self.centre) @ self.along)
        log_sigma[:, 0] = math.log(self.unseen) / 2
        return mu, log_sigma


@pytest.mark.parametrize("rate", [1.5, 1.2, 1.0])
def test_too_little_in_z_costs_what_theory_says(plane, rate):
    """0.006, 0.082 and 0.175 nats: `learns` alone asks for a divergence of 1.2."""
    cost = rate + math.log((25 * math.exp(-2 * rate) + 1) / 2) - math.log(5)
    laws = plane.draw_laws(np.random.default_rng(11))
    student = Student([Coarse(laws[0], rate), knows_the_law(plane, laws[1], 0)])
    found = plane.learn(student, np.random.default_rng(11))
    assert found["kl_diagonal"] == pytest.approx(rate, abs=0.05)
    assert found["excess"] == pytest.approx(cost, abs=4 * 0.011)


# --- weights from home -----------------------------------------------------------------------


def test_a_law_known_from_another_seed_gains_nothing(plane):
    """Weights that fit one seed's laws, on 200 others; over three times 200, 5 succeed."""
    laws = plane.draw_laws(np.random.default_rng(9))
    student = Student([knows_the_law(plane, law, 0) for law in laws])
    found = [plane.learn(student, np.random.default_rng([9, seed])) for seed in range(200)]
    assert sum(succeeds("learns", numbers) for numbers in found) <= 0.05 * len(found)


class Moments(Student):
    """Computes weights from mean and covariance of the points, without training."""

    def __init__(self):
        self.states, self.fitted = [], 0

    def fit(self, x, generator):
        covariance = np.cov(x.T)
        covered = abs(covariance[0, 1]) if abs(covariance[0, 1]) > 5 else 0.0
        w = np.sqrt([covered, covered]) * [1, np.sign(covariance[0, 1])]
        model = Linear(x.mean(axis=0), w, np.diag(covariance) - w**2)
        self.states.append(straight(model))
        self.fitted += 1

    def state(self):
        return self.states[-1]


def test_weights_computed_from_moments_pass_as_the_statement_says(plane):
    """What is marked is the model, not the way there: the law of the points is a Gaussian."""
    found = [plane.learn(Moments(), np.random.default_rng([12, seed])) for seed in range(20)]
    assert all(succeeds(name, numbers) for numbers in found for name in CHECKS)


# --- states that are refused -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("ending", "said"),
    [
        ("self.float()", r"hidden\.weight is float32 \(32, 2\) after fit, not float64"),
        ("self.mu.bias.data[0] = torch.nan", r"mu\.bias is not finite after fit"),
        ("self.second = nn.Linear(32, 31).double()", r"second\.weight is float64 \(31, 32\)"),
        ("del self.x_mean", r"lacks 'x_mean\.bias'; 14 are asked for"),
        ("self.register_buffer('steps', torch.ones(1))", r"has an entry too many, 'steps'"),
    ],
)
def test_a_state_that_is_no_model_is_refused(ending, said):
    source = (REFERENCE / "solution.py").read_text(encoding="utf-8")
    source = source.replace("STEPS, BATCH, LEARNING_RATE = 800", "STEPS, BATCH, LEARNING_RATE = 2")
    old = "        return objective.item()\n"
    assert source.count(old) == 1
    source = source.replace(old, f"        {ending}\n{old}")
    with pytest.raises(ProgramError, match=said) as refused:
        learn(submission(TASK, source))
    assert refused.value.cause == "bad-output"


# --- learning --------------------------------------------------------------------------------


#: Four standard errors of an honest excess.
LUCK = 4 * 0.004


@pytest.mark.parametrize("index", variants_are_slow(range(len(HONEST))), ids=HONEST)
def test_an_honest_program_learns(index):
    numbers = learn(honest_programs(TASK)[index])
    assert {name: succeeds(name, numbers) for name in CHECKS} == dict.fromkeys(CHECKS, True)
    assert min(numbers["excess_diagonal"], numbers["excess_straight"]) > -LUCK
    if index == 0:
        assert learn(TASK.reference.solution) == numbers


@pytest.mark.slow
@pytest.mark.parametrize("mutant", WRONG["learns"], ids=lambda mutant: mutant.mistake.name)
def test_a_mistake_in_training_fails(mutant):
    assert [succeeds("learns", learn(mutant.program, seed)) for seed in range(3)] == [False] * 3


@pytest.mark.parametrize(
    "mutant", WRONG["uses-z"] + WRONG["collapses"], ids=lambda mutant: mutant.mistake.name
)
def test_some_mistakes_show_in_the_divergence_alone(mutant):
    numbers = learn(mutant.program)
    found = {name for name in CHECKS if not succeeds(name, numbers)}
    assert found == {mutant.mistake.check}
