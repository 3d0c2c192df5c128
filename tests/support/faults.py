"""Programs that are right but for the form of an answer: public functions wrapped by discovery.

Only what the grader calls is spoilt: a function that another one of the program calls answers as
it did. The wrapped program is the reference where it answers at once, and the program that answers
every call with zero where a measurement trains, so that no case takes longer than its first calls.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from harness.collect.bare import BareProgram
from harness.contract import (
    ArrayType,
    GeneratorType,
    ScalarType,
    Signature,
    TupleType,
    Type,
    read_contract,
)
from harness.contract.constant import constant_program
from harness.errors import ProgramError
from harness.records import COMMON, Program
from harness.seeds import PUBLIC_KEY
from harness.spec.load import LoadedTask
from tests.support.programs import ROOT, load, submission

#: Kinds whose measurements train or play: their programs are replaced by one that knows nothing.
LONG = frozenset({"returns", "seed-success"})
#: Games that are begun to see the first answers of a program: enough to tell axes apart.
FEW_DRAWS = 4
#: Calls of a training measurement after which nothing new is expected: one game takes thousands.
MOST_CALLS = 100

_WRAPPER = """

import functools as _functools

_depth = 0
LEFT_OUT = object()


def _wrapped(function, spoil, prepare):
    @_functools.wraps(function)
    def call(*args, **named):
        global _depth
        outermost, _depth = _depth == 0, _depth + 1
        try:
            results = function(*(prepare(args) if outermost else args), **named)
        finally:
            _depth -= 1
        if not outermost:
            return results
        several = isinstance(results, tuple)
        spoilt = [spoil(i, x) for i, x in enumerate(results if several else (results,))]
        spoilt = [x for x in spoilt if x is not LEFT_OUT]
        return tuple(spoilt) if several else spoilt[0]

    return call
"""

_RECORD = """
def _record(path, args):
    with open({log!r}, "a+") as log:
        log.seek(0)
        assert len(log.readlines()) < {most}
        log.write(path + "\\n")
    return args

"""


@dataclass(frozen=True)
class Target:
    """A public function or method of a task's contract."""

    task: str
    path: str  # "function" or "Class.method"
    signature: Signature

    def __str__(self) -> str:
        return f"{self.task}-{self.path}"

    @property
    def results(self) -> tuple[Type, ...]:
        """The types of what it returns, in order."""
        returns = self.signature.returns
        return returns.items if isinstance(returns, TupleType) else (returns,)

    @property
    def takes_generator(self) -> bool:
        """Whether its last parameter is a random generator."""
        parameters = self.signature.params
        return bool(parameters) and isinstance(parameters[-1].type, GeneratorType)

    def bound(self, index: int) -> frozenset[object]:
        """The axes that arguments and earlier results determine, for result ``index``."""
        names: set[object] = set()
        for parameter in self.signature.params:
            if isinstance(parameter.type, ArrayType):
                names.update(parameter.type.dims)
            elif parameter.type == ScalarType("int"):
                names.add(parameter.name)
        for earlier in self.results[:index]:
            names.update(earlier.dims if isinstance(earlier, ArrayType) else ())
        return frozenset(names)


@cache
def targets_of(name: str) -> tuple[Target, ...]:
    """Every public function and method of a task, as its starter declares them."""
    contract = read_contract(ROOT / "tasks" / name / "starter.py")
    named = dict(contract.functions)
    for each in contract.classes.values():
        named |= {f"{each.name}.{method}": found for method, found in each.methods.items()}
    return tuple(Target(name, path, signature) for path, signature in named.items())


def spoilt(
    task: LoadedTask,
    targets: tuple[Target, ...],
    spoil: str = "x",
    *,
    prepare: str = "args",
    knowing: str = "reference",
) -> Program:
    """A program whose targets answer with ``spoil``, an expression in ``i`` and ``x``.

    ``x`` is result number ``i``, ``LEFT_OUT`` in its place removes it; ``prepare`` is an
    expression of the arguments, ``args``.
    ``knowing`` is "reference", or "nothing" for a program that answers zero.
    """
    source = _source(task, knowing)
    lines = [
        f"{target.path} = _wrapped({target.path}, lambda i, x: {spoil}, lambda args: {prepare})"
        for target in targets
    ]
    return submission(task, "\n".join([source + _WRAPPER, "import torch", *lines, ""]), "spoilt")


def trains(task: LoadedTask, measurement: str) -> bool:
    """Whether a measurement trains or plays, which takes seconds to minutes."""
    return any(check.kind in LONG for check in task.spec.checks_of(measurement))


@cache
def callers(name: str) -> dict[str, tuple[str, ...]]:
    """Target path -> the measurements that call it; one without an entry is never called.

    Measurements that train are watched for the first calls of a program that knows nothing.
    """
    task = load(name)
    found: dict[str, dict[str, None]] = {}
    for measurement in task.spec.measurements:
        for path in _called(task, measurement):
            found.setdefault(path, {})[measurement] = None
    return {path: tuple(measurements) for path, measurements in found.items()}


def first_calls(name: str) -> dict[str, str]:
    """Target path -> the measurement that calls it first."""
    return {path: measurements[0] for path, measurements in callers(name).items()}


def _called(task: LoadedTask, measurement: str) -> list[str]:
    """The targets that a measurement calls, each as often as it does."""
    long = trains(task, measurement)
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "calls"
        log.touch()
        lines = ["", _RECORD.format(log=str(log), most=MOST_CALLS if long else 1 << 30)]
        lines += [
            f"{target.path} = _wrapped({target.path}, lambda i, x: x, "
            f"lambda args: _record({target.path!r}, args))"
            for target in targets_of(task.id)
        ]
        source = _source(task, "nothing" if long else "reference") + _WRAPPER
        with BareProgram(task, submission(task, "\n".join([source, *lines, ""]))) as running:
            try:
                running.metrics(measurement, COMMON, PUBLIC_KEY, draws=_draws(task, measurement))
            except ProgramError:
                assert long, f"{measurement}: the reference does not get through"
        return log.read_text().split()


def _draws(task: LoadedTask, measurement: str) -> int | None:
    """The number of draws that is measured: few where each is a game, else the spec's."""
    declared = task.spec.measurements[measurement].draws
    return FEW_DRAWS if declared and trains(task, measurement) else declared


def _source(task: LoadedTask, knowing: str) -> str:
    if knowing == "reference":
        return task.reference.solution.files[task.spec.file].decode()
    return constant_program(task.contract, 0)


def complaint(target: Target, spoil: str = "x", *, prepare: str = "args") -> tuple[str, str]:
    """(cause, message) for a program of which only this target is spoilt.

    Raises:
        AssertionError: the measurement went through.
    """
    task = load(target.task)
    measurement = first_calls(target.task)[target.path]
    knowing = "nothing" if trains(task, measurement) else "reference"
    program = spoilt(task, (target,), spoil, prepare=prepare, knowing=knowing)
    with BareProgram(task, program) as running:
        try:
            running.metrics(measurement, COMMON, PUBLIC_KEY, draws=_draws(task, measurement))
        except ProgramError as error:
            return error.cause, str(error)
    raise AssertionError(f"{measurement} accepts what {target.path} returns")
