"""Stored training runs: the metrics that the trusted programs of a task reach, seed by seed.

``reference/<id>/targets/runs.json`` holds one number per seed and metric for the reference, its
variants and the mutants. All are trained by the measurement that marks submissions, with seeds
from a key that serves nothing else, and no threshold was chosen on these seeds. ``curves.json``
beside it holds learning curves of the reference, where a check has them shown.
:mod:`harness.targets.training` makes the file; this module reads it and compares it with today's
programs and measurement.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness import environments, images
from harness.errors import InfrastructureError
from harness.records import Program, canonical, sha256
from harness.spec.checks import SeedSuccessCheck
from harness.spec.load import LoadedTask

#: The version of the file's format.
FORMAT = 1
#: The target that holds learning curves of the reference.
CURVES = "curves.json"
#: The number of runs of an honest program from which its success rate has a useful lower bound,
#: and the number that are made unless the command line says otherwise.
LEAST_RUNS, CHEAP_RUNS = 50, 200


@dataclass(frozen=True)
class StoredRuns:
    """The runs of one program.

    Attributes:
        name, role: those of the program.
        sha256, protocol: digests of the program and of the measurement that made the runs.
        values: metric -> one number per seed, from seed 0 on; None where the program failed to
            deliver one.
        errors: seed -> the error that ended that run.
        cpu_s: processor seconds of all runs together.
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
        """The number of seeds that were run."""
        return min((len(numbers) for numbers in self.values.values()), default=0)

    def of(self, check: SeedSuccessCheck) -> list[float]:
        """The number of every seed for a check; ``low``, without credit, where there is none.

        Raises:
            KeyError: the runs do not have the check's metric.
        """
        return [check.low if value is None else value for value in self.values[check.metric]]

    def to_json(self) -> dict[str, Any]:
        """The runs as a JSON object, which :func:`parse` reads."""
        return {
            "name": self.name,
            "role": self.role,
            "sha256": self.sha256,
            "protocol": self.protocol,
            "cpu_s": round(self.cpu_s, 1),
            "errors": dict(self.errors),
            "values": {name: list(numbers) for name, numbers in self.values.items()},
        }


@dataclass(frozen=True)
class StoredCurves:
    """Learning curves of the reference, of the first seeds of its stored runs.

    They are shown beside a student's, and no mark comes of them; see
    :mod:`harness.kinds.training_curve`.

    Attributes:
        solved: what the check declared when they were made.
        budget: steps of all sub-environments.
        values: what the runs came to, as in the stored runs.
        first_solved: after how many steps; None where a training never had.
        curves: seed by seed, a number for each share of the budget; None before there was one.
        made_by: of each run the digests of solution.py and of the measurement.
    """

    solved: Mapping[str, float]
    budget: int
    values: Sequence[float]
    first_solved: Sequence[int | None]
    curves: Sequence[Sequence[float | None]]
    made_by: Sequence[tuple[str, str]]


def curves(task: LoadedTask, check: SeedSuccessCheck) -> StoredCurves | None:
    """The stored learning curves of a check's reference; None where there are none.

    Raises:
        InfrastructureError: the file does not hold stored curves.
    """
    targets = {} if task.reference is None else task.reference.targets
    if CURVES not in targets:
        return None
    try:
        record = json.loads(targets[CURVES])
        if record["check"] != check.id:
            return None
        runs = record["runs"]
        return StoredCurves(
            record["solved"],
            record["budget"],
            [run["value"] for run in runs],
            [run["first_solved"] for run in runs],
            [run["curve"] for run in runs],
            [(run["source_sha256"], run["protocol"]) for run in runs],
        )
    except (ValueError, KeyError, TypeError) as error:
        raise InfrastructureError(f"{CURVES}: no stored curves: {error!r}") from error


def checks(task: LoadedTask) -> list[SeedSuccessCheck]:
    """The checks of a task that need stored runs."""
    return [check for check in task.spec.checks if isinstance(check, SeedSuccessCheck)]


