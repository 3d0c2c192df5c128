"""``verify`` says at once what a measurement fails to return, where, and what to return instead."""

import textwrap
from dataclasses import replace
from pathlib import Path

import pytest

from harness import kinds
from harness.cli import main
from harness.collect.job import run_job
from harness.ledger import Ledger
from harness.marking import plan
from harness.marking.views import View
from harness.proving import companions
from harness.proving.measurements import measured
from harness.proving.verification import prove
from harness.records import COMMON
from harness.sandbox import choice
from harness.seeds import PUBLIC_KEY
from harness.spec.catalogue import load_all
from harness.spec.load import load_task

ROOT = Path(__file__).parents[2]
CENTRE = ROOT / "tests" / "training" / "course"
STARTER = """\
import torch
from jaxtyping import Float64
from torch import Tensor


def twice(x: Float64[Tensor, "n d"]) -> Float64[Tensor, "n d"]:
    raise NotImplementedError
"""
SOLUTION = STARTER.replace("raise NotImplementedError", "return 2 * x")
SPEC = """\
id: small
version: 1
draw: 1
title: Twice
lecture: [{{document: S1, slide: "1"}}]
tier: estimator
measurements:
  standard: {{{draws}}}
checks:
  - {{id: asked, measurement: standard, metric: x, points: 1, {fields}}}
"""
MISTAKES = "mistakes:\n" + "".join(
    f"  - {{name: {name}, check: asked, hint: it is off by a factor, file: {name}.py}}\n"
    for name in ("half", "same", "thrice")
)
STAGES = "stage_alpha: 0.001, min_detectable: {}, beta: 0.01"
KINDS = {
    "exact": "kind: exact, against: reference",
    "identity": "kind: identity",
    "property": "kind: property",
    "normalisation": "kind: normalisation",
    "bounds": "kind: bounds, upper: 1.0",
    "causality": "kind: causality",
    "moments": "kind: moments, against: reference, statistic: mean",
    "unbiased": f"kind: unbiased, dimensions: 2, {STAGES.format(0.3)}",
    "normal": f"kind: distribution, law: normal, dimensions: 2, {STAGES.format(0.3)}",
    "categorical": "kind: distribution, law: categorical, dimensions: 1, categories: 2, "
    + STAGES.format(0.3),
    "independence": f"kind: independence, dimensions: 2, {STAGES.format(0.3)}",
    "variance-ratio": f"kind: variance-ratio, limit: 1.2, {STAGES.format(2.0)}",
    "likelihood": "kind: likelihood, against: reference, compare: images",
}
DRAWN = {"unbiased", "normal", "categorical", "independence", "variance-ratio"}
#: What a measurement returns that its check can use; ``y`` is the reference's answer.
GOOD = {
    "exact": {"x": "y", "x__scale": "np.abs(y)"},
    "identity": {"x": "y - y", "x__scale": "np.abs(y)"},
    "property": {"x": "y > -100"},
    "normalisation": {"x": "np.log([0.5, 0.5])"},
    "bounds": {"x": "np.abs(y) / 100"},
    "causality": {
        "x": "np.tri(3, k=-1)",
        "x__allowed": "np.tri(3, k=-1, dtype=bool)",
        "x__required": "np.tri(3, k=-1, dtype=bool)",
        "x__scale": "np.ones(())",
    },
    "moments": {"x": "y[:2]", "x__weight": "np.full(2, 0.5)"},
    "unbiased": {"x": "y", "x__expected": "np.zeros(2)", "x__scale": "np.ones(2)"},
    "normal": {"x": "y"},
    "categorical": {"x": "(y[:, :1] > 0).astype(int)", "x__probabilities": "np.full((1, 2), 0.5)"},
    "independence": {"x": "y"},
    "variance-ratio": {"x": "y", "x__baseline": "y + rng.normal(size=y.shape)"},
    "likelihood": {
        "x": "np.abs(y[:, 0])",
        "x__floor": "np.abs(y[:, 0])",
        "x__scale": "np.ones(50)",
    },
}


def problems_of(task):
    return list(measured(task).problems)


