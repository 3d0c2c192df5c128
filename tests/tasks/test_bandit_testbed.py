"""bandit-testbed: records by counting, closed forms of the second trial, the lecture's figures."""

import math

import numpy as np
import pytest
import torch

from tests.support.programs import ROOT, edited, load, load_module, outcomes

solution = load_module(ROOT / "reference" / "bandit-testbed" / "solution.py")
measure = load_module(ROOT / "tasks" / "bandit-testbed" / "measure.py")


def generator(seed):
    return torch.Generator().manual_seed(seed)


def numpy_record(epsilon, runs, steps, arms, seed):
    return [x.numpy() for x in solution.testbed(epsilon, runs, steps, arms, generator(seed))]


def test_a_record_is_what_counting_gives():
    rng = np.random.default_rng(0)
    value, explores, arm, key, noise = measure.given_runs(rng, 6, 25, 4)
    found = solution.play(*(torch.from_numpy(x) for x in (value, explores, arm, key, noise)))
    action, reward = (x.numpy() for x in found)
    for i in range(6):
        past = [[] for _ in range(4)]
        for t in range(25):
            means = [np.mean(rewards) if rewards else 0.0 for rewards in past]
            greedy = [a for a in range(4) if means[a] == max(means)]
            chosen = arm[i, t] if explores[i, t] else max(greedy, key=lambda a: key[i, t, a])
            assert action[i, t] == chosen
            assert reward[i, t] == value[i, chosen] + noise[i, t]
            past[chosen].append(reward[i, t])


@pytest.mark.parametrize("epsilon", [0.0, 0.3, 1.0])
def test_the_second_trial_has_its_closed_form(epsilon):
    """E R_2 = (1-ε) E[q 1{q+η>0}] = (1-ε)/(2√π), for any number of arms.

    Of two arms the greedy one is optimal with probability 2/3: R_1 and q_1 - q_2 are normal with
    correlation 1/2, and have one sign with probability 1/2 + arcsin(1/2)/π.
    """
    runs = 200_000
    average, optimal = solution.curves(*solution.testbed(epsilon, runs, 2, 2, generator(1)))
    wanted = (1 - epsilon) / (2 * math.sqrt(math.pi))
    assert float(average[0]) == pytest.approx(0.0, abs=5 * math.sqrt(2 / runs))
    assert float(average[1]) == pytest.approx(wanted, abs=5 * math.sqrt(2 / runs))
    share = (1 - epsilon) * 2 / 3 + epsilon / 2
    assert float(optimal[0]) == pytest.approx(1 / 2, abs=5 * 0.5 / math.sqrt(runs))
    assert float(optimal[1]) == pytest.approx(share, abs=5 * 0.5 / math.sqrt(runs))


@pytest.mark.parametrize(
    ("epsilon", "all_trials", "last", "optimal"),
    [(0.0, 1.012, 1.022, 0.347), (0.01, 1.184, 1.292, 0.584), (0.1, 1.300, 1.367, 0.800)],
)
def test_the_experiment_of_the_lecture(epsilon, all_trials, last, optimal):
    """Figures of another program's 2000 bandits: within four errors of such a difference.

    The standard errors of one experiment are those that the statement gives: 0.016 of a reward,
    and 0.010 of a share.
    """
    average, share = solution.curves(*solution.testbed(epsilon, 2000, 1000, 10, generator(5)))
    spread = 4 * math.sqrt(2)
    assert float(average.mean()) == pytest.approx(all_trials, abs=0.016 * spread)
    assert float(average[-100:].mean()) == pytest.approx(last, abs=0.016 * spread)
    assert float(share[-100:].mean()) == pytest.approx(optimal, abs=0.010 * spread)


@pytest.mark.parametrize("order", ["number", "estimate"])
@pytest.mark.parametrize("epsilon", [0.0, 0.4, 1.0])
def test_the_transform_maps_the_arms_of_a_trial_onto_the_unit_interval(epsilon, order):
    value, action, reward = numpy_record(0.5, 30, 6, 4, seed=2)
    ends = []
    for last in range(4):
        action[:, -1] = last
        record = measure.Record(epsilon, value, action, reward)
        below = record.below[order][:, -1]
        ends.append(np.stack([below, below + record.chance[:, -1]], axis=1))
    ends = np.stack(ends, axis=1)  # runs, arms, both ends
    for run in ends:
        lower, upper = run[np.lexsort((run[:, 1], run[:, 0]))].T
        np.testing.assert_allclose(lower, [0.0, *upper[:-1]], atol=1e-12)
        assert upper[-1] == pytest.approx(1.0, abs=1e-12)


