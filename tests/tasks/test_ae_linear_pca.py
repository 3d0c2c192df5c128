"""ae-linear-pca: gradients by differences, descent that reaches the optimum, a known spectrum."""

import numpy as np
import pytest
import torch

from harness import images
from tests.support.programs import ROOT, load_module

solution = load_module(ROOT / "reference" / "ae-linear-pca" / "solution.py")
measure = load_module(ROOT / "tasks" / "ae-linear-pca" / "measure.py")


def test_the_digits_of_the_catalogue():
    """Grey values / 16, K = 8: 1.5304 of the variance 4.6933 are lost, 67.39 % are kept."""
    x = torch.from_numpy(np.array(images.load("digits").pixels)).reshape(1797, 64)
    total, lost = float(solution.spectrum(x).sum()), float(solution.loss(x, *solution.fit(x, 8)))
    assert (f"{total:.5f}", f"{lost:.5f}") == ("4.69328", "1.53045")
    assert f"{100 * (1 - lost / total):.2f}" == "67.39"


def data(n=40, d=5, seed=0):
    return torch.from_numpy(measure._elongated(np.random.default_rng(seed), n, d))


def weights(d=5, k=2, seed=0):
    rng = np.random.default_rng(seed)
    return torch.from_numpy(rng.normal(size=(d, k))), torch.from_numpy(rng.normal(size=(k, d)))


def corners(rng, halves):
    """The ends of a cross of half axes `halves`, turned and moved: eigenvalues halves² / d."""
    d = len(halves)
    axes, _ = np.linalg.qr(rng.normal(size=(d, d)))
    ends = np.concatenate([np.diag(halves), -np.diag(halves)])
    return torch.from_numpy(rng.uniform(-5, 5, d) + ends @ axes.T), axes


@pytest.mark.parametrize("k", range(1, 7))
def test_a_cross_is_flattened_along_its_shortest_axes(k):
    halves = np.array([5.0, 4.0, 2.0, 1.0, 0.5])
    x, axes = corners(np.random.default_rng(3), halves)
    np.testing.assert_allclose(solution.spectrum(x), halves**2 / 5, rtol=1e-12)
    mean, u, v = solution.fit(x, k)
    np.testing.assert_allclose(u @ v, axes[:, :k] @ axes[:, :k].T, atol=1e-12)
    assert float(solution.loss(x, mean, u, v)) == pytest.approx((halves[k:] ** 2).sum() / 5)


@pytest.mark.parametrize("k", range(1, 8))
def test_the_smallest_loss_is_the_tail_of_the_spectrum(k):
    x = data()
    tail = float(solution.spectrum(x)[k:].sum())
    assert float(solution.loss(x, *solution.fit(x, k))) == pytest.approx(tail, abs=1e-12)


def test_a_step_goes_down_the_gradient():
    x, (u, v), tiny = data(), weights(), 1e-6
    mean = x.mean(0) + 0.5
    stepped = solution.step(x, mean, u, v, 1.0)
    for which, index in ((0, (3, 1)), (1, (1, 2))):
        losses = []
        for sign in (1, -1):
            moved = [u.clone(), v.clone()]
            moved[which][index] += sign * tiny
            losses.append(float(solution.loss(x, mean, *moved)))
        slope = (losses[0] - losses[1]) / (2 * tiny)
        change = float((stepped[which] - (u, v)[which])[index])
        assert change == pytest.approx(-slope, rel=1e-6)


def test_a_tied_step_follows_both_copies():
    x, (_, v), tiny = data(), weights(), 1e-6
    mean = x.mean(0)
    stepped = solution.tied_step(x, mean, v, 1.0)
    losses = []
    for sign in (1, -1):
        moved = v.clone()
        moved[0, 3] += sign * tiny
        losses.append(float(solution.loss(x, mean, moved.T, moved)))
    slope = (losses[0] - losses[1]) / (2 * tiny)
    assert float((stepped - v)[0, 3]) == pytest.approx(-slope, rel=1e-6)


def test_descent_ends_at_the_principal_components():
    """ "Trained on ‖x - x̃‖²": the subspace and the loss of the eigenvectors, from any start."""
    x = data()
    mean, best_u, best_v = solution.fit(x, 2)
    for seed in (1, 2):
        u, v = weights(seed=seed)
        for _ in range(3000):
            u, v = solution.step(x, mean, u, v, 0.05)
        np.testing.assert_allclose(u @ v, best_u @ best_v, atol=1e-6)


def test_data_of_a_measurement_have_the_eigenvalues_that_they_were_made_with():
    for n, d in ((3, 6), (40, 5), (2, 1), (8, 8)):
        x = data(n, d)
        values = solution.spectrum(x)
        rank = min(n - 1, d)
        assert (values[rank:].abs() < 1e-12).all()
        kept = values[:rank]
        assert (kept[1:] < 0.85 * kept[:-1]).all()


def test_the_gap_of_a_spectrum_is_that_to_zero_where_all_others_are():
    values = np.array([8.0, 5.0, 1.0, 1e-17])
    assert [measure._gap(values, k, 3) for k in (1, 2, 3, 4, 9)] == [3, 4, 1, 1, 1]
    assert [measure._gap(values[:3], k, 3) for k in (2, 3, 9)] == [4, 1, 1]