@pytest.fixture
def small(tmp_path):
    """Loads a task whose one check is of some kind and whose measurement returns these arrays."""
    tasks, reference = tmp_path / "tasks" / "small", tmp_path / "reference" / "small"

    def load(kind, arrays):
        tasks.mkdir(parents=True)
        (reference / "variants").mkdir(parents=True)
        parameters = "student, rng, n" if kind in DRAWN else "student, rng"
        size = "n" if kind in DRAWN else "50"
        returned = ", ".join(f'"{name}": {value}' for name, value in arrays.items())
        measure = f"""\
            import numpy as np


            def standard({parameters}):
                y = student.twice(rng.normal(size=({size}, 2)) / 2)
                return {{{returned}}}
            """
        draws = "draws: 2000" if kind in DRAWN else ""
        (tasks / "task.yaml").write_text(SPEC.format(draws=draws, fields=KINDS[kind]))
        (tasks / "measure.py").write_text(textwrap.dedent(measure))
        (tasks / "starter.py").write_text(STARTER)
        (tasks / "README.md").write_text("# Twice\n")
        (reference / "solution.py").write_text(SOLUTION)
        for name in ("sum", "product"):
            (reference / "variants" / f"{name}.py").write_text(SOLUTION)
        for name in ("half", "same", "thrice"):
            (reference / f"{name}.py").write_text(SOLUTION.replace("2 * x", "x"))
        (reference / "mistakes.yaml").write_text(MISTAKES)
        return load_task(tasks, reference)

    return load


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_check_can_use_is_no_problem(small, kind):
    assert problems_of(small(kind, GOOD[kind])) == []


def test_every_kind_that_does_not_train_is_tried_here():
    tried = {fields.removeprefix("kind: ").split(",")[0] for fields in KINDS.values()}
    assert tried == {kind.name for kind in kinds.KINDS if not kind.trained}


@pytest.mark.parametrize(
    ("kind", "name"), [(kind, name) for kind, arrays in GOOD.items() for name in arrays]
)
def test_an_array_that_is_missing_is_named_with_place_and_remedy(small, tmp_path, kind, name):
    arrays = {other: value for other, value in GOOD[kind].items() if other != name}
    (problem,) = problems_of(small(kind, {**arrays, "other": "y"}))
    assert problem.file == str(tmp_path / "tasks" / "small" / "measure.py")
    assert (problem.line, problem.col) == (4, 1)
    assert problem.message.startswith(f"check 'asked': needs {name!r}; the measurement returned ")
    assert "other (float64, " in problem.message
    assert problem.remedy.startswith(f"return {name!r}: ")


@pytest.mark.parametrize(
    ("kind", "name", "value", "words"),
    [
        ("exact", "x__scale", "np.ones(7)", "x__scale has shape (7,); wanted (50, 2)"),
        ("exact", "x__scale", "-np.abs(y)", "x__scale holds entries that are not finite and >= 0"),
        ("exact", "x", "y[:0]", "x__scale has shape (50, 2); wanted (0, 2)"),
        ("identity", "x", "np.array(['a', 'b'])", "x__scale has shape"),
        ("property", "x", "(y > 0).astype(float)", "a property is boolean; x is float64"),
        ("property", "x", "np.zeros(0, dtype=bool)", "x has no entry"),
        ("normalisation", "x", "np.array(0.0)", "wanted (..., outcomes)"),
        ("bounds", "x", "np.zeros(0)", "x has no entry"),
        ("causality", "x__allowed", "np.ones((2, 3), dtype=bool)", "wanted one shape"),
        ("causality", "x__required", "np.zeros((3, 3), dtype=bool)", "must forbid some influence"),
        ("causality", "x__scale", "np.zeros(0)", "x__scale has no entry"),
        ("moments", "x__weight", "np.full(3, 1 / 3)", "weights"),
        ("unbiased", "x", "y[:, :1]", "x has shape (2000, 1); wanted (draws, 2)"),
        ("unbiased", "x__expected", "np.zeros(3)", "x__expected has shape (3,); wanted (2,)"),
        ("normal", "x", "y[:, 0]", "x has shape (2000,); wanted (draws, 2)"),
        ("categorical", "x__probabilities", "np.ones(2) / 2", "shapes do not fit (1, 2)"),
        ("variance-ratio", "x__baseline", "y[:, :1]", "pairs"),
        ("likelihood", "x__floor", "np.zeros(3)", "(3,)"),
    ],
)
def test_an_array_that_does_not_fit_is_described(small, kind, name, value, words):
    (problem,) = problems_of(small(kind, {**GOOD[kind], name: value}))
    assert words in problem.message
    assert "; the measurement returned " in problem.message
    assert all(f"{other!r}: " in problem.remedy for other in GOOD[kind])


