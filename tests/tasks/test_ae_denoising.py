"""ae-denoising: the network of the harness, the source of the images, who denoises."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch.distributions import Bernoulli

from harness.collect.bare import BareProgram
from harness.errors import ProgramError
from harness.images import source
from harness.kinds import seed_success
from harness.records import COMMON, Step
from harness.seeds import PUBLIC_KEY
from tests.support.programs import ROOT, edited, load, load_module

REFERENCE = ROOT / "reference/ae-denoising"
TASK = load("ae-denoising")
#: Mistakes in training that come nearest to honest work.
NEAREST = ["trained-with-noise-drawn-once", "trained-with-other-noise-on-the-target"]
CHECKS = {check.id: check for check in TASK.spec.checks if check.kind == "seed-success"}


@pytest.fixture(scope="module")
def solution():
    return load_module(REFERENCE / "solution.py")


@pytest.fixture(scope="module")
def measure():
    return load_module(ROOT / "tasks/ae-denoising/measure.py")


class Refused(Exception):
    pass


def refuse(message):
    raise Refused(message)


def student_of(state, seen=None):
    """Stands for a program whose model has this state after fit; `seen` gets what it is given."""

    def fit(x, _):
        if seen is not None:
            seen.append(x)
        return 0.0

    def new(_):
        return SimpleNamespace(fit=fit, state=lambda: state)

    return SimpleNamespace(new=new, generator=lambda: None, refuse=refuse, source=source.draw)


def nothing(measure):
    """A state of zeros."""
    return {name: np.zeros(shape, np.float32) for name, shape in measure.SHAPES.items()}


def test_the_network_of_the_harness_is_that_of_torch(measure, solution):
    torch.manual_seed(1)
    model = solution.DAE()
    weights = {name: entry.numpy() for name, entry in model.state_dict().items()}
    assert {name: array.shape for name, array in weights.items()} == measure.SHAPES
    noisy = torch.randn(7, 64)
    with torch.no_grad():
        wanted = model(noisy).numpy()
    np.testing.assert_allclose(measure.logits(weights, noisy.numpy()), wanted, rtol=1e-4, atol=1e-5)


def test_the_loss_of_the_solution_is_that_of_training(solution):
    torch.manual_seed(2)
    model = solution.DAE().double()
    x, eps = torch.bernoulli(torch.full((5, 64), 0.5)).double(), torch.randn(5, 64).double()
    weights = (model.encoder.weight, model.encoder.bias, model.decoder.weight, model.decoder.bias)
    found = solution.dae_loss(x, eps, 0.5, *weights)
    with torch.no_grad():
        wanted = -Bernoulli(logits=model(x + eps / 2)).log_prob(x).sum(1).mean()
    torch.testing.assert_close(found.detach(), wanted, rtol=1e-12, atol=0)


def test_images_come_from_another_source_in_every_seed(measure):
    seen = []
    student = student_of(nothing(measure), seen)
    found = [measure.learn(student, np.random.default_rng([4, seed])) for seed in range(2)]
    for training in seen:
        assert (training.shape, training.dtype) == ((2000, 64), np.float32)
        assert set(np.unique(training)) == {0.0, 1.0}
    first, second = (training.mean(axis=0) for training in seen)
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.5
    for one in found:
        # with all numbers zero every p is a half
        assert one["error"] == pytest.approx(16.0, abs=1e-12)
        assert 4 < one["least"] < 5.4
        # the cross term is zero on average over what the noise hides
        assert one["excess"] == pytest.approx(one["error"] - one["least"], abs=0.5)


BAD = {
    "too-few": (lambda state: state.pop("encoder.bias"), "lacks encoder.bias"),
    "too-many": (lambda state: state.update(sigma=np.ones(())), "an entry too many: sigma"),
    "shape": (
        lambda state: state.update({"decoder.weight": np.zeros((128, 64), np.float32)}),
        r"decoder.weight in the state of DAE is float32 \[128, 64\], not float32 \[64, 128\]",
    ),
    "type": (
        lambda state: state.update({"decoder.bias": np.zeros(64)}),
        r"decoder.bias in the state of DAE is float64 \[64\], not float32 \[64\]",
    ),
    "nan": (lambda state: state["encoder.bias"].fill(np.nan), "numbers that are not finite"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_state_that_is_not_that_of_the_statement_is_refused(measure, case):
    change, words = BAD[case]
    state = nothing(measure)
    change(state)
    with pytest.raises(Refused, match=words):
        measure.learn(student_of(state), np.random.default_rng(6))


def test_numbers_beyond_all_bounds_are_no_success_and_no_fault(measure):
    state = nothing(measure)
    state["encoder.weight"].fill(3e38)
    state["decoder.weight"].fill(-3e38)
    assert measure.learn(student_of(state), np.random.default_rng(6))["excess"] > 10


def learnt(program):
    with BareProgram(TASK, program) as running:
        return running.metrics("learn", Step(COMMON.stage, 0), PUBLIC_KEY)


def test_the_solution_succeeds():
    found = learnt(TASK.reference.solution)
    assert seed_success.succeeds(CHECKS["denoises"], found["excess"])
    assert found["excess"] == pytest.approx(found["error"] - found["least"], abs=0.2)


@pytest.mark.slow
@pytest.mark.parametrize("mistake", NEAREST)
def test_a_mistake_in_training_does_not(mistake):
    (found,) = (each for each in TASK.reference.mutants if each.mistake.name == mistake)
    assert not seed_success.succeeds(CHECKS["denoises"], learnt(found.program)["excess"])


def test_an_entry_too_many_ends_the_seed():
    line = "super().__init__()"
    program = edited(TASK, line, f"{line}\n        self.register_buffer('sigma', torch.ones(()))")
    with pytest.raises(ProgramError, match="an entry too many: sigma") as refused:
        learnt(program)
    assert refused.value.cause == "bad-output"


def test_weights_of_one_seed_are_of_no_use_in_another(measure, solution):
    torch.manual_seed(7)
    rng = np.random.default_rng(8)
    x = torch.from_numpy(source.draw(rng).drawn(rng, measure.TRAINING)).float()
    model = solution.DAE()
    model.fit(x, torch.Generator().manual_seed(9))
    weights = {name: entry.numpy() for name, entry in model.state_dict().items()}
    for seed in range(3):
        found = measure.learn(student_of(weights), np.random.default_rng([11, seed]))
        assert found["excess"] > 5


def test_what_can_be_made_before_a_source_is_known_is_far_from_the_posterior_mean(measure):
    """The best of it: averaged over sources pixels are independent and 1 with probability ½."""
    for seed in range(3):
        rng = np.random.default_rng([12, seed])
        law = source.draw(rng)
        x = law.drawn(rng, 500)
        noisy = x + measure.SIGMA * rng.normal(size=x.shape)
        alone = 1 / (1 + np.exp(-(noisy - 0.5) / measure.SIGMA**2))
        apart = ((alone - law.posterior_mean(noisy, measure.SIGMA)) ** 2).sum(axis=1)
        assert apart.mean() > 4 * CHECKS["denoises"].threshold
