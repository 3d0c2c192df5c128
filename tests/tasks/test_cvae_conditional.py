"""cvae-conditional: the law of the pairs, the grader's own density, what it refuses, who learns."""

import numpy as np
import pytest
import torch
from scipy import integrate, stats

from harness.errors import ProgramError
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

REFERENCE = ROOT / "reference/cvae-conditional"
TASK = load("cvae-conditional")
CHECK = TASK.spec.check("learns")
HONEST = ["solution", "by_hand", "distributions", "complete"]
solution = load_module(REFERENCE / "solution.py")
measure = load_module(ROOT / "tasks/cvae-conditional/measure.py")


def learn(program, seed=0):
    """The numbers of one seed, without a sandbox."""
    return one_seed(TASK, program, seed)


def state_of(model):
    return {name: value.detach().numpy() for name, value in model.state_dict().items()}


def model_of(seed, gain=1.0):
    """An untrained model, its weights `gain` times as large as usual."""
    torch.manual_seed(seed)
    model = solution.CVAE()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(gain)
    return model


# --- the divergence and the bound ----------------------------------------------------------------


def test_the_divergence_is_the_integral():
    """The average of the log ratio under the first law, by quadrature."""
    mu1, log1, mu2, log2 = 0.4, -0.3, -0.6, 0.5
    first, second = stats.norm(mu1, np.exp(log1)), stats.norm(mu2, np.exp(log2))
    wanted, _ = integrate.quad(
        lambda z: first.pdf(z) * (first.logpdf(z) - second.logpdf(z)), -9, 9, epsabs=1e-12
    )
    arguments = (torch.tensor([[a]], dtype=torch.float64) for a in (mu1, log1, mu2, log2))
    assert solution.kl_diag(*arguments).item() == pytest.approx(wanted, abs=1e-10)


@pytest.mark.parametrize("gain", [1.0, 2.0])
def test_the_bound_lies_below_the_likelihood(gain):
    """The mean of -loss over the noise, against log p(y | x) from the same number of samples."""
    model, rng = model_of(1, gain), np.random.default_rng(1)
    x, y = (torch.from_numpy(rng.normal(size=(5, size))) for size in (2, 1))
    eps = torch.from_numpy(rng.normal(size=(4000, 5, 1)))
    with torch.no_grad():
        bound = -torch.stack([model.loss(x, y, noise) for noise in eps]).mean(dim=0)
        assert (bound < model.log_likelihood(x, y, eps)).all()


# --- the pairs -----------------------------------------------------------------------------------


def test_the_law_is_that_of_the_statement():
    """Its density, written once more, and the distribution of what is drawn."""
    rng = np.random.default_rng(2)
    law = measure._law(rng)
    x, y = measure._pairs_of(law, rng, 20000)
    turned = 2 * x @ law["axes"]
    u, v = turned.T
    centre = law["amplitude"] * np.sin(law["frequency"] * u + law["phase"])
    half = law["distance"] * np.exp(law["tilt"] * np.tanh(v))
    upper = 1 / (1 + np.exp(-law["slope"] * v - law["offset"]))
    low, high = law["width"]
    lower_law, upper_law = stats.norm(centre - half, low), stats.norm(centre + half, high)
    density = (1 - upper) * lower_law.pdf(y[:, 0]) + upper * upper_law.pdf(y[:, 0])
    np.testing.assert_allclose(measure._log_law(law, x, y), np.log(density), rtol=1e-9)
    ranks = (1 - upper) * lower_law.cdf(y[:, 0]) + upper * upper_law.cdf(y[:, 0])
    assert stats.kstest(ranks, "uniform").pvalue > 1e-3
    assert np.abs(x).max() <= measure.SIDE < np.abs(x).max() + 0.01


def test_what_is_drawn_for_a_seed_lies_in_the_ranges_of_the_statement():
    laws = [measure._law(np.random.default_rng([3, seed])) for seed in range(800)]
    ranges = {
        "amplitude": (0.4, 0.7),
        "frequency": (0.7, 1.0),
        "phase": (0.0, 2 * np.pi),
        "distance": (0.7, 1.0),
        "slope": (0.7, 1.1),
        "offset": (-0.5, 0.5),
    }
    for name, (low, high) in ranges.items():
        found = np.array([law[name] for law in laws])
        near = (high - low) / 40
        assert low <= found.min() < low + near and high - near < found.max() <= high, name
    tilts = np.array([law["tilt"] for law in laws])
    assert 0.2 <= np.abs(tilts).min() < np.abs(tilts).max() <= 0.4
    assert 320 < (tilts > 0).sum() < 480
    widths = np.array([law["width"] for law in laws])
    assert widths.min() >= 0.15 and widths.max() <= 0.25
    assert np.median(widths) == pytest.approx(np.sqrt(0.15 * 0.25), rel=0.02)


# --- the grader's density ------------------------------------------------------------------------


@pytest.mark.parametrize("gain", [1.0, 3.0])
def test_the_grader_s_density_is_that_of_the_solution(gain):
    """Its grid against the solution's mean over evenly spread quantiles of the prior."""
    model, rng = model_of(4, gain), np.random.default_rng(4)
    x, y = rng.uniform(-1.5, 1.5, (30, 2)), rng.normal(size=(30, 1))
    quantiles = stats.norm.ppf((np.arange(20000) + 0.5) / 20000)
    eps = torch.from_numpy(np.broadcast_to(quantiles[:, None, None], (20000, 30, 1)).copy())
    with torch.no_grad():
        wanted = model.log_likelihood(torch.from_numpy(x), torch.from_numpy(y), eps).numpy()
    found = measure._log_model(state_of(model), x, y)
    np.testing.assert_allclose(found, wanted, atol=2e-3)


