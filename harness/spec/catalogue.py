"""All tasks of a course: those that can be loaded, and the problems of those that cannot.

A task folder that is unfinished or broken must not stop work on the others: whoever needs certain
tasks asks the catalogue for them, and only their problems count.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from harness.errors import Problem, SpecError, UsageError
from harness.spec import strict_yaml
from harness.spec.load import LoadedTask, load_task
from harness.spec.models import Assignment
from harness.spec.reading import did_you_mean
from harness.spec.schedule import Term

#: Where the references lie unless the command line says something else.
DEFAULT_REFERENCE = Path("reference")
#: The assignment that needs no file: every check of every task.
ALL = "all"


@dataclass(frozen=True)
class Catalogue:
    """The task folders of a course, read once.

    Attributes:
        loaded: task id -> task, in the order of the ids.
        problems: the name of the folder -> why it cannot be loaded.
    """

    loaded: Mapping[str, LoadedTask]
    problems: Mapping[str, tuple[Problem, ...]]

    @property
    def ids(self) -> tuple[str, ...]:
        """The names of all task folders, usable or not, in order."""
        return tuple(sorted({*self.loaded, *self.problems}))

    @property
    def all_problems(self) -> tuple[Problem, ...]:
        """The problems of every folder, in the order of the folders."""
        return tuple(problem for name in sorted(self.problems) for problem in self.problems[name])

    def require(self, ids: Iterable[str]) -> list[LoadedTask]:
        """The tasks with these ids, in their order.

        Raises:
            UsageError: an id does not exist.
            SpecError: one of them cannot be loaded; it holds the problems of all of these.
        """
        wanted = list(ids)
        for name in wanted:
            if name not in self.loaded and name not in self.problems:
                raise UsageError(f"no task is called {name!r}{did_you_mean(name, self.ids)}")
        if broken := [name for name in wanted if name in self.problems]:
            raise SpecError([problem for name in broken for problem in self.problems[name]])
        return [self.loaded[name] for name in wanted]


def read_catalogue(
    tasks: Path, reference: Path, ids: Sequence[str] = (), *, with_reference: bool = True
) -> Catalogue:
    """Load every task of a folder, or those with the given ids.

    Args:
        tasks: the folder of the task folders; a folder without a task.yaml is none.
        reference: the folder of the references, a folder per task; not read if
            ``with_reference`` is false.
        ids: the tasks to load; all where it is empty.

    Raises:
        UsageError: the folder holds no task, an id does not exist, or the references are wanted
            and there is no such folder.
    """
    if with_reference and not reference.is_dir():
        raise without_references(reference)
    folders = {path.parent.name: path.parent for path in sorted(tasks.glob("*/task.yaml"))}
    if not folders:
        raise UsageError(f"{tasks}: no task found; a task is a folder with a task.yaml")
    loaded, problems = {}, {}
    for name in sorted(set(ids) or folders):
        if name not in folders:
            raise UsageError(f"no task is called {name!r}{did_you_mean(name, folders)}")
        try:
            loaded[name] = load_task(folders[name], reference / name if with_reference else None)
        except SpecError as error:
            problems[name] = error.problems
    return Catalogue(loaded, problems)


def without_references(reference: Path) -> UsageError:
    """The error of whatever needs the references where there is no such folder."""
    return UsageError(
        f"{reference}: there is no such folder, and this needs the references of the tasks; name "
        "it with --reference. Without one, `grade` marks what needs none"
    )


def load_all(
    tasks: Path, reference: Path, ids: Sequence[str] = (), *, with_reference: bool = True
) -> list[LoadedTask]:
    """Load all tasks of a folder, or those with the given ids, in the order of their ids.

    Args:
        tasks, reference, ids, with_reference: as for :func:`read_catalogue`.

    Raises:
        UsageError: the folder holds no task, or an id does not exist.
        SpecError: a task is not valid; it holds the problems of all tasks.
    """
    catalogue = read_catalogue(tasks, reference, ids, with_reference=with_reference)
    return catalogue.require(catalogue.ids)


def assignment_path(folder: Path, name: str) -> Path:
    """Where the assignment of that name lies, if there is one."""
    return folder / "assignments" / f"{name}.yaml"


def assignment_names(folder: Path) -> list[str]:
    """The names of the assignments in ``<folder>/assignments``, in order.

    Files whose names begin with a dot are none: editors keep what is not saved in such.
    """
    found = folder.glob("assignments/*.yaml")
    return sorted(path.stem for path in found if path.is_file() and path.name[0] != ".")


def load_assignment(folder: Path, name: str, known: Sequence[str]) -> Assignment:
    """Load <folder>/assignments/<name>.yaml and check that its tasks exist.

    Args:
        known: the ids of all tasks.

    Raises:
        UsageError: there is no such assignment.
        SpecError: the file is not valid, names a task that does not exist, or draws on a budget of
            late days that the term does not have.
    """
    path = assignment_path(folder, name)
    if not path.is_file():
        others = sorted({ALL, *assignment_names(folder)})
        raise UsageError(f"no assignment is called {name!r}{_nearest_file(folder, name, others)}")
    assignment = strict_yaml.load(path, Assignment)
    places = strict_yaml.positions(path.read_text(encoding="utf-8"))
    problems = [
        Problem(
            str(path),
            *places.get(("tasks", index, "id"), (1, 1)),
            f"no task is called {entry.id!r}",
            did_you_mean(entry.id, known).lstrip("; "),
        )
        for index, entry in enumerate(assignment.tasks)
        if entry.id not in known
    ]
    if assignment.id != name:
        place = places.get(("id",), (1, 1))
        message = f"the file {path.name} has the id {assignment.id!r}"
        problems.append(Problem(str(path), *place, message, f"write id: {name}"))
    late_days = assignment.late.late_days if assignment.late else None
    if late_days is not None:
        place = places.get(("late", "late_days"), (1, 1))
        problems += [
            Problem(str(path), *place, *words) for words in _beyond_the_term(folder, late_days)
        ]
    if problems:
        raise SpecError(problems)
    return assignment


def _nearest_file(folder: Path, name: str, others: Sequence[str]) -> str:
    """The end of a message about an unknown assignment, with the path of the one that is meant."""
    if name == ALL:
        return f": `{ALL}` is every check of every task, and has no file with dates and rules"
    if (other := folder / "assignments" / f"{name}.yml").is_file():
        return f"; rename {other} to {name}.yaml"
    given = Path(name)
    stem = given.stem if given.suffix in (".yaml", ".yml") else name
    close = [stem] if stem in others else get_close_matches(stem, others, n=1)
    if close:
        path = assignment_path(folder, close[0])
        where = f" ({path})" if path.is_file() else ""
        return f"; did you mean {close[0]!r}{where}?"
    return f"; there are: {', '.join(others)}; {folder / 'assignments'}/ has a file NAME.yaml each"


def _beyond_the_term(folder: Path, late_days: int) -> Iterator[tuple[str, str]]:
    """Message and remedy where a term does not have so many late days."""
    term = load_term(folder)
    path = folder / "term.yaml"
    if term is None or term.late_days is None:
        yield (
            "late_days draws on a budget of the term, and none is declared",
            f"write {path} with the line late_days: N",
        )
    elif late_days > term.late_days:
        yield (
            f"late_days is {late_days}, and the term has {term.late_days} ({path})",
            "lower it, or raise the term's",
        )


def load_term(folder: Path) -> Term | None:
    """What <folder>/term.yaml declares for all assignments; None without that file.

    Raises:
        SpecError: the file is not valid.
    """
    path = folder / "term.yaml"
    return strict_yaml.load(path, Term) if path.exists() else None
