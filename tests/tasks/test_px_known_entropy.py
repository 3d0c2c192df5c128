"""px-known-entropy: the law of the images, the grader's forward pass, what it refuses, cheats."""

import numpy as np
import pytest
import torch

from harness.errors import ProgramError
from harness.kinds import seed_success
from harness.records import Program
from tests.support.programs import (
    ROOT,
    honest_programs,
    load,
    load_module,
    one_seed,
    variants_are_slow,
)

REFERENCE = ROOT / "reference/px-known-entropy"
TASK = load("px-known-entropy")
CHECK = next(check for check in TASK.spec.checks if check.kind == "seed-success")
WRONG = [mutant for mutant in TASK.reference.mutants if mutant.mistake.check == CHECK.id]
HONEST = ["solution", "double_throughout", "shuffled_epochs", "windows", "complete"]
solution = load_module(REFERENCE / "solution.py")
measure = load_module(ROOT / "tasks/px-known-entropy/measure.py")


def learn(program, seed=0):
    """The divergence of one seed, without a sandbox."""
    return one_seed(TASK, program, seed)[CHECK.metric]


def state_of(model):
    return {name: tensor.numpy() for name, tensor in model.state_dict().items()}


def divergence(state, couplings, field):
    log_p = measure._ising(couplings, field)
    return float((np.exp(log_p) * (log_p - measure._log_model(state))).sum())


# --- the images ------------------------------------------------------------------------------


def test_the_images_have_the_entropy_of_the_statement():
    log_p = measure._ising([0.6, 0.6], 0.1)
    p = np.exp(log_p)
    assert p.sum() == pytest.approx(1, abs=1e-12)
    assert f"{-(p * log_p).sum():.4f}" == "3.9515"
    ones = (p[:, None, None] * measure._every(4)).sum(axis=0)
    apart = -(ones * np.log(ones) + (1 - ones) * np.log(1 - ones)).sum()
    assert f"{apart:.3f}" == "6.321"


