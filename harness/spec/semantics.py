"""What a task.yaml must say beyond the types of its fields: references between fields and files."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from harness.contract import ArrayType, Contract
from harness.errors import Problem
from harness.spec import strict_yaml
from harness.spec.checks import ReturnsCheck, Stochastic
from harness.spec.domain import Divisor, Domain, Functions, Index, LogSimplex, Simplex
from harness.spec.example import ExampleError
from harness.spec.models import Task
from harness.spec.reading import did_you_mean

#: Modules that a submitted file of the same name would hide: Python's, ours, and our dependencies.
TAKEN_MODULES = frozenset(
    {
        *sys.stdlib_module_names,
        *("sitecustomize", "usercustomize", "conftest", "noxfile", "harness", "given", "measure"),
        *("torch", "numpy", "scipy", "gymnasium", "ale_py", "pandas", "pydantic", "yaml"),
        *("jaxtyping", "safetensors", "rich", "jinja2", "sympy", "torchvision", "pytest"),
    }
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
        functions = _functions(self._path.with_name("measure.py"), self._measure)
        if isinstance(functions, Problem):
            yield functions
            return
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


def problems_of_spec(path: Path, spec: Task, measure: bytes) -> list[Problem]:
    """The problems of a task.yaml that is valid by its fields.

    Args:
        path: that of task.yaml.
        spec: what it says.
        measure: the content of measure.py.
    """
    return _Semantics(path, path.parent.name, spec, measure).problems()


def _functions(path: Path, source: bytes) -> dict[str, ast.FunctionDef] | Problem:
    """The functions of a file by name, or why it is no Python."""
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        place = (error.lineno or 1, error.offset or 1)
        return Problem(str(path), *place, f"it is not valid Python: {error.msg}", "correct it")
    except ValueError as error:
        return Problem(str(path), 1, 1, f"it is not valid Python: {error}", "correct it")
    return {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}


def problems_of_show(path: Path) -> Iterable[Problem]:
    """What is wrong with a show.py before it is run: it defines ``show(student, rng)``."""
    functions = _functions(path, path.read_bytes())
    if isinstance(functions, Problem):
        yield functions
        return
    function = functions.get("show")
    if function is None:
        remedy = "define show(student, rng), which returns pictures"
        yield Problem(str(path), 1, 1, "it defines no function show", remedy)
    elif [arg.arg for arg in function.args.args] != ["student", "rng"]:
        place = (function.lineno, function.col_offset + 1)
        yield Problem(str(path), *place, "show has other parameters", "they are (student, rng)")


def problems_of_domain(
    path: Path, domain: Domain, contracts: tuple[Contract, Contract | None]
) -> Iterable[Problem]:
    """Axes and arguments of a domain that neither the starter nor given.py knows.

    Args:
        path: that of task.yaml.
        domain: the domain.
        contracts: those of the starter and of given.py.
    """
    places = strict_yaml.positions(path.read_text(encoding="utf-8"))
    given = contracts[1].functions if contracts[1] else {}

    def at(loc: tuple[str | int, ...], message: str, remedy: str) -> Problem:
        return Problem(str(path), *places.get(loc, (1, 1)), message, remedy.removeprefix("; "))

    names = [pair for contract in contracts if contract for pair in contract.arguments()]
    axes = {axis for contract in contracts if contract for axis in contract.axes()}
    arguments = {argument for _, argument in names}
    arguments |= {f"{owner}.{argument}" for owner, argument in names}
    for axis in domain.sizes:
        if axis not in axes:
            message = f"no argument has an axis {axis}"
            yield at(("domain", "sizes", axis), message, did_you_mean(axis, axes))
        for message, remedy in _problems_of_bound(domain, axis):
            yield at(("domain", "sizes", axis), message, remedy)
    for name, law in domain.values.items():
        loc = ("domain", "values", name)
        if name not in arguments:
            yield at(loc, f"no function has an argument {name}", did_you_mean(name, arguments))
        for bound in law.axes if isinstance(law, Index | Divisor) else ():
            if bound not in domain.sizes:
                yield at(loc, f"{bound} has no sizes", f"add domain.sizes.{bound}")
        if isinstance(law, Simplex | LogSimplex):
            for message, remedy in _problems_of_probabilities(domain, name, contracts):
                yield at(loc, message, remedy)
        for function in law.names if isinstance(law, Functions) else ():
            if function not in given:
                yield at(loc, f"given.py defines no {function}", did_you_mean(function, given))


def _problems_of_probabilities(
    domain: Domain, name: str, contracts: tuple[Contract, Contract | None]
) -> Iterator[tuple[str, str]]:
    """What is wrong with an argument whose last axis is a distribution; message and remedy."""
    law = domain.values[name]
    assert isinstance(law, Simplex | LogSimplex)
    owner, _, argument = name.rpartition(".")
    for called, signature in (pair for each in contracts if each for pair in each.signatures()):
        types = {param.name: param.type for param in signature.params}
        type_ = types.get(argument)
        if owner not in ("", called) or type_ is None:
            continue
        last = type_.dims[-1] if isinstance(type_, ArrayType) and type_.dims else None
        if not isinstance(type_, ArrayType) or last is None:
            yield f"{called}.{argument} has no last axis to sum over", "choose another law"
            continue
        count = domain.sizes[last].most if last in domain.sizes else last
        if isinstance(count, int) and count * law.smallest > 1:
            message = f"{count} probabilities of at least {law.smallest:g} do not sum to one"
            yield message, f"write a smaller `least`, or smaller sizes of {last}"
        if isinstance(law, Simplex) and law.unless is not None:
            where = types.get(law.unless)
            shorter = type_.dims[: len(where.dims)] if isinstance(where, ArrayType) else ()
            if not isinstance(where, ArrayType) or where.dims != shorter or shorter == type_.dims:
                message = f"{called} has no argument {law.unless} with the first axes of {argument}"
                yield message, "name a Bool argument that says where, without the last axis"


def _problems_of_bound(domain: Domain, axis: str) -> Iterator[tuple[str, str]]:
    """What is wrong with an axis that is never smaller than another; message and remedy."""
    sizes = domain.sizes[axis]
    if (bound := sizes.bound) is None:
        return
    relation = f"{axis} {'>' if bound.gap else '>='} {bound.axis}"
    other = domain.sizes.get(bound.axis)
    if bound.axis == axis:
        yield f"{axis} is related to itself", "name another axis"
    elif other is None:
        yield f"{bound.axis} has no sizes", f"add domain.sizes.{bound.axis}"
    elif other.bound is not None:
        remedy = f"relate {axis} to {other.bound.axis}, or leave one of the two out"
        yield f"{bound.axis}, which {axis} is related to, is related to another axis", remedy
    else:
        least, most = other.least + bound.gap, sizes.most - bound.gap
        if sizes.least < least:
            message = f"{axis} is never {sizes.least}: {relation}, which is {other.least} or more"
            yield message, f"write least: {least}"
        if other.most > most:
            message = f"{bound.axis} is never {other.most}: {relation}, which goes to {sizes.most}"
            yield message, f"write most: {most} for {bound.axis}, or a larger one for {axis}"


def problems_of_example(path: Path, read: Callable[[], object]) -> Iterable[Problem]:
    """What is wrong with a worked example, found by holding it against the contract with ``read``.

    Args:
        path: that of example.yaml.
    """
    try:
        read()
    except ExampleError as error:
        yield Problem(str(path), 1, 1, str(error), "see docs/authoring.md")
    except (ValueError, TypeError) as error:
        message = f"a value is neither a number nor a list of numbers: {error}"
        yield Problem(str(path), 1, 1, message, "see docs/authoring.md")
