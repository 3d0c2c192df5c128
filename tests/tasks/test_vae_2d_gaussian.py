"""vae-2d-gaussian: the formulas, the laws of the points, the floor, cheats, and who learns."""

import math

import numpy as np
import pytest
import torch
from torch.distributions import Normal, kl_divergence

from harness.collect.proxy import ProgramProxy
from harness.errors import ProgramError
from harness.kinds import seed_success
from harness.records import Program
from harness.sandbox import choice
from harness.sandbox.sandbox import Sandbox
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
    return load_module(FOLDER / "measure.py")


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


@pytest.mark.parametrize("number", [0.02, -0.05, 1.0])
def test_networks_of_one_number_are_those_of_the_statement(plane, solution, number):
    """The harness's own formula against layers of torch, whose names and shapes it does not use."""
    vae, points = solution.VAE(), np.random.default_rng(5).uniform(-5, 5, (6, 2))
    with torch.no_grad():
        for parameter in vae.parameters():
            parameter.fill_(number)
        for coder, hidden_layers in ((vae.encode, 1), (vae.decode, 2)):
            found = torch.cat(coder(torch.from_numpy(points)), dim=1).numpy()
            wanted = plane._answers(points, number, hidden_layers)
            np.testing.assert_allclose(found, np.repeat(wanted, 4, axis=1), rtol=1e-12)


def test_an_encoder_for_each_of_mean_and_spread_is_seen():
    """It answers as one encoder does where all numbers are alike, but has more of them."""
    source = (REFERENCE / "solution.py").read_text(encoding="utf-8")
    layers = "nn.Linear(DATA, HIDDEN), nn.Tanh(), nn.Linear(HIDDEN, LATENT)"
    for old, new in (
        ("2 * LATENT", "LATENT"),
        ("        self.decoder =", f"        self.s = nn.Sequential({layers}).double()\n{{}}"),
        ("self.encoder(x).split(LATENT, dim=1)", "self.encoder(x), self.s(x)"),
    ):
        assert source.count(old) == 1
        source = source.replace(old, new.format(old))
    checks = [TASK.spec.check("rows")]
    ((_, outcome),) = outcomes(TASK, submission(TASK, source), checks)
    assert outcome.status == "FAIL"


def test_a_batch_norm_left_in_training_mode_is_told_so():
    """A program that never calls `eval` fails at the first batch of one point, in torch's words."""
    source = (REFERENCE / "solution.py").read_text(encoding="utf-8")
    old = "            nn.Linear(DATA, HIDDEN),\n"
    assert source.count(old) == 1
    source = source.replace(old, f"            nn.BatchNorm1d(DATA, affine=False),\n{old}")
    with pytest.raises(ProgramError, match="more than 1 value per channel when training") as found:
        list(outcomes(TASK, submission(TASK, source), [TASK.spec.check("rows")]))
    assert found.value.cause == "exception"


# --- the laws and the floor ------------------------------------------------------------------


def test_both_laws_have_the_entropy_of_the_statement(plane):
    rng = np.random.default_rng(2)
    for law in plane._laws(rng):
        _, nats = plane._points(rng, law, 200_000)
        assert nats.mean() == pytest.approx(ENTROPY, abs=4 / math.sqrt(200_000))
    assert f"{ENTROPY:.4f}" == "4.4473"


def test_points_have_the_density_that_the_floor_says(plane):
    """Against the formula of a normal law with the covariance axes axesᵀ."""
    rng = np.random.default_rng(3)
    for centre, axes in plane._laws(rng):
        x, nats = plane._points(rng, (centre, axes), 50)
        law = torch.distributions.MultivariateNormal(
            torch.from_numpy(centre), torch.from_numpy(axes @ axes.T)
        )
        np.testing.assert_allclose(nats, -law.log_prob(torch.from_numpy(x)), rtol=1e-12)


def test_the_laws_are_drawn_anew_for_every_seed(plane):
    drawn = [plane._laws(np.random.default_rng([4, seed])) for seed in range(400)]
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


class Untrained:
    """Stands for a program whose models are there from the beginning; says how often it renewed."""

    def __init__(self, models):
        self.models, self.made, self.renewed = models, 0, 0

    def new(self, _):
        self.made += 1
        return Handle(self.models[(self.made - 1) % len(self.models)])

    def renew(self, *, sandbox):
        self.renewed += sandbox

    def generator(self):
        return None

    def refuse(self, message):
        raise ProgramError("bad-output", message)


