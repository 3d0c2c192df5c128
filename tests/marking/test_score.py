"""Decisions and verdicts from stored observations; nothing runs here."""

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from harness.causes import Cause
from harness.collect.job import reduce
from harness.ledger import Ledger
from harness.marking import verdicts
from harness.marking.jobs import PlannedTrial
from harness.marking.score import Decision, Waiting, decide, decide_task
from harness.marking.subjects import Subject
from harness.marking.trials import name_trial
from harness.marking.views import View
from harness.packing import digest_array
from harness.records import COMMON, OWN, WITHHELD, Observation, Program, canonical
from harness.seeds import Key
from harness.spec.catalogue import load_all
from harness.spec.checks import PropertyCheck

COURSE = Path(__file__).parents[1] / "course"
KEY = Key("feedback", bytes(32))
SECRET = "the words of the program"
TASKS = {task.id: task for task in load_all(COURSE / "tasks", COURSE / "reference")}
SQUARE, NOISE, WALK = (TASKS[name] for name in ("square", "noise", "walk"))
METRICS = {"values": "value", "slopes": "slope", "sums": "sum"}


def subject(name="ada", content=b"", task=SQUARE, **problems):
    program = Program(name, "submission", {task.spec.file: b"# " + name.encode() + content})
    return Subject(program, name, problems=problems)


def numbers(check, *entries):
    array = np.array(entries)
    return {check: {"value": array, "scale": np.ones(array.shape)}}


def judge_task(task, who, view, points=None):
    """The verdicts at the present state of the ledger."""
    return verdicts.of_task(task, who.program.name, decide_task(task, who, view), points)


RIGHT, WRONG = (1.0, 2.0), (1.0, 2.5)


class Desk:
    """A phase on a real ledger, and a hand that writes observations into it."""

    def __init__(self, path, run="run", *, fresh=False):
        self.ledger = Ledger(path / "ledger.sqlite", run, fresh=fresh)
        self.view = View(KEY, self.ledger, isolation="L0")

    def put(self, task, program, measurement, values=None, *, stage=COMMON, **more):
        owner = program.name if stage == OWN else ""
        self.put_for(task, program, measurement, owner, values, stage=stage, **more)

    def put_for(self, task, program, measurement, owner, values=None, *, stage=COMMON, **more):
        trial = name_trial(task, program, measurement, stage, owner, KEY)
        outcome = more.pop("outcome", "ok")
        self.ledger.put(Observation(trial, outcome, values or {}, **more))

    def reference(self, entries=RIGHT, measurements=METRICS):
        for measurement in measurements:
            values = numbers(METRICS[measurement], *entries)
            self.put(SQUARE, SQUARE.reference.solution, measurement, values)

    def square(self, who, measurement, kind):
        """One of the outcomes that a trial of square can have."""
        match kind:
            case "right" | "wrong":
                entries = RIGHT if kind == "right" else WRONG
                self.put(SQUARE, who.program, measurement, numbers(METRICS[measurement], *entries))
            case "error":
                told = {"cause": "exception", "message": SECRET}
                self.put(SQUARE, who.program, measurement, outcome="error", **told)
            case "infrastructure":
                told = {"outcome": "infrastructure", "message": "no sandbox"}
                self.put(SQUARE, who.program, measurement, **told)


@pytest.fixture
def desk(tmp_path):
    made = Desk(tmp_path)
    yield made
    made.ledger.close()


def graded(desk, who, **outcomes):
    """Verdicts of square by check, the measurements named by their outcomes."""
    for measurement, kind in outcomes.items():
        desk.square(who, measurement, kind)
    grade = judge_task(SQUARE, who, desk.view)
    return {verdict.check: verdict for verdict in grade.verdicts}


def statuses(verdicts):
    return [verdict.status for verdict in verdicts.values()]


