"""px-chain-nll: normalisation, units and the source's figures, from the reference solution."""

import math

import numpy as np
import pytest
import torch

from tests.support.programs import ROOT, load, load_module, mutant_module

TASK = load("px-chain-nll")
solution = load_module(ROOT / "reference" / "px-chain-nll" / "solution.py")
measure = load_module(ROOT / "tasks" / "px-chain-nll" / "measure.py")


def network(channels, gain, seed=0):
    drawn = measure._network(np.random.default_rng(seed), channels, gain)
    return [torch.from_numpy(part) for part in drawn]


def images(side):
    return torch.from_numpy(measure._every_image(side))


@pytest.mark.parametrize("gain", [0.5, 1.0, 2.0])
def test_nine_pixels_sum_to_one(gain):
    log_p = solution.log_prob(images(3), *network(3, gain))
    assert len(log_p) == 512
    assert abs(float(torch.logsumexp(log_p, 0))) < 1e-12


def test_sixteen_pixels_sum_to_one():
    log_p = solution.log_prob(images(4), *network(2, 1.0))
    assert len(log_p) == 65_536
    assert abs(float(torch.logsumexp(log_p, 0))) < 1e-12


def test_a_first_layer_of_type_b_gives_the_pixels_away():
    """Σp far above one where both layers keep the centre; swapping the masks is causal still."""
    weights = network(3, 2.0)
    open_, swapped = (mutant_module(TASK, name) for name in ("both-masks-b", "masks-swapped"))
    assert abs(float(torch.logsumexp(open_.log_prob(images(3), *weights), 0))) > 1e-2
    log_p = swapped.log_prob(images(3), *weights)
    assert abs(float(torch.logsumexp(log_p, 0))) < 1e-12
    assert (log_p - solution.log_prob(images(3), *weights)).abs().max() > 1e-2


def test_log_prob_is_the_sum_of_its_conditionals():
    x, weights = images(3), network(3, 1.0)
    total = torch.zeros(len(x), dtype=torch.float64)
    for index in range(9):
        prefix = x.flatten(1).clone()
        prefix[:, index:] = 0
        p = solution.next_pixel(prefix.reshape(x.shape), index, *weights)
        total += torch.where(x.flatten(1)[:, index] == 1, p, 1 - p).log()
    torch.testing.assert_close(total, solution.log_prob(x, *weights), rtol=0, atol=1e-9)


def test_bits_per_dim_of_uniform_models():
    def bits(nll, *shape):
        found = solution.bits_per_dim(torch.tensor([nll], dtype=torch.float64), *shape)
        return pytest.approx(found.item(), rel=1e-15)

    assert bits(16 * math.log(2), 1, 4, 4) == 1.0
    assert bits(3072 * math.log(256), 3, 32, 32) == 8.0


def test_zero_weights_are_the_uniform_model():
    weights = [torch.zeros_like(part) for part in network(2, 1.0)]
    log_p = solution.log_prob(images(3), *weights)
    bits = solution.bits_per_dim(-log_p, 1, 3, 3)
    torch.testing.assert_close(bits, torch.ones(512, dtype=torch.float64), rtol=1e-14, atol=0)


def test_the_known_source():
    """4 x 4 Ising, J = .6, h = .1: entropy 3.9515 nats or .3563 bits/dim; factorised 6.321."""
    log_p = measure._ising(0.6, 0.1)
    p = np.exp(log_p)
    entropy = -(p * log_p).sum()
    ones = p @ measure._every_image(4).reshape(-1, 16)
    factorised = -(ones * np.log(ones) + (1 - ones) * np.log(1 - ones)).sum()
    assert p.sum() == pytest.approx(1, abs=1e-12)
    assert entropy == pytest.approx(3.9515, abs=5e-5)
    in_bits = solution.bits_per_dim(torch.tensor([entropy]), 1, 4, 4).item()
    assert in_bits == pytest.approx(0.3563, abs=5e-5)
    assert factorised == pytest.approx(6.321, abs=5e-4)


def test_no_model_beats_the_source_on_average():
    """KL ≥ 0, exactly, for the networks of the committed measurement."""
    for seed in range(5):
        rng = np.random.default_rng(seed)
        coupling, field = rng.uniform(0.2, 0.45), rng.uniform(-0.2, 0.1)
        weights = [torch.from_numpy(part) for part in measure._rough_model(rng, coupling, field)]
        log_p = measure._ising(coupling, field)
        log_q = solution.log_prob(images(4), *weights).numpy()
        divergence = np.exp(log_p) @ (log_p - log_q)
        assert 0.05 < divergence < 3


def test_promised_field_has_the_blind_spot():
    """Two 3 x 3 layers off the borders: five pixels two rows up, four one row up, two left."""
    reach = measure._reach(7, 9)
    centre = 4 * 9 + 4
    seen = {(index // 9 - 4, index % 9 - 4) for index in np.flatnonzero(reach[:, centre])}
    two_up = {(-2, c) for c in range(-2, 3)}
    one_up = {(-1, c) for c in range(-2, 2)}
    assert seen == two_up | one_up | {(0, -1), (0, -2)}
    assert not np.tril(reach).any()


def test_example_of_the_statement():
    w1 = torch.zeros(1, 1, 3, 3, dtype=torch.float64)
    w1[0, 0, 1, 0], w1[0, 0, 0, 1], w1[0, 0, 1, 1] = 1.0, 2.0, 100.0
    w2 = torch.zeros(1, 1, 3, 3, dtype=torch.float64)
    w2[0, 0, 1, 1] = 1.0
    none = torch.zeros(1, dtype=torch.float64)
    weights = (w1, none, w2, none, torch.ones(1, 1, 1, 1, dtype=torch.float64), none - 1)
    x = torch.tensor([[[[1.0, 0.0], [1.0, 1.0]]]], dtype=torch.float64)
    found = solution.logits(x, *weights)
    torch.testing.assert_close(found, torch.tensor([[[[-1.0, 0.0], [1.0, 0.0]]]]).double())
    assert solution.log_prob(x, *weights).item() == pytest.approx(-3.012818, abs=1e-6)
    assert solution.next_pixel(x, 2, *weights).item() == pytest.approx(0.731059, abs=1e-6)
