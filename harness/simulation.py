"""Many gradings of one trusted program under fresh keys: the error rates of a check, measured.

The program runs in this process (:mod:`harness.bare`); what is stored of a measurement and how it
is decided is the grader's own code.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

from harness import kinds
from harness.bare import BareProgram
from harness.records import COMMON, OWN, Array, Program
from harness.seeds import Key
from harness.spec.checks import Stochastic
from harness.spec.load import LoadedTask


@dataclass(frozen=True)
class Rates:
    """What came of re-grading one program on one check.

    Attributes:
        rejections: gradings whose first stage rejected.
        failures: gradings that ended as FAIL: both stages rejected, or too noisy.
    """

    task: str
    check: str
    program: str
    gradings: int
    rejections: int
    failures: int


def regrade(task: LoadedTask, program: Program, gradings: int, salt: str = "") -> list[Rates]:
    """Grades every sampled check of a task ``gradings`` times, each time under another key.

    The keys are derived from ``salt``, so that the same simulation gives the same counts.

    Raises:
        ProgramError, MeasurementError: the program or its measurement did not deliver.
    """
    checks = [check for check in task.spec.checks if isinstance(check, Stochastic)]
    counts = {check.id: [0, 0] for check in checks}
    with BareProgram(task, program) as running:
        for key in _keys(gradings, salt):
            for name, (rejected, failed) in _grade(checks, running, key, program.name).items():
                counts[name][0] += rejected
                counts[name][1] += failed
    return [Rates(task.id, check.id, program.name, gradings, *counts[check.id]) for check in checks]


def _grade(
    checks: Sequence[Stochastic], running: BareProgram, key: Key, subject: str
) -> dict[str, tuple[bool, bool]]:
    """For every check: whether its first stage rejected, and whether it failed."""
    measurements = sorted({check.measurement for check in checks})
    stored = {name: running.values(name, COMMON, key) for name in measurements}
    found = {}
    for check in checks:
        stages = [kinds.Evidence(_of(stored[check.measurement], check.id))]
        outcome = kinds.decide(check, stages)
        rejected = outcome.status == "MORE"
        if rejected:
            again = running.values(check.measurement, OWN, key, subject=subject)
            stages.append(kinds.Evidence(_of(again, check.id)))
            outcome = kinds.decide(check, stages)
        found[check.id] = (rejected, outcome.status == "FAIL")
    return found


def _keys(count: int, salt: str) -> Iterator[Key]:
    for index in range(count):
        yield Key("feedback", sha256(f"simulation {salt} {index}".encode()).digest())


def _of(values: dict[str, Array], check_id: str) -> dict[str, Array]:
    prefix = check_id + "/"
    return {k.removeprefix(prefix): v for k, v in values.items() if k.startswith(prefix)}
