"""q-learning-tabular: the rule by hand, its fixed point, the grids, cheats, and who learns."""

import itertools

import numpy as np
import pytest
import torch

from harness.collect.bare import BareProgram
from harness.errors import ProgramError
from harness.kinds import seed_success
from harness.records import COMMON
from harness.seeds import PUBLIC_KEY
from harness.statistics import sequential
from tests.support.programs import (
    ROOT,
    edited,
    honest_programs,
    load,
    load_module,
    one_seed,
    outcomes,
    variants_are_slow,
)

FOLDER = ROOT / "tasks" / "q-learning-tabular"
TASK = load("q-learning-tabular")
(CHECK,) = (check for check in TASK.spec.checks if check.kind == "seed-success")
EXACT = [check for check in TASK.spec.checks if check is not CHECK]
FAILING = [mutant for mutant in TASK.reference.mutants if mutant.mistake.check == CHECK.id]
measure = load_module(FOLDER / "measure.py")
solution = load_module(ROOT / "reference" / "q-learning-tabular" / "solution.py")


def tensor(values):
    return torch.tensor(values, dtype=torch.float64)


def updated(table, s, a, r, s2, terminated, alpha, gamma):
    """One table after one transition."""
    flag, rates = torch.tensor([terminated]), (tensor([alpha]), tensor([gamma]))
    places = (torch.tensor([place]) for place in (s, a, s2))
    s, a, s2 = places
    return solution.q_update(table[None], s, a, tensor([r]), s2, flag, *rates)[0]


# --- the rule ----------------------------------------------------------------------------------


def test_the_mean_update_vanishes_at_the_best_values_alone():
    """Over all next states, weighted by their probabilities, Q* stays and any other table moves."""
    rng = np.random.default_rng(0)
    chance, reward, ends = measure._mdp(rng, 5, 3)
    best = torch.from_numpy(measure.optimal((chance, reward, ends), 0.8))
    for table, stays in ((best, True), (best + 0.1, False)):
        moved = torch.zeros_like(table)
        for s, a, s2 in itertools.product(range(5), range(3), range(5)):
            after = updated(table, s, a, reward[s, a, s2], s2, bool(ends[s, a, s2]), 0.5, 0.8)
            moved += chance[s, a, s2] * (after - table)
        assert (moved.abs().max().item() < 1e-12) == stays


def test_a_record_of_one_copy_is_update_after_update():
    rng = np.random.default_rng(1)
    record = measure._record(None, rng, 30, 1, 4, 3)
    table, count, *steps, omega, gamma = record
    found, counts = solution.q_replay(*(map(_torch, record[:8])), omega, gamma)
    wanted, n = torch.from_numpy(table), count.copy()
    ended = False
    for s, a, r, s2, terminated, truncated in zip(*(part[:, 0] for part in steps), strict=True):
        if not ended:
            n[s, a] += 1
            rate = float(n[s, a]) ** -omega
            wanted = updated(wanted, s, a, r, s2, bool(terminated), rate, gamma)
        ended = terminated or truncated
    torch.testing.assert_close(found, wanted, rtol=1e-13, atol=1e-13)
    np.testing.assert_array_equal(counts.numpy(), n)


def _torch(array):
    return torch.from_numpy(np.ascontiguousarray(array))


def test_a_learning_rate_of_one_over_n_averages_the_targets():
    rewards = tensor([[3.0], [-1.0], [4.0], [10.0]])
    places, flags = torch.zeros(4, 1, dtype=torch.int64), torch.zeros(4, 1, dtype=torch.bool)
    empty = tensor([[7.0]]), torch.zeros(1, 1, dtype=torch.int64)
    found, _ = solution.q_replay(
        *empty, places, places, rewards, places, flags, flags, omega=1.0, gamma=0.0
    )
    assert found.item() == pytest.approx(4.0, abs=1e-15)


def test_learnt_restarts_grow_for_ever_where_nothing_is_discounted():
    """A state that ends with reward 1, episode after episode: Q is 1, and not the episodes' sum."""
    steps = 200
    ended = torch.arange(steps)[:, None] % 2 == 0
    places, uncut = torch.zeros(steps, 1, dtype=torch.int64), torch.zeros(steps, 1).bool()
    empty = tensor([[0.0]]), torch.zeros(1, 1, dtype=torch.int64)
    rewards = ended.double()
    record = places, places, rewards, places
    found, count = solution.q_replay(*empty, *record, ended, uncut, omega=0.5, gamma=1.0)
    assert (found.item(), count.item()) == (1.0, 100)
    slip, _ = solution.q_replay(*empty, *record, uncut, uncut, omega=0.5, gamma=1.0)
    assert slip.item() > 5


