"""Every call of a public example can be shown: as code, or in words where it is too large."""

import numpy as np
import pytest

from harness import kinds
from harness.collect.bare import BareProgram
from harness.collect.job import measure
from harness.collect.proxy import ProgramProxy
from harness.marking.snippet import recorded
from harness.records import EXAMPLE
from harness.seeds import PUBLIC_KEY, SeedName
from tests.support.programs import TASKS, load


def transcripts(task):
    """What the reference was called with, measurement by measurement; trainings are left out."""
    with BareProgram(task, task.reference.solution) as running:
        for name in task.spec.measurements:
            if any(kinds.of(check).trained for check in task.spec.checks_of(name)):
                continue
            seed = SeedName(task.id, task.spec.draw, name, EXAMPLE.stage, EXAMPLE.replicate, "")
            rng = seed.generator(PUBLIC_KEY)
            student = ProgramProxy(
                running.channel, task.contract, rng.spawn(1)[0], material=task.material, record=True
            )
            measure(task, name, student, rng, None)
            yield student.transcript


@pytest.mark.parametrize("name", TASKS)
def test_every_call_of_an_example_can_be_shown(name):
    task = load(name)
    for transcript in transcripts(task):
        for call in recorded(task, transcript):
            snippet = call.code(None, "example.npz")
            assert snippet is None or call.name in snippet.text
            assert np.isinf(call.numbers()) <= (snippet is None)