def test_everything_right(desk):
    desk.reference()
    found = graded(desk, subject(), values="right", slopes="right", sums="right")
    assert statuses(found) == ["PASS"] * 3
    assert [verdict.points for verdict in found.values()] == [2, 1, 0.5]
    assert {verdict.message for verdict in found.values()} == {""}
    assert {verdict.seeds_used for verdict in found.values()} == {1}


def test_what_the_grader_says_of_a_trial_follows_the_reason(desk):
    desk.reference()
    who, said = subject(), "a budget was used up"
    for measurement, entries in (("values", RIGHT), ("slopes", WRONG)):
        values = numbers(METRICS[measurement], *entries)
        desk.put(SQUARE, who.program, measurement, values, message=said)
    found = graded(desk, who, sums="right")
    assert statuses(found) == ["PASS", "FAIL", "PASS"]
    messages = [verdict.message for verdict in found.values()]
    assert (messages[0], messages[2]) == (said, "")
    plain = graded(desk, subject("bob"), values="right", slopes="wrong", sums="right")
    assert messages[1] == f"{plain['slope'].message}; {said}"


def test_grade_carries_names_and_worth(desk):
    desk.reference()
    who = subject()
    graded(desk, who, values="right", slopes="wrong", sums="right")
    grade = judge_task(SQUARE, who, desk.view)
    assert (grade.id, grade.tier, grade.max_points, grade.points) == ("square", "exact", 3.5, 2.5)
    assert not grade.provisional
    assert {(verdict.submission, verdict.task) for verdict in grade.verdicts} == {("ada", "square")}


@pytest.mark.parametrize(
    ("kind", "status", "cause", "points"),
    [
        ("wrong", "FAIL", "wrong", 0),
        ("error", "ERROR", "exception", 0),
        ("infrastructure", "UNGRADABLE", "harness-error", None),
        ("nothing", "UNGRADABLE", "not-run", None),
    ],
)
def test_outcome_of_one_trial_marks_its_check_alone(desk, kind, status, cause, points):
    desk.reference()
    found = graded(desk, subject(), values="right", slopes=kind, sums="right")
    slope = found["slope"]
    assert (slope.status, slope.cause, slope.points) == (status, cause, points)
    assert slope.message
    assert (found["value"].status, found["sum"].status) == ("PASS", "PASS")


@pytest.mark.parametrize(
    ("kind", "status", "points"),
    [
        ("wrong", "SKIPPED", 0),
        ("error", "SKIPPED", 0),
        ("infrastructure", "UNGRADABLE", None),
        ("nothing", "UNGRADABLE", None),
    ],
)
def test_gate_takes_what_builds_on_it_along(desk, kind, status, points):
    desk.reference()
    found = graded(desk, subject(), values=kind, slopes="right", sums="right")
    for name in ("slope", "sum"):
        assert (found[name].status, found[name].points) == (status, points)


def test_gate_that_waits_asks_for_nothing(desk):
    desk.reference()
    decided = decide_task(SQUARE, subject(), desk.view)
    (run,) = decided["value"].trials
    assert (run.trial.measurement, run.trial.program) == ("values", "ada")
    assert decided["slope"] == decided["sum"] == Waiting(())


def test_own_run_and_the_reference_are_waited_for_together(desk):
    found = decide(SQUARE, SQUARE.spec.check("value"), subject(), desk.view)
    assert isinstance(found, Waiting)
    assert [run.trial.role for run in found.trials] == ["submission", "reference"]
    assert all(isinstance(run, PlannedTrial) for run in found.trials)


def test_error_of_the_program_needs_no_reference(desk):
    found = graded(desk, subject(), values="error")
    assert found["value"].status == "ERROR"


def test_reference_that_fails_is_ours(desk):
    who = subject()
    told = {"outcome": "error", "cause": Cause.TIMEOUT}
    desk.put(SQUARE, SQUARE.reference.solution, "values", **told)
    found = graded(desk, who, values="right")["value"]
    assert (found.status, found.cause, found.points) == ("UNGRADABLE", "harness-error", None)
    assert "timeout" in found.message


