"""Pictures of a task: when they are asked for, what they hold, and what is said without them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from harness.arrays import decode_array
from harness.causes import Cause
from harness.ledger import Ledger
from harness.marking import plan, shown
from harness.marking.jobs import groups
from harness.marking.round import Round
from harness.marking.subjects import Subject
from harness.marking.trials import example_digest
from harness.marking.views import View
from harness.records import EXAMPLE, SHOW, Observation, Program, canonical
from harness.seeds import PUBLIC_KEY, Key
from harness.spec.catalogue import load_all
from harness.spec.load import load_task

COURSE = Path(__file__).parents[1] / "course"
ROOT = COURSE.parents[1]
(SQUARE,) = load_all(COURSE / "tasks", COURSE / "reference", ["square"])
DRAWS = replace(SQUARE, show=b"def show(student, rng):\n    return []\n")
METRICS = {"values": "value", "slopes": "slope", "sums": "sum"}
ADA = Subject(Program("ada", "submission", {SQUARE.spec.file: b"ada"}), "ada")


@pytest.fixture
def view(tmp_path):
    with Ledger(tmp_path / "ledger.sqlite", "run") as ledger:
        yield View(Key("feedback", bytes(32)), ledger, isolation="L0")


def picture(level, rows=("row",)):
    text = canonical({"title": "t", "alt": "One pixel.", "rows": list(rows), "columns": []})
    images = np.full((len(rows), 1, 1, 1), level, np.uint8)
    return {"caption": np.frombuffer(text.encode(), np.uint8), "images": images}


def observed(trial, *, wrong, fault, rows):
    made = {"isolation": "L2"}
    if trial.measurement == SHOW:
        if fault and trial.role == "submission":
            return Observation(trial, fault[0], cause=fault[1], message=fault[2])
        drawn = picture(7, rows) if trial.role == "reference" else picture(200)
        return Observation(trial, "ok", {"1": drawn}, circumstances=made)
    value = 2.5 if wrong and trial.role != "reference" else 2.0
    statistics = {"value": np.array([1.0, value]), "scale": np.ones(2)}
    return Observation(trial, "ok", {METRICS[trial.measurement]: statistics}, circumstances=made)


def played(view, task=DRAWS, *, wrong=False, fault=None, rows=("row",)):
    """The last round, and every trial that was asked for; ``rows``: of the reference's picture."""
    current, asked = Round.first([task], [ADA], view), []
    while batch := plan.next_batch(current):
        for job in batch:
            for planned in job.trials:
                asked.append((planned.trial, job.key))
                view.ledger.put(observed(planned.trial, wrong=wrong, fault=fault, rows=rows))
        current = current.next()
    return current.state(ADA, task), asked


def test_they_are_asked_for_last_under_the_public_key_and_once(view):
    state, asked = played(view)
    shows = [(trial, key) for trial, key in asked if trial.measurement == SHOW]
    assert [(trial.role, trial.step, key) for trial, key in shows] == [
        ("submission", EXAMPLE, PUBLIC_KEY)
    ]
    assert asked[-1] == shows[0]
    (found,) = state.grade.pictures
    assert found["file"] == "picture-square.1.svg"
    assert (found["title"], found["alt"]) == ("t", "One pixel.")
    assert decode_array(found["images"]).tolist() == [[[[200]]]]
    assert "beside" not in found
    assert state.complete and not state.grade.no_pictures
    assert played(view)[1] == []


def test_beside_a_failed_program_stand_those_of_the_reference(view):
    state, asked = played(view, wrong=True)
    roles = {trial.role for trial, _ in asked if trial.measurement == SHOW}
    assert roles == {"submission", "reference"}
    (found,) = state.grade.pictures
    assert decode_array(found["images"]).tolist() == [[[[200]]]]
    assert decode_array(found["beside"]["images"]).tolist() == [[[[7]]]]
    assert "reference's stands beside" in found["alt"]


def test_of_another_form_the_reference_is_not_drawn(view):
    state, _ = played(view, wrong=True, rows=("a", "b"))
    (found,) = state.grade.pictures
    assert decode_array(found["images"]).tolist() == [[[[200]]]]
    assert "beside" not in found
    assert "reference" not in found["alt"]


def test_marks_do_not_depend_on_them(view):
    state, _ = played(view)
    broken, _ = played(View(view.key, Ledger(Path(":memory:"), "other"), "L0"), fault=RAISED)
    assert broken.grade.points == state.grade.points
    assert broken.grade.verdicts == state.grade.verdicts


