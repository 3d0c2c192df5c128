"""Loads a task from its folder: each file is read once, and all problems are reported at once."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from harness.contract import Contract, parse_contract, read_contract
from harness.errors import Problem, SpecError
from harness.records import Program, canonical, sha256
from harness.spec import strict_yaml
from harness.spec.checks import ReturnsCheck, Stochastic
from harness.spec.domain import Divisor, Domain, Functions, Index
from harness.spec.example import Example, ExampleError, Material, ReadyCall, ready
from harness.spec.instances import Instances
from harness.spec.models import Mistake, Mistakes, Task

Loaded = TypeVar("Loaded")

#: Modules that a submitted file of the same name would hide: Python's, ours, and our dependencies.
TAKEN_MODULES = frozenset(
    {
        *sys.stdlib_module_names,
        *("sitecustomize", "usercustomize", "conftest", "noxfile", "harness", "given", "measure"),
        *("torch", "numpy", "scipy", "gymnasium", "ale_py", "pandas", "pydantic", "yaml"),
        *("jaxtyping", "safetensors", "rich", "jinja2", "sympy", "torchvision", "pytest"),
    }
)


@dataclass(frozen=True)
class Mutant:
    """A known mistake and the program that makes it."""

    mistake: Mistake
    program: Program


@dataclass(frozen=True)
class Reference:
    """What only graders have of one task.

    Attributes:
        solution: the reference solution.
        variants: honest solutions written differently, at least two.
        mutants: the known mistakes in the order of mistakes.yaml.
        targets: file name -> content of reference/<id>/targets/*.json.
    """

    solution: Program
    variants: tuple[Program, ...]
    mutants: tuple[Mutant, ...]
    targets: dict[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class LoadedTask:
    """A task with the content of all its files, read once; compared by identity, not by content.

    Attributes:
        path: the path of task.yaml, for messages.
        measure, given, starter: the content of measure.py, given.py (None if there is none) and
            starter.py.
        example: the worked example of the statement; None if there is no example.yaml.
        reference: None if it was loaded without the reference.
    """

    path: str
    spec: Task
    contract: Contract
    measure: bytes
    given: bytes | None
    starter: bytes
    reference: Reference | None
    example: Example | None = None

    @property
    def id(self) -> str:
        """The id of the task, which is also the name of its folder."""
        return self.spec.id

    @cached_property
    def protocol(self) -> str:
        """A digest of the task's own code, on which observations depend besides the program.

        It covers measure.py, given.py, starter.py, the domain and the worked example.
        """
        given = sha256(self.given) if self.given is not None else None
        parts: list[object] = [sha256(self.measure), given, sha256(self.starter)]
        for data in (self.spec.domain, self.example):
            parts += [data.model_dump(mode="json", by_alias=True)] if data is not None else []
        return sha256(canonical(parts))

    @cached_property
    def given_contract(self) -> Contract | None:
        """The signatures of given.py; None if there is none."""
        if self.given is None:
            return None
        return parse_contract(self.given, str(Path(self.path).with_name("given.py")))

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
        return Material(self.instances, self.example_calls)

    @cached_property
    def example_calls(self) -> tuple[ReadyCall, ...]:
        """The calls of the worked example, in order; none if there is no example."""
        if self.example is None:
            return ()
        return tuple(ready(self.example, self.contract, self.given_contract))

    def starter_program(self) -> Program:
        """The untouched starter, as a program."""
        return Program("starter", "starter", {self.spec.file: self.starter})


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The end of a message about an unknown name: ``; did you mean 'x'?``, or all known names."""
    names = list(known)
    close = get_close_matches(name, names, n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; there are: {', '.join(sorted(names))}"


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
    spec = _collect(problems, lambda: strict_yaml.load(path, Task))
    contract = _collect(problems, lambda: read_contract(folder / "starter.py"))
    measure = _bytes(problems, folder / "measure.py", "write one function per measurement")
    starter = _bytes(problems, folder / "starter.py", "write the signatures of the task")
    _bytes(problems, folder / "README.md", "write the statement")
    given = folder / "given.py"
    if spec is not None:
        problems += _Semantics(path, folder.name, spec, measure).problems()
    answers = None
    if spec is not None and reference is not None:
        answers = _collect(problems, lambda: load_reference(reference, spec))
    example_path = folder / "example.yaml"
    example = None
    if example_path.exists():
        example = _collect(problems, lambda: strict_yaml.load(example_path, Example))
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
    )
    if problems := [*_problems_of_domain(task), *_problems_of_example(task, example_path)]:
        raise SpecError(problems)
    return task


def _problems_of_domain(task: LoadedTask) -> Iterable[Problem]:
    """Axes and arguments of the domain that the starter and given.py do not know."""
    domain = task.spec.domain
    if domain is None:
        return
    places = strict_yaml.positions(Path(task.path).read_text(encoding="utf-8"))

    def at(loc: tuple[str | int, ...], message: str, remedy: str) -> Problem:
        return Problem(task.path, *places.get(loc, (1, 1)), message, remedy.lstrip("; "))

    contracts = [task.contract, *([task.given_contract] if task.given_contract else [])]
    names = [pair for contract in contracts for pair in contract.arguments()]
    axes = {axis for contract in contracts for axis in contract.axes()}
    arguments = {argument for _, argument in names}
    arguments |= {f"{owner}.{argument}" for owner, argument in names}
    for axis in domain.sizes:
        if axis not in axes:
            message = f"no argument has an axis {axis}"
            yield at(("domain", "sizes", axis), message, did_you_mean(axis, axes))
    for name, law in domain.values.items():
        loc = ("domain", "values", name)
        if name not in arguments:
            yield at(loc, f"no function has an argument {name}", did_you_mean(name, arguments))
        bound = law.below if isinstance(law, Index) else law.of if isinstance(law, Divisor) else ""
        if bound and bound not in domain.sizes:
            yield at(loc, f"{bound} has no sizes", f"add domain.sizes.{bound}")
        given = task.given_contract.functions if task.given_contract else {}
        for function in law.names if isinstance(law, Functions) else ():
            if function not in given:
                yield at(loc, f"given.py defines no {function}", did_you_mean(function, given))


def _problems_of_example(task: LoadedTask, path: Path) -> Iterable[Problem]:
    try:
        _ = task.example_calls
    except ExampleError as error:
        yield Problem(str(path), 1, 1, str(error), "see docs/authoring.md")
    except (ValueError, TypeError) as error:
        message = f"a value is neither a number nor a list of numbers: {error}"
        yield Problem(str(path), 1, 1, message, "see docs/authoring.md")


def load_reference(folder: Path, spec: Task) -> Reference:
    """Load the solution, variants, mutants and targets of one task.

    Raises:
        SpecError: a file is missing, there are fewer than two variants, or a mistake does not
            apply to the solution or names a check that does not exist; all problems at once.
    """
    problems: list[Problem] = []
    solution = _bytes(problems, folder / "solution.py", "write the reference solution")
    data = {
        name: _bytes(problems, folder / f"solution{Path(name).suffix}", "train or copy it")
        for name in spec.files
    }
    path = folder / "mistakes.yaml"
    mistakes = _collect(problems, lambda: strict_yaml.load(path, Mistakes))
    variants = sorted(folder.glob("variants/*.py"))
    if len(variants) < 2:
        problems.append(
            Problem(
                str(folder / "variants"),
                1,
                1,
                f"{len(variants)} honest variants, at least 2 wanted",
                "add solutions that a good student would write differently",
            )
        )
    mutants = []
    text = _text(problems, folder / "solution.py", solution)
    if mistakes is not None:
        for index, mistake in enumerate(mistakes.mistakes):
            source = _mutate(folder, mistake, text, (path, index), problems)
            files = {spec.file: source.encode(), **data}
            mutants.append(Mutant(mistake, Program(f"{spec.id}/{mistake.name}", "mutant", files)))
        known = {check.id for check in spec.checks}
        for mistake in mistakes.mistakes:
            if mistake.check not in known:
                message = f"mistake {mistake.name!r} names check {mistake.check!r}"
                problems.append(Problem(str(path), 1, 1, message, f"of {sorted(known)}"))
    if problems:
        raise SpecError(problems)
    return Reference(
        Program(spec.id, "reference", {spec.file: solution, **data}),
        tuple(
            Program(f"{spec.id}/{item.stem}", "variant", {spec.file: item.read_bytes(), **data})
            for item in variants
        ),
        tuple(mutants),
        {item.name: item.read_bytes() for item in sorted(folder.glob("targets/*.json"))},
    )


class _Semantics:
    """Checks of a task.yaml that go beyond its fields' types, such as references between fields.

    Every problem has its place in task.yaml.
    """

    def __init__(self, path: Path, folder: str, spec: Task, measure: bytes) -> None:
        self._path = path
        self._folder = folder
        self._spec = spec
        self._measure = measure
        self._places = strict_yaml.positions(path.read_text(encoding="utf-8"))

    def problems(self) -> list[Problem]:
        """All problems, in the order of the checks below."""
        return [*self._identity(), *self._measurements(), *self._checks()]

    def _at(self, loc: tuple[str | int, ...], message: str, remedy: str) -> Problem:
        return Problem(str(self._path), *self._places.get(loc, (1, 1)), message, remedy)

    def _identity(self) -> Iterable[Problem]:
        if self._spec.id != self._folder:
            remedy = f"rename the folder or write id: {self._folder}"
            yield self._at(("id",), f"id {self._spec.id!r} in folder {self._folder!r}", remedy)
        if self._spec.module in TAKEN_MODULES:
            message = (
                f"a submission of id {self._spec.id!r} would hide the module {self._spec.module}"
            )
            yield self._at(("id",), message, "give the task another id and rename its folders")

    def _measurements(self) -> Iterable[Problem]:
        try:
            tree = ast.parse(self._measure)
        except (SyntaxError, ValueError) as error:
            yield Problem(str(self._path.with_name("measure.py")), 1, 1, str(error), "mend it")
            return
        functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
        for name, measurement in self._spec.measurements.items():
            loc = ("measurements", name)
            if name not in functions:
                remedy = f"define it{did_you_mean(name, functions)}"
                yield self._at(loc, f"measure.py defines no {name}", remedy)
                continue
            params = [arg.arg for arg in functions[name].args.args]
            expected = ["student", "rng"] + (["n"] if measurement.draws is not None else [])
            if params != expected:
                yield self._at(
                    loc,
                    f"{name}({', '.join(params)}) in measure.py",
                    f"its parameters are ({', '.join(expected)})",
                )
            if len({check.visibility for check in self._spec.checks_of(name)}) > 1:
                yield self._at(
                    loc,
                    f"measurement {name} is read by visible and by hidden checks",
                    "measure what is hidden in a function of its own",
                )
            if not self._spec.checks_of(name):
                yield self._at(loc, f"no check reads measurement {name}", "remove it or add one")

    def _checks(self) -> Iterable[Problem]:
        earlier_ids: set[str] = set()
        for index, check in enumerate(self._spec.checks):
            loc: tuple[str | int, ...] = ("checks", index)
            if check.id in earlier_ids:
                yield self._at((*loc, "id"), f"two checks are called {check.id!r}", "rename one")
            for prerequisite in check.after:
                if prerequisite not in earlier_ids:
                    yield self._at(
                        (*loc, "after"),
                        f"after: {prerequisite!r} does not stand before this check",
                        "name an earlier check of this task",
                    )
            earlier_ids.add(check.id)
            measurement = self._spec.measurements.get(check.measurement)
            if measurement is None:
                suggestion = did_you_mean(check.measurement, self._spec.measurements)
                yield self._at(
                    (*loc, "measurement"),
                    f"measurement {check.measurement!r} is not declared",
                    f"declare it under measurements{suggestion}",
                )
            elif isinstance(check, Stochastic) and measurement.draws is None:
                yield self._at(
                    (*loc, "kind"),
                    f"{check.kind} needs a number of draws",
                    f"give measurements.{check.measurement}.draws",
                )
            if isinstance(check, ReturnsCheck) and measurement is not None:
                if measurement.draws not in (None, check.episodes):
                    yield self._at(
                        (*loc, "episodes"),
                        f"{check.episodes} episodes of {measurement.draws} draws",
                        f"write measurements.{check.measurement}.draws: {check.episodes}",
                    )
            if self._spec.tier == "exact" and isinstance(check, Stochastic):
                yield self._at(
                    (*loc, "kind"), f"{check.kind} in a task of tier exact", "write tier: estimator"
                )


def _mutate(
    folder: Path, mistake: Mistake, solution: str, place: tuple[Path, int], problems: list[Problem]
) -> str:
    """The source of a mutant; a mistake that does not apply is added to ``problems``.

    ``place`` is the path of mistakes.yaml and the mistake's index in it.
    """
    if mistake.file is not None:
        source = folder / mistake.file
        return _text(problems, source, _bytes(problems, source, "write the mutant"))
    path, index = place
    occurrences = solution.count(mistake.find or "")
    if occurrences != 1:
        places = strict_yaml.positions(path.read_text(encoding="utf-8"))
        problems.append(
            Problem(
                str(path),
                *places.get(("mistakes", index, "find"), (1, 1)),
                f"`find` of mistake {mistake.name!r} occurs {occurrences} times in solution.py",
                "quote a text that occurs exactly once",
            )
        )
        return ""
    return solution.replace(mistake.find or "", mistake.replace or "")


def _collect(problems: list[Problem], load: Callable[[], Loaded]) -> Loaded | None:
    """What ``load`` returns; None if it raises SpecError, whose problems are added to the list."""
    try:
        return load()
    except SpecError as error:
        problems += error.problems
        return None


def _text(problems: list[Problem], path: Path, content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        problems.append(Problem(str(path), 1, 1, f"this is not text: {error}", "save it as UTF-8"))
        return ""


def _bytes(problems: list[Problem], path: Path, remedy: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        problems.append(Problem(str(path), 1, 1, "this file is missing", remedy))
        return b""