def at_home(desk, who, *, task=SQUARE, **outcomes):
    """Verdicts of square without its reference, by check."""
    for measurement, kind in outcomes.items():
        desk.square(who, measurement, kind)
    grade = judge_task(replace(task, reference=None), who, desk.view)
    return {verdict.check: verdict for verdict in grade.verdicts}


def with_slope_by_itself():
    """Square with a slope that no reference is needed for, after a value that needs one."""
    value, slope, _ = SQUARE.spec.checks
    fields = {name: getattr(slope, name) for name in ("id", "measurement", "metric", "after")}
    made = PropertyCheck(kind="property", points=1, **fields)
    return replace(SQUARE, spec=SQUARE.spec.model_copy(update={"checks": (value, made)}))


def test_without_the_reference_the_course_marks_what_compares_with_it(desk):
    found = at_home(desk, subject(), values="wrong", slopes="right", sums="right")
    assert {verdict.cause for verdict in found.values()} == {"by-course"}
    assert all(verdict.by_course and verdict.points is None for verdict in found.values())
    assert found["value"].message == "marked by your course"


def test_without_the_reference_a_program_that_breaks_is_marked(desk):
    found = at_home(desk, subject(), values="error")
    assert statuses(found) == ["ERROR", "SKIPPED", "SKIPPED"]
    assert found["value"].points == 0


def test_without_the_reference_our_failures_stay_ours(desk):
    found = at_home(desk, subject(), values="infrastructure")
    assert {verdict.cause for verdict in found.values()} == {"harness-error", "prerequisite"}
    assert not any(verdict.by_course for verdict in found.values())


@pytest.mark.parametrize(
    ("kept", "status", "points"), [(True, "UNGRADABLE", None), (False, "FAIL", 0)]
)
def test_what_comes_after_a_check_of_the_course_can_fail_and_not_pass(desk, kept, status, points):
    """A constant passes many a check that comes after another: that is why it does."""
    task, who = with_slope_by_itself(), subject()
    desk.square(who, "values", "right")
    trial = name_trial(task, who.program, "slopes", COMMON, "", KEY)
    holds = np.array([kept])
    desk.ledger.put(Observation(trial, "ok", {"slope": {"holds": holds, "value": holds}}))
    found = at_home(desk, who, task=task)["slope"]
    assert (found.status, found.points, found.by_course) == (status, points, kept)
    assert ("counts with value" in found.message) == kept


def test_stored_values_that_cannot_be_judged_are_ours(desk):
    desk.reference((np.nan, 1.0))
    found = graded(desk, subject(), values="right")["value"]
    assert (found.status, found.cause) == ("UNGRADABLE", "harness-error")
    empty = subject("empty")
    desk.put(SQUARE, empty.program, "values", {"other": {"value": np.ones(2)}})
    assert decide(SQUARE, SQUARE.spec.checks[0], empty, desk.view).status == "UNGRADABLE"


def without_gates(task):
    checks = tuple(check.model_copy(update={"after": ()}) for check in task.spec.checks)
    return replace(task, spec=task.spec.model_copy(update={"checks": checks}))


@pytest.mark.parametrize(
    ("who", "cause", "words"),
    [
        (Subject(Program("ada", "submission", {}), "ada"), "missing-file", "square.py"),
        (subject(**{"square.py": ("too-large", "square.py is too large")}), "too-large", "large"),
        (subject(**{"": ("unsafe-archive", "a link in it")}), "unsafe-archive", "link"),
    ],
)
def test_file_that_cannot_be_tried_is_told_of_hidden_checks_too(desk, who, cause, words):
    free = without_gates(SQUARE)
    for verdict in judge_task(free, who, desk.view).verdicts:
        assert (verdict.status, verdict.cause, verdict.points) == ("ERROR", cause, 0)
        assert words in verdict.message
    assert statuses(graded(desk, who)) == ["ERROR", "SKIPPED", "SKIPPED"]