def test_rare_exploring_is_counted_as_its_binomial_law_says():
    """Of 4000 runs: the share that never leave is 0.991^60, all below it in the transform."""
    record = measure.Record(0.01, *numpy_record(0.01, 4000, 90, 10, seed=3))
    uniform = record.rare(np.random.default_rng(0), 0.01)
    never = (1 - 0.01 * 9 / 10) ** 60
    watched = (record.single == 1) & (record.single.cumsum(1) <= 60)
    stayed = (watched & (record.greedy == 0)).sum(1) == 0
    assert stayed.mean() == pytest.approx(never, abs=5 * 0.5 / math.sqrt(4000))
    assert (uniform[stayed] < never).all()
    assert (uniform[~stayed] > never).all()


def test_the_normal_law_is_that_of_the_error_function():
    x = np.linspace(-5, 5, 101)
    wanted = [0.5 * (1 + math.erf(value / math.sqrt(2))) for value in x]
    np.testing.assert_allclose(measure.as_uniform(x), wanted, atol=1e-7)


KEYS = "key = torch.rand(runs, arms, generator=generator, dtype=torch.float64)"
COIN = "explores = torch.rand(runs, generator=generator, dtype=torch.float64) < epsilon"
ARM = "arm = torch.randint(arms, (runs,), generator=generator)"
VALUE = "value = torch.randn(runs, arms, generator=generator, dtype=torch.float64)"
#: What is written instead of a line of testbed, and checks that notice it.
SUBTLE = {
    "the step size of the whole experiment": (
        "total[row, action] += reward\n        count[row, action] += 1\n",
        """total[row, action] += (reward - total[row, action]) / (len(actions) + 1)
        count[row, action] = 1
""",
        {"actions", "greedy"},
    ),
    "the expected number of runs explores, no more and no less": (
        COIN,
        """order = torch.randperm(runs, generator=generator)
        quota = torch.rand(1, generator=generator) < (epsilon * runs) % 1
        explores = order < int(epsilon * runs) + quota.long()""",
        {"few-independence"},
    ),
    "neighbouring runs explore in turn": (
        COIN,
        """u = torch.rand(runs, generator=generator, dtype=torch.float64)
        u[1::2] = 1 - u[: runs - 1 : 2] if runs > 1 else u[1::2]
        explores = u < epsilon""",
        {"independence", "few-independence"},
    ),
    "the values of a run are centred": (
        VALUE,
        VALUE
        + """
    if arms > 1:
        value = (value - value.mean(1, keepdim=True)) * (arms / (arms - 1)) ** 0.5""",
        {"few-independence"},
    ),
    "the second half of the runs repeats the values of the first": (
        VALUE,
        VALUE + "\n    value[runs // 2 : runs // 2 * 2] = value[: runs // 2]",
        {"independence"},
    ),
    "the largest arm is never explored": (
        ARM,
        "arm = torch.randint(max(arms - 1, 1), (runs,), generator=generator)",
        {"actions"},
    ),
    "exploring prefers arms with larger estimates": (
        ARM,
        """Q = torch.where(count > 0, total / count, 0.0)
        arm = torch.multinomial(Q.softmax(1), 1, generator=generator)[:, 0]""",
        {"actions"},
    ),
    "after the first trial ties go to the first arm": (
        KEYS,
        KEYS
        + """
        if actions:
            key = torch.arange(arms, 0, -1).double().expand(runs, arms)""",
        {"actions"},
    ),
    "counts of one byte": (
        "count[row, action] += 1\n        actions",
        "count[row, action] = (count[row, action] + 1) % 256\n        actions",
        {"greedy"},
    ),
    "ties of a single trial by a seed of their own": (
        KEYS,
        KEYS
        + """
        if steps == 1:
            seeded = torch.Generator().manual_seed(0)
            key = torch.rand(runs, arms, generator=seeded, dtype=torch.float64)""",
        {"independence"},
    ),
    "arms beyond the tenth repeat the values of the first ten": (
        VALUE,
        VALUE + "\n    value = value[:, torch.arange(arms) % 10]",
        {"values"},
    ),
    "the first of two drawn arms gives way to one with a larger value": (
        "        noise = torch.randn",
        """        if not actions:
            other = torch.randint(arms, (runs,), generator=generator)
            action = torch.where(value[row, other] > value[row, action], other, action)
        noise = torch.randn""",
        {"values", "actions"},
    ),
    "keys share their numbers with the values": (
        KEYS,
        "again = torch.Generator().manual_seed(generator.initial_seed())\n        "
        + KEYS.replace("generator=generator", "generator=again"),
        {"values", "actions"},
    ),
    "exploring prefers arms with larger values": (
        ARM,
        "arm = torch.multinomial((0.7 * value).exp(), 1, generator=generator)[:, 0]",
        {"actions"},
    ),
    "noise is mirrored at the middle of a run": (
        "        noise = torch.randn(runs, generator=generator, dtype=torch.float64)",
        """        noise = torch.randn(runs, generator=generator, dtype=torch.float64)
        kept = [noise] if not actions else [*kept, noise]
        if len(kept) > (steps + 1) // 2:
            noise = -kept[steps - len(kept)]""",
        {"noise"},
    ),
    "the latest twenty rewards of an arm": (
        "total[row, action] += reward\n        count[row, action] += 1\n        actions",
        """share = 1 - 0.05 * (count[row, action] >= 20)
        total[row, action] = share * total[row, action] + reward
        count[row, action] = share * count[row, action] + 1
        actions""",
        {"greedy"},
    ),
    "no exploring where it is rare": (COIN, COIN + " * (epsilon > 0.05)", {"actions"}),
}


