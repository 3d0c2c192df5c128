"""The images that come with the harness, and the law by which they are deformed."""

import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest

from harness import images, stored_runs
from harness.collect.proxy import ProgramProxy
from harness.errors import InfrastructureError, MeasurementError, SpecError
from harness.images import Images, bundled, deformation
from harness.spec.load import load_task

ROOT = Path(__file__).parents[2]
COURSE = ROOT / "tests" / "course"


@pytest.fixture(scope="module")
def digits():
    return images.load("digits")


def square(side, around=8):
    """One image [1 around around] with a bright square in its middle."""
    pixels = np.zeros((1, around, around))
    edge = (around - side) // 2
    pixels[0, edge : edge + side, edge : edge + side] = 1.0
    return Images(pixels, np.zeros(1, dtype=np.int64))


def test_the_digits_are_the_published_ones(digits):
    # counts and sum of the grey levels as the UCI repository's file optdigits.tes has them
    assert digits.pixels.shape == (1797, 8, 8)
    assert list(np.bincount(digits.labels)) == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert (digits.pixels.min(), digits.pixels.max()) == (0.0, 1.0)
    assert (digits.pixels * 16).sum() == 561718
    total_variance = digits.pixels.reshape(1797, 64).var(axis=0).sum()
    assert total_variance == pytest.approx(4.69328, abs=1e-5)


def test_the_digits_cannot_be_written_to(digits):
    with pytest.raises(ValueError, match="read-only"):
        digits.pixels[0] = 0


def test_a_file_that_was_changed_is_refused(tmp_path, monkeypatch):
    content = (ROOT / "harness" / "images" / "digits.npz").read_bytes()
    (tmp_path / "digits.npz").write_bytes(content + b"\0")
    monkeypatch.setattr("importlib.resources.files", lambda package: tmp_path)
    bundled.load.cache_clear()
    try:
        with pytest.raises(InfrastructureError, match=r"digits\.npz was changed: install"):
            images.load("digits")
    finally:
        bundled.load.cache_clear()


def test_the_deformed_images_of_a_generator_stay_what_they_are(digits):
    found = digits.deformed(np.random.default_rng(1)).binary()
    digest = hashlib.sha256(np.packbits(found.astype(bool)).tobytes()).hexdigest()
    assert (deformation.LAW, digest[:16]) == (1, "11d9824b6543c4a9")


def test_a_deformed_set_is_drawn_by_the_generator_alone(digits):
    first, again = (digits.deformed(np.random.default_rng(3)) for _ in range(2))
    other = digits.deformed(np.random.default_rng(4))
    assert np.array_equal(first.pixels, again.pixels)
    assert (first.pixels != other.pixels).any(axis=(1, 2)).mean() > 0.99
    assert np.array_equal(first.labels, digits.labels)


def test_images_are_deformed_enough_and_not_too_much(digits):
    changed = digits.deformed(np.random.default_rng(5)).binary() != digits.binary()
    counts = changed.sum(axis=(1, 2))
    assert (counts == 0).mean() < 0.01
    assert 6 < counts.mean() < 10


@pytest.mark.parametrize("around", [8, 28])
def test_a_deformed_image_stays_in_range_and_about_its_place(around):
    image = square(around // 2, around)
    many = Images(np.repeat(image.pixels, 500, axis=0), np.zeros(500, dtype=np.int64))
    found = many.deformed(np.random.default_rng(6)).pixels
    assert found.min() >= 0.0
    assert found.max() <= 1.0
    mass = found.sum(axis=(1, 2)) / image.pixels.sum()
    assert 0.75 < mass.min() < mass.max() < 1.3
    places = np.arange(around) - (around - 1) / 2
    centre = (found.sum(axis=1) @ places) / found.sum(axis=(1, 2))
    assert np.abs(centre).max() < 0.075 * around
    assert abs(centre.mean()) < 0.01 * around  # to no side more than to the other


def test_a_split_leaves_nothing_out_and_takes_nothing_twice(digits):
    first, rest = digits.split(np.random.default_rng(7), 1297)
    assert (len(first), len(rest)) == (1297, 500)
    both = np.concatenate([first.pixels, rest.pixels]).reshape(1797, 64)
    every = digits.pixels.reshape(1797, 64)
    assert np.array_equal(both[np.lexsort(both.T)], every[np.lexsort(every.T)])
    assert not np.array_equal(first.labels, digits.labels[:1297])


def test_more_images_than_there_are_cannot_be_taken(digits):
    with pytest.raises(ValueError, match="1798 of 1797 images"):
        digits.split(np.random.default_rng(8), 1798)


def test_binary_images_hold_what_is_brighter_than_the_threshold():
    image = Images(np.array([[[0.2, 0.5], [0.51, 1.0]]]), np.array([3]))
    assert image.binary().tolist() == [[[0.0, 0.0], [1.0, 1.0]]]
    assert image.binary(0.1).tolist() == [[[1.0, 1.0], [1.0, 1.0]]]


def test_labels_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"pixels \(2, 3, 3\) and labels \(1,\)"):
        Images(np.zeros((2, 3, 3)), np.zeros(1))


@pytest.fixture
def task_with(tmp_path):
    """Loads a copy of a small task, with some lines in front of its task.yaml."""

    def load(lines):
        folder = tmp_path / f"{len(list(tmp_path.iterdir()))}" / "square"
        shutil.copytree(COURSE / "tasks" / "square", folder)
        spec = folder / "task.yaml"
        spec.write_text(lines + spec.read_text(encoding="utf-8"), encoding="utf-8")
        return load_task(folder, None)

    return load


def proxy_of(task):
    return ProgramProxy(None, task.contract, np.random.default_rng(0), material=task.material)


def test_a_measurement_gets_the_images_that_its_task_declares(task_with, digits):
    found = proxy_of(task_with("images: digits\n")).images()
    assert np.array_equal(found.pixels, digits.pixels)


def test_a_task_without_images_gets_none(task_with):
    with pytest.raises(MeasurementError, match="the task has no images") as caught:
        proxy_of(task_with("")).images()
    assert caught.value.remedy == "declare `images:` in its task.yaml"


def test_a_set_that_does_not_come_with_the_harness_is_refused(task_with):
    with pytest.raises(SpecError, match="images is 'mnist', not one of digits"):
        task_with("images: mnist\n")


def test_what_is_measured_depends_on_the_law_of_deformation(task_with, monkeypatch):
    plain, task = task_with("").protocol, task_with("images: digits\n").protocol
    monkeypatch.setattr(deformation, "LAW", 2)
    assert len({plain, task, task_with("images: digits\n").protocol}) == 3


def test_stored_runs_depend_on_the_law_of_deformation(monkeypatch):
    task = load_task(ROOT / "tasks" / "px-digits", None)
    before = stored_runs.protocol(task)
    monkeypatch.setattr(deformation, "LAW", 2)
    assert stored_runs.protocol(task) != before
