"""Hints are found by stored answers: of every known mistake, of the right one, never stale ones."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from harness.causes import Cause
from harness.collect.bare import BareProgram
from harness.marking import hints
from harness.marking.feedback import without_contradicted
from harness.proving import hints as proving
from harness.records import EXAMPLE, Observation, Program, Trial, Verdict
from harness.seeds import PUBLIC_KEY
from harness.spec.answers import Answers, read
from harness.spec.load import LoadedTask, load_task

COURSE = Path(__file__).parents[1] / "course"
ROOT = Path(__file__).parents[2]


def square(folder: Path, **changes: tuple[str, str]) -> LoadedTask:
    """The task of the small course with its answers stored; file (without .py) -> old, new."""
    for part in ("tasks", "reference"):
        shutil.copytree(COURSE / part / "square", folder / part / "square")
    (folder / "reference" / "square" / "answers.json").unlink(missing_ok=True)
    task = load_task(folder / "tasks" / "square", folder / "reference" / "square")
    made = proving.made(task)
    assert made is not None
    proving.store(made, folder / "reference", task)
    for path in (*folder.rglob("*.py"), *folder.rglob("*.yaml")):
        old, new = changes.get(path.stem, ("", ""))
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1) if old else text, encoding="utf-8")
    return load_task(folder / "tasks" / "square", folder / "reference" / "square")


def shown(task: LoadedTask, program: Program, check: str, failed: set[str]) -> str:
    measurement = task.spec.check(check).measurement
    with BareProgram(task, program) as bare:
        statistics = bare.statistics(measurement, EXAMPLE, PUBLIC_KEY)
    trial = Trial("square", measurement, "own", "submission", EXAMPLE.stage, 0, "", "0" * 64)
    return hints.hint(task, check, Observation(trial, "ok", statistics), failed)


def changed(task: LoadedTask, old: str, new: str) -> Program:
    assert task.reference is not None
    source = task.reference.solution.files[task.spec.file].decode()
    assert old in source
    return Program("own", "submission", {task.spec.file: source.replace(old, new).encode()})


def test_every_mistake_gets_its_own_hint(tmp_path: Path) -> None:
    task = square(tmp_path)
    assert list(proving.complaints_of(task)) == []
    assert shown(task, changed(task, "return x**2", "return x * x * x"), "value", {"value"}) == (
        "the exponent is two, and yours is larger."
    )
    assert "stay in the graph" in shown(
        task, changed(task, "x**2", "x.detach() ** 2"), "slope", {"slope"}
    )


def test_another_slip_and_right_work_get_none(tmp_path: Path) -> None:
    task = square(tmp_path)
    assert shown(task, changed(task, "x**2", "x**4"), "value", {"value"}) == ""
    assert shown(task, changed(task, "x**2", "x * x"), "value", {"value"}) == ""
    with BareProgram(task, changed(task, "x**2", "1.0 * x**3 + 1e-6")) as bare:
        assert bare.statistics("values", EXAMPLE, PUBLIC_KEY)
    assert shown(task, changed(task, "x**2", "x**3 + 1e-6"), "value", {"value"}) == ""


def test_of_two_that_answer_the_same_the_checks_that_failed_decide(tmp_path: Path) -> None:
    task = square(tmp_path)
    right, wrong = {"value": np.zeros(3)}, {"value": np.ones(3)}
    answers = hints.answers_of(
        task,
        {"value": right, "slope": right},
        {"cube": {"value": wrong, "slope": right}, "detached": {"value": wrong, "slope": wrong}},
    )
    assert answers.matching("value", wrong, {"value"}) == "cube"
    assert answers.matching("value", wrong, {"value", "slope"}) == "detached"
    assert answers.matching("slope", wrong, {"value"}) == "detached"
    assert answers.matching("value", right, {"value"}) is None


def test_two_that_answer_the_same_everywhere_need_one_hint(tmp_path: Path) -> None:
    task = square(tmp_path, mistakes=("replace: return x.detach() ** 2", "replace: return x**3"))
    path = tmp_path / "reference" / "square" / "mistakes.yaml"
    text = path.read_text(encoding="utf-8").replace("check: slope", "check: value")
    path.write_text(text, encoding="utf-8")
    task = load_task(tmp_path / "tasks" / "square", path.parent)
    made = proving.made(task)
    assert made is not None
    proving.store(made, tmp_path / "reference", task)
    assert list(proving.complaints_of(load_task(tmp_path / "tasks" / "square", path.parent))) == [
        "mistakes cube and detached answer the same at value: give both one hint that fits both"
    ]


@pytest.mark.parametrize(
    ("file", "change", "why"),
    [
        ("measure", ("(20, 3)", "(21, 3)"), "what value measures has changed"),
        ("solution", ('"""Squares and sums."""', '"""Sums."""'), "the solution has changed"),
        ("mistakes", ("x**3", "x**5"), "the mistakes have changed"),
        ("task", ("points: 2", "points: 3"), ""),
    ],
)
def test_answers_that_fit_no_more_are_a_complaint_and_are_not_used(
    tmp_path: Path, file: str, change: tuple[str, str], why: str
) -> None:
    task = square(tmp_path, **{file: change})
    assert hints.stale(task) == why
    if why:
        (complaint,) = proving.complaints_of(task)
        assert why in complaint
        assert "verify square --store" in complaint
    if file == "measure":
        assert shown(task, changed(task, "x**2", "x**3"), "value", {"value"}) == ""


def test_a_mistake_whose_hint_nobody_would_see_is_a_complaint(tmp_path: Path) -> None:
    task = square(tmp_path, mistakes=("replace: return x**3", "replace: return x * x"))
    made = proving.made(task)
    assert made is not None
    proving.store(made, tmp_path / "reference", task)
    task = load_task(tmp_path / "tasks" / "square", tmp_path / "reference" / "square")
    assert list(proving.complaints_of(task)) == [
        "mistake cube at value answers the public example as the reference does, or breaks there: "
        "its hint is never shown"
    ]


def test_a_mistake_that_the_check_alone_calls_wrong_gets_its_hint(tmp_path: Path) -> None:
    """Nine digits are right, and the tolerance of the check is thirteen."""
    task = square(tmp_path, mistakes=("replace: return x**3", "replace: return x**2 * (1 + 1e-11)"))
    made = proving.made(task)
    assert made is not None
    proving.store(made, tmp_path / "reference", task)
    task = load_task(tmp_path / "tasks" / "square", tmp_path / "reference" / "square")
    assert list(proving.complaints_of(task)) == []
    wrong, right = (changed(task, "x**2", new) for new in ("(1 + 1e-11) * x * x", "x * x"))
    assert shown(task, wrong, "value", {"value"}) == "the exponent is two, and yours is larger."
    assert shown(task, right, "value", {"value"}) == ""


def test_a_hint_does_not_depend_on_what_single_precision_rounds(tmp_path: Path) -> None:
    """A power of whole numbers in a tensor is float32: 1.1² is wrong from the eighth digit on."""
    power = "return x**2 * 1.1 ** (0 * x + 2).int()"
    task = square(tmp_path, mistakes=("replace: return x**3", f"replace: {power}"))
    made = proving.made(task)
    assert made is not None
    proving.store(made, tmp_path / "reference", task)
    task = load_task(tmp_path / "tasks" / "square", tmp_path / "reference" / "square")
    assert list(proving.complaints_of(task)) == []
    for factor in ("1.1**2", "1.1 ** (0 * x + 2).int()"):
        own = changed(task, "x**2", f"x**2 * {factor}")
        assert shown(task, own, "value", {"value"}) == "the exponent is two, and yours is larger."
    assert shown(task, changed(task, "x**2", "x * x"), "value", {"value"}) == ""


def test_stored_answers_keep_what_is_not_finite_and_lose_nothing(tmp_path: Path) -> None:
    task = square(tmp_path)
    assert task.reference is not None
    odd = np.array([[np.nan, np.inf, -np.inf, 0.1]])
    statistics = {"value": {"value": odd, "scale": np.ones((1, 4))}}
    answers = hints.answers_of(task, {"value": {"value": odd + 1, "scale": np.ones((1, 4))}},
                               {"cube": statistics})  # fmt: skip
    again = Answers.model_validate_json(answers.model_dump_json())
    assert again == answers
    assert again.matching("value", statistics["value"], {"value"}) == "cube"
    moved = {"value": odd + np.array([[0, 0, 0, 1e-3]]), "scale": np.ones((1, 4))}
    assert again.matching("value", moved, {"value"}) is None


@pytest.mark.parametrize("content", [b"", b"{}", b'{"reference": 3}', b"\xff"])
def test_a_damaged_file_costs_the_hints_alone_and_is_a_complaint(
    tmp_path: Path, content: bytes
) -> None:
    square(tmp_path)
    (tmp_path / "reference" / "square" / "answers.json").write_bytes(content)
    task = load_task(tmp_path / "tasks" / "square", tmp_path / "reference" / "square")
    assert shown(task, changed(task, "x**2", "x**3"), "value", {"value"}) == ""
    assert "there are none, or not in this form (verify square --store)" in "".join(
        proving.complaints_of(task)
    )


def test_a_missing_file_is_no_answers(tmp_path: Path) -> None:
    assert read(tmp_path / "answers.json") is None


@pytest.mark.parametrize(
    ("slip", "shown_hint"),
    [
        ("0.5 * k * math.log(2 * math.pi) + log_sigma.sum(dim=1)", ""),
        (
            "0.5 * k + log_sigma.sum(dim=1)",
            "ln 2π, which belongs to the constant of the density, is missing from the entropy.",
        ),
    ],
)
def test_truth_values_give_no_hint_that_the_figures_contradict(slip: str, shown_hint: str) -> None:
    """Without its 1/2 a dimension the entropy fails the checks that it fails without ln 2π."""
    task = load_task(ROOT / "tasks" / "elbo-gaussian-kl", ROOT / "reference" / "elbo-gaussian-kl")
    right = "0.5 * k * (1 + math.log(2 * math.pi)) + log_sigma.sum(dim=1)"
    program = changed(task, right, slip)
    failed = frozenset({"entropy", "example"})
    hinted = {check: shown(task, program, check, set(failed)) for check in sorted(failed)}
    verdicts = [
        Verdict("own", task.id, check, "FAIL", Cause.WRONG, 0.0, 1.0, "visible", hint=hint)
        for check, hint in hinted.items()
    ]
    found = {each.check: each.hint for each in without_contradicted(task, verdicts, failed)}
    assert found == {"entropy": shown_hint, "example": shown_hint}
    assert hinted["example"], "by its truth values alone it would have one"
