"""mdp-bellman-eval: figures of the catalogue, simulated episodes, enumerated paths, and rooms."""

import itertools

import numpy as np
import pytest
import torch

from tests.support.programs import ROOT, load_module

solution = load_module(ROOT / "reference" / "mdp-bellman-eval" / "solution.py")
measure = load_module(ROOT / "tasks" / "mdp-bellman-eval" / "measure.py")
grids = load_module(ROOT / "reference" / "mdp-value-iteration" / "solution.py")

CORNERS = torch.zeros(16, dtype=torch.bool)
CORNERS[[0, 15]] = True


def tensors(*arrays):
    return tuple(torch.from_numpy(np.asarray(array)) for array in arrays)


def grid(bonus=0.0):
    """The 4 x 4 grid, terminal in two corners, and the policy that goes anywhere."""
    P, R = grids.star_grid(CORNERS, 4, -1.0, bonus)
    return P, R[:, :, None].expand_as(P), torch.full_like(R, 0.25), CORNERS


def test_the_random_policy_on_the_grid_needs_14_to_22_steps():
    ends, v = solution.total_reward(*grid())
    assert ends.all()
    row = torch.tensor([[0, -14, -20, -22], [-14, -18, -20, -20]]).double()
    torch.testing.assert_close(v.view(4, 4)[:2], row, rtol=0, atol=1e-12)
    torch.testing.assert_close(v, v.flip(0), rtol=0, atol=1e-12)


def test_sweeps_come_near_the_solution_and_in_place_ones_sooner():
    P, r, pi, terminal = grid(10.0)
    v = solution.policy_eval(P, r, pi, terminal, 0.9)
    start = torch.zeros(16, dtype=torch.float64)
    errors = [
        [float((sweep(P, r, pi, terminal, 0.9, start, n) - v).abs().max()) for n in range(0, 40, 4)]
        for sweep in (solution.sweeps, solution.sweeps_in_place)
    ]
    for synchronous, sooner in zip(*errors, strict=True):
        assert sooner <= synchronous
    assert np.all(np.diff(errors, axis=1) < 0)
    assert max(errors[0][n + 1] / errors[0][n] for n in range(9)) <= 0.9**4 + 1e-9


@pytest.mark.parametrize(("p", "steps"), [(0.5, 3.8), (0.3, 4.41), (0.7, 4.41)])
def test_steps_to_the_diamond_where_two_cells_look_alike(p, steps):
    """Five cells in a row; 1 and 3 look alike, and the only way out is down from cell 2."""
    P, r, pi = torch.zeros(6, 2, 6), -torch.ones(6, 2, 6), torch.ones(6, 2) / 2
    for left, s, right in ((1, 0, 1), (0, 1, 2), (5, 2, 5), (2, 3, 4), (3, 4, 3), (5, 5, 5)):
        P[s, 0, left] = P[s, 1, right] = 1.0
    pi[1] = pi[3] = torch.tensor([1 - p, p])
    terminal = torch.arange(6) == 5
    ends, v = solution.total_reward(P.double(), r.double(), pi.double(), terminal)
    assert ends.all()
    assert -float(v[:5].mean()) == pytest.approx(steps, abs=0.01)
    pi[1] = pi[3] = torch.tensor([0.0, 1.0])
    ends, v = solution.total_reward(P.double(), r.double(), pi.double(), terminal)
    assert ends.tolist() == [True, True, True, False, False, True]


def test_sweeps_from_zero_are_the_sums_over_all_paths():
    """Every path of six steps, one by one, with its probability and its discounted rewards."""
    rng = np.random.default_rng(0)
    P, r, pi, terminal = measure._mdp(rng, 3, 2, 1, anything=True)
    wanted, alive = np.zeros(3), [(s, 1.0, s) for s in range(3)]
    for step in range(6):
        following = []
        for start, weight, s in alive:
            for a, t in itertools.product(range(2), range(3)) if not terminal[s] else ():
                share = weight * pi[s, a] * P[s, a, t]
                wanted[start] += share * 0.8**step * r[s, a, t]
                following.append((start, share, t))
        alive = following
    arrays = tensors(P, r, pi, terminal)
    v = solution.sweeps(*arrays, 0.8, torch.zeros(3, dtype=torch.float64), 6)
    np.testing.assert_allclose(v, wanted, atol=1e-12)
    assert not terminal.all()
    assert len(alive) > 100


@pytest.mark.parametrize("seed", range(20))
def test_the_solution_is_a_fixed_point(seed):
    rng = np.random.default_rng(seed)
    P, r, pi, terminal = tensors(*measure._mdp(rng, 12, 3, seed % 5))
    v = solution.policy_eval(P, r, pi, terminal, 0.9)
    q = solution.q_from_v(P, r, terminal, 0.9, v)
    torch.testing.assert_close(solution.v_from_q(q, pi, terminal), v, rtol=0, atol=1e-11)
    for sweep in (solution.sweeps, solution.sweeps_in_place):
        torch.testing.assert_close(sweep(P, r, pi, terminal, 0.9, v, 3), v, rtol=0, atol=1e-11)


@pytest.mark.parametrize("seed", range(20))
def test_rooms_are_what_they_are_said_to_be(seed):
    """By simulation of the sets of states in which an episode can be: none goes on for ever."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 5, 4)
    (p, r, pi, terminal), surely = measure._rooms(rng, *map(int, sizes), 3)
    ends, _ = solution.total_reward(*tensors(p, r, pi, terminal))
    assert ends.tolist() == surely.tolist()
    chain = np.einsum("sa,sat->st", pi, p)
    chain[terminal] = np.eye(len(p))[terminal]
    later = np.linalg.matrix_power(chain, 100_000)[:, terminal].sum(1)
    assert (later[surely] > 1 - 1e-6).all()
    assert (surely.sum(), (~surely).sum()) == (sizes[0] + sizes[1], sizes[2] + sizes[3])


def test_the_limit_of_discounts_is_the_total_reward():
    rng = np.random.default_rng(3)
    arrays, _ = measure._rooms(rng, 2, 6, 0, 0, 3)
    ends, v = solution.total_reward(*tensors(*arrays))
    near = [solution.policy_eval(*tensors(*arrays), 1 - 10.0**-k) for k in (4, 6, 8)]
    errors = [float((other - v).abs().max()) for other in near]
    assert ends.all()
    assert errors[1] < 0.02 * errors[0]
    assert errors[2] < 0.02 * errors[1]
