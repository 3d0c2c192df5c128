"""nas-reward: figures of the lecture, every sequence of a small controller, and wrong programs."""

import itertools
import math

import numpy as np
import pytest
import torch

from tests.support.programs import ROOT, edited, load, load_module, outcomes, submission

solution = load_module(ROOT / "reference" / "nas-reward" / "solution.py")
measure = load_module(ROOT / "tasks" / "nas-reward" / "measure.py")


def column(*numbers):
    return torch.tensor(numbers, dtype=torch.float64)


def case(seed, *shape):
    return [torch.from_numpy(a) for a in measure._case(np.random.default_rng(seed), *shape)]


def test_twice_the_flops_cost_five_per_cent():
    half, same, twice = solution.reward(column(1, 1, 1), column(2e8, 4e8, 8e8), 4e8, 0.07).tolist()
    assert same == 1.0
    assert twice == pytest.approx(0.95264, abs=5e-6)
    assert half * twice == pytest.approx(1.0, abs=1e-15)


def test_the_exponent_that_balances_five_per_cent_for_doubling():
    (beta,) = solution.balance(column(2), column(0.05)).tolist()
    assert beta == pytest.approx(math.log2(1.05), abs=1e-15)
    assert beta == pytest.approx(0.070389, abs=5e-7)
    # at that exponent 5% more accuracy for twice the FLOPS are worth nothing
    worth = solution.reward(column(0.7, 0.7 * 1.05), column(4e8, 8e8), 4e8, beta)
    assert float(worth[0]) == pytest.approx(float(worth[1]), abs=1e-15)


def test_the_counts_of_the_lecture():
    assert solution.decisions(2, 5, 5) == 50
    assert solution.decisions(1, 7, 6) == 42


def by_hand(row, last, W, E, c, V, d):
    """p of one sequence with plain numbers, one exponential after the other."""
    h, p = [0.0] * len(c), 1.0
    for t, choice in enumerate(row):
        before = E[row[t - 1]] if t else [0.0] * len(c)
        h = [
            math.tanh(sum(w * x for w, x in zip(line, h, strict=True)) + e + bias)
            for line, e, bias in zip(W, before, c, strict=True)
        ]
        weights = [
            math.exp(sum(v * x for v, x in zip(V[a], h, strict=True)) + d[t][a])
            for a in range(last[t] + 1)
        ]
        p *= weights[choice] / sum(weights)
    return p


@pytest.mark.parametrize("seed", range(3))
def test_all_sequences_one_by_one(seed):
    _, last, *parameters = case(seed, 1, 4, 3, 4)
    every = list(itertools.product(*(range(n + 1) for n in last.tolist())))
    log_p = solution.log_prob(torch.tensor(every), last, *parameters)
    numbers = [part.tolist() for part in (last, *parameters)]
    wanted = [math.log(by_hand(row, *numbers)) for row in every]
    np.testing.assert_allclose(log_p, wanted, rtol=0, atol=1e-12)
    assert abs(float(torch.logsumexp(log_p, 0))) < 1e-12


def test_the_mean_score_is_zero():
    """Σ p ∇ log p = 0, which is why a baseline changes no mean."""
    _, last, *parameters = case(5, 1, 4, 3, 4)
    every = torch.tensor(list(itertools.product(*(range(n + 1) for n in last.tolist()))))
    parameters = [part.requires_grad_() for part in parameters]
    log_p = solution.log_prob(every, last, *parameters)
    score = torch.autograd.grad((log_p.detach().exp() * log_p).sum(), parameters)
    assert max(float(part.abs().max()) for part in score) < 1e-13


def test_the_gradient_is_that_of_finite_differences():
    sequences, last, *parameters = case(7, 6, 4, 3, 5)
    parameters = [part.requires_grad_() for part in parameters]

    def log_p(*parts):
        return solution.log_prob(sequences, last, *parts)

    assert torch.autograd.gradcheck(log_p, parameters)


#: what is replaced in the solution, by what, and a check that must not pass
WRONG = {
    "power-with-a-guard": ("ratio = target / flops", "ratio = target / (flops + 1e-3)", "reward"),
    "capped": ("accuracy * ratio**exponent", "(accuracy * ratio**exponent).clamp(max=1)", "reward"),
    "first-row-for-all": ("ratio = target / flops", "ratio = target / flops[:1]", "reward"),
    "log1p-of-a-rounded-gain": (
        "torch.log1p(gain)",
        "torch.log1p(gain.float()).double()",
        "balance",
    ),
    "gain-as-a-floor": ("torch.log1p(gain)", "torch.log1p(gain.clamp(min=1e-3))", "balance"),
    "clamped-probabilities": (
        "log_p = log_p + log_pi[torch.arange(b), sequences[:, t]]",
        "log_p = log_p + log_pi[torch.arange(b), sequences[:, t]].clamp(min=-100)",
        "log-prob",
    ),
    "last-offer-excluded-when-alone": (
        "torch.arange(len(V)) > last[:, None]",
        "torch.arange(len(V)) > last[:, None].clamp(min=1)",
        "log-prob",
    ),
    "large-and-finite-for-minus-infinity": (
        "masked_fill(closed[t], -math.inf)",
        "masked_fill(closed[t], -1e9)",
        "impossible",
    ),
    "rows-spoilt-by-an-impossible-one": (
        "    return log_p\n",
        "    return log_p if log_p.isfinite().all() else log_p / 2\n",
        "impossible",
    ),
    "embedding-without-gradient": (
        "E[sequences[:, t - 1]] if",
        "E[sequences[:, t - 1]].detach() if",
        "log-prob-gradient",
    ),
    "biases-without-gradient": ("h @ V.T + d[t]", "h @ V.T + d[t].detach()", "log-prob-gradient"),
    "recurrence-from-the-third-step": (
        "h @ W.T + before + c",
        "(h @ W.T if t != 1 else 0) + before + c",
        "log-prob",
    ),
    "unbiased-mean": (
        "(advantage * log_probs).mean()",
        "(advantage * log_probs).sum() / max(len(rewards) - 1, 1)",
        "loss",
    ),
    "positive-advantages-alone": (
        "advantage = rewards - baseline",
        "advantage = (rewards - baseline).clamp(min=0)",
        "loss",
    ),
    "median": ("(1 - decay) * rewards.mean()", "(1 - decay) * rewards.median()", "moving-baseline"),
    "first-batch-taken-whole": (
        "return decay * baseline",
        "decay = decay if baseline else 0.0\n    return decay * baseline",
        "moving-baseline",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_subtly_wrong_programs_are_caught(name):
    task = load("nas-reward")
    old, new, check = WRONG[name]
    statuses = {found: outcome.status for found, outcome in outcomes(task, edited(task, old, new))}
    assert statuses[check] == "FAIL"


def test_results_kept_by_their_sizes_are_caught():
    task = load("nas-reward")
    source = task.reference.solution.files[task.spec.file].decode()
    for function in ("reward", "balance", "log_prob", "controller_loss", "moving_baseline"):
        kept = (
            f"\n\n_kept, _{function} = {{}}, {function}\n\n\n"
            f"def {function}(*args):\n"
            "    key = tuple(tuple(a.shape) if isinstance(a, Tensor) else 0 for a in args)\n"
            "    if key not in _kept:\n"
            f"        _kept[key] = _{function}(*args)\n"
            "    return _kept[key]\n"
        )
        passed = {n: o.status == "PASS" for n, o in outcomes(task, submission(task, source + kept))}
        check = {"log_prob": "log-prob", "controller_loss": "loss"}.get(function, function)
        assert not passed[check.replace("_", "-")], function
