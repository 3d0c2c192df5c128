"""What only graders have of a task: solution, honest variants, known mistakes, stored targets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.errors import Problem, SpecError
from harness.records import Program
from harness.spec import answers, strict_yaml
from harness.spec.answers import Answers
from harness.spec.models import Mistake, Mistakes, Task
from harness.spec.reading import bytes_of, collect, text_of

#: The file of a reference that holds what its mutants answer on the public example.
ANSWERS = "answers.json"


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
        answers: what the mutants answer on the public example; None if it was never stored.
        folder: where all of it lies, for messages.
    """

    solution: Program
    variants: tuple[Program, ...]
    mutants: tuple[Mutant, ...]
    targets: dict[str, bytes] = field(default_factory=dict)
    answers: Answers | None = None
    folder: Path = Path()


def load_reference(folder: Path, spec: Task) -> Reference:
    """Load the solution, variants, mutants and targets of one task.

    Raises:
        SpecError: a file is missing, there are fewer than two variants, or a mistake does not
            apply to the solution or names a check that does not exist; all problems at once.
    """
    problems: list[Problem] = []
    solution = bytes_of(problems, folder / "solution.py", "write the reference solution")
    data = {
        name: bytes_of(problems, folder / f"solution{Path(name).suffix}", "train or copy it")
        for name in spec.files
    }
    path = folder / "mistakes.yaml"
    mistakes = collect(problems, lambda: strict_yaml.load(path, Mistakes))
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
    stored = answers.read(folder / ANSWERS)
    text = text_of(problems, folder / "solution.py", solution)
    mutants = []
    for index, mistake in enumerate(mistakes.mistakes if mistakes is not None else ()):
        source = _mutate(folder, mistake, text, (path, index), problems)
        files = {spec.file: source.encode(), **data}
        mutants.append(Mutant(mistake, Program(f"{spec.id}/{mistake.name}", "mutant", files)))
    problems += _unknown_checks(path, spec, mutants)
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
        stored,
        folder,
    )


def _unknown_checks(path: Path, spec: Task, mutants: Sequence[Mutant]) -> Iterator[Problem]:
    """The mistakes that name a check which the task does not have."""
    known = {check.id for check in spec.checks}
    for index, mutant in enumerate(mutants):
        mistake = mutant.mistake
        if mistake.check not in known:
            places = strict_yaml.positions(path.read_text(encoding="utf-8"))
            yield Problem(
                str(path),
                *places.get(("mistakes", index, "check"), (1, 1)),
                f"mistake {mistake.name!r} names check {mistake.check!r}",
                f"name one of {', '.join(sorted(known))}",
            )


def _mutate(
    folder: Path, mistake: Mistake, solution: str, place: tuple[Path, int], problems: list[Problem]
) -> str:
    """The source of a mutant; a mistake that does not apply is added to ``problems``.

    ``place`` is the path of mistakes.yaml and the mistake's index in it.
    """
    if mistake.file is not None:
        source = folder / mistake.file
        return text_of(problems, source, bytes_of(problems, source, "write the mutant"))
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
