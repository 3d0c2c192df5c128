"""Luck cannot be bought: resubmitting, choosing seeds, knowing the key afterwards.

What stays open: a program that takes entropy from the operating system draws anew at every
submission of the feedback phase. Its final grade is one draw, and running it again shows that it
does not repeat itself.
"""

import csv
from pathlib import Path

import pytest

from harness import kinds
from harness.cli import main
from harness.collect.bare import BareProgram
from harness.errors import ProgramError
from harness.kinds import Evidence
from harness.records import COMMON, OWN, Program, Step
from harness.seeds import Key
from harness.spec.load import load_task

TESTS = Path(__file__).parent
NOISE = load_task(TESTS / "course/tasks/noise", TESTS / "course/reference/noise")
TRAINING = TESTS / "training/course"
CENTRE = load_task(TRAINING / "tasks/centre", TRAINING / "reference/centre")
KEY = Key("feedback", bytes(range(32)))
CHECK = NOISE.spec.check("mean")

#: Right in 5 of 100 processes, by whatever randomness a program can ask for, wrong in the others.
LUCKY = """
import random
import numpy as np
import torch

LUCK = {{
    "torch": lambda g: float(torch.rand(())),
    "numpy": lambda g: np.random.random(),
    "python": lambda g: random.random(),
    "generator": lambda g: float(torch.rand((), generator=g)),
}}

def draw(mu, n, generator):
    wrong = 0.5 * (LUCK[{source!r}](generator) > 0.05)
    return mu + wrong + torch.randn(n, len(mu), generator=generator, dtype=mu.dtype)

def draw_numpy(mu, n, generator):
    return mu + torch.from_numpy(generator.normal(size=(n, len(mu))))
"""


def submission(text, spaces=0, name="ada"):
    return Program(name, "submission", {"noise.py": (text + "\n" * spaces).encode()})


def marked(program, key=KEY, name="ada"):
    """What the check says of a program, whatever stages it asks for."""
    evidence = []
    outcome = kinds.FIRST
    with BareProgram(NOISE, program) as running:
        while outcome.status == "MORE":
            (step,) = outcome.wants
            owner = name if step.stage == OWN.stage else ""
            own = running.statistics("draws", step, key, subject=owner)["mean"]
            evidence.append(Evidence(own, step=step))
            outcome = kinds.decide(CHECK, evidence)
    return outcome.status, tuple(item.own["mean"].tobytes() for item in evidence)


@pytest.mark.parametrize(
    ("source", "times"), [("generator", 200), ("torch", 30), ("numpy", 30), ("python", 30)]
)
def test_two_hundred_resubmissions_get_one_answer(source, times):
    """The same program with another blank line each time: other bytes, the same seeds."""
    text = LUCKY.format(source=source)
    assert len({submission(text, spaces).sha256 for spaces in range(times)}) == times
    assert len({marked(submission(text, spaces)) for spaces in range(times)}) == 1


def test_under_other_keys_it_is_right_as_seldom_as_it_is():
    """The program is what it says: right on one key in twenty, and then only for that key."""
    program = submission(LUCKY.format(source="generator"))
    passed = sum(
        marked(program, Key("feedback", bytes([index]) * 32))[0] == "PASS" for index in range(100)
    )
    assert passed < 5


def test_a_generator_that_is_reseeded_is_named():
    """Not FAIL, which would say that the draws are wrong: the habit, and what to do instead."""
    habit = (
        "import torch\n\ndef draw(mu, n, generator):\n    torch.manual_seed(0)\n"
        "    return mu + torch.randn(n, len(mu), dtype=mu.dtype)\n\n"
        "def draw_numpy(mu, n, generator):\n    return mu + torch.randn(n, len(mu))\n"
    )
    with pytest.raises(ProgramError) as caught, BareProgram(NOISE, submission(habit)) as running:
        running.statistics("draws", COMMON, KEY)
    assert caught.value.cause == "reseeded"
    assert all(word in caught.value.message for word in ("torch.manual_seed", "draw", "generator"))


def test_a_seed_set_where_the_file_is_imported_is_harmless():
    habit = (TESTS / "course/reference/noise/solution.py").read_text()
    program = submission("import torch\n\ntorch.manual_seed(0)\n" + habit)
    assert marked(program)[0] == "PASS"


def test_a_learner_that_always_uses_the_same_seed_still_gets_new_data():
    """It learns as well as others do, no better: the data of a seed are the grader's."""
    text = (
        "import torch\n\ndef learn(x, generator):\n    torch.manual_seed(7)\n"
        "    return float(x[torch.randperm(len(x))[:50]].mean())\n"
    )
    found = set()
    with BareProgram(CENTRE, Program("ada", "submission", {"centre.py": text.encode()})) as running:
        for replicate in range(20):
            found.add(float(running.metrics("learn", Step(1, replicate), KEY)["error"]))
    assert len(found) == 20


# commit and reveal


@pytest.fixture
def course(tmp_path):
    """Two submissions of the noise and centre courses, one honest and one that is not."""
    for name, noise in (("ada", "noise/solution.py"), ("bob", "")):
        folder = tmp_path / "submissions" / name
        folder.mkdir(parents=True)
        text = (TESTS / "course/reference" / noise).read_text() if noise else ""
        (folder / "noise.py").write_text(text or LUCKY.format(source="generator"))
    return tmp_path


def final(course, results, secret):
    key = course / f"{results}.key"
    key.write_text(secret + "\n")
    words = ["--phase", "final", "--key-file", str(key), "--task", "noise", "--jobs", "1"]
    words += ["--allow-insecure", "--results", str(course / results)]
    words += [
        "--tasks",
        str(TESTS / "course/tasks"),
        "--reference",
        str(TESTS / "course/reference"),
    ]
    assert main(["grade", str(course / "submissions"), *words]) in (0, 1)
    return (course / results / "grades.csv").read_bytes()


def test_who_has_the_key_afterwards_gets_the_final_grade_exactly(course):
    secret = "c4" * 32
    published = final(course, "teacher", secret)
    assert final(course, "student", secret) == published
    rows = list(csv.DictReader(published.decode().splitlines()))
    assert {row["submission"] for row in rows} == {"ada", "bob"}
    assert {row["status"] for row in rows if row["submission"] == "ada"} == {"PASS"}
    for name in ("grades.json", "leaderboard.csv"):
        teacher, student = ((course / who / name).read_text() for who in ("teacher", "student"))
        assert teacher.split('"circumstances"')[0] == student.split('"circumstances"')[0]