@pytest.mark.parametrize(("old", "new", "checks"), SUBTLE.values(), ids=SUBTLE.keys())
def test_programs_whose_curves_look_right_are_caught(old, new, checks):
    task = load("bandit-testbed")
    named = [check for check in task.spec.checks if check.id in checks]
    found = dict(outcomes(task, edited(task, old, new), named))
    assert set(found) == checks
    assert all(outcome.status != "PASS" for outcome in found.values())


def test_numbers_are_new_unless_they_repeat_after_any_number_of_trials_or_runs():
    """Four hundred records of independent numbers pass; those that repeat, in part, do not."""
    rng = np.random.default_rng(5)
    assert all(measure.is_new(rng.random((6, 1000))) for _ in range(400))
    assert measure.is_new(rng.normal(size=(300, 1000)))
    for period in (1, 7, 200, 499):
        assert not measure.is_new(np.tile(rng.random((6, period)), 1000 // period + 1)[:, :1000])
    for distance in (1, 2, 3):
        assert not measure.is_new(np.tile(rng.random((distance, 1000)), (6 // distance, 1)))
    numbers, others = rng.normal(size=(2, 300, 1000))
    share = rng.random((300, 1000)) < 0.2  # of later numbers that are old ones
    again = np.where(share, np.roll(numbers, 30, axis=1), others)
    assert not measure.is_new(np.concatenate([numbers, again], axis=1))


@pytest.mark.parametrize(
    ("law", "right"),
    [
        ("normal", True),
        ("uniform", False),
        ("laplace", False),
        ("wide", False),
        ("shifted", False),
    ],
)
def test_the_first_moments_of_noise_are_those_of_the_normal_law(law, right):
    rng = np.random.default_rng(6)
    draws = {
        "normal": lambda: rng.normal(size=(300, 1000)),
        "uniform": lambda: rng.uniform(-(3**0.5), 3**0.5, (300, 1000)),
        "laplace": lambda: rng.laplace(0, 0.5**0.5, (300, 1000)),
        "wide": lambda: rng.normal(0, 1.02, (300, 1000)),
        "shifted": lambda: rng.normal(0.02, 1, (300, 1000)),
    }[law]
    assert all(measure.has_moments(draws()) == right for _ in range(20))
