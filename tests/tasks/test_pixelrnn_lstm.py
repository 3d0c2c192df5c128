"""pixelrnn-lstm: PyTorch's own LSTM, sums over all images, volumes of u, differences for slopes."""

import itertools

import numpy as np
import pytest
import torch

from tests.support.programs import ROOT, load, load_module, mutant_module, outcomes, submission

TASK = load("pixelrnn-lstm")
solution = load_module(ROOT / "reference" / "pixelrnn-lstm" / "solution.py")
measure = load_module(ROOT / "tasks" / "pixelrnn-lstm" / "measure.py")

SOURCE = TASK.reference.solution.files[TASK.spec.file].decode()


def network(m=3, seed=0):
    drawn = measure._mild(np.random.default_rng(seed), m)
    return [torch.as_tensor(part, dtype=torch.float64) for part in drawn]


def every_image(h, w):
    bits = itertools.product((0.0, 1.0), repeat=h * w)
    return torch.tensor(list(bits), dtype=torch.float64).reshape(-1, h, w)


def by_torch(x, start, w_x, w_h, bias, w_out, b_out):
    """The logits from torch.nn.LSTM, whose gates are in the order i, f, g, o."""
    order, m = [2, 1, 3, 0], len(w_out)
    lstm = torch.nn.LSTM(1, m, batch_first=True, dtype=torch.float64)
    lstm.load_state_dict(
        {
            "weight_ih_l0": w_x[order].reshape(4 * m, 1),
            "weight_hh_l0": w_h[order].reshape(4 * m, m),
            "bias_ih_l0": bias[order].reshape(4 * m),
            "bias_hh_l0": torch.zeros(4 * m),
        }
    )
    earlier = torch.cat([start.repeat(len(x), 1), x.flatten(1)[:, :-1]], dim=1)
    hidden, _ = lstm(earlier[:, :, None])
    return (hidden @ w_out + b_out).reshape(x.shape)


@pytest.mark.parametrize("shape", [(3, 4), (1, 6), (6, 1), (1, 1)])
def test_logits_are_those_of_torch_s_lstm(shape):
    x = torch.randint(0, 2, (5, *shape), generator=torch.Generator().manual_seed(0)).double()
    net = network()
    torch.testing.assert_close(solution.logits(x, *net), by_torch(x, *net), rtol=0, atol=1e-13)


@pytest.mark.parametrize("shape", [(1, 1), (2, 2), (3, 3), (2, 5), (8, 1)])
def test_all_images_sum_to_one(shape):
    log_p = solution.log_prob(every_image(*shape), *network(4))
    assert abs(float(torch.logsumexp(log_p, 0))) < 1e-12


@pytest.mark.parametrize("shape", [(2, 4), (1, 8)])
def test_an_input_that_is_not_shifted_does_not_sum_to_one(shape):
    """Σ p = 1 tells of the future, not of the order: any order of the pixels passes it."""
    x, net = every_image(*shape), network()
    unshifted = mutant_module(TASK, "input-not-shifted")
    assert abs(float(torch.logsumexp(unshifted.log_prob(x, *net), 0))) > 1e-2
    turned = mutant_module(TASK, "read-and-written-by-columns")
    assert abs(float(torch.logsumexp(turned.log_prob(x, *net), 0))) < 1e-12


def test_the_volume_of_the_u_that_give_an_image_is_its_probability():
    x, net = every_image(2, 4), network()
    p = solution.logits(x, *net).sigmoid()
    low = torch.where(x == 1, torch.zeros(()).double(), p)
    high = torch.where(x == 1, p, torch.ones(()).double())
    volume = (high - low).prod(2).prod(1)
    torch.testing.assert_close(volume, solution.log_prob(x, *net).exp(), rtol=1e-12, atol=0)
    for place in (1e-9, 0.5, 1 - 1e-9):
        u = low + place * (high - low)
        assert torch.equal(solution.sample(u, *net), x)
        observed = torch.arange(8).reshape(2, 4) % 3 == 1
        start = torch.where(observed, x, 1 - x)
        found = solution.complete(start, observed.expand(x.shape), u, *net)
        assert torch.equal(found, x)


def test_completions_of_a_known_beginning_follow_the_conditional_of_the_model():
    """The law of the rest given the first three pixels, by integrating over u on a fine grid."""
    images, net = every_image(1, 5), network(2, seed=3)
    log_p = solution.log_prob(images, *net)
    known = torch.arange(5)[None] < 3
    ticks = (torch.arange(200, dtype=torch.float64) + 0.5) / 200
    grid = torch.cartesian_prod(ticks, ticks)
    u = torch.cat([torch.zeros(len(grid), 3).double(), grid], dim=1)[:, None]
    for first in images[::8]:
        x = first.expand(len(grid), 1, 5)
        found = solution.complete(x, known.expand(x.shape), u, *net)
        agree = (images[:, :, :3] == first[:, :3]).all(2).all(1)
        conditional = (log_p[agree] - torch.logsumexp(log_p[agree], 0)).exp()
        share = [(found == image).all(2).all(1).double().mean() for image in images[agree]]
        torch.testing.assert_close(torch.stack(share), conditional, rtol=0, atol=1e-2)