def test_a_measurement_that_raises_is_named(small):
    (problem,) = problems_of(small("property", {"x": "y.nothing"}))
    assert "standard raised AttributeError" in problem.message
    assert problem.line == 4


def test_a_reference_that_breaks_is_left_to_the_proof(small, tmp_path):
    small("property", GOOD["property"])
    solution = tmp_path / "reference" / "small" / "solution.py"
    for text in (STARTER, "raise RuntimeError\n"):
        solution.write_text(text)
        (task,) = load_all(tmp_path / "tasks", tmp_path / "reference")
        assert problems_of(task) == []


def test_nothing_is_run_in_a_sandbox_before_measurements_fit(small, tmp_path, capsys):
    small("exact", {"x": "y"})
    places = [f"--{name}={tmp_path / name}" for name in ("tasks", "reference", "results")]
    assert main(["verify", *places, "--jobs", "1"]) == 2
    text = capsys.readouterr().err
    assert "measure.py:4:1: check 'asked': needs 'x__scale'" in text
    assert "(return 'x__scale': the sum of the absolute terms of x, from the inputs alone)" in text
    assert not (tmp_path / "results").exists()


def test_the_run_of_a_reference_that_trains_says_the_same_sentence(tmp_path):
    task = load_task(CENTRE / "tasks" / "centre", CENTRE / "reference" / "centre")
    other = task.measure.replace(b'"error"', b'"elsewhere"')
    assert other != task.measure
    task = replace(task, measure=other)
    assert problems_of(task) == []
    with Ledger(tmp_path / "ledger.sqlite", "verify") as ledger:
        view = View(PUBLIC_KEY, ledger)
        trial = view.observe(task, task.reference.solution, "learn", COMMON)
        for job in plan.group([trial], view):
            run_job(job, choice.best(), ledger.put)
        complaint = prove(task, view).complaints[0]
    assert complaint == (
        "reference centre: learns is UNGRADABLE harness-error check 'learns': needs 'error'; the "
        "measurement returned elsewhere (float64, ()) (return 'error': one number, what the "
        "training run of one seed came to)"
    )


@pytest.mark.parametrize(
    ("kind", "companion", "wanted", "borrowed"),
    [
        ("exact", "x__scale", "np.ones_like(y)", "np.abs(y)"),
        ("identity", "x__scale", "np.ones_like(y)", "np.abs(y)"),
        ("unbiased", "x__scale", "np.ones(2)", "y.std(axis=0)"),
        ("variance-ratio", "x__baseline", "rng.normal(size=y.shape)", "2 * y"),
        ("likelihood", "x__floor", "np.ones(50)", "np.abs(y[:, 0])"),
    ],
)
@pytest.mark.parametrize("honest", [True, False])
def test_what_a_program_is_judged_by_must_not_come_from_its_answers(
    small, kind, companion, wanted, borrowed, honest
):
    task = small(kind, {**GOOD[kind], companion: wanted if honest else borrowed})
    problems = companions.problems_of(task, measured(task).metrics)
    if honest:
        assert problems == []
        return
    (problem,) = problems
    assert companion in problem.message
    assert problem.file.endswith("measure.py")


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        ("[]", "show returned no list of pictures"),
        ("nothing", "show raised NameError"),
        ("student.twice(rng)", "show raised"),
    ],
)
def test_pictures_that_cannot_be_drawn_of_the_reference_are_a_problem_of_show_py(returned, message):
    course = ROOT / "tests" / "course"
    task = load_task(course / "tasks" / "square", course / "reference" / "square")
    source = f"import numpy\n\n\ndef show(student, rng):\n    return {returned}\n"
    (problem,) = measured(replace(task, show=source.encode())).problems
    assert message in problem.message
    assert (Path(problem.file).name, problem.line) == ("show.py", 4)
    assert measured(task).problems == ()
