"""What a stage returns can be believed."""

import dataclasses
import math
import subprocess
import sys

import pytest

from harness.statistics.outcome import StageOutcome

GOOD = StageOutcome(
    rejects=False, statistic=1.0, critical=2.0, p_value=0.3, coordinate=0, reason="none"
)


def test_outcomes_are_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        GOOD.rejects = True  # type: ignore[misc]


@pytest.mark.parametrize(
    "change",
    [
        {"p_value": math.nan},
        {"statistic": math.nan},
        {"critical": math.nan},
        {"p_value": 1.5},
        {"p_value": -0.1},
        {"rejects": True},
        {"reason": "statistic"},
    ],
)
def test_nonsense_is_an_error_of_ours(change: dict[str, object]) -> None:
    with pytest.raises(ArithmeticError, match="a stage"):
        dataclasses.replace(GOOD, **change)  # type: ignore[arg-type]


def test_the_package_and_the_two_stage_rule_import_nothing_heavy() -> None:
    code = (
        "import sys, harness.statistics; assert 'numpy' not in sys.modules;"
        "import harness.statistics.two_stage, harness.statistics.exact;"
        "assert 'scipy' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
