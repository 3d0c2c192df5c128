"""A fixed sample of the automatic mutants of every task: each is caught, equivalent or excused."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.mutation import strength
from tests.support.programs import ROOT, TASKS, load

#: Mutants of a task that the default tests run; `verify --mutate` runs all.
SAMPLE = 10


#: A frame of Atari costs what a whole mutant of other tasks does.
NAMES = [
    pytest.param(name, marks=pytest.mark.slow) if name == "dqn-atari" else name for name in TASKS
]


@pytest.mark.parametrize("name", NAMES)
def test_no_mutant_of_the_sample_survives_without_a_reason(name):
    with ThreadPoolExecutor(1) as here:
        (found,) = strength.measure([load(name)], ROOT / "reference", here, SAMPLE)
    assert len(found.tried) == SAMPLE
    assert [str(problem) for problem in found.problems] == []