def test_problem_with_a_file_of_another_task_does_not_matter(desk):
    desk.reference()
    who = subject(**{"noise.py": ("not-text", "bytes")})
    found = graded(desk, who, values="right", slopes="right", sums="right")
    assert statuses(found) == ["PASS"] * 3


def test_words_of_the_program_about_a_marked_instance_are_for_the_grader(desk):
    desk.reference()
    found = graded(desk, subject(), values="right", slopes="error")["slope"]
    assert SECRET not in found.message
    assert found.evidence[WITHHELD] == SECRET


@pytest.mark.parametrize("kind", ["wrong", "error", "infrastructure", "nothing"])
def test_hidden_check_never_says_what_the_program_says(desk, kind):
    desk.reference()
    who = subject()
    found = graded(desk, who, values="right", sums=kind)["sum"]
    assert found.visibility == "hidden"
    assert found.status != "PASS"
    assert found.message == ""
    assert SECRET not in canonical(found.to_json())


def test_hidden_check_that_fails_or_stops_says_nothing(desk):
    desk.reference()
    one, other = subject("one"), subject("other")
    messages = {
        graded(desk, one, values="right", sums="wrong")["sum"].message,
        graded(desk, other, values="right", sums="error")["sum"].message,
    }
    assert messages == {""}


def twice(tmp_path, references, task=SQUARE):
    """A program that differs in two runs, beside a reference as given for each run."""
    who = subject()
    for run, (own, reference) in enumerate(zip((RIGHT, WRONG), references, strict=True)):
        desk = Desk(tmp_path, f"run {run}", fresh=True)
        desk.put(task, who.program, "values", numbers("value", *own))
        if reference is not None:
            desk.reference(reference, ("values",))
        if run == 0:
            desk.ledger.close()
    found = decide(task, task.spec.check("value"), who, desk.view)
    desk.ledger.close()
    return found


def test_difference_waits_until_the_reference_has_run_again(tmp_path):
    found = twice(tmp_path, (RIGHT, None))
    assert isinstance(found, Waiting)
    assert [run.trial.role for run in found.trials] == ["reference"]


def test_difference_beside_a_stable_reference_is_the_programs(tmp_path):
    found = twice(tmp_path, (RIGHT, RIGHT))
    assert (found.status, found.cause) == ("ERROR", "not-reproducible")


def test_difference_beside_an_unstable_reference_is_ours(tmp_path):
    found = twice(tmp_path, (RIGHT, WRONG))
    assert (found.status, found.cause) == ("UNGRADABLE", "harness-error")


def test_difference_without_a_reference_says_nothing(tmp_path):
    bare = replace(SQUARE, reference=None)
    found = twice(tmp_path, (RIGHT, RIGHT), bare)
    assert found.cause == "by-course"


def test_difference_between_errors_is_a_difference(tmp_path):
    who = subject()
    for run, cause in enumerate(("timeout", "exception")):
        desk = Desk(tmp_path, f"run {run}", fresh=True)
        desk.put(SQUARE, who.program, "values", outcome="error", cause=cause)
        desk.reference(RIGHT, ("values",))
        found = decide(SQUARE, SQUARE.spec.check("value"), who, desk.view)
        desk.ledger.close()
    assert found.cause == "not-reproducible"


def test_repetition_with_the_same_values_changes_nothing(tmp_path):
    who = subject()
    for run in ("one", "two"):
        desk = Desk(tmp_path, run, fresh=True)
        desk.reference()
        found = graded(desk, who, values="right", slopes="right", sums="right")
        assert statuses(found) == ["PASS"] * 3
        desk.ledger.close()


def test_infrastructure_of_a_repetition_is_no_difference(tmp_path):
    who = subject()
    for kind, status in (("right", "PASS"), ("infrastructure", "UNGRADABLE")):
        desk = Desk(tmp_path, kind, fresh=True)
        desk.reference()
        assert graded(desk, who, values=kind)["value"].status == status
        desk.ledger.close()


