"""The reference of mdp-value-iteration against known figures; every best policy is accepted."""

import numpy as np
import pytest
import torch

from harness.kinds import Evidence, decide, reduce
from harness.spec.instances import Instances
from harness.spec.load import load_task
from tests.support.programs import ROOT, load_module

TASK = ROOT / "tasks" / "mdp-value-iteration"
REFERENCE = ROOT / "reference" / "mdp-value-iteration"


solution = load_module(REFERENCE / "solution.py")
measure = load_module(TASK / "measure.py")

CORNERS = torch.zeros(16, dtype=torch.bool)
CORNERS[[0, 15]] = True
STEPS = torch.tensor([[0, 1, 2, 3], [1, 2, 3, 2], [2, 3, 2, 1], [3, 2, 1, 0]])


def _optimum(bonus, gamma):
    p, r = solution.star_grid(CORNERS, 4, -1.0, bonus)
    q, _ = solution.value_iteration(p, r, CORNERS, gamma, 1e-9, 1000)
    return q.max(dim=1).values.view(4, 4)


def test_every_step_costs_one_so_values_are_minus_the_distance():
    assert torch.equal(_optimum(0.0, 1.0), -STEPS.double())


@pytest.mark.parametrize(("gamma", "by_steps"), [(1.0, (0, 9, 8, 7)), (0.9, (0, 9, 7.1, 5.39))])
def test_star_values_by_the_number_of_steps(gamma, by_steps):
    expected = torch.tensor(by_steps, dtype=torch.float64)[STEPS]
    torch.testing.assert_close(_optimum(10.0, gamma), expected, rtol=0, atol=1e-12)


def test_the_random_policy_needs_14_to_22_steps():
    p, r = solution.star_grid(CORNERS, 4, -1.0, 0.0)
    alive = ~CORNERS
    stay = p.mean(dim=1)[alive][:, alive]
    values = torch.linalg.solve(torch.eye(14, dtype=torch.float64) - stay, r[alive].mean(dim=1))
    assert sorted(set(values.round(decimals=9).tolist())) == [-22, -20, -18, -14]
    corner = [-14, -20, -22, -14, -18, -20, -20]
    torch.testing.assert_close(values[:7], torch.tensor(corner, dtype=torch.float64))


def test_errors_of_the_sweeps_on_the_star_grid():
    p, r = solution.star_grid(CORNERS, 4, -1.0, 10.0)
    best = _optimum(10.0, 0.9).flatten()
    values, errors = torch.zeros(16, dtype=torch.float64), []
    for _ in range(4):
        errors.append(float((values - best).abs().max()))
        values = solution.backup(p, r, CORNERS, 0.9, values).max(dim=1).values
    np.testing.assert_allclose(errors, [9, 8.1, 7.29, 0], atol=1e-12)


def test_the_statement_s_example():
    p = torch.tensor(
        [[[0.5, 0.5, 0], [0, 0, 1]], [[0, 1, 0], [0.25, 0, 0.75]], [[0, 0, 1], [0, 0, 1]]]
    ).double()
    r = torch.tensor([[1.0, 2.0], [-1.0, 0.0], [5.0, 5.0]]).double()
    terminal = torch.tensor([False, False, True])
    v = torch.tensor([4.0, 2.0, 9.0]).double()
    q = solution.backup(p, r, terminal, 0.5, v)
    assert q.tolist() == [[2.5, 2.0], [0.0, 0.5], [0.0, 0.0]]
    q, n = solution.value_iteration(p, r, terminal, 0.5, 0.1, 100)
    assert q.tolist() == [[1.5625, 2.0], [-0.875, 0.25], [0.0, 0.0]]
    assert n == 4
    assert solution.effective_horizon(0.5, 5.0, 0.1) == 7
    _, r = solution.star_grid(terminal, 3, -1.0, 10.0)
    assert r.tolist() == [[-1, -1, -1, -1], [9, -1, -1, -1], [0, 0, 0, 0]]


def test_the_horizon_is_the_first_number_of_sweeps_that_is_enough():
    for gamma, r_max, tol in ((0.5, 5.0, 0.1), (0.99, 1.0, 1e-3), (0.9, 3.0, 1e-6)):
        n = solution.effective_horizon(gamma, r_max, tol)
        worst = r_max / (1 - gamma)
        assert gamma**n * worst <= tol < gamma ** (n - 1) * worst
    assert solution.effective_horizon(0.5, 1.0, 2.5) == 0


def _first(q):
    return np.eye(q.shape[1])[q.argmax(1)]


def _last(q):
    return np.eye(q.shape[1])[q.shape[1] - 1 - q[:, ::-1].argmax(1)]


def _uniform(q):
    best = (q == q.max(1, keepdims=True)).astype(float)
    return best / best.sum(1, keepdims=True)


def _softmax(q):
    weight = np.exp(20 * (q - q.max(1, keepdims=True)))
    return weight / weight.sum(1, keepdims=True)


class _Policies:
    domain = Instances(load_task(TASK, REFERENCE).spec.domain)

    def __init__(self, greedy):
        self.greedy = greedy


@pytest.mark.parametrize(
    ("greedy", "status"),
    [(_first, "PASS"), (_last, "PASS"), (_uniform, "PASS"), (_softmax, "FAIL")],
)
def test_any_optimal_policy_is_accepted(greedy, status):
    """A grader that asks for one particular best action would itself be wrong."""
    check = load_task(TASK, REFERENCE).spec.check("greedy")
    for seed in range(20):
        found = measure.policy(_Policies(greedy), np.random.default_rng(seed))
        assert decide(check, [Evidence(reduce(check, found))]).status == status


def test_the_drawn_tables_have_ties():
    seen = []
    measure.policy(_Policies(lambda q: seen.append(q) or _uniform(q)), np.random.default_rng(0))
    assert any((_uniform(q) != _first(q)).any() for q in seen)


def test_the_drawn_optimum_is_the_optimum():
    """Rewards are derived from a drawn Q*; value iteration must find it again."""
    rng = np.random.default_rng(1)
    p, r, terminal, q = measure._solved(rng, 6, 0.9, 2)
    arrays = (torch.from_numpy(array) for array in (p, r, terminal))
    found, _ = solution.value_iteration(*arrays, 0.9, 1e-10, 10_000)
    np.testing.assert_allclose(found.numpy(), q, atol=1e-9)
