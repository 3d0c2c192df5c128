"""vae-digits: the grader's own forward pass, the source of the images, and who learns."""

import numpy as np
import pytest
import torch
from torch.distributions import Bernoulli, Normal, kl_divergence

from harness.errors import ProgramError
from harness.images import source
from harness.kinds import seed_success
from tests.support.programs import (
    ROOT,
    honest_programs,
    load,
    load_module,
    one_seed,
    submission,
    variants_are_slow,
)

FOLDER, REFERENCE = ROOT / "tasks/vae-digits", ROOT / "reference/vae-digits"
TASK = load("vae-digits")
CHECK = TASK.spec.check("learns")
HONEST = ["solution", "by_hand", "distributions", "log_likelihoods", "complete"]


@pytest.fixture(scope="module")
def solution():
    return load_module(REFERENCE / "solution.py")


@pytest.fixture(scope="module")
def measure():
    return load_module(FOLDER / "measure.py")


def learn(program, seed=0):
    """The numbers of one seed, without a sandbox."""
    return one_seed(TASK, program, seed)


# --- what the grader computes --------------------------------------------------------------------


def test_the_bound_is_that_of_the_library(measure, solution):
    """The grader's own forward pass and bound against torch's layers and densities."""
    vae = solution.VAE()
    rng = np.random.default_rng(1)
    x = rng.integers(0, 2, (40, 64)).astype(np.float64)
    state = {name: value.numpy() for name, value in vae.state_dict().items()}
    found = np.mean([measure._bound(rng, state, x) for _ in range(400)], axis=0)
    with torch.no_grad():
        pixels = torch.from_numpy(x)
        mu, log_sigma = vae.encode(pixels)
        z = mu + log_sigma.exp() * torch.from_numpy(rng.normal(size=(4000, 40, 8)))
        rec = -Bernoulli(logits=vae.decode(z)).log_prob(pixels).sum(-1).mean(0)
        kl = kl_divergence(Normal(mu, log_sigma.exp()), Normal(0.0, 1.0)).sum(1)
    np.testing.assert_allclose(found, (rec + kl).numpy(), rtol=2e-3)
    assert np.abs(found - (rec + kl).numpy()).mean() < 0.03


def test_the_likelihood_lies_above_the_bound_and_grows_with_samples(solution):
    torch.manual_seed(2)
    vae = solution.VAE()
    with torch.no_grad():
        for layer in (vae.mu, vae.log_sigma, vae.logits):
            layer.weight.mul_(4)
        x = torch.randint(0, 2, (50, 64)).double()
        eps = torch.randn(400, 50, 8, dtype=torch.float64)
        rec, kl = vae.terms(x, eps[0])
        means = [
            torch.stack([vae.log_marginal(x, part) for part in eps.split(s)]).mean()
            for s in (1, 4, 40, 400)
        ]
    assert means == sorted(means)
    assert means[-1] > -(rec + kl).mean()


class Student:
    """Stands for a program whose `fit` is a function of the images, and returns the state."""

    def __init__(self, fit):
        self.train, self.sent = fit, []

    def source(self, rng):
        return source.draw(rng)

    def generator(self):
        return None

    def new(self, name):
        assert name == "VAE"
        return self

    def fit(self, x, generator):
        self.sent.append(x)

    def state(self):
        return self.train(self.sent[-1])


def test_images_come_from_another_source_in_every_seed(measure):
    student = Student(lambda _: {k: np.zeros(v) for k, v in measure._shapes(64, 128, 8).items()})
    found = [measure.learn(student, np.random.default_rng(seed)) for seed in range(2)]
    first, second = student.sent
    assert first.shape == second.shape == (4000, 64)
    assert set(np.unique(first)) == {0.0, 1.0}
    assert abs(np.corrcoef(first.mean(axis=0), second.mean(axis=0))[0, 1]) < 0.5
    # with all numbers zero every pixel costs ln 2, and there is no KL
    assert [one["nelbo"] for one in found] == pytest.approx([64 * np.log(2)] * 2)
    for one in found:
        assert one["excess"] == pytest.approx(one["nelbo"] - one["nll"], abs=1e-9)
        assert 26 < one["nll"] < 35


def test_weights_of_one_seed_are_of_no_use_in_another(measure, solution):
    trained = []

    def once(x):
        if not trained:
            torch.manual_seed(3)
            vae = solution.VAE()
            vae.fit(torch.from_numpy(x), torch.Generator().manual_seed(4))
            trained.append({name: value.numpy() for name, value in vae.state_dict().items()})
        return trained[0]

    student = Student(once)
    at_home, elsewhere = (measure.learn(student, np.random.default_rng(seed)) for seed in (5, 6))
    assert seed_success.succeeds(CHECK, at_home["excess"])
    assert elsewhere["excess"] > 20


# --- states that are refused ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ending", "said"),
    [
        ("self.float()", r"hidden\.weight is float32 \(128, 64\) after fit, not float64"),
        ("self.mu.bias.data[0] = torch.nan", r"mu\.bias is not finite after fit"),
        ("self.extra = nn.Linear(1, 1)", r"has an entry too many, 'extra\.bias'"),
        ("del self.expand.bias; self.expand.bias = None", r"lacks 'expand\.bias'"),
        ("self.logits = nn.Linear(128, 63).double()", r"logits\.weight is float64 \(63, 128\)"),
        # what a layer knows of other batches would be part of the evaluation
        ("self.norm = nn.BatchNorm1d(8).double()", r"has an entry too many, 'norm\.bias'"),
        ("self.half()", r"tensor of torch\.float16"),
        (
            "self.mu.bias = nn.Parameter(torch.zeros(1, dtype=x.dtype).expand(1 << 37))",
            r"137438953472 elements: too large",
        ),
    ],
)
def test_a_state_that_is_not_the_networks_is_refused(ending, said):
    source = (REFERENCE / "solution.py").read_text(encoding="utf-8")
    for old, new in (
        ("LEARNING_RATE = 1200,", "LEARNING_RATE = 2,"),
        ("        return loss.item()", f"        {ending}\n        return 0.0"),
    ):
        assert source.count(old) == 1
        source = source.replace(old, new)
    with pytest.raises(ProgramError, match=said) as refused:
        learn(submission(TASK, source))
    assert refused.value.cause == "bad-output"


# --- who learns ----------------------------------------------------------------------------------


@pytest.mark.parametrize("index", variants_are_slow(range(len(HONEST))), ids=HONEST)
def test_an_honest_program_learns(index):
    numbers = learn(honest_programs(TASK)[index])
    assert seed_success.succeeds(CHECK, numbers["excess"])
    # -ELBO exceeds the surprise by no less than the source's posterior is no Gaussian
    assert numbers["excess"] > 0.4


@pytest.mark.slow
@pytest.mark.parametrize("mutant", ["kl-half", "pixels-averaged-in-training", "one-noise-for-all"])
def test_a_mistake_in_training_does_not(mutant):
    (found,) = (each for each in TASK.reference.mutants if each.mistake.name == mutant)
    assert not seed_success.succeeds(CHECK, learn(found.program)["excess"])
