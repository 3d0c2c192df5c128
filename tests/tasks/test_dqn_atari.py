"""dqn-atari: one protocol everywhere, and a target that is what its files say."""

import json
import runpy
from hashlib import sha256
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from gymnasium.spaces import Box
from safetensors.torch import load_file

from harness.collect.bare import BareProgram
from harness.collect.proxy import ProgramProxy
from harness.errors import ProgramError
from harness.kinds import returns
from harness.kinds.outcome import Evidence
from harness.records import canonical
from harness.spec.instances import Instances
from harness.stored_runs import measured_by
from tests.support.programs import ROOT, load, load_module

REFERENCE = ROOT / "reference" / "dqn-atari"
TASK = ROOT / "tasks" / "dqn-atari"
TARGET = json.loads((REFERENCE / "targets" / "pong.json").read_text(encoding="utf-8"))
LEARNT = json.loads((REFERENCE / "targets" / "learn.json").read_text(encoding="utf-8"))
LEARNS = load("dqn-atari").spec.check("learns")
SOLUTION = REFERENCE / "solution.py"
SAMPLE = ROOT / "submissions" / "complete" / "dqn_atari.py"
HONEST = [SOLUTION, SAMPLE, *sorted((REFERENCE / "variants").glob("*.py"))]


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
    """Records end with a paid step, hold later games and lives that are lost before the end.

    Not so the last five: those in which one argument alone is another record's, or none, and the
    one of the largest points.
    """
    seen = []

    class Student:
        domain = Instances(load("dqn-atari").spec.domain)

        def episode_score(self, rewards, lives, game_over):
            seen.append((rewards, lives, game_over))
            return 0.0

    measure["scores"](Student(), np.random.default_rng(0))
    first = [int(np.flatnonzero(over)[0]) for _, _, over in seen]
    paid = [rewards[end] == 7.0 for (rewards, _, _), end in zip(seen, first, strict=True)]
    assert len(paid) == 27
    assert all(paid[:22])
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

    class Even(Player):
        def act(self, frames):
            return frames[:, -1].astype(np.int64).sum((1, 2)) % 6

    class Student:
        def new(self, name, argument):
            return {"Player": Player, "Learner": Even}[name]()

        def file(self, name):
            return name

        def generator(self):
            return 1

    found = answers(Student(), np.random.default_rng(1))["holds"]
    assert found.all() == (odd == "nothing")


# --- learning --------------------------------------------------------------------------------


class Lights:
    """Games of a few steps in which the action that the brightest sixth names pays 1.

    Every second game is cut off. An action in the step after an end pays nothing.
    """

    def __init__(self, rng, count, length):
        self.rng, self.num_envs, self.length = rng, count, length
        self.single_observation_space = Box(0, 255, (4, 84, 84), np.uint8)
        self.steps = self.resets = 0

    def _show(self):
        self.wanted = self.rng.integers(6, size=self.num_envs)
        frames = np.zeros((self.num_envs, 4, 84, 84), np.uint8)
        for row, wanted in enumerate(self.wanted):
            frames[row, :, :, 14 * wanted : 14 * wanted + 14] = 200
        return frames

    def reset(self, *, seed=None):
        self.resets += 1
        self.ages = np.zeros(self.num_envs, dtype=int)
        self.games = np.arange(self.num_envs)
        self.ended = np.zeros(self.num_envs, dtype=bool)
        return self._show(), {}

    def step(self, actions):
        self.steps += 1
        fresh = self.ended
        paid = np.where(fresh, 0.0, np.asarray(actions) == self.wanted)
        self.ages = np.where(fresh, 0, self.ages + 1)
        self.games = self.games + fresh
        self.ended = ~fresh & (self.ages >= self.length)
        over, cut = self.ended & (self.games % 2 == 0), self.ended & (self.games % 2 == 1)
        return self._show(), paid.astype(np.float64), over, cut, {}


@pytest.mark.parametrize(
    "path",
    [SOLUTION, SAMPLE, *(pytest.param(path, marks=pytest.mark.slow) for path in HONEST[2:])],
    ids=lambda path: path.stem,
)
def test_a_learner_learns_within_its_budget(path):
    """A tenth of the frames and none of the emulator: six lights, six actions, games of a step."""
    generator = torch.Generator().manual_seed(1)
    learner = load_module(path).Learner(generator)
    env = Lights(np.random.default_rng(2), 16, 1)
    assert learner.learn(env, 1300, generator) == env.steps == 480 + 25 * 32
    lights = Lights(np.random.default_rng(3), 60, 5)
    frames, _ = lights.reset()
    actions = learner.act(torch.from_numpy(frames))
    assert (actions.numpy() == lights.wanted).mean() > 0.7  # by chance a sixth
    assert actions.dtype == torch.int64


@pytest.mark.parametrize("path", HONEST, ids=lambda path: path.stem)
@pytest.mark.parametrize("steps", [1, 37, 480, 511])
def test_a_small_budget_is_kept(path, steps):
    generator = torch.Generator().manual_seed(1)
    learner = load_module(path).Learner(generator)
    env = Lights(np.random.default_rng(2), 2, 5)
    assert learner.learn(env, steps, generator) == env.steps <= steps
    assert learner.act(torch.from_numpy(env.reset()[0])).shape == (2,)


