"""px-sample-complete: laws by integrating over u and by enumeration, calls by counting."""

import functools
import itertools
import math

import numpy as np
import pytest
import torch

from tests.support.programs import ROOT, edited, load, load_module, outcomes

solution = load_module(ROOT / "reference" / "px-sample-complete" / "solution.py")
given = load_module(ROOT / "tasks" / "px-sample-complete" / "given.py")
measure = load_module(ROOT / "tasks" / "px-sample-complete" / "measure.py")


def partial(model):
    names = {"dense": ("weight", "bias"), "pixel_cnn": ("w1", "b1", "w2", "b2")}[model.name]
    parameters = map(torch.from_numpy, model.parameters)
    return functools.partial(
        getattr(given, model.name), **dict(zip(names, parameters, strict=True))
    )


def model_of(kind, h=3, w=3, v=2):
    rng = np.random.default_rng(5)
    return measure._dense(rng, h, w, v) if kind == "dense" else measure._pixel_cnn(rng, v, 3)


def every_image(h=3, w=3, v=2):
    return torch.tensor(list(itertools.product(range(v), repeat=h * w))).reshape(-1, h, w)


def counted(model):
    calls = []

    def call(x):
        calls.append(len(x))
        return model(x)

    return call, calls


@pytest.mark.parametrize("kind", ["dense", "pixel_cnn"])
@pytest.mark.parametrize("shape", [(3, 3, 2), (1, 3, 8), (2, 2, 4)])
def test_the_models_of_given_are_those_of_the_measurements_and_sum_to_one(kind, shape):
    model, x = model_of(kind, *shape), every_image(*shape)
    found = partial(model)(x)
    np.testing.assert_allclose(found, model.logits(x.numpy()), rtol=0, atol=1e-12)
    log_p = solution.log_completion(partial(model), x, torch.zeros(x.shape, dtype=torch.bool))
    assert abs(float(torch.logsumexp(log_p, 0))) < 1e-12
    np.testing.assert_allclose(log_p.exp(), measure._probabilities(model, *shape), atol=1e-14)


@pytest.mark.parametrize("kind", ["dense", "pixel_cnn"])
def test_a_logit_sees_earlier_pixels_only(kind):
    model = partial(model_of(kind, 3, 4, 3))
    x = torch.randint(0, 3, (5, 3, 4), generator=torch.Generator().manual_seed(0))
    plain = model(x).flatten(2)
    for pixel in range(12):
        moved = x.flatten(1).clone()
        moved[:, pixel] = (moved[:, pixel] + 1) % 3
        change = (model(moved.reshape(x.shape)).flatten(2) - plain).abs().amax((0, 1))
        assert (change[: pixel + 1] == 0).all()
        assert pixel == 11 or (change[pixel + 1 :] > 0).any()
        assert kind == "pixel_cnn" or (change[pixel + 1 :] > 0).all()


@pytest.mark.parametrize("kind", ["dense", "pixel_cnn"])
def test_the_volume_of_the_u_that_give_an_image_is_its_probability(kind):
    """Along one pixel at a time: where u_i gives x_i with the others fixed to give x."""
    model, x = partial(model_of(kind)), every_image()
    log_p = solution.log_completion(model, x, torch.zeros(x.shape, dtype=torch.bool))
    p_one = model(x).softmax(dim=1)[:, 1]
    low = torch.where(x == 1, 1 - p_one, torch.zeros(()).double())
    high = torch.where(x == 1, torch.ones(()).double(), 1 - p_one)
    torch.testing.assert_close((high - low).prod(2).prod(1), log_p.exp(), rtol=1e-12, atol=0)
    for place in (1e-9, 0.5, 1 - 1e-9):
        assert torch.equal(solution.sample(model, low + place * (high - low)), x)


@pytest.mark.parametrize("kind", ["dense", "pixel_cnn"])
def test_own_images_follow_the_sums_over_all_512(kind):
    model, n = model_of(kind), 40_000
    x = solution.draw(partial(model), n, 3, 3, torch.Generator().manual_seed(1))
    number = (x.flatten(1) * 2 ** torch.arange(8, -1, -1)).sum(1)
    expected = n * measure._probabilities(model, 3, 3, 2)
    kept = expected > 5
    counts = np.bincount(number, minlength=512)
    chi2 = ((counts - expected)[kept] ** 2 / expected[kept]).sum()
    assert abs(chi2 - kept.sum()) < 5 * math.sqrt(2 * kept.sum())


def conditional(model, x, observed):
    """log p(x) - log of the sum over all images that agree with x where it is observed."""
    images = every_image()
    log_p = solution.log_completion(model, images, torch.zeros(images.shape, dtype=torch.bool))
    agree = ((images == x) | ~observed).all(2).all(1)
    own = (images == x).all(2).all(1)
    return float(log_p[own] - torch.logsumexp(log_p[agree], 0))


