"""Whatever is drawn, honest work keeps its distance from the tolerance: every task, new draws.

``verify`` shows it for the draws of one key; a phase has another. Measurements of stochastic and of
training checks are left to calibration and to stored runs. By default one honest program meets one
draw, task by task another program and another draw; all of them are among the slow tests.
"""

from functools import cache

import pytest

from harness import kinds
from harness.collect.bare import BareProgram
from harness.proving.verification import HONEST_MARGIN
from harness.records import Step
from harness.seeds import PUBLIC_KEY
from tests.support.programs import TASKS, honest_programs, load

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


def observed(task, program, draws):
    """(measurement, step) -> what is stored of it, for these draws."""
    with BareProgram(task, program) as running:
        return {
            (name, step): running.statistics(name, step, PUBLIC_KEY)
            for name in deterministic(task)
            for step in (Step(1, draw) for draw in draws)
        }


@cache
def of_the_reference(name, draws):
    task = load(name)
    return observed(task, task.reference.solution, draws)


def in_turn(name, items):
    """One item; tasks take turns."""
    return (items[TASKS.index(name) % len(items)],)


def all_of(_, items):
    return tuple(items)


#: A frame of Atari costs what a whole measurement of other tasks does.
NAMES = [
    pytest.param(name, marks=pytest.mark.slow) if name == "dqn-atari" else name for name in TASKS
]


@pytest.mark.parametrize(
    "chosen", [in_turn, pytest.param(all_of, marks=pytest.mark.slow)], ids=["one", "all"]
)
@pytest.mark.parametrize("name", NAMES)
def test_honest_programs_agree_with_the_reference_on_other_draws(name, chosen):
    task = load(name)
    draws = chosen(name, DRAWS)
    targets = of_the_reference(name, draws)
    solution, *others = honest_programs(task)
    found = [(solution.name, targets)]
    found += [(each.name, observed(task, each, draws)) for each in chosen(name, others)]
    for program, observations in found:
        for (measurement, step), own in observations.items():
            for check in task.spec.checks_of(measurement):
                target = targets[measurement, step][check.id]
                evidence = kinds.Evidence(own[check.id], target, step=step)
                outcome = kinds.decide(check, [evidence])
                where = (program, check.id, step.replicate, outcome.figures)
                assert outcome.status == "PASS", where
                if check.kind in TOLERANCE_KINDS:
                    assert outcome.margin <= HONEST_MARGIN, where
