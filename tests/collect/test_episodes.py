"""Episodes of a training that are handed on where a check declares `solved`, and nowhere else."""

from dataclasses import replace

import numpy as np
import pytest

from harness.collect.bare import BareProgram
from harness.errors import MeasurementError
from harness.kinds import training_curve
from harness.records import COMMON
from harness.seeds import PUBLIC_KEY
from harness.spec.checks import SeedSuccessCheck
from harness.spec.load import load_task
from tests.support.programs import ROOT

COURSE = ROOT / "tests" / "course"
WALK = load_task(COURSE / "tasks" / "walk", COURSE / "reference" / "walk")
NAMES = {training_curve.ENDS, training_curve.LENGTHS, training_curve.BUDGET}


def declaring(measurement):
    """The task with one check more, which declares `solved`."""
    check = SeedSuccessCheck(
        id="learns", measurement=measurement, metric="x", points=1.0, kind="seed-success",
        against="target", target="runs.json", better="higher", threshold=10.0, low=0.0,
        success_rate=0.9, min_detectable=0.3, alpha=3e-6, beta=0.05, loss=1e-3, max_seeds=24,
        solved={"episodes": 2, "mean": 5.0},
    )  # fmt: skip
    spec = WALK.spec.model_copy(update={"checks": (*WALK.spec.checks, check)})
    return replace(WALK, spec=spec)


def measured(task, measurement):
    with BareProgram(task, task.reference.solution) as running:
        return running.metrics(measurement, COMMON, PUBLIC_KEY)


def test_the_episodes_come_as_the_grader_counted_them():
    found = measured(declaring("play"), "play")
    # four sub-environments, whose episodes take five calls; the first after an end only begins one
    assert found[training_curve.ENDS][:8].tolist() == [20] * 4 + [40] * 4
    assert found[training_curve.LENGTHS][:8].tolist() == [5] * 4 + [4] * 4
    assert int(found[training_curve.BUDGET]) == 400
    plain = measured(WALK, "play")
    assert set(found) - set(plain) == NAMES
    assert all(np.array_equal(found[name], plain[name]) for name in plain)


def test_a_measurement_that_serves_no_environment_is_refused():
    with pytest.raises(MeasurementError, match="0 environments were served"):
        measured(declaring("lines"), "lines")
