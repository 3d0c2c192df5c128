"""Pong behind a disguise: undone, it is the emulator's own under the rules of dqn-atari."""

import runpy

import numpy as np
import pytest

from harness import environments
from tests.support.programs import ROOT

pytest.importorskip("ale_py", reason="the extra fairmark[atari] is not installed")
from ale_py.vector_env import AtariVectorEnv

from harness.environments import pong


def instances(count):
    return [environments.draw("pong", np.random.default_rng(seed)) for seed in range(count)]


def test_the_rules_are_those_of_the_task():
    rules = runpy.run_path(str(ROOT / "tasks" / "dqn-atari" / "measure.py"))["PROTOCOL"]
    served = {**pong.RULES, "game": "pong", "stack_num": pong.STACK}
    served["max_num_frames_per_episode"] = 27_000 * pong.FRAMESKIP
    assert served == rules


def test_undone_it_is_the_game_of_the_emulator():
    """Every frame, reward and end, under the same actions; several games end on the way."""
    rng = np.random.default_rng(5)
    disguise = environments.draw("pong", rng)
    greys = np.argsort(disguise.greys, kind="stable")
    length, count = 40, 2
    env = disguise.vector(np.random.default_rng(6), count, length)
    seeds = np.random.default_rng(6).spawn(1)[0].integers(2**31 - 1, size=count)
    knobs = {**pong.RULES, "stack_num": 1, "max_num_frames_per_episode": 4 * length}
    plain = AtariVectorEnv("pong", count, batch_size=count, num_threads=1, **knobs)
    frames, shown = plain.reset(seed=seeds)[0], env.reset()[0]
    assert (shown == shown[:, -1:]).all()
    ends = 0
    for _ in range(130):
        assert np.array_equal(disguise.picture(frames[:, 0]), shown[:, -1])
        actions, before = rng.integers(6, size=count), shown
        frames, *wanted, _ = plain.step(disguise.order[actions])
        shown, *found, _ = env.step(actions)
        assert all(map(np.array_equal, wanted, found))
        fresh = (shown == shown[:, -1:]).all(axis=(1, 2, 3))
        assert np.array_equal(shown[~fresh, :-1], before[~fresh, 1:])
        ends += (found[1] | found[2]).sum()
    assert ends >= 3 * count
    assert len(np.unique(disguise.greys[greys])) > 100


def test_pictures_are_mirrored_and_recoloured_as_the_statement_says():
    ramp = np.arange(84 * 84, dtype=np.uint8).reshape(84, 84)
    flips = set()
    for disguise in instances(60):
        flips.add((disguise.flipped_rows, disguise.flipped_columns))
        shown = disguise.picture(ramp)
        rows = ramp[::-1] if disguise.flipped_rows else ramp
        assert np.array_equal(
            shown, disguise.greys[rows[:, ::-1] if disguise.flipped_columns else rows]
        )
        steps = np.diff(disguise.greys.astype(int))
        assert (steps >= 0).all() or (steps <= 0).all()
        assert 0.6 * 255 - 1 <= np.ptp(disguise.greys) <= 255
        assert sorted(disguise.order) == list(range(6))
    assert len(flips) == 4
    falling = [disguise.greys[0] > disguise.greys[-1] for disguise in instances(60)]
    assert 15 < sum(falling) < 45


def test_what_was_shown_stays_as_it_was():
    """A program that keeps observations keeps what it saw."""
    rng = np.random.default_rng(7)
    env = environments.draw("pong", rng).vector(rng, 1, 100)
    kept = [env.reset()[0]]
    copies = [kept[0].copy()]
    for _ in range(6):
        kept.append(env.step(np.zeros(1, dtype=np.int64))[0])
        copies.append(kept[-1].copy())
    assert all(map(np.array_equal, kept, copies))
