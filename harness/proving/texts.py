"""What the texts of a task have to hold: its statement, its starter, its hints, its measurements.

A statement that says another thing than what is marked, or leaves out what a student needs, is as
wrong as a check that fails honest work. Each rule has its place and its remedy.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator
from pathlib import Path

from harness import kinds
from harness.errors import Problem, SpecError
from harness.spec import strict_yaml
from harness.spec.load import LoadedTask
from harness.spec.statement import rendered

_PAGE = "where-your-code-runs.md"
_OPEN = "raise NotImplementedError"


def problems_of(task: LoadedTask, called: Collection[str]) -> list[Problem]:
    """Everything that the texts of a task lack.

    Args:
        task: the task, loaded with its reference.
        called: what its measurements that do not train call, as :class:`.reach.Seen` notes it.
    """
    path = Path(task.path).with_name("README.md")
    statement = _Statement(task, path, path.read_text(encoding="utf-8"))
    return [
        *statement.problems(),
        *_starter(task),
        *_unmeasured(task, called),
        *_hints(task),
    ]


class _Statement:
    """The statement of a task beside what is marked."""

    def __init__(self, task: LoadedTask, path: Path, text: str) -> None:
        self._task = task
        self._path = path
        self._text = text

    def problems(self) -> Iterator[Problem]:
        """Every rule for statements that it breaks."""
        yield from self._generated()
        if not re.search(rf"\]\(\S*{re.escape(_PAGE)}(#\S*)?\)", self._text):
            remedy = f"write [where your code runs](../../docs/{_PAGE}) below the title"
            yield self._at(1, "no link to the page that says where a program runs", remedy)
        yield from self._lectures()
        yield from self._points()
        yield from self._names()

    def _at(self, line: int, message: str, remedy: str) -> Problem:
        return Problem(str(self._path), line, 1, message, remedy)

    def _line_of(self, pattern: str) -> int:
        match = re.search(pattern, self._text)
        return self._text.count("\n", 0, match.start()) + 1 if match else 1

    def _generated(self) -> Iterator[Problem]:
        """The domain and the worked example, which are written from the task's data."""
        try:
            current = rendered(self._text, self._task)
        except SpecError as error:
            yield from error.problems
            return
        if current != self._text:
            pairs = zip(self._text.splitlines(), current.splitlines(), strict=False)
            line = next((at for at, (old, new) in enumerate(pairs, 1) if old != new), 1)
            message = "the domain or the worked example is not that of the task"
            yield self._at(line, message, "run: nox -s statement -- --write")

    def _lectures(self) -> Iterator[Problem]:
        declared = [slide.document for slide in self._task.spec.lecture]
        mentioned = set(re.findall(r"\bS\d+\b", self._text))
        explained = set(re.findall(r"\b(S\d+): [A-Z]", self._text))
        for document in sorted((mentioned or {declared[0]}) - explained):
            message = f"the statement does not say which lecture {document} is"
            remedy = f"write {document}: and its title among the references"
            yield self._at(self._line_of(rf"\b{document}\b"), message, remedy)

    def _points(self) -> Iterator[Problem]:
        """The table of checks: each with its points, as task.yaml has them."""
        shown: dict[str, tuple[int, str]] = {}
        for line, text in enumerate(self._text.splitlines(), 1):
            cells = [cell.strip().strip("`") for cell in text.strip("|").split("|")]
            if text.startswith("|") and len(cells) > 1:
                shown[cells[0]] = (line, cells[1])
        for check in self._task.spec.checks:
            line, points = shown.get(check.id, (1, ""))
            row = f"| {check.id} | {check.points:g} | what it asks |"
            if not points:
                yield self._at(line, f"no row of a table shows check {check.id}", f"add {row}")
            elif _number(points) != check.points:
                message = f"{check.id} has {points} points here, in task.yaml {check.points:g}"
                yield self._at(line, message, f"write {row}")

    def _names(self) -> Iterator[Problem]:
        classes = self._task.contract.classes.values()
        names = [*self._task.contract.functions, *self._task.contract.classes]
        names += [method for each in classes for method in each.methods]
        code = "\n".join(re.findall(r"```.*?```|`[^`\n]+`", self._text, re.DOTALL))
        for name in names:
            if not re.search(rf"\b{name}\b", code):
                message = f"the statement does not name {name}, which has to be written"
                yield self._at(1, message, f"say what `{name}` takes and returns")


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _starter(task: LoadedTask) -> Iterator[Problem]:
    """Functions that the starter does not leave open."""
    path = str(Path(task.path).with_name("starter.py"))
    for node in ast.walk(ast.parse(task.starter)):
        if isinstance(node, ast.FunctionDef):
            body = node.body[ast.get_docstring(node) is not None :]
            if [ast.unparse(line) for line in body] != [_OPEN]:
                place = path, node.lineno, node.col_offset + 1
                message = f"the starter does not leave {node.name} open"
                yield Problem(*place, message, f"write {_OPEN}")


def _unmeasured(task: LoadedTask, called: Collection[str]) -> Iterator[Problem]:
    """Functions and methods of the contract that no measurement calls.

    What a training calls is not watched, so there a name in measure.py is enough.
    """
    path, places = str(Path(task.path).with_name("starter.py")), _places(task.starter)
    trains = any(kinds.of(check).trained for check in task.spec.checks)
    named = _names_in(task.measure) if trains or not called else set()
    contract = task.contract
    owners = [(name, name) for name in (*contract.functions, *contract.classes)]
    for each in contract.classes.values():
        owners += [(method, f"{each.name}.{method}") for method in each.methods]
    for name, shown in owners:
        if name not in called and name not in named:
            place = path, *places.get(shown, (1, 1))
            remedy = "measure it, or leave it out of the starter"
            yield Problem(*place, f"no measurement calls {shown}", remedy)


def _places(source: bytes) -> dict[str, tuple[int, int]]:
    """Where each function, class and method of a file stands."""
    places = {}
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            places[node.name] = node.lineno, node.col_offset + 1
        if isinstance(node, ast.ClassDef):
            for inner in node.body:
                if isinstance(inner, ast.FunctionDef):
                    places[f"{node.name}.{inner.name}"] = inner.lineno, inner.col_offset + 1
    return places


def _names_in(source: bytes) -> set[str]:
    """Attributes and texts of a file: how a measurement names what it calls."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute):
            names.add(node.attr)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            names.add(node.value)
    return names


def _hints(task: LoadedTask) -> Iterator[Problem]:
    """Hints that quote what is to be found out."""
    if task.reference is None:
        return
    mistakes = [mutant.mistake for mutant in task.reference.mutants]
    quoting = [
        index
        for index, mistake in enumerate(mistakes)
        if any(code and code.strip() in mistake.hint for code in (mistake.find, mistake.replace))
    ]
    if not quoting:
        return
    path = task.reference.folder / "mistakes.yaml"
    places = strict_yaml.positions(path.read_text(encoding="utf-8"))
    for index in quoting:
        message = f"the hint of {mistakes[index].name} quotes the mistake or the solution"
        remedy = "say in words which quantity was taken for which"
        place = places.get(("mistakes", index, "hint"), (1, 1))
        yield Problem(str(path), *place, message, remedy)