class Handle:
    def __init__(self, model):
        self.encode, self.decode = model.encode, model.decode

    def fit(self, x, generator):
        return 0.0

    def state(self):
        return {}

    def load(self, state):
        pass


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
    """With the exact posterior the estimate has no noise, so the excess is 0 up to rounding.

    A tenth to nine tenths of a coordinate's variance can go through z at no loss: that a model of
    the straight set leaves z alone is what training does, and no consequence of the bound.
    """
    for seed, share in ((5, 0), (6, 0.1), (7, 0.9)):
        laws = plane._laws(np.random.default_rng(seed))
        models = [
            knows_the_law(plane, law, part) for law, part in zip(laws, (0, share), strict=True)
        ]
        student = Untrained(models)
        found = plane.learn(student, np.random.default_rng(seed))
        assert student.renewed == 1 and student.made == 4
        assert abs(found["excess_diagonal"]) < 1e-12 and abs(found["excess_straight"]) < 1e-12
        # the mean of the KL is the mutual information
        assert found["kl_diagonal"] == pytest.approx(math.log(5), abs=0.05)
        assert found["kl_straight"] == pytest.approx(-0.5 * math.log(1 - share), abs=0.05)


def test_a_decoder_that_ignores_z(plane):
    laws = plane._laws(np.random.default_rng(8))
    models = [Linear(centre, np.zeros(2), np.diag(axes @ axes.T)) for centre, axes in laws]
    found = plane.learn(Untrained(models), np.random.default_rng(8))
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
    laws = plane._laws(np.random.default_rng(11))
    student = Untrained([Coarse(laws[0], rate), knows_the_law(plane, laws[1], 0)])
    found = plane.learn(student, np.random.default_rng(11))
    assert found["kl_diagonal"] == pytest.approx(rate, abs=0.05)
    assert found["excess"] == pytest.approx(cost, abs=4 * 0.011)


# --- cheats ----------------------------------------------------------------------------------


def test_a_law_known_from_another_seed_gains_nothing(plane):
    """Weights that fit one seed's laws, on 200 others; over three times 200, 5 succeed."""
    laws = plane._laws(np.random.default_rng(9))
    student = Untrained([knows_the_law(plane, law, 0) for law in laws])
    found = [plane.learn(student, np.random.default_rng([9, seed])) for seed in range(200)]
    assert sum(succeeds("learns", numbers) for numbers in found) <= 0.05 * len(found)


REMEMBERS = """
import torch
from torch import nn

# The encoder gives every point a z of its own, and leaves places and points where a renewed
# module still finds them.


class VAE(nn.Module):
    def fit(self, x, generator):
        return 0.0

    def encode(self, x):
        n = len(x)
        places = torch.special.ndtri((torch.arange(n, dtype=x.dtype) + 0.5) / n)
        torch.left = [*getattr(torch, "left", []), (places, x)]
        nothing = torch.zeros_like(places)
        return torch.stack([places, nothing], 1), torch.stack([nothing - 12, nothing], 1)

    def decode(self, z):
        if not getattr(torch, "left", []):
            return 0 * z, 0 * z
        places, x = torch.left.pop(0)
        nearest = torch.searchsorted((places[1:] + places[:-1]) / 2, z[:, 0].contiguous())
        return x[nearest], torch.full_like(z, -12)
"""


def remembering():
    """A program whose decoder looks up what its encoder saw."""
    return Program("remembers", "submission", {TASK.spec.file: REMEMBERS.encode()})


def test_less_than_the_floor_is_refused():
    """Without a sandbox the cheat works, and is far below the floor."""
    with pytest.raises(ProgramError, match="no lower bound") as refused:
        learn(remembering())
    assert refused.value.cause == "bad-output"
    del torch.left


@pytest.mark.slow
def test_a_sandbox_keeps_the_decoder_from_remembering(plane):
    program = remembering()
    limits = TASK.spec.limits_of("learn")
    with Sandbox(choice.best()) as sandbox:
        folder = sandbox.place("remembers", dict(program.files))
        with sandbox.session(folder, limits, load) as session:
            student = ProgramProxy(session, TASK.contract, np.random.default_rng(1))
            with session.trial(limits):
                found = plane.learn(student, np.random.default_rng(10))
    assert not succeeds("learns", found)


def load(connection):
    file = TASK.spec.file
    connection.request({"op": "load", "module": TASK.spec.module, "file": file, "given": False}, [])


# --- learning --------------------------------------------------------------------------------


#: Four standard errors of an honest excess.
LUCK = 4 * 0.006


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
