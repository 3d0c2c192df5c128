"""vae-beta-tradeoff: the networks of the harness, the source of the images, cheats."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch.distributions import Bernoulli, Normal, kl_divergence

from harness.collect.bare import BareProgram
from harness.errors import ProgramError
from harness.images import source
from harness.kinds import seed_success
from harness.records import COMMON, Step
from harness.seeds import PUBLIC_KEY
from tests.support.programs import ROOT, edited, load, load_module

REFERENCE = ROOT / "reference/vae-beta-tradeoff"
TASK = load("vae-beta-tradeoff")
CHECKS = {check.id: check for check in TASK.spec.checks if check.kind == "seed-success"}


@pytest.fixture(scope="module")
def solution():
    return load_module(REFERENCE / "solution.py")


@pytest.fixture(scope="module")
def measure():
    return load_module(ROOT / "tasks/vae-beta-tradeoff/measure.py")


class Refused(Exception):
    pass


def refuse(message):
    raise Refused(message)


def student_of(states):
    """Stands for a program whose models have these states after fit, one after the other."""
    waiting = list(states)

    def new(_):
        state = waiting.pop(0)
        return SimpleNamespace(fit=lambda *_: 0.0, state=lambda: state)

    return SimpleNamespace(new=new, generator=lambda: None, refuse=refuse, source=source.draw)


def constant(measure, training):
    """The state of a model that says nothing of z and has the pixels' frequencies."""
    state = {name: np.zeros(shape, np.float32) for name, shape in measure.SHAPES.items()}
    share = (training.sum(axis=0) + 0.5) / (len(training) + 1)
    state["decoder.2.bias"] = np.log(share / (1 - share)).astype(np.float32)
    return state


def test_the_networks_of_the_harness_are_those_of_torch(measure, solution):
    torch.manual_seed(1)
    vae = solution.VAE()
    weights = {name: entry.numpy() for name, entry in vae.state_dict().items()}
    assert {name: array.shape for name, array in weights.items()} == measure.SHAPES
    x, z = torch.bernoulli(torch.full((7, 64), 0.5)), torch.randn(7, 8)
    with torch.no_grad():
        wanted = torch.cat(vae.encode(x), dim=1), vae.decode(z)
    for name, given, tensor in zip(("encoder", "decoder"), (x, z), wanted, strict=True):
        found = measure.layers(weights, name, given.numpy())
        np.testing.assert_allclose(found, tensor.numpy(), rtol=1e-4, atol=1e-5)


def test_the_terms_that_count_are_those_of_the_library(measure, solution):
    torch.manual_seed(2)
    vae = solution.VAE().double()
    weights = {name: entry.numpy() for name, entry in vae.state_dict().items()}
    rng = np.random.default_rng(3)
    x, eps = rng.integers(0, 2, (11, 64)).astype(float), rng.normal(size=(2, 11, 8))
    rec, kl = measure.mean_terms(weights, x, eps)
    with torch.no_grad():
        mu, log_sigma = vae.encode(torch.from_numpy(x))
        z = mu + log_sigma.exp() * torch.from_numpy(eps)
        wanted = -Bernoulli(logits=vae.decoder(z)).log_prob(torch.from_numpy(x)).sum(-1).mean()
        divergence = kl_divergence(Normal(mu, log_sigma.exp()), Normal(0.0, 1.0)).sum(1).mean()
    assert rec == pytest.approx(wanted.item(), rel=1e-12)
    assert kl == pytest.approx(divergence.item(), rel=1e-12)


def test_images_come_from_another_source_in_every_seed(measure):
    student = student_of([])
    found = [measure.drawn(student, np.random.default_rng([4, seed])) for seed in range(3)]
    for training, fresh, surprise in found:
        assert (training.shape, fresh.shape, surprise.shape) == ((4000, 64), (1000, 64), (1000,))
        assert set(np.unique(training)) == {0.0, 1.0}
        assert np.abs(training.mean(axis=0) - fresh.mean(axis=0)).max() < 0.1
        assert 26 < surprise.mean() < 35
        # pixels depend on each other: alone they cost about 13 nats more
        assert measure.independent(training, fresh).mean() - surprise.mean() > 8
    shares = np.array([training.mean(axis=0) for training, *_ in found])
    assert np.abs(np.corrcoef(shares)[np.triu_indices(3, 1)]).max() < 0.5


