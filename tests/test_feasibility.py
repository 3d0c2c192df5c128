"""Specs are held to the power and the error rate that they declare."""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from harness import kinds
from harness.errors import SpecError
from harness.feasibility import ALPHA_TOTAL, require_feasible, required_draws
from harness.kinds import Evidence
from harness.spec import checks as spec
from harness.spec.load import load_task

COURSE = Path(__file__).parent / "course"
COMMON = {"id": "a", "measurement": "m", "metric": "x", "points": 1.0}
STAGES = {"stage_alpha": 1e-3, "min_detectable": 0.3, "beta": 0.01}
UNBIASED = spec.UnbiasedCheck(**COMMON, **STAGES, kind="unbiased", dimensions=3)
CHECKS = [
    UNBIASED,
    spec.DistributionCheck(**COMMON, **STAGES, kind="distribution", law="normal", dimensions=3),
    spec.DistributionCheck(**COMMON, **STAGES, kind="distribution", law="uniform", dimensions=1),
    spec.DistributionCheck(
        **COMMON, **STAGES, kind="distribution", law="categorical", dimensions=1, categories=5
    ),
    spec.IndependenceCheck(**COMMON, **STAGES, kind="independence", dimensions=4),
    spec.VarianceRatioCheck(
        **{**COMMON, **STAGES, "min_detectable": 1.5}, kind="variance-ratio", limit=1.0
    ),
]


@pytest.fixture
def noise(tmp_path):
    """The fixture task `noise` with texts of its task.yaml replaced."""
    folder = tmp_path / "noise"
    shutil.copytree(COURSE / "tasks" / "noise", folder)
    path = folder / "task.yaml"
    original = path.read_text()

    def changed(*replacements):
        text = original
        for old, new in replacements:
            assert old in text
            text = text.replace(old, new)
        path.write_text(text)
        return load_task(folder, None)

    return changed


def problems(tasks, *alpha):
    with pytest.raises(SpecError) as caught:
        require_feasible(tasks, *alpha)
    return caught.value.problems


def test_course_is_feasible(noise):
    require_feasible([noise()])
    require_feasible([])


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: getattr(check, "law", check.kind))
def test_every_stochastic_kind_has_a_size(check):
    needed = required_draws(check)
    assert type(needed) is int
    assert needed > 1
    assert required_draws(check.model_copy(update={"stage_alpha": 1e-5})) >= needed
    assert required_draws(check.model_copy(update={"beta": 1e-5})) > needed


def test_every_stochastic_kind_is_tried_here():
    assert {type(check) for check in CHECKS} == set(spec.Stochastic.__subclasses__())


def test_check_without_noise_has_no_size():
    exact = spec.ExactCheck(**COMMON, kind="exact", against="reference")
    with pytest.raises((AttributeError, TypeError)):
        required_draws(exact)


def test_too_few_draws_are_refused_with_the_number_that_would_do(noise):
    found = problems([noise(("draws: {draws: 1200}", "draws: {draws: 50}"))])
    named = {re.search(r"'(.*?)'", problem.message)[1]: problem for problem in found}
    assert set(named) == {"mean", "law", "columns", "numpy-mean"}
    wanted = [int(re.search(r"draws: (\d+)", problem.remedy)[1]) for problem in found]
    enough, short = max(wanted), max(wanted) - 1
    require_feasible([noise(("draws: {draws: 1200}", f"draws: {{draws: {enough}}}"))])
    left = problems([noise(("draws: {draws: 1200}", f"draws: {{draws: {short}}}"))])
    assert f"draws: {enough}" in left[0].remedy


def test_refusal_says_where_and_what(noise):
    task = noise(("min_detectable: 0.15", "min_detectable: 0.01"))
    (found,) = problems([task])
    lines = Path(task.path).read_text().splitlines()
    assert lines[found.line - 1][found.col - 1 :].startswith(("min_detectable", "0.01"))
    assert found.file == task.path
    assert all(word in found.message for word in ("'law'", "0.01", "0.99", "0.001", "1200"))
    assert "measurements.draws.draws" in found.remedy


def test_total_error_rate_over_the_budget_is_refused(noise):
    task = noise()
    total = sum(check.alpha_bound for check in task.spec.checks)
    assert total == pytest.approx(4e-6)
    require_feasible([task], total)
    (found,) = problems([task], total * 0.99)
    assert "4e-06" in found.message
    assert "stage_alpha" in found.remedy


def test_error_rates_of_all_tasks_add_up(noise):
    task = noise(("stage_alpha: 1e-3", "stage_alpha: 4e-3"))
    assert 4 * 16e-6 < ALPHA_TOTAL < 8 * 16e-6
    require_feasible([task])
    (found,) = problems([task, task])
    assert "0.000128" in found.message


def test_everything_is_reported_at_once(noise):
    task = noise(("draws: {draws: 1200}", "draws: {draws: 50}"))
    assert len(problems([task], 1e-9)) == 5


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("min_detectable: 0.15", "min_detectable: 1.5"),
        ("min_detectable: 0.3", "min_detectable: 1.0"),
    ],
    ids=["distance", "correlation"],
)
def test_departure_that_cannot_exist_is_a_problem_of_the_spec(noise, old, new):
    problems([noise((old, new))])


def test_ratio_below_the_limit_cannot_be_found():
    declared = CHECKS[-1].model_dump()
    for ratio in (0.5, declared["limit"]):
        with pytest.raises(ValueError, match="above `limit`"):
            type(CHECKS[-1])(**{**declared, "min_detectable": ratio})


def test_honest_work_passes_at_the_number_of_draws_that_is_asked_for():
    rng = np.random.default_rng(5)
    sides = {"x__expected": np.zeros(3), "x__scale": np.ones(3)}
    said = []
    for _ in range(100):
        metrics = {"x": rng.normal(size=(required_draws(UNBIASED), 3)), **sides}
        said.append(kinds.decide(UNBIASED, [Evidence(kinds.reduce(UNBIASED, metrics))]).cause)
    assert said.count("variance") == 0