def perfect(desk, points):
    desk.reference()
    who = subject()
    graded(desk, who, values="right", slopes="right", sums="right")
    return judge_task(SQUARE, who, desk.view, points)


@pytest.mark.parametrize("points", [None, 0.0, 1.0, 3.5, 7.0, 100.0])
def test_points_of_an_assignment_scale_every_check(desk, points):
    grade = perfect(desk, points)
    worth = 3.5 if points is None else points
    assert grade.max_points == worth
    for verdict, share in zip(grade.verdicts, (2, 1, 0.5), strict=True):
        assert verdict.points == verdict.max_points == pytest.approx(worth * share / 3.5, abs=1e-4)
        assert round(verdict.points, 4) == verdict.points


@pytest.mark.parametrize("points", [10.0, 5.0, 0.1])
@pytest.mark.parametrize("task", [NOISE], ids=["noise"])
def test_perfect_work_earns_what_the_task_is_worth(desk, task, points):
    verdicts = judge_task(task, subject(task=task), desk.view, points).verdicts
    assert round(sum(verdict.max_points for verdict in verdicts), 4) == points


def test_undecided_checks_are_provisional_and_count_nothing_yet(desk):
    desk.reference()
    who = subject()
    graded(desk, who, values="right", slopes="right")
    grade = judge_task(SQUARE, who, desk.view)
    assert (grade.points, grade.provisional) == (3.0, True)
    last = grade.verdicts[-1]
    assert (last.status, last.cause, last.points) == ("UNGRADABLE", "not-run", None)
    assert last.message == ""  # it is a hidden one


# two stages


def draws(seed=1, bias=0.0):
    """What the measurement of noise stores of draws."""
    from harness import kinds

    x = np.random.default_rng(seed).normal(size=(1200, 3)) + bias
    metrics = {"draw": x, "noise": x, "draw__expected": np.zeros(3), "draw__scale": np.ones(3)}
    return {check.id: kinds.reduce(check, metrics) for check in NOISE.spec.checks_of("draws")}


GOOD, BIASED = draws(), draws(bias=0.5)


def noise(desk, who, first, second):
    for stage, values in ((COMMON, first), (OWN, second)):
        match values:
            case dict():
                desk.put(NOISE, who.program, "draws", values, stage=stage)
            case "error":
                told = {"outcome": "error", "cause": "timeout"}
                desk.put(NOISE, who.program, "draws", stage=stage, **told)
    return decide(NOISE, NOISE.spec.check("mean"), who, desk.view)


@pytest.mark.parametrize(
    ("first", "second", "status", "stages"),
    [
        (GOOD, None, "PASS", 1),
        (BIASED, GOOD, "PASS", 2),
        (BIASED, BIASED, "FAIL", 2),
        (BIASED, "error", "ERROR", 0),
        ("error", None, "ERROR", 0),
    ],
)
def test_second_stage_decides_after_a_rejection(desk, first, second, status, stages):
    found = noise(desk, subject(task=NOISE), first, second)
    assert (found.status, found.steps) == (status, stages)


def test_second_stage_is_waited_for_under_the_subjects_name(desk):
    found = noise(desk, subject(task=NOISE), BIASED, None)
    (run,) = found.trials
    assert (run.trial.step, run.trial.subject) == (OWN, "ada")


def test_second_stage_of_somebody_else_is_not_used(desk):
    who = subject(task=NOISE)
    desk.put(NOISE, who.program, "draws", BIASED)
    desk.put_for(NOISE, who.program, "draws", "bob", GOOD, stage=OWN)
    assert isinstance(decide(NOISE, NOISE.spec.check("mean"), who, desk.view), Waiting)


# returns


def walked(desk, name, score, digests=8):
    who = subject(name, task=WALK)
    played = np.full(8, score) + np.tile([-0.25, 0.25], 4)
    values = {
        "return": {"n": np.array(8), "returns": played, "distinct": np.array(digests)},
    }
    desk.put(WALK, who.program, "play", values)
    return who


