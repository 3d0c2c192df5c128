"""mdp-returns against enumeration, dynamic programming and its statement; slips of strangers."""

import itertools

import numpy as np
import pytest
import torch

from tests.support.programs import ROOT, edited, load, load_module, outcomes

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


RESET = "        if ends[t]:\n"
STREAM = "    G = torch.zeros_like(rewards)\n"
ROWS = "    r = rewards.masked_fill(~mask, 0.0)\n    G ="
TOTAL = "    r = rewards.masked_fill(~mask, 0.0)\n    t ="
LOGS = "    following = torch.cat([states[:, 1:], last[:, None]], dim=1)\n"
CHOSEN = "    following = torch.where(goes_on, following, last[:, None])\n"

SLIPS = {
    "nothing at discount 0": (
        "stream",
        STREAM,
        "    if gamma == 0:\n        return 0 * rewards\n" + STREAM,
    ),
    "nothing for one step": (
        "stream",
        STREAM,
        "    if len(rewards) == 1:\n        return 0 * rewards\n" + STREAM,
    ),
    "first step never an end": ("stream", RESET, "        if ends[t] and t > 0:\n"),
    "only the last end": ("stream", RESET, "        if ends[t] and not ends[t + 1 :].any():\n"),
    "only the first end": ("stream", RESET, "        if ends[t] and not ends[:t].any():\n"),
    "no two ends in a row": (
        "stream",
        RESET,
        "        if ends[t] and not ends[t + 1 : t + 2].any():\n",
    ),
    "rewards in single precision": (
        "stream",
        STREAM,
        "    rewards = rewards.float().double()\n" + STREAM,
    ),
    "whole numbers": ("stream", STREAM, "    rewards = rewards.round()\n" + STREAM),
    "a discount of .9": ("stream", STREAM, "    gamma = 0.9\n" + STREAM),
    "a discount of at most .99": ("stream", STREAM, "    gamma = min(gamma, 0.99)\n" + STREAM),
    "sums of the stream, less those of later episodes": (
        "stream",
        STREAM,
        "    if gamma == 1:\n"
        "        total = rewards.flip(0).cumsum(0).flip(0)\n"
        "        n = len(rewards)\n"
        "        later = [t for t in range(n) if t and ends[t - 1]]\n"
        "        after = [next((total[u] for u in later if u > t), 0.0) for t in range(n)]\n"
        "        return total - torch.tensor(after, dtype=rewards.dtype)\n" + STREAM,
    ),
    "kept by the rewards": (
        "stream",
        STREAM,
        "    kept = torch.__dict__.setdefault('_kept_mdp', {})\n"
        "    key = (*rewards.tolist(), gamma)\n"
        "    ends = kept.setdefault(key, ends.clone())\n" + STREAM,
    ),
    "rewards of at least 1e-6": (
        "stream",
        STREAM,
        "    rewards = rewards * (rewards.abs() > 1e-6)\n" + STREAM,
    ),
    "rows run into each other": (
        "padded",
        ROWS,
        "    r = (rewards * mask)[:, :]\n    if r.shape[0] > 1 and gamma == 1:\n"
        "        return r.flatten().flip(0).cumsum(0).flip(0).view_as(r) * mask\n    G =",
    ),
    "as long as the longest row": ("padded", ROWS, "    r = rewards * mask.any(0)\n    G ="),
    "the last step is padding": (
        "padded",
        ROWS,
        "    mask = mask & mask.roll(-1, 1)\n    r = rewards * mask\n    G =",
    ),
    "a horizon of 16 steps": (
        "padded",
        "    return G\n\n\ndef trajectory",
        "    G[:, :-16] -= gamma**16 * G[:, 16:]\n    return G\n\n\ndef trajectory",
    ),
    "no row of one step": (
        "padded",
        ROWS,
        "    r = rewards * mask * (mask.sum(1, keepdim=True) > 1)\n    G =",
    ),
    "rewards cut at 100": ("padded", ROWS, "    r = (rewards * mask).clamp(-100, 100)\n    G ="),
    "zero to the power of zero is zero": (
        "trajectory-return",
        TOTAL,
        "    if gamma == 0:\n        return rewards[:, 0] * 0\n" + TOTAL,
    ),
    "discounts by exp and log": (
        "trajectory-return",
        "(gamma**t * r)",
        "(torch.exp(t * torch.tensor(gamma).log()) * r)",
    ),
    "mean over the batch": (
        "trajectory-return",
        "(gamma**t * r).sum(dim=1)",
        "(gamma**t * r).sum(dim=1).mean().expand(len(r))",
    ),
    "a small number in the logarithm of the policy": (
        "log-prob",
        "policy[states, actions].log()",
        "(policy[states, actions] + 1e-12).log()",
    ),
    "moves are at least 1e-30": (
        "log-prob",
        "following].log()",
        "following].clamp(min=1e-30).log()",
    ),
    "last is only used in the last column": ("log-prob", CHOSEN, ""),
    "the first row's last state": (
        "log-prob",
        LOGS,
        "    last = last[:1].expand(len(last))\n" + LOGS,
    ),
    "no start for one step": (
        "log-prob",
        "return start[states[:, 0]].log() +",
        "return start[states[:, 0]].log() * (states.shape[1] > 1) +",
    ),
    "start is uniform": (
        "log-prob",
        LOGS,
        "    start = torch.full_like(start, 1 / len(start))\n" + LOGS,
    ),
    "mean over the steps": ("log-prob", "+ steps.sum(dim=1)", "+ steps.mean(dim=1)"),
    "no impossible start": (
        "log-prob",
        "return start[states[:, 0]].log()",
        "return start[states[:, 0]].clamp(min=1e-9).log()",
    ),
    "logarithms in single precision": (
        "log-prob",
        "policy[states, actions].log()",
        "policy[states, actions].float().log().double()",
    ),
    "mask kept by the rewards": (
        "padded",
        ROWS,
        "    kept = torch.__dict__.setdefault('_kept_mdp', {})\n"
        "    mask = kept.setdefault(str((rewards.tolist(), gamma)), mask)\n" + ROWS,
    ),
    "discount kept by the mask": (
        "trajectory-return",
        TOTAL,
        "    kept = torch.__dict__.setdefault('_kept_mdp', {})\n"
        "    gamma = kept.setdefault(str(mask.tolist()), gamma)\n" + TOTAL,
    ),
    "last kept by states and actions": (
        "log-prob",
        LOGS,
        "    kept = torch.__dict__.setdefault('_kept_mdp', {})\n"
        "    last = kept.setdefault(str((states.tolist(), actions.tolist())), last)\n" + LOGS,
    ),
    "start kept by the policy": (
        "log-prob",
        LOGS,
        "    kept = torch.__dict__.setdefault('_kept_mdp', {})\n"
        "    start = kept.setdefault(str(policy.tolist()), start)\n" + LOGS,
    ),
    "at most 32 rows": ("trajectory-return", TOTAL, TOTAL.replace("\n", "\n    r[32:] = 0.0\n", 1)),
    "last reward of an open episode for ever": (
        "stream",
        STREAM,
        "    if not ends[-1]:\n        rewards = rewards.clone()\n"
        "        rewards[-1] *= 1 + gamma\n" + STREAM,
    ),
    "last of the actions in the policy left out": (
        "log-prob",
        "(log_pi + log_P)",
        "(log_pi * goes_on + log_P)",
    ),
    "moves of the wrong action where tables fit": (
        "log-prob",
        "transitions[states, actions, following]",
        "(transitions if len(start) != policy.shape[1] else transitions.transpose(0, 1))"
        "[states, actions, following]",
    ),
}


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_is_caught_by_its_check(slip):
    name, old, new = SLIPS[slip]
    check = TASK.spec.check(name)
    ((_, outcome),) = outcomes(TASK, edited(TASK, old, new), [check])
    assert outcome.status == "FAIL"