def test_an_image_has_the_energy_of_the_statement():
    """Pair by pair, for images with numbers of their own as names: bits, first pixel highest."""
    couplings, field = [0.7, -0.4], 0.05
    log_p = measure._ising(couplings, field)
    energies = []
    for number in (0, 1, 0b1000_0000_0000_0000, 0b0110_1001_0001_1100):
        bits = [int(bit) for bit in f"{number:016b}"]
        spin = {(n // 4, n % 4): 2 * bit - 1 for n, bit in enumerate(bits)}
        energy = field * sum(spin.values())
        for (row, column), s in spin.items():
            energy += couplings[0] * s * spin.get((row + 1, column), 0)
            energy += couplings[1] * s * spin.get((row, column + 1), 0)
        energies.append(energy - log_p[number])
    np.testing.assert_allclose(energies, energies[0], rtol=1e-12)


def test_couplings_and_field_are_drawn_from_the_ranges_of_the_statement():
    drawn = [measure._drawn(np.random.default_rng([1, seed])) for seed in range(600)]
    values = np.array([[*couplings, field] for couplings, field in drawn])
    for column, (low, high) in zip(values.T, [(0.4, 0.8), (0.4, 0.8), (0.05, 0.15)], strict=True):
        size = np.abs(column)
        assert low <= size.min() < low + 0.01 and high - 0.01 < size.max() <= high
        assert 240 < (column > 0).sum() < 360


# --- the grader's own forward pass -----------------------------------------------------------


@pytest.mark.parametrize("gain", [0.5, 2.0, 8.0])
def test_the_grader_s_network_is_that_of_the_solution(gain):
    """All 65,536 images, numbers behind the masks among the weights."""
    model, state = solution.PixelCNN(), measure._weights(np.random.default_rng(2), gain)
    tensors = {name: torch.from_numpy(array) for name, array in state.items()}
    model.load_state_dict(tensors, strict=False)
    with torch.no_grad():
        wanted = model.log_prob(torch.from_numpy(measure._every(4).astype(float))).numpy()
    found = measure._log_model(state)
    np.testing.assert_allclose(found, wanted, rtol=1e-11)
    assert abs(np.log(np.exp(found).sum())) < 1e-10


def test_what_stands_behind_the_masks_does_not_matter_and_what_is_seen_does():
    rng = np.random.default_rng(3)
    state = measure._weights(rng, 1.0)
    before = measure._log_model(state)
    changed = dict(state)
    for place, (_, _, radius, sees_itself) in enumerate(measure._layers()):
        name = f"layers.{place}.weight"
        kept = measure._kept(radius, sees_itself)
        changed[name] = np.where(kept, state[name], rng.normal(size=state[name].shape))
    np.testing.assert_array_equal(measure._log_model(changed), before)
    changed["layers.1.weight"] = 1.1 * state["layers.1.weight"]
    assert np.abs(measure._log_model(changed) - before).max() > 1e-3


def test_the_example_of_one_number_in_the_state():
    model = solution.PixelCNN()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(0.1)
        x = torch.tensor([[[1.0, 0.0], [1.0, 1.0]]], dtype=torch.float64)
        assert [f"{logit:.4f}" for logit in model(x).flatten().tolist()] == [
            "0.9256",
            "2.4104",
            "4.3048",
            "7.0184",
        ]
        assert f"{model.log_prob(x).item():.4f}" == "-2.8445"


def test_no_state_is_below_the_entropy():
    """Whatever the numbers: the grader's network is a law, so Gibbs' inequality holds."""
    for seed in range(3):
        rng = np.random.default_rng([4, seed])
        couplings, field = measure._drawn(rng)
        assert divergence(measure._weights(rng, 3.0**seed), couplings, field) > 0
    nothing = {name: np.zeros(shape) for name, shape in measure._shapes().items()}
    log_p = measure._ising([0.6, 0.6], 0.1)
    surplus = 16 * np.log(2) + (np.exp(log_p) * log_p).sum()
    assert divergence(nothing, [0.6, 0.6], 0.1) == pytest.approx(surplus, abs=1e-12)


# --- states that are no answer ---------------------------------------------------------------

HEAD = REFERENCE.joinpath("solution.py").read_text()


def fitted(body):
    """The solution with another `fit`."""
    start = HEAD.index("        self.float()")
    return Program("x", "submission", {TASK.spec.file: (HEAD[:start] + body).encode()})


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("        self.half()\n        return 0.0\n", "tensor of torch.float16"),
        ("        self.float()\n        return 0.0\n", "layers.0.weight is float32"),
        (
            "        self.layers[2].bias.data[3] = torch.nan\n        return 0.0\n",
            "layers.2.bias holds numbers that are not finite",
        ),
        (
            "        self.layers[1].weight.data[0] = 1e300\n        return 0.0\n",
            "layers.1.weight holds numbers beyond 1e\\+06",
        ),
        ("        del self.layers[3]\n        return 0.0\n", "there is no layers.3.weight"),
        (
            "        w = torch.zeros(1, dtype=torch.float64).expand(16, 1, 9, 9)\n"
            "        self.layers[0].weight = nn.Parameter(w)\n        return 0.0\n",
            r"layers.0.weight has the shape \(16, 1, 9, 9\); expected \(16, 1, 7, 7\)",
        ),
        (
            "        w = torch.zeros(1, dtype=torch.float64).expand(1 << 37)\n"
            "        self.layers[0].bias = nn.Parameter(w)\n        return 0.0\n",
            "137438953472 elements: too large",
        ),
        (
            "        self.norm = nn.BatchNorm2d(16).double()\n        return 0.0\n",
            "norm.running_mean belongs to a normalisation",
        ),
    ],
    ids=["float16", "float32", "nan", "huge", "missing", "shape", "terabyte", "batch-norm"],
)
def test_a_state_that_is_no_answer_is_refused_in_words(body, words):
    with pytest.raises(ProgramError, match=words) as refused:
        learn(fitted(body))
    assert refused.value.cause == "bad-output"


# --- who learns, and what was learnt elsewhere -----------------------------------------------


def succeeds(divergence):
    return seed_success.succeeds(CHECK, divergence)


def test_a_law_known_from_home_fails_most_seeds():
    """The exact law of the middle of the ranges, and the same with the signs put right."""
    home, signs_right = [], []
    at_home = measure._ising([0.6, 0.6], 0.1)
    for seed in range(150):
        couplings, field = measure._drawn(np.random.default_rng([5, seed]))
        log_p = measure._ising(couplings, field)
        nearest = measure._ising(0.6 * np.sign(couplings), 0.1 * np.sign(field))
        home.append((np.exp(log_p) * (log_p - at_home)).sum())
        signs_right.append((np.exp(log_p) * (log_p - nearest)).sum())
    assert np.mean([succeeds(value) for value in home]) < CHECK.min_detectable / 2
    # eight models trained at home, chosen from by the images, would have an error of their own, too
    assert np.mean([succeeds(value + 0.015) for value in signs_right]) < CHECK.min_detectable / 2


@pytest.mark.parametrize("index", variants_are_slow(range(len(HONEST))), ids=HONEST)
def test_an_honest_program_learns(index):
    program = honest_programs(TASK)[index]
    found = learn(program)
    assert 0 < found < 0.03
    if index == 0:
        assert learn(program) == found


@pytest.mark.slow
@pytest.mark.parametrize("mutant", WRONG, ids=lambda mutant: mutant.mistake.name)
def test_a_mistake_in_training_fails(mutant):
    assert [succeeds(learn(mutant.program, seed)) for seed in range(2)] == [False] * 2