def test_a_cut_taken_for_an_end_is_short_sighted():
    """The catalogue's state that pays 1 for ever, cut off after ten steps at γ = 0.9: 10, not 5.26.

    A record has one more step after each cut, which restarts. Taken for ends, the tenth of targets
    without a future makes v = 1 + γ (9 / 10) v.
    """
    steps = 11 * 3000
    cut = torch.arange(steps)[:, None] % 11 == 9
    places, never = torch.zeros(steps, 1, dtype=torch.int64), torch.zeros(steps, 1).bool()
    empty = tensor([[0.0]]), torch.zeros(1, 1, dtype=torch.int64)
    rewards = torch.ones(steps, 1, dtype=torch.float64)
    found, _ = solution.q_replay(
        *empty, places, places, rewards, places, never, cut, omega=0.6, gamma=0.9
    )
    assert found.item() == pytest.approx(10.0, abs=1e-3)
    slip, _ = solution.q_replay(
        *empty, places, places, rewards, places, cut, never, omega=0.6, gamma=0.9
    )
    assert slip.item() == pytest.approx(5.26, abs=0.05)


# --- the worlds --------------------------------------------------------------------------------


def test_a_world_restarts_in_the_step_after_an_end():
    rng = np.random.default_rng(2)
    world = measure.World(3, 5, measure._mdp(rng, 6, 3), 4, range(6))
    seen, _ = world.reset()
    for _ in range(300):
        actions = rng.integers(0, 3, 5)
        following, *_ = world.step(actions)
        np.testing.assert_array_equal(world.record()[0][-1], seen)
        seen = following
    states, actions, rewards, following, terminated, truncated = world.record()
    ended = terminated | truncated
    restarts = np.vstack([np.zeros((1, 5), dtype=bool), ended[:-1]])
    assert (rewards[restarts] == 0).all() and not ended[restarts].any()
    assert (rewards[~restarts] != 0).all()
    places = states[~restarts], actions[~restarts], following[~restarts]
    assert (world.chance[places] > 0).all()
    np.testing.assert_array_equal(rewards[~restarts], world.reward[places])
    np.testing.assert_array_equal(terminated[~restarts], world.ends[places])
    for copy in range(5):
        starts = np.flatnonzero(np.append(True, ended[:-1, copy]))
        lengths = np.diff(np.flatnonzero(ended[:, copy]), prepend=-2) - 1
        assert lengths.max() == 4 and len(starts) > 20
        assert truncated[np.flatnonzero(ended[:, copy])[lengths == 4], copy].all()


def test_a_grid_is_what_the_statement_says():
    found = []
    for seed in range(40):
        (chance, reward, _), ends = measure.grid(np.random.default_rng(seed))
        np.testing.assert_allclose(chance.sum(2), 1, atol=1e-12)
        assert ends.sum() == 2
        cost = -reward[0, 0, ~ends]
        assert np.ptp(cost) == 0
        low, high = np.sort(reward[0, 0, ends]) + cost[0]
        # of a cell inside one action leads on with 1 - slip; a move against a border stays
        stays = chance[np.arange(16), :, np.arange(16)]
        assert sorted((stays > 0.5).sum(1)) == [0] * 4 + [1] * 8 + [2] * 4
        found.append((cost[0], low, high, 1 - chance.max(2).min()))
    least, most = np.min(found, axis=0), np.max(found, axis=0)
    np.testing.assert_allclose(least, [0.02, -1.2, 0.8, 0.04], atol=0.03)
    np.testing.assert_allclose(most, [0.06, -0.8, 1.2, 0.08], atol=0.03)
    assert (least >= [0.02, -1.2, 0.8, 0.04]).all() and (most <= [0.06, -0.8, 1.2, 0.08]).all()


def test_the_best_values_satisfy_bellmans_equation():
    mdp, ends = measure.grid(np.random.default_rng(5))
    chance, reward, over = mdp
    q = measure.optimal(mdp, 0.8)
    target = (chance * (reward + 0.8 * ~over * q.max(1))).sum(2)
    np.testing.assert_allclose(q, target, atol=1e-14)
    assert 0.5 < np.ptp(q[~ends]) < 3


# --- cheats ------------------------------------------------------------------------------------


def failed(program, checks=EXACT):
    """The checks that a program does not pass."""
    return {name for name, outcome in outcomes(TASK, program, checks) if outcome.status != "PASS"}


def test_a_program_that_never_plays_is_refused():
    program = edited(
        TASK,
        "    s, _ = env.reset()\n    starts",
        "    return table.tensors()\n    s, _ = env.reset()\n    starts",
    )
    with BareProgram(TASK, program) as running, pytest.raises(ProgramError):
        running.metrics("played", COMMON, PUBLIC_KEY)


def test_a_replay_that_hands_out_what_was_learnt_is_seen():
    """It keeps the table of `learn` and returns it for the next record; the process is renewed."""
    source = TASK.reference.solution.files[TASK.spec.file].decode()
    spoilt = source.replace("for i in np.flatnonzero(~starts):", "for i in range(0):")
    spoilt = spoilt.replace(
        "    return table.tensors()\n\n\ndef _draw",
        "    return KEPT.pop(0) if KEPT else table.tensors()\n\n\nKEPT = []\n\n\ndef _draw",
    )
    head, tail = spoilt.rsplit("    return table.tensors()\n", 1)
    spoilt = f"{head}    KEPT.append(table.tensors())\n    return KEPT[-1]\n{tail}"
    program = edited(TASK, source, spoilt)
    assert "learns-what-it-plays" in failed(program)