def measured(monkeypatch, measure, source, steps=3, draws=5):
    """The measurement `learn` with a learner that is made up, on games that are."""
    games = []

    class Hidden:
        observation_shape, actions = (4, 84, 84), 6

        def vector(self, rng, count, length):
            assert length == 27_000
            games.append(Lights(rng, count, 4))
            return games[-1]

    task = load("dqn-atari")
    code = task.reference.solution.files[task.spec.file].decode()
    made = code[: code.index("class SmallNet")] + source + code[code.index("def pooled") :]
    files = {**task.reference.solution.files, task.spec.file: made.encode()}
    program = SimpleNamespace(files=files)
    monkeypatch.setitem(measure["learn"].__globals__, "STEPS", steps)
    monkeypatch.setattr(ProgramProxy, "environment", lambda self, name, rng: Hidden())
    with BareProgram(task, program) as running:
        rng = np.random.default_rng(4)
        student = ProgramProxy(running.channel, task.contract, rng, material=task.material)
        return measure["learn"](student, rng, draws), games


IDLE = """
class Learner:
    def __init__(self, generator):
        pass

    def learn(self, env, steps, generator):
        env.reset()
        for _ in range(steps + {more}):
            env.step(torch.zeros(env.num_envs, dtype=torch.int64).numpy())
        return 7

    def act(self, observations):
        return torch.full((len(observations),), {action})


"""


def test_the_grader_counts_and_plays(monkeypatch, measure):
    metrics, (training, playing) = measured(monkeypatch, measure, IDLE.format(more=0, action=2))
    assert (training.num_envs, training.steps) == (16, 3)
    assert (playing.num_envs, playing.resets, playing.steps) == (5, 1, 4)
    assert metrics["return"].shape == metrics["return__trajectory"].shape == (5,)


@pytest.mark.parametrize(
    ("more", "action", "wanted"),
    [(0, 6, "outside 0..5"), (0, -1, "outside 0..5")],
)
def test_what_breaks_the_rules_is_refused(monkeypatch, measure, more, action, wanted):
    with pytest.raises(ProgramError, match=wanted):
        measured(monkeypatch, measure, IDLE.format(more=more, action=action))


def test_a_learner_that_goes_beyond_its_budget_plays_with_what_it_has(monkeypatch, measure):
    metrics, (training, _) = measured(monkeypatch, measure, IDLE.format(more=9, action=2))
    assert training.steps == 3
    assert metrics["return"].shape == (5,)


# --- the stored trainings --------------------------------------------------------------------


def test_the_stored_trainings_are_of_todays_files():
    task = load("dqn-atari")
    protocol = sha256(canonical(measured_by(task, ["learn"])).encode()).hexdigest()
    programs = {
        program.name: program for program in (task.reference.solution, *task.reference.variants)
    }
    learners = set(programs)
    programs |= {item.program.name: item.program for item in task.reference.mutants}
    for name, runs in LEARNT["programs"].items():
        digest = sha256(programs[name].files[task.spec.file]).hexdigest()
        for run in runs:
            assert (run["source_sha256"], run["protocol"]) == (digest, protocol)
            assert run["mean"] == pytest.approx(np.mean(run["returns"]), abs=1e-4)
            assert len(run["returns"]) == LEARNS.episodes
            assert name not in learners or run["distinct_trajectories"] >= LEARNS.min_distinct
    assert LEARNT["runs"] == LEARNT["programs"]["dqn-atari"]


def test_honest_trainings_lie_far_beyond_full_credit():
    """Few of them: the target says provisional until there are ten."""
    means = [run["mean"] for run in LEARNT["runs"]]
    assert len(means) >= 3
    summary = LEARNT["summary"]
    assert summary["mean"] == pytest.approx(np.mean(means), abs=1e-4)
    assert summary["lowest"] == min(means)
    assert summary["provisional"] is True
    assert min(means) - LEARNS.high > 3


def outcome(mean_returns):
    found = {"return": np.asarray(mean_returns, dtype=float)}
    found["return__trajectory"] = np.arange(len(mean_returns), dtype=np.uint64)
    return returns.decide(LEARNS, [Evidence(own=returns.reduce(LEARNS, found), target=LEARNT)])


def test_random_play_gets_nothing():
    """The law of the mean of 30 games, from the 120 games of random play that are stored."""
    played = np.array(TARGET["anchors"]["random"]["returns"])
    one = np.bincount(played + 21) / len(played)
    law = one
    for _ in range(LEARNS.episodes - 1):
        law = np.convolve(law, one)
    means = np.arange(len(law)) / LEARNS.episodes - 21
    assert law[means > LEARNS.low].sum() < 2e-5
    assert law[means >= LEARNS.high].sum() < 1e-10
    assert outcome(played[:30]).credit == 0


def test_every_mistake_of_the_check_keeps_less_than_half():
    """One training of each, as a grading has one."""
    mistakes = [
        item for item in load("dqn-atari").reference.mutants if item.mistake.check == "learns"
    ]
    assert mistakes
    for item in mistakes:
        runs = LEARNT["programs"][item.program.name]
        assert runs
        for run in runs:
            assert outcome(run["returns"]).credit <= LEARNS.mutant_max_credit


def test_honest_variants_have_full_credit():
    for variant in load("dqn-atari").reference.variants:
        runs = LEARNT["programs"][variant.name]
        assert runs
        assert all(outcome(run["returns"]).credit == 1 for run in runs)


def test_the_statement_says_what_was_reached():
    statement = (TASK / "README.md").read_text(encoding="utf-8")
    means = sorted(run["mean"] for run in LEARNT["runs"])
    assert f"{len(means)} trainings" in statement
    assert f"{means[0]:.1f} to {means[-1]:.1f}".replace("-", "−") in statement
    assert f"from {LEARNS.low:g} to {LEARNS.high:g}".replace("-", "−") in statement
