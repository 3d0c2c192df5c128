"""px-rgb-order: Jacobians by autograd, the whole sample space, and the entropy of the source."""

import itertools

import numpy as np
import pytest
import torch

from tests.support.programs import ROOT, load_module

solution = load_module(ROOT / "reference" / "px-rgb-order" / "solution.py")
measure = load_module(ROOT / "tasks" / "px-rgb-order" / "measure.py")

ENTROPY, INDEPENDENT = 1.2167, 1.7913  # nats a pixel, of the statement


def filled(config, weights):
    stack = solution.RGBStack(*config)
    tensors = {name: torch.from_numpy(array) for name, array in weights.items()}
    stack.load_state_dict(tensors, strict=False)
    return stack


@pytest.mark.parametrize("config", [config for config, _ in measure.CAUSAL])
def test_the_promised_field_is_the_jacobian_s(config):
    height, width = 3, 4
    values = 3 * height * width
    stack = filled(config, measure._positive(np.random.default_rng(0), config))

    def in_order(flat):
        image = flat.reshape(1, height, width, 3).permute(0, 3, 1, 2)
        return stack(image).permute(0, 2, 3, 1).flatten()

    x = torch.rand(values, dtype=torch.float64)
    jacobian = torch.autograd.functional.jacobian(in_order, x).T != 0
    reach = measure._reach(config, height, width)
    np.testing.assert_array_equal(jacobian.numpy(), reach)
    assert not np.tril(reach).any()


@pytest.mark.parametrize("sees_itself", [False, True])
def test_a_mask_keeps_the_values_before_in_the_order(sees_itself):
    """Against a count: the values of a tap's pixel and colour stand before those of the centre."""
    for n_in, n_out, radius in itertools.product((1, 2), (1, 3), (0, 1, 2)):
        mask = solution.rgb_mask(n_in, n_out, radius, sees_itself)
        before = 3 * (2 * radius * (radius + 1))
        for channel, row in enumerate(mask):
            seen = before + channel // n_out + sees_itself
            assert row.sum() == n_in * seen


def test_the_probabilities_of_all_images_sum_to_one():
    digits = np.arange(4096)[:, None] >> np.arange(12) & 1
    x = torch.from_numpy(digits.reshape(-1, 3, 2, 2).astype(float))
    config = (2, 1, 1)
    stack = filled(config, measure._weights(np.random.default_rng(1), config, 2.0))
    assert abs(float(torch.logsumexp(stack.log_prob(x).detach(), 0))) < 1e-12


def test_the_source_has_the_entropy_of_the_statement():
    """-Σ p log p over the eight colours of a pixel, whose frequencies are those of the draws."""
    probability = {}
    for red, same, odd in itertools.product((0, 1), (True, False), (True, False)):
        green = red if same else 1 - red
        blue = (red ^ green) if odd else 1 - (red ^ green)
        p = 0.5 * (0.9 if same else 0.1) * (0.95 if odd else 0.05)
        probability[red, green, blue] = p
    p = np.array(list(probability.values()))
    assert -(p * np.log(p)).sum() == pytest.approx(ENTROPY, abs=5e-5)
    ones = [sum(p for bits, p in probability.items() if bits[c]) for c in range(3)]
    apart = sum(-q * np.log(q) - (1 - q) * np.log(1 - q) for q in ones)
    assert apart == pytest.approx(INDEPENDENT, abs=5e-5)
    drawn, log_p = zip(
        *(measure._source(np.random.default_rng(n), 0.9, 0.95) for n in range(40)), strict=True
    )
    pixels = np.concatenate(drawn).transpose(0, 2, 3, 1).reshape(-1, 3)
    for bits, wanted in probability.items():
        count = (pixels == bits).all(axis=1).sum()
        spread = np.sqrt(len(pixels) * wanted * (1 - wanted))
        assert abs(count - len(pixels) * wanted) < 5 * spread
    per_pixel = -np.concatenate(log_p) / np.prod(measure.SOURCE_SHAPE)
    assert per_pixel.mean() == pytest.approx(ENTROPY, abs=0.02)


def trained(stack):
    """Nats a pixel on images that it has not seen, after 400 steps of Adam."""
    torch.manual_seed(0)
    optimiser = torch.optim.Adam(stack.parameters(), lr=0.01)
    for step in range(400):
        x, _ = measure._source(np.random.default_rng(step), 0.9, 0.95)
        optimiser.zero_grad()
        (-stack.log_prob(torch.from_numpy(x)).mean()).backward()
        optimiser.step()
    nats = []
    with torch.no_grad():
        for seed in range(1000, 1040):
            x, _ = measure._source(np.random.default_rng(seed), 0.9, 0.95)
            nats.append(float(-stack.log_prob(torch.from_numpy(x)).mean()))
    return np.mean(nats) / np.prod(measure.SOURCE_SHAPE)


def test_colours_in_order_learn_the_source_and_colours_apart_cannot():
    torch.manual_seed(1)
    stack, apart = solution.RGBStack(8, 0, 1), solution.RGBStack(8, 0, 1)
    for parameters in (stack, apart):
        for layer in parameters.layers:
            torch.nn.init.normal_(layer.weight, std=0.7)
    for layer in apart.layers:
        layer.mask = layer.mask * 0
    assert trained(stack) == pytest.approx(ENTROPY, abs=0.03)
    assert trained(apart) == pytest.approx(INDEPENDENT, abs=0.03)