@pytest.mark.parametrize("gain", [1.0, 2.0])
def test_the_grader_s_density_integrates_to_one(gain):
    state = state_of(model_of(5, gain))
    y = np.linspace(-40, 40, 4001)[:, None]
    for x in np.random.default_rng(5).uniform(-1.5, 1.5, (2, 2)):
        log_p = measure._log_model(state, np.broadcast_to(x, (len(y), 2)), y)
        assert np.exp(log_p).sum() * (y[1, 0] - y[0, 0]) == pytest.approx(1, abs=1e-6)


# --- states that are refused ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ending", "said"),
    [
        ("self.float()", r"encoder\.0\.weight is float32 \(32, 3\), not float64"),
        ("self.prior.bias.data[0] = torch.nan", r"prior\.bias holds numbers that are not finite"),
        ("self.prior.bias.data[0] = 1e7", r"prior\.bias holds numbers .* beyond 1e\+06"),
        ("self.extra = nn.Linear(1, 1)", r"has an entry too many, 'extra\.bias'"),
        ("del self.prior.bias; self.prior.bias = None", r"lacks 'prior\.bias'"),
        ("self.prior = nn.Linear(2, 4).double()", r"prior\.weight is float64 \(4, 2\)"),
        ("self.decoder[2].bias.data[1] = -9e5", r"log p\(y \| x\) of fresh pairs is not finite"),
    ],
)
def test_a_state_that_is_no_answer_is_refused(ending, said):
    source = (REFERENCE / "solution.py").read_text(encoding="utf-8")
    for old, new in (
        ("STEPS, BATCH, LEARNING_RATE = 600,", "STEPS, BATCH, LEARNING_RATE = 2,"),
        ("        return objective.item()", f"        {ending}\n        return 0.0"),
    ):
        assert source.count(old) == 1
        source = source.replace(old, new)
    with pytest.raises(ProgramError, match=said) as refused:
        learn(submission(TASK, source))
    assert refused.value.cause == "bad-output"


# --- who learns, and what was learnt elsewhere ---------------------------------------------------


class Student:
    """Stands for a program whose `fit` leaves the same state for whatever it is given."""

    def __init__(self, state):
        self._state = state

    def generator(self):
        return None

    def new(self, name):
        assert name == "CVAE"
        return self

    def fit(self, x, y, generator):
        assert x.shape == (4000, 2) and y.shape == (4000, 1)

    def state(self):
        return self._state


def test_weights_of_one_seed_are_of_no_use_in_another():
    torch.manual_seed(6)
    rng = np.random.default_rng(6)
    x, y = measure._pairs_of(measure._law(rng), rng, 4000)
    model = solution.CVAE()
    model.fit(torch.from_numpy(x), torch.from_numpy(y), torch.Generator().manual_seed(7))
    student = Student(state_of(model))
    elsewhere = [measure.learn(student, np.random.default_rng([8, seed])) for seed in range(12)]
    at_home = measure.learn(student, np.random.default_rng(6))
    succeeded = [seed_success.succeeds(CHECK, each["excess"]) for each in elsewhere]
    assert seed_success.succeeds(CHECK, at_home["excess"])
    assert np.mean(succeeded) < CHECK.min_detectable / 2


def test_the_middle_of_the_ranges_put_right_succeeds_in_about_a_third_of_the_seeds():
    """The exact law, and 0.15 nats for the model of it that a program would bring along."""
    middle = {"amplitude": 0.55, "frequency": 0.85, "distance": 0.85, "slope": 0.9, "offset": 0.0}
    excesses = []
    for seed in range(200):
        rng = np.random.default_rng([9, seed])
        law = measure._law(rng)
        x, y = measure._pairs_of(law, rng, 600)
        nearest = law | middle | {"tilt": 0.3 * np.sign(law["tilt"]), "width": np.full(2, 0.2)}
        log_p = measure._log_law(nearest, x, y)
        excesses.append(measure._log_law(law, x, y).mean() - log_p.mean() + 0.15)
    succeeded = [seed_success.succeeds(CHECK, excess) for excess in excesses]
    assert 0.25 < np.mean(succeeded) < 0.5


@pytest.mark.parametrize("index", variants_are_slow(range(len(HONEST))), ids=HONEST)
def test_an_honest_program_learns(index):
    program = honest_programs(TASK)[index]
    found = learn(program)
    assert 0 < found["excess"] < 0.3
    if index == 0:
        assert learn(program) == found


WRONG = [mutant for mutant in TASK.reference.mutants if mutant.mistake.check == CHECK.id]


@pytest.mark.slow
@pytest.mark.parametrize("mutant", WRONG, ids=lambda mutant: mutant.mistake.name)
def test_a_mistake_in_training_fails(mutant):
    found = [learn(mutant.program, seed)["excess"] for seed in range(2)]
    assert [seed_success.succeeds(CHECK, excess) for excess in found] == [False] * 2
