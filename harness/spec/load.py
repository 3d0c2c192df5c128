"""Loads a task from its folder: each file is read once, and all problems are reported at once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from harness import environments, images
from harness.contract import Contract, parse_contract, read_contract
from harness.errors import Problem, SpecError
from harness.records import SHOW, Program, canonical, sha256
from harness.spec import sealed, semantics, strict_yaml
from harness.spec.checks import Check
from harness.spec.domain import Domain, Functions
from harness.spec.example import Example, Material, ReadyCall, ready
from harness.spec.instances import Instances
from harness.spec.models import Limits, Task, joint_limits
from harness.spec.reading import bytes_of, collect
from harness.spec.references import Reference, load_reference
from harness.spec.sealed import SealedHints


@dataclass(frozen=True, eq=False)
class LoadedTask:
    """A task with the content of all its files, read once; compared by identity, not by content.

    Attributes:
        path: the path of task.yaml, for messages.
        measure, given, starter: the content of measure.py, given.py (None if there is none) and
            starter.py.
        show: the content of show.py, by which pictures are drawn; None if there is none.
        example: the worked example of the statement; None if there is no example.yaml.
        reference: None if it was loaded without the reference.
        sealed: the hints of its mistakes as a handout holds them; None elsewhere.
        left_out: the ids of those checks that the assignment does without. They stay in the spec,
            so that what is observed of a measurement is the same in every assignment.
    """

    path: str
    spec: Task
    contract: Contract
    measure: bytes
    given: bytes | None
    starter: bytes
    reference: Reference | None
    example: Example | None = None
    sealed: SealedHints | None = None
    left_out: frozenset[str] = frozenset()
    show: bytes | None = None

    @property
    def id(self) -> str:
        """The id of the task, which is also the name of its folder."""
        return self.spec.id

    @cached_property
    def checks(self) -> tuple[Check, ...]:
        """The checks that are marked, in the order of the spec."""
        return tuple(check for check in self.spec.checks if check.id not in self.left_out)

    @property
    def points(self) -> float:
        """The sum of the points of these checks, rounded to four places."""
        return round(sum(check.points for check in self.checks), 4)

    @cached_property
    def protocol(self) -> str:
        """A digest of the task's own code, on which observations depend besides the program.

        It covers measure.py, given.py, starter.py, the domain, the worked example, the set of
        images, the source of images and the environments.
        """
        return self._protocol_of(self.measure)

    @cached_property
    def show_protocol(self) -> str:
        """The same for the task's pictures, with show.py in the place of measure.py."""
        return self._protocol_of(self.show or b"")

    def _protocol_of(self, code: bytes) -> str:
        given = sha256(self.given) if self.given is not None else None
        parts: list[object] = [sha256(code), given, sha256(self.starter)]
        for data in (self.spec.domain, self.example):
            parts += [data.model_dump(mode="json", by_alias=True)] if data is not None else []
        parts += [images.signature(self.spec.images)] if self.spec.images else []
        parts += [images.source.signature()] if b"student.source(" in code else []
        served = self.spec.environments
        parts += [environments.signature(served)] if served else []
        return sha256(canonical(parts))

    def limits_of(self, measurement: str) -> Limits:
        """The limits in force for a measurement; for pictures the largest of all measurements."""
        if measurement != SHOW:
            return self.spec.limits_of(measurement)
        return joint_limits([self.spec.limits, *map(self.spec.limits_of, self.spec.measurements)])

    @cached_property
    def given_contract(self) -> Contract | None:
        """The signatures of given.py; None if there is none."""
        if self.given is None:
            return None
        return parse_contract(self.given, str(Path(self.path).with_name("given.py")))

    @property
    def contracts(self) -> tuple[Contract, Contract | None]:
        """The contract of the task, and that of given.py."""
        return self.contract, self.given_contract

    @cached_property
    def instances(self) -> Instances:
        """What draws from the domain of the task, which is empty where none is declared."""
        needs_given = self.spec.domain is not None and any(
            isinstance(law, Functions) for law in self.spec.domain.values.values()
        )
        given = self.given_contract if needs_given else None
        return Instances(self.spec.domain or Domain(), given)

    @cached_property
    def material(self) -> Material:
        """What its measurements work with, besides a program."""
        return Material(
            self.instances, self.example_calls, self.spec.images, self.spec.environments
        )

    @cached_property
    def example_calls(self) -> tuple[ReadyCall, ...]:
        """The calls of the worked example, in order; none if there is no example."""
        if self.example is None:
            return ()
        return tuple(ready(self.example, self.contract, self.given_contract))

    def starter_program(self) -> Program:
        """The untouched starter, as a program."""
        return Program("starter", "starter", {self.spec.file: self.starter})


def load_task(folder: Path, reference: Path | None) -> LoadedTask:
    """Load one task.

    Args:
        folder: the task's own folder.
        reference: the folder of the task's reference; None to load the task without it.

    Raises:
        SpecError: all problems of its files.
    """
    problems: list[Problem] = []
    path = folder / "task.yaml"
    spec = collect(problems, lambda: strict_yaml.load(path, Task))
    contract = collect(problems, lambda: read_contract(folder / "starter.py"))
    measure = bytes_of(problems, folder / "measure.py", "write one function per measurement")
    starter = bytes_of(problems, folder / "starter.py", "write the signatures of the task")
    bytes_of(problems, folder / "README.md", "write the statement")
    given = folder / "given.py"
    show = folder / "show.py"
    if show.is_file():
        problems += semantics.problems_of_show(show)
    if spec is not None:
        problems += semantics.problems_of_spec(path, spec, measure)
    answers = None
    if spec is not None and reference is not None:
        answers = collect(problems, lambda: load_reference(reference, spec))
    example_path = folder / "example.yaml"
    example = None
    if example_path.exists():
        example = collect(problems, lambda: strict_yaml.load(example_path, Example))
    if problems or spec is None or contract is None:
        raise SpecError(problems)
    task = LoadedTask(
        str(path),
        spec,
        contract,
        measure,
        given.read_bytes() if given.is_file() else None,
        starter,
        answers,
        example,
        sealed.read(folder / sealed.FILE) if reference is None else None,
        show=show.read_bytes() if show.is_file() else None,
    )
    if task.spec.domain is not None:
        problems += semantics.problems_of_domain(path, task.spec.domain, task.contracts)
    if example is not None:
        problems += semantics.problems_of_example(example_path, lambda: task.example_calls)
    if problems:
        raise SpecError(problems)
    return task
