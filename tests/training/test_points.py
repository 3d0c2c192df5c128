"""Points never fall when an observation gets better: through stages, looks, seeds and gates."""

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import kinds
from harness.kinds import Evidence
from harness.ledger import Ledger
from harness.marking import verdicts
from harness.marking.score import decide_task
from harness.marking.subjects import Subject
from harness.marking.trials import name_trial
from harness.marking.views import View
from harness.records import COMMON, OWN, Observation, Program, Step
from harness.seeds import Key
from harness.spec import checks as spec
from harness.spec.load import load_task

COURSE = Path(__file__).parent / "course"
PLAIN = load_task(COURSE / "tasks" / "centre", COURSE / "reference" / "centre")
KEY = Key("feedback", bytes(32))
SEEDS = 7


def gated():
    """Two checks on small seeds; the second counts only where the first passes."""
    learns = PLAIN.spec.check("learns").model_copy(
        update={
            "success_rate": 0.95, "min_detectable": 0.05, "max_seeds": SEEDS,
            "leaderboard": False, "leaderboard_seeds": None,
        }
    )  # fmt: skip
    further = learns.model_copy(update={"id": "further", "threshold": 0.1, "after": ("learns",)})
    return replace(PLAIN, spec=PLAIN.spec.model_copy(update={"checks": (learns, further)}))


TASK = gated()
#: What a seed can give, worst first; the error of both checks is one number.
LEVELS = ("error", float("nan"), 3.0, 1.0, 0.2, 0.05)


class Desk:
    """Points of programs whose seeds gave these values."""

    def __init__(self, path):
        self.view = View(KEY, Ledger(path / "ledger.sqlite", "run"), isolation="L0")
        self.made = itertools.count()

    def points(self, levels):
        name = f"s{next(self.made)}"
        program = Program(name, "submission", {TASK.spec.file: name.encode()})
        for index, level in enumerate(levels):
            trial = name_trial(TASK, program, "learn", Step(COMMON.stage, index), "", KEY)
            self.view.ledger.put(self.observation(trial, level))
        answers = decide_task(TASK, Subject(program, name), self.view)
        grade = verdicts.of_task(TASK, name, answers)
        assert not grade.provisional
        return grade.points, [verdict.status for verdict in grade.verdicts]

    def observation(self, trial, level):
        if level == "error":
            return Observation(trial, "error", cause="exception")
        value = np.float64(level)
        return Observation(trial, "ok", {"learns": {"value": value}, "further": {"value": value}})


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    made = Desk(tmp_path_factory.mktemp("points"))
    yield made
    made.view.ledger.close()


def test_every_status_of_training_occurs(desk):
    seen = set()
    for levels in itertools.product(("error", 1.0, 0.2, 0.05), repeat=2):
        pattern = [levels[0], *[levels[1]] * (SEEDS - 1)]
        seen.update(desk.points(pattern)[1])
    mixed = [0.05, 1.0, 0.05, 1.0, 0.05, 1.0, 0.05]
    seen.update(desk.points(mixed)[1])
    assert seen == {"PASS", "FAIL", "INCONCLUSIVE", "ERROR", "SKIPPED"}


SEED = st.integers(0, len(LEVELS) - 1)


@settings(max_examples=150)
@given(st.lists(SEED, min_size=SEEDS, max_size=SEEDS), st.integers(0, SEEDS - 1), st.integers(1, 5))
def test_a_better_seed_never_lowers_the_points_of_a_task(desk, levels, index, by):
    better = list(levels)
    better[index] = min(len(LEVELS) - 1, levels[index] + by)
    before, _ = desk.points([LEVELS[level] for level in levels])
    after, _ = desk.points([LEVELS[level] for level in better])
    assert after >= before


# looks


CHECK = spec.UnbiasedCheck(
    id="a", measurement="m", metric="x", points=1, kind="unbiased", dimensions=1,
    stage_alpha=1e-3, min_detectable=0.3, beta=0.01, looks=3,
)  # fmt: skip
EXACT = np.repeat([[-1.0], [1.0]], 100, axis=0)  # of mean 0 exactly: no look makes up for another
DRAWS = {"biased": EXACT + 0.4, "noisy": 4 * EXACT, "good": EXACT}
STORED = {
    name: kinds.reduce(CHECK, {"x": draws, "x__expected": np.zeros(1), "x__scale": np.ones(1)})
    for name, draws in DRAWS.items()
}


def status(looks):
    """The outcome for a program whose six looks, three a stage, are these."""
    evidence, outcome = [], kinds.FIRST
    while outcome.status == "MORE":
        (step,) = outcome.wants
        place = step.replicate + (3 if step.stage == OWN.stage else 0)
        evidence.append(Evidence(STORED[looks[place]], step=step))
        outcome = kinds.decide(CHECK, evidence)
    return outcome.status


def test_a_better_look_never_lowers_the_credit():
    """Every sequence of six looks of three sorts, each look in turn replaced by a good one."""
    found = {looks: status(looks) for looks in itertools.product(STORED, repeat=6)}
    assert set(found.values()) == {"PASS", "FAIL"}
    for looks, said in found.items():
        for index in range(6):
            improved = (*looks[:index], "good", *looks[index + 1 :])
            assert (said, found[improved]) != ("PASS", "FAIL"), (looks, index)
