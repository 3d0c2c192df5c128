"""The sentences about error rates say what the code does: docs/error-rates.md, row by row."""

import csv
import re
from pathlib import Path
from typing import Any

import pytest

from harness import stored_runs
from harness.feasibility import ALPHA_TOTAL
from harness.kinds import seed_success
from harness.proving import certificate
from harness.spec.checks import NOMINAL_SHARE, SeedSuccessCheck, Stochastic, UnbiasedCheck
from harness.statistics import sequential
from harness.statistics.laws import binomial_cdf
from tests.support.programs import TASKS as NAMES
from tests.support.programs import load

ROOT = Path(__file__).parents[1]
TASKS = [load(name) for name in NAMES]
DRAWN = [c for task in TASKS for c in task.spec.checks if isinstance(c, Stochastic)]
TRAINED = [c for task in TASKS for c in task.spec.checks if isinstance(c, SeedSuccessCheck)]


def text(page: str) -> str:
    return " ".join((ROOT / page).read_text(encoding="utf-8").split())


def most(model: Any, field: str) -> float:
    (bound,) = (m.le for m in model.model_fields[field].metadata if getattr(m, "le", None))
    return float(bound)


def lost(check: SeedSuccessCheck) -> float:
    return 1 - sequential.operating(seed_success.design(check), check.success_rate).p_pass


def stored() -> set[int]:
    return {
        runs.count
        for task in TASKS
        for check in stored_runs.checks(task)
        for runs in stored_runs.read(task, check.target)
        if runs.role == "reference"
    }


def one(values: set[float]) -> float:
    (value,) = values
    return value


SOURCES = {
    "each with a declared bound of": lambda: one({c.stage_alpha for c in DRAWN}),
    "loses points (FAIL or INCONCLUSIVE) with a probability of at most": lambda: one(
        {c.loss for c in TRAINED}
    ),
    "at the declared rate, which at least": lambda: float(min(stored())),
    "with at most": lambda: ALPHA_TOTAL,
    "(`stage_alpha: 1e-3` runs at": lambda: 1e-3 * NOMINAL_SHARE,
    "`stage_alpha`² =": lambda: one({c.alpha_bound for c in DRAWN}),
    "happens with probability": lambda: binomial_cdf(4, 10_000, 2e-4),
    "FAIL (`alpha` ≤": lambda: most(SeedSuccessCheck, "alpha"),
    "sums to at most": lambda: ALPHA_TOTAL,
    "PASS 1 (short of it by": lambda: one({lost(c) for c in TRAINED}),
    "`stage_alpha` (≤": lambda: most(UnbiasedCheck, "stage_alpha"),
    ".95, .4, 2e-6, .01, 60 seeds:": lambda: one({lost(c) for c in TRAINED}),
    "honest work points with at most": lambda: ALPHA_TOTAL,
}
ROWS = [
    tuple(cell.strip() for cell in line.strip("|").split(" | ")[:3])
    for line in (ROOT / "docs" / "error-rates.md").read_text(encoding="utf-8").splitlines()
    if re.match(r"\| (README|docs/)", line)
]


def test_every_source_has_its_sentence() -> None:
    assert {sentence for _, sentence, _ in ROWS} == set(SOURCES)


@pytest.mark.parametrize(("page", "sentence", "number"), ROWS)
def test_the_number_said_is_the_number_meant(page: str, sentence: str, number: str) -> None:
    assert re.search(rf"{re.escape(sentence)} {re.escape(number)}(?![\d.]*\d)", text(page))
    assert float(number) == pytest.approx(SOURCES[sentence](), rel=5e-3)


def test_what_is_lost_in_training_is_what_is_declared() -> None:
    assert all(lost(check) <= check.loss for check in TRAINED)
    assert sum(c.loss_bound for task in TASKS for c in task.spec.checks) <= ALPHA_TOTAL


def test_the_operating_curves_are_those_of_the_specs() -> None:
    """results/figures/operating.csv had the curves of a former beta and cap."""
    with (ROOT / "results/figures/operating.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    curves = certificate.of(TASKS, []).curves
    assert len(rows) == len(curves) > 0
    for row, curve in zip(rows, curves, strict=True):
        assert (row["task"], row["check"]) == (curve.task, curve.check)
        for name in ("success_rate", "p_pass", "p_fail", "p_undecided", "expected_seeds"):
            assert float(row[name]) == pytest.approx(getattr(curve, name), rel=1e-9, abs=1e-15)
