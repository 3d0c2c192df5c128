"""Answers of the right form that hold no sensible number: every task measures them, none passes.

A program of zeros, whose floating-point results are then all replaced by one number, goes through
every measurement. What the measurement makes of them can be stored, or the program is refused:
what must not happen is an error of ours, or a check passed that needs neither the reference's
answers nor an earlier check.
"""

import pytest

from harness import kinds
from harness.collect.bare import BareProgram
from harness.errors import ProgramError
from harness.records import COMMON
from harness.seeds import PUBLIC_KEY
from tests.support.faults import spoilt, targets_of
from tests.support.programs import TASKS, load

VALUES = {"nan": float("nan"), "inf": float("inf"), "huge": -1e308}
FILLED = (
    "torch.full_like(x, {0}) + 0 * x.nan_to_num() if isinstance(x, torch.Tensor) "
    "and x.is_floating_point() else {0} if isinstance(x, float) else x"
)
REFUSALS = {"bad-output", "reseeded", "exception"}


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("name", TASKS)
def test_every_measurement_survives_any_number(name, value):
    task = load(name)
    filled = FILLED.format(f"float('{VALUES[value]}')")
    program = spoilt(task, targets_of(name), filled, knowing="nothing")
    with BareProgram(task, program) as running:
        for measurement in task.spec.measurements:
            if {check.kind for check in task.spec.checks_of(measurement)} == {"returns"}:
                continue  # games take integers from a program
            try:
                metrics = running.metrics(measurement, COMMON, PUBLIC_KEY)
            except ProgramError as error:
                assert error.cause in REFUSALS, (measurement, str(error))
                continue
            for check in task.spec.checks_of(measurement):
                stored = kinds.reduce(check, metrics)
                if not check.needs_reference and not check.after:
                    outcome = kinds.decide(check, [kinds.Evidence(stored, step=COMMON)])
                    assert outcome.status != "PASS", check.id
