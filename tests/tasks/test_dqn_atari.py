"""dqn-atari: one protocol everywhere, and a target that is what its files say."""

import json
import runpy
from hashlib import sha256

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from harness.spec.instances import Instances
from tests.support.programs import ROOT, load

REFERENCE = ROOT / "reference" / "dqn-atari"
TASK = ROOT / "tasks" / "dqn-atari"
TARGET = json.loads((REFERENCE / "targets" / "pong.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def measure():
    return runpy.run_path(str(TASK / "measure.py"))


def test_grading_training_and_target_play_the_same_game(measure):
    played = {**measure["PROTOCOL"], "autoreset_mode": "NextStep"}
    assert played == TARGET["protocol"]
    for run in TARGET["runs"]:
        assert run["provenance"]["protocol"] == played
    assert played["repeat_action_probability"] == 0.25
    assert played["noop_max"] == 30
    assert played["max_num_frames_per_episode"] == 108_000
    assert not played["reward_clipping"]
    assert not played["episodic_life"]


def test_the_target_belongs_to_the_files_beside_it():
    (run,) = TARGET["runs"]
    digests = {
        "source_sha256": REFERENCE / "train.py",
        "checkpoint_sha256": REFERENCE / "solution.safetensors",
    }
    for name, path in digests.items():
        assert run[name] == sha256(path.read_bytes()).hexdigest()
    assert run["distinct_trajectories"] == run["games"] == len(run["returns"]) == 120
    assert run["mean"] == pytest.approx(np.mean(run["returns"]), abs=1e-4)
    assert TARGET["summary"]["provisional"] is True  # one training run says nothing of the next


def test_random_play_under_sticky_actions():
    """-20.27, not the -20.7 that tables without sticky actions give."""
    random = TARGET["anchors"]["random"]
    assert random["mean"] == pytest.approx(-20.27, abs=0.01)
    standard_error = random["sd"] / np.sqrt(random["games"])
    assert abs(random["mean"] - -20.7) > 4 * standard_error


def test_the_checkpoint_holds_finite_weights_below_the_cap():
    path = REFERENCE / "solution.safetensors"
    assert path.stat().st_size < 8 << 20
    assert all(torch.isfinite(weight).all() for weight in load_file(path).values())


def test_drawn_records_of_games_tell_every_slip_apart(measure):
    """Records end with a paid step, hold later games and lives that are lost before the end."""
    seen = []

    class Student:
        domain = Instances(load("dqn-atari").spec.domain)

        def episode_score(self, rewards, lives, game_over):
            seen.append((rewards, lives, game_over))
            return 0.0

    measure["scores"](Student(), np.random.default_rng(0))
    first = [int(np.flatnonzero(over)[0]) for _, _, over in seen]
    assert all(r[i] == 7.0 for (r, _, _), i in zip(seen, first, strict=True))
    assert any(over.sum() > 1 for _, _, over in seen)
    assert any((lives[:i] < lives[0]).any() for (_, lives, _), i in zip(seen, first, strict=True))


def test_one_short_game_is_played_by_the_grader(measure):
    """The grader owns the games: a player that never moves loses, whatever it says of itself."""
    pytest.importorskip("ale_py", reason="the extra fairmark[atari] is not installed")

    class Idle:
        def act(self, frames):
            assert frames.dtype == np.uint8
            assert frames.shape[1:] == (4, 84, 84)
            return np.zeros(len(frames), dtype=np.int64)

    class Student:
        def new(self, name, checkpoint):
            assert (name, checkpoint) == ("Player", "dqn_atari.safetensors")
            return Idle()

        def file(self, name):
            return name

    metrics = measure["play"](Student(), np.random.default_rng(1), 2)
    assert metrics["return"].tolist() == [-21.0, -21.0]
    assert metrics["return__trajectory"].dtype == np.uint64


ODD = {
    "nothing": lambda frames, call: np.zeros(len(frames), dtype=bool),
    **{
        f"call {n}": lambda frames, call, n=n: np.full(len(frames), call % n == 0)
        for n in (15, 20, 30, 240)
    },
    **{f"row {n}": lambda frames, call, n=n: np.arange(len(frames)) == n for n in (0, 7, 29)},
    **{
        f"size {n}": lambda frames, call, n=n: np.full(len(frames), len(frames) == n)
        for n in (1, 5, 29)
    },
}


@pytest.fixture(scope="module")
def states(measure):
    """States of random play, made once."""
    pytest.importorskip("ale_py", reason="the extra fairmark[atari] is not installed")
    return measure["_states"](np.random.default_rng(1))


@pytest.mark.parametrize("odd", ODD)
def test_an_action_that_depends_on_more_than_its_state_is_seen(measure, states, odd, monkeypatch):
    """A player that looks at its newest frame, and where something is odd acts the other way."""
    answers = measure["answers"]
    monkeypatch.setitem(answers.__globals__, "_states", lambda rng: states)

    class Player:
        calls = 0

        def act(self, frames):
            self.calls += 1
            actions = frames[:, -1].astype(np.int64).sum((1, 2)) % 6
            return np.where(ODD[odd](frames, self.calls), 5 - actions, actions)

    class Student:
        def new(self, name, checkpoint):
            return Player()

        def file(self, name):
            return name

    found = answers(Student(), np.random.default_rng(1))["holds"]
    assert found.all() == (odd == "nothing")