RAISED = ("error", Cause.EXCEPTION, "square raised ValueError: no")


def test_what_a_program_raises_is_told_in_their_place(view):
    state, _ = played(view, fault=RAISED)
    assert state.grade.no_pictures == "square raised ValueError: no"
    assert state.grade.pictures == ()


def test_a_fault_of_ours_is_told_without_its_words(view):
    state, _ = played(view, fault=("infrastructure", Cause.HARNESS_ERROR, "KeyError in show.py"))
    assert state.grade.no_pictures == shown.NOT_DRAWN


def test_a_program_that_never_runs_is_not_asked_for_any(view):
    nobody = Subject(Program("eve", "submission", {}), "eve")
    state = Round.first([DRAWS], [nobody], view).state(nobody, DRAWS)
    assert not state.examples and not state.grade.no_pictures


def test_at_home_they_are_run_with_the_trials(view):
    """There a second sandbox would take longer than everything else."""
    alone = replace(DRAWS, reference=None)
    current = Round.first([alone], [ADA], View(PUBLIC_KEY, view.ledger, "L0"))
    (job,) = plan.next_batch(current)
    asked = [planned.trial.measurement for planned in job.trials]
    assert asked.count(SHOW) == 1 and set(METRICS) & set(asked)


def test_a_task_without_show_has_none(view):
    state, asked = played(view, SQUARE)
    assert all(trial.measurement != SHOW for trial, _ in asked)
    assert state.grade.pictures == ()


def test_of_a_task_that_trains_they_go_with_the_checks_that_train(view):
    (task,) = load_all(ROOT / "tasks", ROOT / "reference", ["ae-denoising"])
    trains = [check.id for check in task.spec.checks if check.measurement == "learn"]
    for left_out, wanted in ((frozenset(trains), 0), (frozenset(), 1)):
        chosen = replace(task, left_out=left_out)
        current = Round.first([chosen], [subject_of(chosen)], view)
        grade = current.state(subject_of(chosen), chosen).grade
        passed = replace(
            grade,
            verdicts=tuple(
                replace(each, status="PASS", cause="", points=1.0) for each in grade.verdicts
            ),
        )
        _, missing = shown.with_pictures(chosen, subject_of(chosen), view, passed)
        assert [planned.trial.measurement for planned in missing] == [SHOW] * wanted


def subject_of(task):
    return Subject(Program("ada", "submission", {task.spec.file: b"ada"}), "ada")


def test_they_have_a_worker_of_their_own(view):
    _, asked = played(view, wrong=True)
    current = Round.first([DRAWS], [ADA], View(Key("final", bytes(32)), view.ledger, "L3"))
    trials = [*current.state(ADA, DRAWS).trials]
    examples = [view.observe(DRAWS, SQUARE.starter_program(), name, EXAMPLE) for name in METRICS]
    drawing = view.observe(DRAWS, SQUARE.starter_program(), SHOW, EXAMPLE)
    together = groups([*examples, drawing])
    assert [len(group) for group in together] == [len(METRICS), 1]
    assert asked and trials


def test_only_pictures_depend_on_show_py(view):
    """Neither a mark, nor an example, nor a stored run is made anew where it changes."""
    other = replace(DRAWS, show=b"def show(student, rng):\n    return [1]\n")
    for name in SQUARE.spec.measurements:
        digests = [
            view.observe(task, ADA.program, name, EXAMPLE).trial.digest
            for task in (SQUARE, DRAWS, other)
        ]
        assert len(set(digests)) == 1
        assert example_digest(SQUARE, name) == example_digest(other, name)
    assert SQUARE.protocol == other.protocol
    drawn = {view.observe(task, ADA.program, SHOW, EXAMPLE).trial.digest for task in (DRAWS, other)}
    assert len(drawn) == 2


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("def draw(student, rng):\n    pass\n", "defines no function show"),
        ("def show(student):\n    pass\n", "other parameters"),
        ("def show(:\n", "invalid syntax"),
    ],
)
def test_a_show_py_that_cannot_be_run_is_refused_when_loaded(tmp_path, source, message):
    folder = tmp_path / "square"
    folder.mkdir()
    for path in (COURSE / "tasks" / "square").iterdir():
        if path.is_file():
            (folder / path.name).write_bytes(path.read_bytes())
    (folder / "show.py").write_text(source)
    with pytest.raises(Exception, match=message):
        load_task(folder, None)
    (folder / "show.py").write_text("def show(student, rng):\n    return []\n")
    assert b"return" in load_task(folder, None).show
