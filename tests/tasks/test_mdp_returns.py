"""mdp-returns against enumeration, dynamic programming and its statement; slips of strangers."""

import itertools

import numpy as np
import pytest
import torch

from harness.collect.bare import BareProgram
from harness.kinds import Evidence, decide, reduce
from harness.records import COMMON
from harness.seeds import PUBLIC_KEY
from tests.support.programs import ROOT, load, load_module

TASK = load("mdp-returns")

solution = load_module(ROOT / "reference" / "mdp-returns" / "solution.py")


def _tables(rng, s, a):
    tables = (
        rng.dirichlet(np.ones(s)),
        rng.dirichlet(np.ones(a), s),
        rng.dirichlet(np.ones(s), (s, a)),
    )
    return tuple(map(torch.from_numpy, tables))


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_every_path_of_a_fixed_number_of_steps_together_has_probability_one(steps):
    tables = _tables(np.random.default_rng(steps), 3, 2)
    paths = torch.tensor(list(itertools.product(range(3), repeat=steps + 1)))
    actions = torch.tensor(list(itertools.product(range(2), repeat=steps)))
    states = paths.repeat_interleave(len(actions), 0)
    actions = actions.repeat(len(paths), 1)
    mask = torch.ones_like(actions, dtype=torch.bool)
    log_p = solution.log_prob(states[:, :-1], actions, states[:, -1], mask, *tables)
    assert float(log_p.exp().sum()) == pytest.approx(1.0, abs=1e-13)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 0.9, 1.0])
def test_the_mean_return_over_all_paths_is_that_of_dynamic_programming(gamma):
    """E[R] = Σ_τ p(τ) R(τ) against V_k = r + γ P V_{k-1}, with nothing shared between both."""
    rng, steps = np.random.default_rng(5), 3
    start, policy, transitions = _tables(rng, 3, 2)
    reward = torch.from_numpy(rng.normal(size=(3, 2)))
    value = torch.zeros(3, dtype=torch.float64)
    for _ in range(steps):
        value = (policy * (reward + gamma * transitions @ value)).sum(1)
    paths = list(
        itertools.product(
            itertools.product(range(3), repeat=steps + 1), itertools.product(range(2), repeat=steps)
        )
    )
    states = torch.tensor([path for path, _ in paths])
    actions = torch.tensor([taken for _, taken in paths])
    mask = torch.ones_like(actions, dtype=torch.bool)
    log_p = solution.log_prob(
        states[:, :-1], actions, states[:, -1], mask, start, policy, transitions
    )
    total = solution.trajectory_return(reward[states[:, :-1], actions], mask, gamma)
    assert float(log_p.exp() @ total) == pytest.approx(float(start @ value), abs=1e-13)


@pytest.mark.parametrize("gamma", [0.0, 0.9, 1.0])
def test_a_stream_and_rows_hold_the_same_returns(gamma):
    rng, lengths = np.random.default_rng(2), [3, 1, 5, 2]
    mask = torch.arange(5) < torch.tensor(lengths)[:, None]
    rewards = torch.from_numpy(rng.normal(size=(4, 5)))
    ends = torch.cat([torch.arange(n) == n - 1 for n in lengths])
    rows = solution.padded_returns(rewards, mask, gamma)
    stream = solution.stream_returns(rewards[mask], ends, gamma)
    torch.testing.assert_close(stream, rows[mask], rtol=0, atol=1e-14)
    torch.testing.assert_close(
        rows[:, 0], solution.trajectory_return(rewards, mask, gamma), rtol=0, atol=1e-14
    )


def test_a_loop_over_the_definition_gives_the_same_stream():
    rng = np.random.default_rng(3)
    rewards, ends = rng.normal(size=20), rng.random(20) < 0.3
    expected = np.zeros(20)
    for t in range(20):
        for later in range(t, 20):
            expected[t] += 0.9 ** (later - t) * rewards[later]
            if ends[later]:
                break
    found = solution.stream_returns(torch.from_numpy(rewards), torch.from_numpy(ends), 0.9)
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-13)