def programs(task: LoadedTask) -> list[Program]:
    """The programs whose runs are stored: reference, variants, and mutants of these checks.

    Empty if the task was loaded without its reference.
    """
    if task.reference is None:
        return []
    reference, check_ids = task.reference, {check.id for check in checks(task)}
    mutants = [item.program for item in reference.mutants if item.mistake.check in check_ids]
    return [reference.solution, *reference.variants, *mutants]


def read(task: LoadedTask, file: str) -> list[StoredRuns]:
    """The stored runs in one target of a task; none if there is no such file.

    Raises:
        InfrastructureError: the file does not hold stored runs.
    """
    targets = {} if task.reference is None else task.reference.targets
    return parse(targets[file], file) if file in targets else []


def parse(content: bytes, place: str) -> list[StoredRuns]:
    """The stored runs in the content of a target; ``place`` names the file in messages.

    Raises:
        InfrastructureError: the content is no stored runs of this format.
    """
    try:
        record = json.loads(content)
        if record["format"] != FORMAT:
            raise ValueError(f"format {record['format']} is not {FORMAT}")
        return [StoredRuns(**program) for program in record["programs"]]
    except (ValueError, KeyError, TypeError) as error:
        raise InfrastructureError(f"{place}: no stored runs: {error!r}") from error


def current(task: LoadedTask, stored: StoredRuns) -> bool:
    """Whether the runs were made by today's version of the program and of the measurement."""
    return any(
        (program.name, program.role, program.sha256) == (stored.name, stored.role, stored.sha256)
        and stored.protocol == protocol(task)
        for program in programs(task)
    )


def protocol(task: LoadedTask) -> str:
    """A digest of what the runs depend on besides the program, and of nothing else.

    It covers the code of the training measurements (what they reach in measure.py), given.py, the
    domain, the images, the source of images and the environments if they use them, and the seed
    version. Another measurement of the same task may change without hours of training becoming
    stale.
    """
    return sha256(canonical(measured_by(task, sorted({c.measurement for c in checks(task)}))))


def measured_by(task: LoadedTask, names: Sequence[str]) -> list[object]:
    """What the numbers of some measurements depend on besides the program and its contract."""
    code = measurement_code(task.measure, names)
    parts: list[object] = [task.spec.draw, names, code]
    if "student.given" in code:
        parts.append(ast.unparse(ast.parse(task.given or b"")))
    if "student.domain" in code and task.spec.domain is not None:
        parts.append(task.spec.domain.model_dump(mode="json"))
    if "student.images" in code and task.spec.images is not None:
        parts.append(images.signature(task.spec.images))
    if "student.source(" in code:
        parts.append(images.source.signature())
    if "student.environment(" in code:
        parts.append(environments.signature(task.spec.environments))
    return parts


def measurement_code(measure: bytes, names: Sequence[str]) -> str:
    """The top-level statements of measure.py that some of its functions reach, in their order.

    As text without comments and layout. Imports are kept, whether or not they are needed.
    """
    tree = ast.parse(measure)
    defined: dict[str, ast.stmt] = {}
    for statement in tree.body:
        for name in _defines(statement):
            defined[name] = statement
    wanted, waiting = set(), list(names)
    while waiting:
        name = waiting.pop()
        if name in wanted or name not in defined:
            continue
        wanted.add(name)
        waiting += _reads(defined[name])
    kept = [
        statement
        for statement in tree.body
        if isinstance(statement, ast.Import | ast.ImportFrom) or wanted & set(_defines(statement))
    ]
    return "\n".join(ast.unparse(statement) for statement in kept)


def _reads(statement: ast.stmt) -> set[str]:
    """The names that a top-level statement takes from its module; a function's own are left out."""
    names = [each for each in ast.walk(statement) if isinstance(each, ast.Name)]
    own = {each.id for each in names if isinstance(each.ctx, ast.Store)}
    own |= {each.arg for each in ast.walk(statement) if isinstance(each, ast.arg)}
    local = own if isinstance(statement, ast.FunctionDef | ast.ClassDef) else set()
    return {each.id for each in names} - local


def _defines(statement: ast.stmt) -> list[str]:
    """The names that a top-level statement gives values to."""
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return [statement.name]
    return [
        each.id
        for each in ast.walk(statement)
        if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)
    ]