def with_target(task, content):
    targets = {} if content is None else {"walk.json": content}
    return replace(task, reference=replace(task.reference, targets=targets))


TARGETED = with_target(WALK, b'{"summary": {"mean": 5.0}, "runs": []}')


def test_partial_credit_is_points_on_a_ramp(desk):
    who = walked(desk, "ada", 2.0)
    verdict = judge_task(TARGETED, who, desk.view).verdicts[-1]
    assert (verdict.status, verdict.points, verdict.max_points) == ("FAIL", 0.8, 2)


def test_few_trajectories_are_inconclusive_with_credit(desk):
    who = walked(desk, "ada", 2.0, digests=1)
    verdict = judge_task(TARGETED, who, desk.view).verdicts[-1]
    assert (verdict.status, verdict.points) == ("INCONCLUSIVE", 0.8)
    assert verdict.message


def test_no_stored_target_is_ours(desk):
    who = walked(desk, "ada", 5.0)
    found = decide(with_target(WALK, None), WALK.spec.check("return"), who, desk.view)
    assert (found.status, found.cause) == ("UNGRADABLE", "no-target")


def test_return_is_decided_without_a_target_where_there_is_no_reference(desk):
    """The threshold decides; the target says what a leaderboard compares."""
    who = walked(desk, "ada", 5.0)
    bare = replace(TARGETED, reference=None)
    found = decide(bare, bare.spec.check("return"), who, desk.view)
    assert (found.status, "leaderboard" in found.figures) == ("PASS", False)


def test_better_returns_never_lower_the_points(desk):
    scores = np.linspace(-2, 8, 41)
    points = [
        judge_task(TARGETED, walked(desk, f"s{index}", score), desk.view).points
        for index, score in enumerate(scores)
    ]
    assert points == sorted(points)
    assert (points[0], points[-1]) == (0, 2)


# a better observation never costs anything

RANK = {"nothing": 0, "infrastructure": 0, "error": 0, "wrong": 0, "right": 1}


def better(one, other):
    """Pairs of outcome tuples of which the second is at least as good everywhere."""
    return all(RANK[a] <= RANK[b] for a, b in zip(one, other, strict=True))


def assert_monotone(points):
    for one, other in itertools.permutations(points, 2):
        if better(one, other):
            assert points[one] <= points[other], (one, other)


@pytest.mark.parametrize("gates", [True, False])
def test_better_observation_never_lowers_the_points_of_the_task(desk, gates):
    desk.reference()
    task = SQUARE if gates else without_gates(SQUARE)
    points = {}
    for index, kinds in enumerate(itertools.product(RANK, repeat=3)):
        who = subject(f"s{index}")
        for measurement, kind in zip(METRICS, kinds, strict=True):
            desk.square(who, measurement, kind)
        points[kinds] = judge_task(task, who, desk.view).points
    assert_monotone(points)
    assert points["right", "right", "right"] == 3.5
    assert points["wrong", "right", "right"] == (0 if gates else 1.5)


def test_better_draws_never_lower_the_points_of_the_task(desk):
    stored = {"nothing": None, "error": "error", "wrong": BIASED, "right": GOOD}
    rank = {"nothing": 0, "error": 0, "wrong": 1, "right": 2}
    points = {}
    for index, pair in enumerate(itertools.product(stored, repeat=2)):
        who = subject(f"s{index}", task=NOISE)
        noise(desk, who, *(stored[kind] for kind in pair))
        points[pair] = judge_task(NOISE, who, desk.view).points
    for one, other in itertools.permutations(points, 2):
        if all(rank[a] <= rank[b] for a, b in zip(one, other, strict=True)):
            assert points[one] <= points[other], (one, other)
    assert points["right", "nothing"] == 2.5
    assert points["wrong", "error"] == 0