def test_a_completion_is_the_conditional_where_the_observed_pixels_come_first():
    model, x = partial(model_of("dense")), every_image()[[37, 256, 411]]
    first = (torch.arange(9) < 4).reshape(3, 3)
    found = solution.log_completion(model, x, first.expand(3, 3, 3))
    for image, log_p in zip(x, found, strict=True):
        assert float(log_p) == pytest.approx(conditional(model, image, first), abs=1e-12)
    last = ~first
    other = solution.log_completion(model, x, last.expand(3, 3, 3))
    gaps = [float(p) - conditional(model, image, last) for image, p in zip(x, other, strict=True)]
    assert max(map(abs, gaps)) > 1e-2


def test_completions_have_the_probabilities_that_are_computed():
    model = partial(model_of("dense"))
    generator, n = torch.Generator().manual_seed(2), 50_000
    observed = torch.rand(3, 3, generator=generator) < 0.6
    start = torch.randint(0, 2, (3, 3), generator=generator).expand(n, 3, 3)
    u = torch.rand(n, 3, 3, generator=generator, dtype=torch.float64)
    x = solution.complete(model, start, observed.expand(n, 3, 3), u)
    kinds, counts = torch.unique(x, dim=0, return_counts=True)
    assert (kinds == start[0])[:, observed].all()
    p = solution.log_completion(model, kinds, observed.expand(len(kinds), 3, 3)).exp()
    assert float(p.sum()) == pytest.approx(1.0, abs=1e-3)
    assert ((counts - n * p).abs() < 5 * (n * p).sqrt() + 5).all()


def test_calls_of_the_model():
    model, calls = counted(partial(model_of("dense", 3, 4, 3)))
    u = torch.rand(5, 3, 4, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    x, observed = torch.zeros(5, 3, 4, dtype=torch.int64), u > 0.3
    for run, wanted in (
        (lambda: solution.sample(model, u), 12),
        (lambda: solution.complete(model, x, observed, u), int((~observed).any(0).sum())),
        (lambda: solution.complete(model, x, observed | True, u), 0),
        (lambda: solution.log_completion(model, x, observed), 1),
        (lambda: solution.draw(model, 7, 3, 4, torch.Generator().manual_seed(4)), 12),
    ):
        calls.clear()
        run()
        assert len(calls) == wanted


def test_a_metered_model_is_right_as_often_as_it_says():
    plain = partial(model_of("dense", 2, 2, 3))
    left = torch.tensor(2.0, dtype=torch.float64)
    metered = functools.partial(given.metered, **plain.keywords, calls=left)
    x = torch.tensor([[[1, 0], [2, 2]]])
    assert torch.equal(metered(x), plain(x))
    assert torch.equal(metered(x), plain(x))
    assert torch.equal(metered(x), plain(x).flip(1))


ALL_AT_ONCE = "u = torch.rand(n, h, w, generator=generator, dtype=torch.float64)\n"
OVER_THE_IMAGES = """place = torch.rand(n, h * w, generator=generator).argsort(dim=0)
    within = torch.rand(n, h * w, generator=generator, dtype=torch.float64)
    u = ((place + within) / n).reshape(n, h, w)
"""
OVER_AN_IMAGE = """place = torch.rand(n, h * w, generator=generator).argsort(dim=1)
    within = torch.rand(n, h * w, generator=generator, dtype=torch.float64)
    u = ((place + within) / (h * w)).reshape(n, h, w)
"""


@pytest.mark.parametrize("spread", [OVER_THE_IMAGES, OVER_AN_IMAGE])
def test_noise_that_is_spread_evenly_is_seen(spread):
    task = load("px-sample-complete")
    program = edited(task, ALL_AT_ONCE, spread)
    ((_, outcome),) = outcomes(task, program, [task.spec.check("own-single")])
    assert outcome.status == "FAIL"


def test_no_u_of_the_measurements_is_close_to_a_step():
    rng = np.random.default_rng(0)
    for b, h, w, v, _ in measure.SIZES:
        model, empty = measure._dense(rng, h, w, v), np.zeros((b, h, w), dtype=np.int64)
        student = type("Student", (), {"domain": type("D", (), {"draw": staticmethod(_any)})})
        u = measure._uniforms(student, rng, model, empty, empty == 0)
        x = solution.sample(partial(model), torch.from_numpy(u)).numpy()
        cdf = np.exp(measure._log_p(model.logits(x))).cumsum(axis=1)
        assert np.abs(u[:, None] - cdf).min() > 1e-9


def _any(rng, _name, *shape):
    return rng.random(shape)
