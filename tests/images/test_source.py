"""The source of images whose law is known: the law itself, and what depends on it."""

import hashlib
import itertools

import numpy as np
import pytest

from harness import stored_runs
from harness.collect.proxy import ProgramProxy
from harness.images import Source, source
from harness.spec.load import load_task
from tests.support.programs import ROOT, load


def small(seed):
    """A source of groups of five and three pixels, with six pairs u."""
    rng = np.random.default_rng(seed)
    members = tuple(np.split(rng.permutation(8), [5]))
    return Source(members, tuple(rng.normal(0.0, 2.0, (6, len(group))) for group in members))


def every_image():
    return np.array(list(itertools.product([0.0, 1.0], repeat=8)))


def test_the_probabilities_of_all_images_sum_to_one():
    assert np.exp(small(1).log_p(every_image())).sum() == pytest.approx(1.0, abs=1e-12)


def test_log_p_is_that_of_the_formula():
    """One image, pair by pair and pixel by pixel."""
    law, image = small(2), every_image()[0b1011_0010]
    total = 0.0
    for members, logits in zip(law.members, law.logits, strict=True):
        chances = []
        for pair in logits:
            chance = 1.0
            for pixel, logit in zip(members, pair, strict=True):
                bright = 1 / (1 + np.exp(-logit))
                chance *= bright if image[pixel] else 1 - bright
            chances.append(chance)
        total += np.log(sum(chances) / len(chances))
    assert law.log_p(image[None])[0] == pytest.approx(total, rel=1e-12)


def test_images_are_drawn_by_the_law():
    law, count = small(3), 200_000
    x = law.drawn(np.random.default_rng(4), count)
    found = np.bincount((x @ 2 ** np.arange(8)[::-1]).astype(int), minlength=256)
    wanted = count * np.exp(law.log_p(every_image()))
    # χ² with 255 degrees of freedom
    assert ((found - wanted) ** 2 / wanted).sum() < 255 + 5 * np.sqrt(2 * 255)


@pytest.mark.parametrize("sigma", [0.1, 0.5, 2.0])
def test_the_posterior_mean_is_that_of_all_images(sigma):
    """Bayes' rule over the 256 images of a small source."""
    law, every = small(10), every_image()
    rng = np.random.default_rng(11)
    clean = law.drawn(rng, 50)
    noisy = np.concatenate([clean + sigma * rng.normal(size=clean.shape), [[-2.0] * 8, [3.0] * 8]])
    distance = ((noisy[:, None] - every) ** 2).sum(axis=2)
    joint = law.log_p(every) - distance / (2 * sigma**2)
    weight = np.exp(joint - joint.max(axis=1, keepdims=True))
    wanted = weight @ every / weight.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(law.posterior_mean(noisy, sigma), wanted, rtol=1e-11, atol=1e-15)


def test_another_estimate_errs_more_by_its_distance_from_the_posterior_mean():
    """In all 64 pixels, image by image, on average over what the noise hides."""
    rng = np.random.default_rng(12)
    law, count = source.draw(rng), 2_000
    x = law.drawn(rng, count)
    noisy = x + 0.5 * rng.normal(size=x.shape)
    least = law.posterior_mean(noisy, 0.5)
    for other in (noisy, 1 / (1 + np.exp(2 - 4 * noisy)), np.clip(least * 1.1, 0, 1)):
        more = ((other - x) ** 2 - (least - x) ** 2).sum(axis=1)
        apart = more - ((other - least) ** 2).sum(axis=1)
        assert abs(apart.mean()) < 5 * apart.std() / np.sqrt(count)
    # what is left is the posterior variance
    left = ((least - x) ** 2 - least * (1 - least)).sum(axis=1)
    assert abs(left.mean()) < 5 * left.std() / np.sqrt(count)


def test_a_source_has_the_shape_and_the_spread_of_the_statement():
    drawn = [source.draw(np.random.default_rng([5, seed])) for seed in range(100)]
    for law in drawn:
        assert sorted(np.concatenate(law.members)) == list(range(64))
        assert [group.shape for group in law.logits] == [(961, 22), (961, 21), (961, 21)]
    u = source.pairs()
    assert len(np.unique(u[:, 0])) == 31
    np.testing.assert_allclose(u.mean(axis=0), 0, atol=1e-12)
    inputs = np.column_stack([u, np.ones(len(u))])
    fitted = [
        np.linalg.lstsq(inputs, group, rcond=None)[0] for law in drawn for group in law.logits
    ]
    spread = np.concatenate(fitted, axis=1).std(axis=1)
    np.testing.assert_allclose(spread, [2.5, 2.5, 1.0], rtol=0.05)


def test_an_image_says_nothing_before_the_source_is_known():
    """Averaged over sources an image is uniform: -log p of independent pixels with ½ is 64 ln 2."""
    laws = [source.draw(np.random.default_rng([6, seed])) for seed in range(300)]
    x = np.array([law.drawn(np.random.default_rng([7, i]), 1)[0] for i, law in enumerate(laws)])
    assert np.abs(x.mean(axis=0) - 0.5).max() < 5 * 0.5 / np.sqrt(len(x))
    apart = np.corrcoef(x.T)[np.triu_indices(64, 1)]
    assert np.abs(apart).max() < 5 / np.sqrt(len(x))


def test_the_images_of_a_generator_stay_what_they_are():
    rng = np.random.default_rng(8)
    found = source.draw(rng).drawn(rng, 100)
    digest = hashlib.sha256(np.packbits(found.astype(bool)).tobytes()).hexdigest()
    assert (source.LAW, digest[:16]) == (1, "6fbf593f0623e8d5")


def test_a_measurement_draws_a_source():
    task = load("vae-digits")
    student = ProgramProxy(None, task.contract, np.random.default_rng(0), material=task.material)
    found = student.source(np.random.default_rng(9))
    wanted = source.draw(np.random.default_rng(9))
    for one, other in zip(found.logits, wanted.logits, strict=True):
        np.testing.assert_array_equal(one, other)


def test_what_is_measured_depends_on_the_law(monkeypatch):
    def digests(name):
        task = load_task(ROOT / "tasks" / name, None)
        return task.protocol, stored_runs.protocol(task)

    drawn, public = digests("vae-digits"), digests("px-digits")
    monkeypatch.setattr(source, "LAW", 2)
    assert [old != new for old, new in zip(drawn, digests("vae-digits"), strict=True)] == [True] * 2
    assert digests("px-digits") == public