def test_decisions_come_in_the_order_of_the_spec(desk):
    for task in TASKS.values():
        found = decide_task(task, subject(task=task), desk.view)
        assert list(found) == [check.id for check in task.spec.checks]
        assert all(isinstance(item, Decision | Waiting) for item in found.values())


# names

#: Words of the harness that a check could be called by; `raw` once held digests beside statistics.
INTERNAL = (
    "raw", "transcript", "statistics", "metrics", "values", "value", "holds", "outcome", "trial",
    "cause", "circumstances", "digest", "reference", "target", "error",
)  # fmt: skip


@pytest.mark.parametrize("metric", ["holds", "raw", "values"])
@pytest.mark.parametrize("name", INTERNAL)
def test_a_check_may_be_called_by_a_word_of_the_harness(tmp_path, name, metric):
    check = PropertyCheck(id=name, measurement="values", metric=metric, points=1, kind="property")
    task = replace(SQUARE, spec=SQUARE.spec.model_copy(update={"checks": (check,)}))
    who = subject()
    for holds, status in ((False, "FAIL"), (True, "PASS")):
        desk = Desk(tmp_path / f"{holds}")
        metrics = {metric: np.array([holds, holds])}
        digests = {metric: digest_array(metrics[metric])}
        statistics = reduce(task, "values", metrics)
        desk.put(task, who.program, "values", statistics, metrics=digests)
        desk.ledger.close()
        desk = Desk(tmp_path / f"{holds}", "read again")
        assert decide(task, check, who, desk.view).status == status
        desk.ledger.close()


def with_module(content, task=SQUARE):
    files = {task.spec.file: b"import utils\n", f"{task.spec.module}/utils.py": content}
    return Program("ada", "submission", {**files, "other/utils.py": b"of another task"})


def test_a_module_that_comes_along_counts_in_the_digest(desk):
    trials = [
        name_trial(SQUARE, program, "values", COMMON, "", KEY)
        for program in (with_module(b"x = 1\n"), with_module(b"x = 2\n"), with_module(b"x = 1\n"))
    ]
    assert trials[0].digest == trials[2].digest != trials[1].digest


def test_a_module_that_comes_along_lies_beside_the_program(desk):
    planned = desk.view.observe(SQUARE, with_module(b"x = 1\n"), "values", COMMON)
    assert planned.files == {"square.py": b"import utils\n", "utils.py": b"x = 1\n"}


def test_a_file_that_our_side_cannot_read_is_no_fault_of_the_program(desk):
    program = Program("ada", "submission", {})
    who = Subject(program, "ada", problems={"square.py": ("harness-error", "cannot be read here")})
    (check,) = [check for check in SQUARE.spec.checks if check.id == "value"]
    decision = decide(SQUARE, check, who, desk.view)
    assert (decision.status, decision.cause) == ("UNGRADABLE", Cause.HARNESS_ERROR)


@pytest.mark.parametrize(
    ("left", "message"),
    [
        ("mylib", "ModuleNotFoundError: No module named 'mylib'"),
        ("utils.py", "ModuleNotFoundError: No module named 'utils'"),
        ("constants.json", "[Errno 2] No such file or directory: 'constants.json'"),
        ("constants.json", "[Errno 2] No such file or directory: 'data/constants.json'"),
    ],
)
def test_an_error_that_names_what_was_not_taken_says_so(left, message):
    who = Subject(Program("ada", "submission", {}), "ada", left=("other.txt", left))
    assert f"; {left} was handed in and not taken: only square.py" in who.left_out(SQUARE, message)
    assert who.left_out(SQUARE, "ValueError: no such thing") == ""


def test_a_submission_that_is_the_solution_is_observed_by_itself():
    """The reference's observation holds scales, and a submission's does not."""
    solution = SQUARE.reference.solution
    copy = replace(solution, role="submission", name="ada")
    assert copy.sha256 == solution.sha256
    found = {
        name_trial(SQUARE, each, "values", COMMON, "", KEY).digest for each in (solution, copy)
    }
    assert len(found) == 2