@pytest.mark.parametrize(
    ("old", "new", "check"),
    [
        # one number is both the coin and the action
        (
            "return torch.where(explores, torch.randint(actions, (n,), generator=generator), "
            "greedy)",
            "u = torch.rand(n, generator=generator, dtype=torch.float64)\n"
            "    return torch.where(u < epsilon, (u * actions).long(), greedy)",
            "acts",
        ),
        # every second step explores, so that the share of exploring is right
        (
            "a = _draw(torch.from_numpy(table.Q[s]), epsilon, generator).numpy()",
            "turn = getattr(table, 'turn', 0)\n"
            "        table.turn = 1 - turn\n"
            "        share = min(2 * epsilon, 1.0) if turn else max(2 * epsilon - 1, 0.0)\n"
            "        a = _draw(torch.from_numpy(table.Q[s]), share, generator).numpy()",
            "acts",
        ),
        # copies explore in pairs
        (
            "explores = torch.rand(n, generator=generator, dtype=torch.float64) < epsilon",
            "half = torch.rand((n + 1) // 2, generator=generator, dtype=torch.float64)\n"
            "    explores = half.repeat(2)[:n] < epsilon",
            "acts",
        ),
        # neighbours explore together
        (
            "explores = torch.rand(n, generator=generator, dtype=torch.float64) < epsilon",
            "half = torch.rand((n + 1) // 2, generator=generator, dtype=torch.float64)\n"
            "    explores = half.repeat_interleave(2)[:n] < epsilon",
            "acts",
        ),
        # neighbours that explore take one action
        (
            "return torch.where(explores, torch.randint(actions, (n,), generator=generator), "
            "greedy)",
            "half = torch.randint(actions, ((n + 1) // 2,), generator=generator)\n"
            "    return torch.where(explores, half.repeat_interleave(2)[:n], greedy)",
            "acts",
        ),
        # learnt after the actions of the next step have been drawn
        (
            "    for _ in range(steps):\n"
            "        a = _draw(torch.from_numpy(table.Q[s]), epsilon, generator).numpy()\n"
            "        s2, r, terminated, truncated, _ = env.step(a)\n"
            "        for i in np.flatnonzero(~starts):\n"
            "            table.learn(s[i], a[i], r[i], s2[i], terminated[i])\n",
            "    waiting = []\n"
            "    for t in range(steps):\n"
            "        a = _draw(torch.from_numpy(table.Q[s]), epsilon, generator).numpy()\n"
            "        s2, r, terminated, truncated, _ = env.step(a)\n"
            "        for each in waiting:\n"
            "            table.learn(*each)\n"
            "        now = np.flatnonzero(~starts)\n"
            "        waiting = [(s[i], a[i], r[i], s2[i], terminated[i]) for i in now]\n"
            "        for each in waiting if t == steps - 1 else []:\n"
            "            table.learn(*each)\n",
            "plays",
        ),
    ],
    ids=["one-number", "in-turn", "pairs", "neighbours", "one-action", "late"],
)
def test_play_that_learns_as_well_but_is_not_what_is_asked_is_seen(old, new, check):
    assert check in failed(edited(TASK, old, new))


# --- learning ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "program", variants_are_slow(honest_programs(TASK)), ids=lambda program: program.name
)
def test_an_honest_program_learns(program):
    assert one_seed(TASK, program)["error"] <= CHECK.threshold


@pytest.mark.parametrize("mutant", FAILING, ids=lambda mutant: mutant.mistake.name)
def test_mistakes_that_training_shows_do_not_succeed(mutant):
    found = [one_seed(TASK, mutant.program, seed)["error"] for seed in range(3)]
    assert min(found) > CHECK.threshold


@pytest.mark.parametrize("returned", ["Q", "0 * Q", "0 * Q + 0.3", "torch.rand_like(Q)"], ids=str)
def test_a_table_that_was_not_learnt_does_not_succeed(returned):
    program = edited(
        TASK,
        "    table = _Table(Q, torch.zeros_like(Q, dtype=torch.int64), omega, gamma)\n",
        f"    return {returned}, torch.zeros_like(Q, dtype=torch.int64)\n"
        "    table = _Table(Q, torch.zeros_like(Q, dtype=torch.int64), omega, gamma)\n",
    )
    found = [one_seed(TASK, program, seed)["error"] for seed in range(20)]
    assert min(found) > 3 * CHECK.threshold


def test_the_statement_tells_when_seeds_suffice():
    plan = seed_success.design(CHECK)
    assert [sequential.state(plan, [True] * n).status for n in (5, 6)] == ["open", "pass"]
    assert [sequential.state(plan, [False] * n).status for n in (4, 5)] == ["open", "fail"]
    statement = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert f"**{CHECK.threshold:g} or less**" in statement
