"""ae-denoising: the network of the harness, the linear filter beside it, cheats."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch.distributions import Bernoulli

from harness import images
from harness.collect.bare import BareProgram
from harness.errors import ProgramError
from harness.kinds import seed_success
from harness.records import COMMON, Step
from harness.seeds import PUBLIC_KEY
from tests.support.programs import ROOT, edited, load, load_module

REFERENCE = ROOT / "reference/ae-denoising"
TASK = load("ae-denoising")
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


def student_of(state):
    """Stands for a program whose model has this state after fit."""

    def new(_):
        return SimpleNamespace(fit=lambda *_: 0.0, state=lambda: state)

    digits = images.load("digits")
    return SimpleNamespace(new=new, generator=lambda: None, refuse=refuse, images=lambda: digits)


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
    np.testing.assert_allclose(
        measure._logits(weights, noisy.numpy()), wanted, rtol=1e-4, atol=1e-5
    )


def test_the_loss_of_the_solution_is_that_of_training(solution):
    torch.manual_seed(2)
    model = solution.DAE().double()
    x, eps = torch.bernoulli(torch.full((5, 64), 0.5)).double(), torch.randn(5, 64).double()
    weights = (model.encoder.weight, model.encoder.bias, model.decoder.weight, model.decoder.bias)
    found = solution.dae_loss(x, eps, 0.5, *weights)
    with torch.no_grad():
        wanted = -Bernoulli(logits=model(x + eps / 2)).log_prob(x).sum(1).mean()
    torch.testing.assert_close(found.detach(), wanted, rtol=1e-12, atol=0)


def test_the_linear_filter_is_the_best_linear_one(measure):
    """Beside least squares on a great number of noisy copies of the training images."""
    training, _ = measure._images(student_of({}), np.random.default_rng(3))
    rng = np.random.default_rng(4)
    clean = np.tile(training, (40, 1))
    noisy = clean + measure.SIGMA * rng.normal(size=clean.shape)
    with_one = np.column_stack([noisy, np.ones(len(noisy))])
    fitted = with_one @ np.linalg.lstsq(with_one, clean, rcond=None)[0]
    found = measure._error(clean, measure._linear(training, noisy))
    assert found == pytest.approx(measure._error(clean, fitted), rel=2e-3)
    assert measure._error(clean, noisy) == pytest.approx(16, rel=0.01)


def test_images_are_split_and_disguised_anew_for_every_seed(measure):
    student = student_of({})
    found = [measure._images(student, np.random.default_rng([4, seed])) for seed in range(3)]
    for training, fresh in found:
        assert (training.shape, fresh.shape) == ((1297, 64), (500, 64))
        assert set(np.unique(training)) == {0.0, 1.0}
        assert np.abs(training.mean(axis=0) - fresh.mean(axis=0)).max() < 0.15
        assert 0.4 < training.mean() < 0.6
    shares = np.array([training.mean(axis=0) for training, _ in found])
    assert np.abs(np.corrcoef(shares)[np.triu_indices(3, 1)]).max() < 0.5


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
    assert measure.learn(student_of(state), np.random.default_rng(6))["gain"] < -10


def gain_of(program):
    with BareProgram(TASK, program) as running:
        return running.metrics("learn", Step(COMMON.stage, 0), PUBLIC_KEY)["gain"]


def test_the_solution_succeeds():
    assert seed_success.succeeds(CHECKS["denoises"], gain_of(TASK.reference.solution))


def test_an_entry_too_many_ends_the_seed():
    line = "super().__init__()"
    program = edited(TASK, line, f"{line}\n        self.register_buffer('sigma', torch.ones(()))")
    with pytest.raises(ProgramError, match="an entry too many: sigma") as refused:
        gain_of(program)
    assert refused.value.cause == "bad-output"


def test_weights_from_the_images_of_another_seed_are_of_no_use(measure, solution):
    """They are digits of the same law and partly the same ones, in another disguise."""
    torch.manual_seed(7)
    training, _ = measure._images(student_of({}), np.random.default_rng(8))
    model = solution.DAE()
    model.fit(torch.from_numpy(training).float(), torch.Generator().manual_seed(9))
    weights = {name: entry.numpy() for name, entry in model.state_dict().items()}
    for seed in range(3):
        assert measure.learn(student_of(weights), np.random.default_rng([11, seed]))["gain"] < -5
