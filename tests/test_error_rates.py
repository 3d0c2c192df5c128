"""Error rates of every check on draws, over every honest program: parametrised by discovery.

The default run re-grades a few times and shows that the path works; the slow run is the figure.
"""

from pathlib import Path

import pytest
from scipy.stats import binomtest

from harness.records import Program
from harness.simulation import regrade
from harness.spec.checks import Stochastic
from harness.spec.load import load_all

ROOT = Path(__file__).parents[1]
TASKS = [
    task
    for task in load_all(ROOT / "tasks", ROOT / "reference")
    if any(isinstance(check, Stochastic) for check in task.spec.checks)
]


def honest(task):
    """Reference, variants and the complete sample submission."""
    sample = ROOT / "submissions" / "complete" / task.spec.file
    complete = Program("complete", "submission", {task.spec.file: sample.read_bytes()})
    return [task.reference.solution, *task.reference.variants, complete]


PROGRAMS = [
    pytest.param(task, program, id=f"{task.id}:{program.role}:{program.name.split('/')[-1]}")
    for task in TASKS
    for program in honest(task)
]


def check_rates(task, program, gradings, capsys):
    for rates in regrade(task, program, gradings, salt="tests"):
        declared = task.spec.check(rates.check).stage_alpha
        with capsys.disabled():
            print(
                f"\n{rates.task}/{rates.check} {program.role} {rates.program}: {rates.failures} "
                f"fails, {rates.rejections} stage-one rejections of {rates.gradings}",
                end="",
            )
        assert rates.failures == 0
        # the stage runs at its nominal level: refute only what the binomial law refutes
        assert binomtest(rates.rejections, gradings, declared, "greater").pvalue > 1e-4


@pytest.mark.parametrize(("task", "program"), PROGRAMS)
def test_a_few_gradings(task, program, capsys):
    check_rates(task, program, 5, capsys)


@pytest.mark.slow
@pytest.mark.parametrize(("task", "program"), PROGRAMS)
def test_a_thousand_gradings(task, program, capsys):
    check_rates(task, program, 1000, capsys)


def test_there_is_something_to_simulate():
    assert TASKS


def test_a_biased_program_is_counted():
    """The simulation can count failures: a known mistake fails almost always."""
    task = next(task for task in TASKS if task.id == "reparam-sample")
    mutant = next(
        mutant
        for mutant in task.reference.mutants
        if isinstance(task.spec.check(mutant.mistake.check), Stochastic)
    )
    rates = {found.check: found for found in regrade(task, mutant.program, 5)}
    assert rates[mutant.mistake.check].failures == 5
