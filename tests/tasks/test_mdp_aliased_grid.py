"""mdp-aliased-grid: figures of the catalogue, simulated agents, the least over fine grids."""

import numpy as np
import pytest
import torch

from tests.support.programs import ROOT, load_module

solution = load_module(ROOT / "reference" / "mdp-aliased-grid" / "solution.py")
measure = load_module(ROOT / "tasks" / "mdp-aliased-grid" / "measure.py")

WALLS, ENDS = map(torch.from_numpy, measure._picture())
STEPS = ((0, 1), (0, -1), (-1, 0), (1, 0))


def policy(p):
    """Right with probability p where walls are above and below; towards the diamond elsewhere."""
    pi = torch.full((16, 4), 0.25, dtype=torch.float64)
    pi[[4, 5, 6]] = torch.eye(4, dtype=torch.float64)[[3, 1, 0]]
    pi[12] = torch.tensor([p, 1 - p, 0, 0], dtype=torch.float64)
    return pi


@pytest.mark.parametrize(("p", "steps"), [(0.5, 3.8), (0.3, 4.41), (0.7, 4.41)])
def test_steps_to_the_diamond(p, steps):
    found = solution.expected_steps(WALLS, ENDS, 5, policy(p))
    assert float(found[:5].mean()) == pytest.approx(steps, abs=0.005)


@pytest.mark.parametrize(("p", "stuck"), [(0.0, [0, 1]), (1.0, [3, 4])])
def test_a_deterministic_policy_is_stuck_on_one_side(p, stuck):
    found = solution.expected_steps(WALLS, ENDS, 5, policy(p))
    assert torch.isinf(found).nonzero().flatten().tolist() == stuck


@pytest.mark.parametrize(("p", "value"), [(0.5, 0.7748), (0.3, 0.7532), (1.0, 0.5420)])
def test_discounted_values_of_the_diamond(p, value):
    prize = torch.tensor([0, 0, 0, 0, 0, -1, 0, 1, 0, -1], dtype=torch.float64)
    found = solution.policy_values(WALLS, ENDS, prize, 5, 0.0, policy(p), 0.9)
    assert float(found[:5].mean()) == pytest.approx(value, abs=5e-5)


def test_one_half_is_best_from_a_uniform_start():
    start = torch.full((5,), 0.2, dtype=torch.float64)
    assert solution.best_right(start, 2) == pytest.approx(0.5, abs=1e-6)


@pytest.mark.parametrize("seed", range(10))
def test_the_formula_of_five_cells(seed):
    start = torch.from_numpy(np.random.default_rng(seed).dirichlet(np.ones(5)))
    left, right = float(start[:2].sum()) ** 0.5, float(start[3:].sum()) ** 0.5
    assert solution.best_right(start, 2) == pytest.approx(left / (left + right), abs=1e-6)


@pytest.mark.parametrize("seed", range(10))
def test_best_right_needs_the_fewest_steps_in_the_grid_itself(seed):
    """The corridor is built as a grid with a room below one cell, and solved for many p."""
    rng = np.random.default_rng(seed)
    size = int(rng.integers(5, 12))
    diamond = int(rng.integers(2, size - 2))
    start = torch.from_numpy(rng.dirichlet(np.ones(size)))
    walls, ends = torch.zeros(2 * size, dtype=torch.bool), torch.zeros(2 * size, dtype=torch.bool)
    walls[size:] = True
    walls[[size + diamond]] = False
    ends[size + diamond] = True

    def mean(p):
        pi = policy(p)
        pi[[13, 14]] = torch.eye(4, dtype=torch.float64)[[1, 0]]
        return float(start @ solution.expected_steps(walls, ends, size, pi)[:size])

    best = mean(solution.best_right(start, diamond))
    assert best <= min(mean(float(p)) for p in np.linspace(0.01, 0.99, 99))
    assert best == pytest.approx(measure._fewest(start.numpy(), diamond), rel=1e-9)


def walk(rng, walls, ends, width, pi, s, most=100_000):
    """The number of steps of an agent that sees walls only."""
    for steps in range(most):
        if ends[s]:
            return steps
        row, column = divmod(s, width)
        free = {}
        for a, (down, right) in enumerate(STEPS):
            r, c = row + down, column + right
            inside = 0 <= r < len(walls) // width and 0 <= c < width
            if inside and not walls[r * width + c]:
                free[a] = r * width + c
        a = int(rng.choice(4, p=pi[sum(2**a for a in range(4) if a not in free)]))
        s = free.get(a, s)
    raise AssertionError("the walk does not end")


def test_simulated_agents_need_the_expected_steps():
    rng = np.random.default_rng(1)
    make = lambda: measure._grid(rng, 3, 3)  # noqa: E731
    (walls, ends, width, pi), among, _ = measure._walk(rng, "all", make, measure._any)
    arrays = [torch.from_numpy(x) for x in (walls, ends, pi)]
    t = solution.expected_steps(arrays[0], arrays[1], width, arrays[2])
    s = int(np.flatnonzero(among)[0])
    draws = [walk(rng, walls, ends, width, pi, s) for _ in range(3000)]
    assert np.mean(draws) == pytest.approx(float(t[s]), abs=5 * np.std(draws) / 3000**0.5)
    assert t[s] > 1
