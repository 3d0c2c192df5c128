"""Whatever is drawn, honest work keeps its distance from the tolerance: every task, new draws.

``verify`` shows it for the draws of one key; a phase has another. Measurements of stochastic and of
training checks are left to calibration and to stored runs.
"""

from pathlib import Path

import pytest

from harness import kinds
from harness.collect.bare import BareProgram
from harness.proving.verification import HONEST_MARGIN
from harness.records import Step
from harness.seeds import PUBLIC_KEY
from harness.spec.load import load_task

ROOT = Path(__file__).parents[2]
TASKS = sorted(path.parent.name for path in ROOT.glob("tasks/*/task.yaml"))
DRAWS = (1, 2, 3)
TOLERANCE_KINDS = {kind.name for kind in kinds.KINDS if kind.has_tolerance}
WITHOUT_NOISE = {*TOLERANCE_KINDS, "property", "causality"}


def deterministic(task):
    """Measurements of which every check is without noise."""
    return [
        name
        for name in task.spec.measurements
        if {check.kind for check in task.spec.checks_of(name)} <= WITHOUT_NOISE
    ]


@pytest.mark.parametrize("name", TASKS)
def test_honest_programs_agree_with_the_reference_on_other_draws(name, honest_programs):
    task = load_task(ROOT / "tasks" / name, ROOT / "reference" / name)
    steps = [(found, Step(1, draw)) for found in deterministic(task) for draw in DRAWS]
    with BareProgram(task, task.reference.solution) as bare:
        wanted = [bare.values(found, step, PUBLIC_KEY) for found, step in steps]
    for program in honest_programs(task):
        with BareProgram(task, program) as bare:
            for (found, step), reference in zip(steps, wanted, strict=True):
                own = bare.values(found, step, PUBLIC_KEY)
                for check in task.spec.checks_of(found):
                    prefix = f"{check.id}/"
                    stored = [
                        {key.removeprefix(prefix): each[key] for key in each if prefix in key}
                        for each in (own, reference)
                    ]
                    outcome = kinds.decide(check, [kinds.Evidence(*stored, step=step)])
                    where = (program.name, check.id, step.replicate, outcome.figures)
                    assert outcome.status == "PASS", where
                    if check.kind in TOLERANCE_KINDS:
                        assert outcome.margin <= HONEST_MARGIN, where
