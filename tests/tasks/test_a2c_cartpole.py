"""a2c-cartpole: advantages by brute force and in an MDP."""

import numpy as np
import pytest
import torch

from tests.support.programs import ROOT, load_module


@pytest.fixture(scope="module")
def solution():
    return load_module(ROOT / "reference" / "a2c-cartpole" / "solution.py")


# --- advantages ------------------------------------------------------------------------------


def by_brute_force(r, v, w, fell, cut, over, gamma, lam):
    """The (1-λ)-weighted mean of the advantages over 1, 2, … steps, each written out."""
    found = np.zeros_like(r)
    for i, j in np.ndindex(*r.shape):
        begins = over[j] if i == 0 else fell[i - 1, j] or cut[i - 1, j]
        if begins:
            continue
        last = i
        while last < len(r) - 1 and not (fell[last, j] or cut[last, j]):
            last += 1
        over_h = []
        for h in range(1, last - i + 2):
            rest = 0.0 if fell[i + h - 1, j] else w[i + h - 1, j]
            between = sum(gamma ** (k + 1) * (v[i + k + 1, j] - w[i + k, j]) for k in range(h - 1))
            rewards = sum(gamma**k * r[i + k, j] for k in range(h))
            over_h.append(rewards + gamma**h * rest - v[i, j] - between)
        weights = [(1 - lam) * lam**k for k in range(len(over_h) - 1)] + [lam ** (len(over_h) - 1)]
        found[i, j] = np.dot(weights, over_h)
    return found


def test_advantages_are_weighted_means_over_all_numbers_of_steps(solution):
    """Where V(s') and V of the next row differ, each sum of k residuals takes both into account."""
    rng = np.random.default_rng(1)
    for _ in range(20):
        t, n = rng.integers(1, 8, 2)
        r, v, w = rng.normal(size=(3, t, n))
        fell, cut = rng.random((2, t, n)) < 0.2
        over, (gamma, lam) = rng.random(n) < 0.3, rng.random(2)
        arrays = [torch.from_numpy(each) for each in (r, v, w, fell, cut, over)]
        found = solution.advantages(*arrays, gamma, lam)
        wanted = by_brute_force(r, v, w, fell, cut, over, gamma, lam)
        np.testing.assert_allclose(found, wanted, atol=1e-12)


@pytest.mark.parametrize("lam", [0.0, 0.6, 1.0])
def test_with_the_true_values_the_mean_advantage_is_that_of_the_action(solution, lam):
    """Of a chain of two random states, over all 64 records of three steps: Q(s, a) - V(s)."""
    rng, gamma = np.random.default_rng(2), 0.8
    reward, chance = rng.normal(size=(2, 2)), rng.uniform(0.2, 0.8, (2, 2))  # of s, a; of s' = 1
    pi = np.array([[0.3, 0.7], [0.6, 0.4]])
    to = np.stack([1 - chance, chance], axis=2)
    V = np.linalg.solve(np.eye(2) - gamma * (pi[:, :, None] * to).sum(1), (pi * reward).sum(1))
    Q = reward + gamma * to @ V
    sums, weights = np.zeros(2), np.zeros(2)
    for record in np.ndindex(2, 2, 2, 2, 2, 2):
        actions, states = record[:3], (0, *record[3:])
        probability = np.prod([pi[states[i], actions[i]] for i in range(3)])
        probability *= np.prod([to[states[i], actions[i], states[i + 1]] for i in range(3)])
        r = np.array([[reward[states[i], actions[i]]] for i in range(3)])
        values, following = V[list(states[:-1])][:, None], V[list(states[1:])][:, None]
        never = torch.zeros(3, 1, dtype=torch.bool)
        arrays = [torch.from_numpy(each) for each in (r, values, following)]
        A = solution.advantages(*arrays, never, never, never[0], gamma, lam)
        sums[actions[0]] += probability * A[0, 0].item()
        weights[actions[0]] += probability
    np.testing.assert_allclose(sums / weights, Q[0] - V[0], atol=1e-12)