def test_a_model_that_ignores_z_gains_nothing(measure):
    training, fresh, surprise = measure.drawn(student_of([]), np.random.default_rng(5))
    student = student_of([constant(measure, training)] * 3)
    found = measure.tradeoff(student, np.random.default_rng(5))
    wanted = (measure.independent(training, fresh) - surprise).mean()
    assert found["excess"] == pytest.approx(wanted, abs=1e-5)
    assert found["behind"] == pytest.approx((wanted + 5.3) / 0.25, abs=1e-4)
    assert abs(found["kl_fall"]) < 1e-12
    assert abs(found["rec_rise"]) < 1e-12


def test_models_worse_than_independent_pixels_show_no_tradeoff(measure):
    """A KL and a reconstruction of any size, from biases alone, are no models of the images."""
    states = []
    for kl, logit in ((15.0, 0.0), (8.0, 0.8), (0.0, 1.6)):
        state = constant(measure, np.zeros((2, 64)))
        state["encoder.2.bias"][:8] = np.sqrt(2 * kl / 8)
        state["decoder.2.bias"] = np.full(64, logit, np.float32)
        states.append(state)
    rng = np.random.default_rng(6)
    fresh = measure.drawn(student_of([]), np.random.default_rng(6))[1]
    terms = [measure.mean_terms(state, fresh, rng.normal(size=(1, 1, 8))) for state in states]
    rec, kl = np.transpose(terms)
    assert np.diff(rec).min() > CHECKS["reconstruction-rises"].threshold
    assert -np.diff(kl).max() > CHECKS["kl-falls"].threshold
    found = measure.tradeoff(student_of(states), np.random.default_rng(6))
    assert (found["kl_fall"], found["rec_rise"]) == (0, 0)


BAD = {
    "too-few": (lambda state: state.pop("encoder.2.bias"), "lacks encoder.2.bias"),
    "too-many": (lambda state: state.update(beta=np.ones(())), "an entry too many: beta"),
    "shape": (
        lambda state: state.update({"decoder.0.weight": np.zeros((8, 128), np.float32)}),
        r"decoder.0.weight in the state of VAE is float32 \[8, 128\], not float32 \[128, 8\]",
    ),
    "type": (
        lambda state: state.update({"decoder.0.bias": np.zeros(128)}),
        r"decoder.0.bias in the state of VAE is float64 \[128\], not float32 \[128\]",
    ),
    "nan": (lambda state: state["encoder.0.bias"].fill(np.nan), "numbers that are not finite"),
    "far": (lambda state: state["encoder.2.bias"].fill(1e6), "of the fresh images is not finite"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_state_that_is_not_that_of_the_statement_is_refused(measure, case):
    change, words = BAD[case]
    state = constant(measure, np.zeros((2, 64)))
    change(state)
    with pytest.raises(Refused, match=words):
        measure.tradeoff(student_of([state] * 3), np.random.default_rng(6))


def numbers_of(program):
    with BareProgram(TASK, program) as running:
        found = running.metrics("tradeoff", Step(COMMON.stage, 0), PUBLIC_KEY)
    return {name: float(value) for name, value in found.items()}


def succeeds(name, numbers):
    return seed_success.succeeds(CHECKS[name], numbers[CHECKS[name].metric])


def test_the_solution_succeeds():
    numbers = numbers_of(TASK.reference.solution)
    assert {name: succeeds(name, numbers) for name in CHECKS} == dict.fromkeys(CHECKS, True)


def test_an_entry_too_many_ends_the_seed():
    line = "super().__init__()"
    program = edited(TASK, line, f"{line}\n        self.register_buffer('beta', torch.ones(()))")
    with pytest.raises(ProgramError, match="an entry too many: beta") as refused:
        numbers_of(program)
    assert refused.value.cause == "bad-output"


def test_weights_from_the_images_of_another_seed_are_of_no_use(measure, solution):
    torch.manual_seed(7)
    training, fresh, surprise = measure.drawn(student_of([]), np.random.default_rng(8))
    states = []
    for beta in measure.BETAS:
        vae = solution.VAE()
        vae.fit(torch.from_numpy(training).float(), beta, torch.Generator().manual_seed(9))
        states.append({name: entry.numpy() for name, entry in vae.state_dict().items()})
    eps = np.random.default_rng(10).normal(size=(2, 1000, 8))
    excess = sum(measure.mean_terms(states[1], fresh, eps)) - surprise.mean()
    assert seed_success.succeeds(CHECKS["learns"], excess)
    for seed in range(3):
        found = measure.tradeoff(student_of(states), np.random.default_rng([11, seed]))
        assert found["excess"] > 15
        assert not any(succeeds(name, found) for name in CHECKS)
