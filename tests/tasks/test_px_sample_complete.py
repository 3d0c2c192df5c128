"""px-sample-complete: laws by grids of uniforms, by counting, and by the rule of Bayes."""

import functools
import itertools

import numpy as np
import pytest
import torch

from tests.support.programs import ROOT, load_module

solution = load_module(ROOT / "reference" / "px-sample-complete" / "solution.py")
given = load_module(ROOT / "tasks" / "px-sample-complete" / "given.py")
measure = load_module(ROOT / "tasks" / "px-sample-complete" / "measure.py")


def model_of(network, budget=1000):
    weight, bias = torch.from_numpy(network.weight), torch.from_numpy(network.bias)
    return functools.partial(given.network, weight=weight, bias=bias, budget=torch.tensor(budget))


@pytest.fixture
def network():
    return measure._network(np.random.default_rng(0), 1.0)


def every_image(height, width):
    pixels = height * width
    digits = np.arange(2**pixels)[:, None] >> np.arange(pixels) & 1
    return torch.from_numpy(digits.reshape(-1, 1, height, width).astype(float))


def nothing_of(x):
    return torch.zeros(x.shape, dtype=torch.bool)


def test_the_grader_computes_the_network_of_the_statement(network):
    x = torch.rand(7, 1, 4, 5, dtype=torch.float64)
    flat = x.flatten(1).numpy()
    logits = network.offsets(4, 5) + flat @ network.matrix(4, 5)
    np.testing.assert_allclose(model_of(network)(x).flatten(1).numpy(), logits, atol=1e-13)


def test_no_logit_sees_its_pixel_or_a_later_one(network):
    x = torch.rand(1, 1, 3, 5, dtype=torch.float64)
    jacobian = network.matrix(3, 5)
    moved = model_of(network)(x + torch.eye(15, dtype=torch.float64).reshape(15, 1, 3, 5))
    change = (moved - model_of(network)(x)).flatten(1).numpy()
    np.testing.assert_allclose(change, jacobian, atol=1e-13)
    assert not np.tril(jacobian).any()


def test_a_budget_that_is_spent_answers_nan(network):
    model, x = model_of(network, 2), torch.zeros(3, 1, 2, 2, dtype=torch.float64)
    assert [bool(model(x).isnan().any()) for _ in range(4)] == [False, False, True, True]


def test_uniforms_on_a_grid_give_every_image_its_probability(network):
    """An image's probability is the volume of the uniforms that lead to it."""
    steps = 24
    axis = (torch.arange(steps, dtype=torch.float64) + 0.5) / steps
    u = torch.cartesian_prod(axis, axis, axis).reshape(-1, 1, 1, 3)
    x = solution.sample(model_of(network), u)
    every = every_image(1, 3)
    p = solution.log_conditional(model_of(network), every, nothing_of(every)).exp()
    found = torch.stack([(x == image).flatten(1).all(dim=1).double().mean() for image in every])
    assert torch.allclose(found, p, atol=3 / steps)
    assert abs(float(p.sum()) - 1) < 1e-14


def filled(x, observed):
    """All ways to fill in what is missing of an image."""
    missing = int((~observed).sum())
    images = x.repeat(2**missing, 1, 1, 1)
    bits = list(itertools.product((0.0, 1.0), repeat=missing))
    images[:, ~observed] = torch.tensor(bits, dtype=torch.float64)
    return images


def both_laws(network, x, observed):
    """Of all completions: as they are sampled, one conditional after the other, and given all."""
    images = filled(x, observed)
    p = model_of(network)(images).sigmoid()
    sampled = torch.where(images == 1, p, 1 - p)[:, ~observed].prod(dim=1)
    known = observed.expand_as(images)
    exact = solution.log_conditional(model_of(network), images, known).exp()
    assert abs(float(exact.sum()) - 1) < 1e-14
    assert abs(float(sampled.sum()) - 1) < 1e-14
    return sampled, exact


def test_given_the_first_pixels_completions_have_the_exact_law(network):
    x = torch.tensor([[[1.0, 0.0], [0.0, 0.0]]], dtype=torch.float64)
    sampled, exact = both_laws(network, x, torch.tensor([[[True, True], [False, False]]]))
    assert torch.allclose(sampled, exact, atol=1e-14)


def test_given_later_pixels_completions_have_another_law(network):
    x = torch.tensor([[[0.0, 0.0], [1.0, 0.0]]], dtype=torch.float64)
    sampled, exact = both_laws(network, x, torch.tensor([[[False, False], [True, True]]]))
    assert (sampled - exact).abs().max() > 0.02


def test_own_draws_have_the_law_that_the_grader_expects(network):
    """Three of nine pixels are known, two of them after missing ones."""
    rng, n = np.random.default_rng(1), 20_000
    observed = np.isin(np.arange(9), (1, 4, 8)).reshape(3, 3)
    x = measure._bits(rng, 3, 3)
    law = measure._law(network, x, observed)
    assert law.sum() == pytest.approx(1, abs=1e-14)
    images = torch.from_numpy(x).expand(n, 1, 3, 3)
    known = torch.from_numpy(observed).expand(n, 1, 3, 3)
    drawn = solution.draw(model_of(network), images, known, torch.Generator().manual_seed(0))
    bits = drawn.numpy().reshape(n, 9)[:, ~observed.ravel()]
    counts = np.bincount((bits @ 2.0 ** np.arange(6)).astype(int), minlength=64)
    assert (np.abs(counts - n * law) < 5 * np.sqrt(n * law) + 5).all()


class Sizes:
    """A domain of which only the sizes matter."""

    def sizes(self, axis):
        return {"b": (1, 1000)}[axis]

    def draw(self, rng, name, *shape):
        return np.zeros(shape)


class Numbered:
    """A program whose draws say which noise they are."""

    domain = Sizes()
    count = 0

    def given(self, *parameters):
        return parameters

    def generator(self):
        return None

    def draw(self, model, x, observed, generator):
        numbers = 10.0 * np.arange(self.count, self.count + x.size)
        self.count += x.size
        return numbers.reshape(x.shape)

    def independent(self, name, *args, replicates):
        return [self.draw(*args, None) for _ in range(replicates)]


def test_groups_of_six_bits_are_those_of_independent_noise():
    """No column holds one noise twice, turned round or not."""
    rng = np.random.default_rng(2)
    for part in (measure._among_images, measure._among_pixels):
        for bits, law in part(Numbered(), rng, 8000):
            assert bits.shape == (8000, 6)
            assert law.sum() == pytest.approx(1, abs=1e-14)
            assert len(np.unique(np.abs(bits))) > 0.99 * bits.size