def test_slopes_of_log_prob_are_those_of_differences():
    x, net = every_image(2, 3)[[5, 44, 63]], network()
    assert torch.autograd.gradcheck(
        lambda *parts: solution.log_prob(x, *parts), [part.requires_grad_() for part in net]
    )


def test_the_scales_hold_the_error_of_single_precision():
    """What float32 makes of a network stays within the bound in units of its epsilon."""
    rng = np.random.default_rng(1)
    for b, h, w, m in measure.SIZES:
        net, x = measure._mild(rng, m), rng.integers(0, 2, (b, h, w)).astype(np.float64)
        net = [np.asarray(part, dtype=np.float32).astype(np.float64) for part in net]
        _, logits, errors = measure._read(x, net)
        exact = solution.logits(torch.from_numpy(x), *map(torch.as_tensor, net)).numpy()
        np.testing.assert_allclose(logits, exact, rtol=0, atol=1e-11)
        coarse = by_single(x, net)
        assert (np.abs(coarse - exact) <= 2 * np.finfo(np.float32).eps * errors).all()
        assert np.finfo(np.float64).eps * errors.max() < 1e-10


def by_single(x, net):
    start, w_x, w_h, bias, w_out, b_out = (np.asarray(part, dtype=np.float32) for part in net)
    flat = np.concatenate([np.full((len(x), 1), start), x.reshape(len(x), -1)[:, :-1]], axis=1)
    h = c = np.zeros((len(x), len(w_out)), dtype=np.float32)
    found = []
    for e in flat.T.astype(np.float32):
        a = [e[:, None] * w_x[k] + h @ w_h[k].T + bias[k] for k in range(4)]
        o, f, i = (1 / (1 + np.exp(-a[k])) for k in range(3))
        c = f * c + i * np.tanh(a[3])
        h = o * np.tanh(c)
        found.append(h @ w_out + b_out)
    return np.stack(found, axis=1).reshape(x.shape)


def test_no_u_of_the_measurements_is_close_to_its_probability():
    class Student:
        class domain:
            @staticmethod
            def draw(rng, _name, *shape):
                return rng.random(shape)

    rng = np.random.default_rng(0)
    for b, h, w, m in measure.SIZES:
        net, empty = measure._mild(rng, m), np.zeros((b, h, w))
        u = torch.from_numpy(measure._uniforms(Student, rng, empty, empty == 0, net))
        tensors = [torch.as_tensor(part) for part in net]
        p = solution.logits(solution.sample(u, *tensors), *tensors).sigmoid()
        assert (u - p).abs().min() > 1e-9
        assert u.numel() < 20 or (u - p).abs().min() < 1e-5


PEEKS = (
    "    found = _logits(x, start, w_x, w_h, bias, w_out, b_out)\n"
    "    return found + 1e-6 * x.flatten(1).sum(1)[:, None, None]\n\n\ndef log_prob"
)
CHEATS = {
    "remembers by the shape": (
        "    return _logits(x, start, w_x, w_h, bias, w_out, b_out)\n\n\ndef log_prob",
        "    key = tuple(x.shape)\n"
        "    if key not in _seen:\n"
        "        _seen[key] = _logits(x, start, w_x, w_h, bias, w_out, b_out)\n"
        "    return _seen[key]\n\n\n_seen = {}\n\n\ndef log_prob",
        "logits",
    ),
    "looks at the whole image": (
        "    return _logits(x, start, w_x, w_h, bias, w_out, b_out)\n\n\ndef log_prob",
        PEEKS,
        "causality",
    ),
    "normalises by the number of pixels": (
        "return terms.sum(dim=(1, 2))",
        "return terms.sum(dim=(1, 2)) - 1e-6",
        "normalisation",
    ),
}


@pytest.mark.parametrize("name", CHEATS)
def test_cheats_are_seen(name):
    old, new, check_id = CHEATS[name]
    assert SOURCE.count(old) == 1
    program = submission(TASK, SOURCE.replace(old, new), "cheat")
    (check,) = (each for each in TASK.spec.checks if each.id == check_id)
    ((_, outcome),) = outcomes(TASK, program, [check])
    assert outcome.status == "FAIL"
