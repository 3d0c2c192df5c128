"""ae-linear-pca: gradients by differences, descent that reaches the optimum, the digits' figure."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from tests.support.programs import ROOT, load_module

solution = load_module(ROOT / "reference" / "ae-linear-pca" / "solution.py")
measure = load_module(ROOT / "tasks" / "ae-linear-pca" / "measure.py")


def data(n=40, d=5, seed=0):
    return torch.from_numpy(measure._elongated(np.random.default_rng(seed), n, d))


def weights(d=5, k=2, seed=0):
    rng = np.random.default_rng(seed)
    return torch.from_numpy(rng.normal(size=(d, k))), torch.from_numpy(rng.normal(size=(k, d)))


def test_the_digits_keep_what_the_statement_says():
    x = torch.from_numpy(load_digits().data) / 16
    values = solution.spectrum(x)
    assert float(values.sum()) == pytest.approx(4.69328, abs=5e-6)
    assert float(solution.loss(x, *solution.fit(x, 8))) == pytest.approx(1.53045, abs=5e-6)
    assert float(values[:8].sum() / values.sum()) == pytest.approx(0.6739, abs=5e-5)


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
