"""The time that is left, and who is done: told from costs, not from the number of trials."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from harness import progress as display
from harness.ledger import Ledger
from harness.marking import plan
from harness.marking.costs import Costs
from harness.marking.jobs import Job, PlannedTrial
from harness.marking.round import Round
from harness.marking.subjects import Subject
from harness.marking.views import View
from harness.progress import ProgressLine
from harness.records import Observation, Program, Trial
from harness.seeds import PUBLIC_KEY
from harness.spec.catalogue import load_all

COURSE = Path(__file__).parent / "course"
TASKS = {task.id: task for task in load_all(COURSE / "tasks", COURSE / "reference")}
SQUARE, NOISE = TASKS["square"], TASKS["noise"]
#: Seconds of one trial each, and of the start of a sandbox.
KNOWN = {"square/values": (9, 0.5), "noise/draws": (9, 100.0), "start of a sandbox": (9, 0.0)}


@dataclass
class Clock:
    """A clock that tests move."""

    now: float = 1000.0

    def monotonic(self) -> float:
        return self.now


@dataclass
class Display:
    """A display that prints every line, and the clock that it looks at."""

    clock: Clock
    stream: io.StringIO = field(default_factory=io.StringIO)

    def line(self, **fields) -> ProgressLine:
        return ProgressLine(self.stream, costs=Costs(dict(KNOWN)), **fields)

    @property
    def lines(self) -> list[str]:
        return self.stream.getvalue().splitlines()


@pytest.fixture
def shown(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(display, "time", clock)
    return Display(clock)


def planned(name: str, task, measurement: str, number: int = 0) -> PlannedTrial:
    # two students who handed in the same file share the digests of their trials
    trial = Trial(task.id, measurement, name, "submission", 1, number, "", f"{task.id} {number}")
    return PlannedTrial(trial, task, {})


def job(name: str, *trials: PlannedTrial) -> Job:
    return Job(name, PUBLIC_KEY, trials)


def ended(trial: PlannedTrial, wall_s: float = 0.5) -> Observation:
    return Observation(trial.trial, "ok", circumstances={"wall_s": wall_s})


def left_s(line: str) -> float:
    number, unit = re.search(r"about (\d+) (s|min)", line).groups()
    return float(number) * (60 if unit == "min" else 1)


def test_one_slow_trial_at_the_begin_does_not_stretch_the_rest(shown):
    """By the number of trials this would be 382 times 100 s: more than ten hours."""
    slow = planned("ada", NOISE, "draws")
    quick = [planned("ada", SQUARE, "values", number) for number in range(382)]
    batch = [job("ada", slow, *quick)]
    line = shown.line()
    line(batch, None)
    assert left_s(shown.lines[0]) == pytest.approx(100 + 191, abs=60)
    shown.clock.now += 100
    line(batch, ended(slow, 100.0))
    assert left_s(shown.lines[1]) == pytest.approx(191, abs=60)


def test_what_this_run_measures_corrects_what_former_ones_said(shown):
    trials = [planned("ada", SQUARE, "values", number) for number in range(200)]
    batch = [job("ada", *trials)]
    line = shown.line()
    line(batch, None)
    for trial in trials[:100]:
        shown.clock.now += 6
        line(batch, ended(trial, 5.0))
    assert left_s(shown.lines[0]) == pytest.approx(100, abs=60)
    assert left_s(shown.lines[-1]) == pytest.approx(500, rel=0.2)


def test_a_batch_takes_as_long_as_its_longest_job(shown):
    long = [planned("ada", NOISE, "draws", number) for number in range(6)]
    others = [job(f"s{n}", planned(f"s{n}", SQUARE, "values")) for n in range(20)]
    line = shown.line(jobs=8)
    line([job("ada", *long), *others], None)
    assert left_s(shown.lines[0]) == pytest.approx(600, abs=60)


def test_progress_is_told_by_submission_and_by_class(shown):
    ada, bob = ([planned(name, SQUARE, "values", n) for n in range(2)] for name in ("ada", "bob"))
    reference = Job("reference 0", PUBLIC_KEY, (_trusted(),))
    batch = [reference, job("ada", *ada), job("bob", *bob)]
    line = shown.line()
    line(batch, None)
    for trial in (_trusted(), ada[0], bob[0], ada[1], bob[1]):
        shown.clock.now += 10
        line(batch, ended(trial))
    said = [text.partition("; ")[2] for text in shown.lines[1:]]
    assert said == [
        "submissions 0/2; reference of square",
        "submissions 0/2; ada: square (1/2)",
        "submissions 0/2; bob: square (1/2)",
        "submissions 1/2; ada: square (2/2)",
        "submissions 2/2; bob: square (2/2)",
    ]
    assert [text.split()[0] for text in shown.lines[1:]] == [f"[{n}/5]" for n in range(1, 6)]


def _trusted() -> PlannedTrial:
    trial = Trial("square", "values", "square", "reference", 1, 0, "", "of the reference")
    return PlannedTrial(trial, SQUARE, {})


def test_not_every_trial_is_a_line(shown):
    trials = [planned("ada", SQUARE, "values", number) for number in range(100)]
    batch = [job("ada", *trials)]
    line = shown.line()
    line(batch, None)
    for trial in trials:
        shown.clock.now += 0.2
        line(batch, ended(trial))
    assert len(shown.lines) == pytest.approx(20 / 5, abs=2)
    assert shown.lines[-1].startswith("[100/100] about 0 s left")


def test_later_batches_are_part_of_the_time_left(shown, tmp_path):
    """Checks that come after others are not planned yet, and count all the same."""
    program = Program("ada", "submission", {"square.py": b"#"})
    with Ledger(tmp_path / "ledger.sqlite", "run") as ledger:
        current = Round.first([SQUARE], [Subject(program, "ada")], View(PUBLIC_KEY, ledger))
        costs = {"square/slopes": (9, 300.0), "square/sums": (9, 300.0)}
        line = ProgressLine(shown.stream, costs=Costs({**KNOWN, **costs}))
        expected = line.expect(current)
        line(plan.next_batch(current), None)
    assert expected.work_s == pytest.approx(601, abs=1)
    assert left_s(shown.lines[0]) == pytest.approx(601, abs=60)
    assert shown.lines[0].endswith("; 0 of 1 submissions are marked")


def test_of_nothing_to_run_nothing_is_said(shown):
    shown.line()([], None)
    assert shown.lines == []


def test_a_terminal_that_is_gone_ends_nothing(shown):
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError(5, "Input/output error")

    line = ProgressLine(Gone(), costs=Costs())
    trial = planned("ada", SQUARE, "values")
    line([job("ada", trial)], None)
    line([job("ada", trial)], ended(trial))


def test_what_cannot_be_printed_is_replaced(shown):
    trial = planned("ada\x1b[2J", SQUARE, "values")
    line = shown.line()
    line([job("ada", trial)], None)
    line([job("ada", trial)], ended(trial))
    assert all(text.isprintable() for text in shown.lines)
