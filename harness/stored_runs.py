"""Stored training runs: what the trusted programs of a task come to, seed by seed.

``reference/<id>/targets/runs.json`` holds one number a seed and metric for the reference, its
variants and the known mistakes, all trained by the measurement that marks submissions, under a
key of their own: no threshold was ever chosen on these seeds. :mod:`harness.targets.training` makes
the file; here it is read, and compared with the programs and the measurement of today.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.errors import InfrastructureError
from harness.records import Program, canonical, sha256
from harness.spec.checks import SeedSuccessCheck
from harness.spec.load import LoadedTask

FORMAT = 1
#: Runs without which a success rate has no bound worth stating, and those of a cheap task.
LEAST_RUNS, CHEAP_RUNS = 50, 200


@dataclass(frozen=True)
class StoredRuns:
    """The runs of one program.

    Attributes:
        values: metric -> one number a seed, from seed 0 on; None where the program broke.
        errors: seed -> what it broke with.
        sha256, protocol: digests of the program and of the measurement that they were made with.
    """

    name: str
    role: str
    sha256: str
    protocol: str
    values: Mapping[str, Sequence[float | None]]
    errors: Mapping[str, str]
    cpu_s: float

    @property
    def count(self) -> int:
        return min((len(numbers) for numbers in self.values.values()), default=0)

    def of(self, check: SeedSuccessCheck) -> list[float]:
        """The numbers of a check; a seed that broke is worth what ``low`` is."""
        return [check.low if value is None else value for value in self.values[check.metric]]

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "role": self.role,
            "sha256": self.sha256,
            "protocol": self.protocol,
            "cpu_s": round(self.cpu_s, 1),
            "errors": dict(self.errors),
            "values": {name: list(numbers) for name, numbers in self.values.items()},
        }


def checks(task: LoadedTask) -> list[SeedSuccessCheck]:
    """The checks of a task that are judged by stored runs."""
    return [check for check in task.spec.checks if isinstance(check, SeedSuccessCheck)]


def programs(task: LoadedTask) -> list[Program]:
    """Every program of which runs are stored, the honest ones first."""
    if task.reference is None:
        return []
    reference, training = task.reference, {check.id for check in checks(task)}
    caught = [item.program for item in reference.mutants if item.mistake.check in training]
    return [reference.solution, *reference.variants, *caught]


def read(task: LoadedTask, file: str) -> list[StoredRuns]:
    """The stored runs of a task.

    Raises:
        InfrastructureError: the file holds something else.
    """
    content = {} if task.reference is None else task.reference.targets
    return parse(content[file], file) if file in content else []


def parse(content: bytes, place: str) -> list[StoredRuns]:
    """The runs in the bytes of a target.

    Raises:
        InfrastructureError: the bytes hold something else.
    """
    try:
        record = json.loads(content)
        if record["format"] != FORMAT:
            raise ValueError(f"format {record['format']} is not {FORMAT}")
        return [StoredRuns(**program) for program in record["programs"]]
    except (ValueError, KeyError, TypeError) as error:
        raise InfrastructureError(f"{place}: no stored runs: {error!r}") from error


def current(task: LoadedTask, stored: StoredRuns) -> bool:
    """Whether runs were made by the program and the measurement of today."""
    return any(
        (program.name, program.role, program.sha256) == (stored.name, stored.role, stored.sha256)
        and stored.protocol == protocol(task)
        for program in programs(task)
    )


def protocol(task: LoadedTask) -> str:
    """A digest of the measurement and its seeds' names."""
    return sha256(canonical([task.protocol, task.spec.draw]))
