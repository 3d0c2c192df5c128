"""px-mask: the blind spot's figures, Jacobians by autograd, and masks that outlive optimisers."""

import numpy as np
import pytest
import torch

from tests.support.programs import ROOT, load_module

solution = load_module(ROOT / "reference" / "px-mask" / "solution.py")
measure = load_module(ROOT / "tasks" / "px-mask" / "measure.py")

CONFIGS = [config for config, _ in measure.CAUSAL]


def filled(config, seed=0):
    """A stack of the solution's with positive weights where they count, any where they do not."""
    weights = measure._positive(np.random.default_rng(seed), config)
    stack = solution.PixelStack(*config)
    tensors = {name: torch.from_numpy(array) for name, array in weights.items()}
    stack.load_state_dict(tensors, strict=False)
    return stack


def jacobian(stack, height, width):
    """Whether logit i depends on pixel j, by autograd: [j, i]."""
    x = torch.rand(1, 1, height, width, dtype=torch.float64)
    found = torch.autograd.functional.jacobian(stack, x)
    return (found.reshape(height * width, height * width).T != 0).numpy()


@pytest.mark.parametrize("radius", range(4))
def test_masks_are_the_raster_positions_before_the_centre(radius):
    k = 2 * radius + 1
    for sees_itself in (False, True):
        flat = solution.causal_mask(radius, sees_itself).flatten()
        seen = k * k // 2 + sees_itself
        assert flat.tolist() == [1.0] * seen + [0.0] * (k * k - seen)


@pytest.mark.parametrize("config", [config for config in CONFIGS if config[3] < 8])
def test_the_promised_field_is_the_jacobian_s(config):
    reach = measure._reach(config, 5, 6)
    np.testing.assert_array_equal(jacobian(filled(config), 5, 6), reach)
    assert not np.tril(reach).any()


@pytest.mark.parametrize(("radius", "seen"), [(1, 91), (2, 103), (3, 107)])
def test_the_blind_spot_of_a_deep_stack(radius, seen):
    """Of the 112 pixels before the centre of 15 x 15, whatever the depth."""
    for depth in (6, 8, 12):
        assert measure._reach((1, radius, radius, depth), 15, 15)[:, 112].sum() == seen


def test_the_deep_stack_sees_as_much():
    assert jacobian(filled((1, 1, 1, 8)), 15, 15)[:, 112].sum() == 91


def test_an_optimiser_with_weight_decay_and_momentum_revives_nothing():
    stack = filled((2, 2, 1, 2))
    optimiser = torch.optim.Adam(stack.parameters(), lr=1e-3, weight_decay=0.1)
    x = torch.randint(0, 2, (4, 1, 5, 6)).double()
    for _ in range(3):
        optimiser.zero_grad()
        torch.nn.functional.binary_cross_entropy_with_logits(stack(x), x).backward()
        optimiser.step()
    np.testing.assert_array_equal(jacobian(stack, 5, 6), measure._reach((2, 2, 1, 2), 5, 6))


def test_all_images_of_nine_pixels_sum_to_one():
    digits = np.arange(512)[:, None] >> np.arange(9) & 1
    x = torch.from_numpy(digits.reshape(-1, 1, 3, 3).astype(float))
    logits = filled((3, 1, 1, 1))(x).detach()
    log_p = torch.nn.functional.logsigmoid((2 * x - 1) * logits).sum((1, 2, 3))
    assert abs(float(torch.logsumexp(log_p, 0))) < 1e-12


def test_a_step_goes_down_the_gradient_of_the_loss():
    """Against central differences of the loss that `step` returns at rate zero."""
    config, x = (2, 1, 1, 1), torch.randint(0, 2, (3, 1, 3, 4)).double()
    before, stack, rate, tiny = filled(config), filled(config), 1e-2, 1e-6
    stack.step(x, rate)
    for name in ("layers.0.weight", "layers.1.bias", "layers.2.weight"):
        slopes = []
        for sign in (1, -1):
            moved = filled(config)
            moved.get_parameter(name).data.view(-1)[0] += sign * tiny
            slopes.append(float(moved.step(x, 0.0)))
        slope = (slopes[0] - slopes[1]) / (2 * tiny)
        change = stack.get_parameter(name) - before.get_parameter(name)
        assert float(change.detach().view(-1)[0]) == pytest.approx(-rate * slope, abs=1e-9)


def test_figures_of_the_statement():
    x = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]], dtype=torch.float64)
    for sees_itself, wanted in ((False, [[0, 1], [3, 6]]), (True, [[1, 3], [6, 10]])):
        layer = solution.MaskedConv2d(1, 1, 1, sees_itself)
        torch.nn.init.ones_(layer.weight)
        torch.nn.init.zeros_(layer.bias)
        assert layer(x)[0, 0].tolist() == wanted
