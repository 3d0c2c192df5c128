"""``example``: replay the worked example of a statement with a file of one's own.

It runs the file in this process, without a sandbox, as its author does anyway; no reference and no
key are needed, and no mark comes of it.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from harness.collect.bare import BareProgram
from harness.errors import ProgramError, UsageError
from harness.records import Program
from harness.spec.catalogue import load_all
from harness.spec.example import in_words
from harness.spec.load import LoadedTask
from harness.submissions import find
from harness.submissions.cells import in_cells
from harness.submissions.records import is_notebook
from harness.verbs import options, output


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the verb's options."""
    options.common(parser)
    parser.add_argument("task", metavar="TASK", help="the id of the task")
    parser.add_argument("file", type=Path, metavar="FILE", help="your file, or its folder")


def run(args: argparse.Namespace) -> int:
    """Prints every call with what it gave; 0 if all agree with the statement."""
    (task,) = load_all(args.tasks, args.reference, [args.task], with_reference=False)
    if task.example is None:
        raise UsageError(
            f"the statement of {task.id} has no worked example; `grade` marks your file on public "
            "instances"
        )
    agreed, problem = _replay(task, args.file)
    calls = [call.call for call in task.example.calls]
    if args.json:
        rows = [{"call": call, "agrees": one} for call, one in zip(calls, agreed, strict=False)]
        output.emit({"task": task.id, "calls": rows, "problem": problem})
        return 0 if agreed and all(agreed) else 1
    print(in_words(task.example, task.example_calls), end="\n\n")
    for call, one in zip(calls, agreed, strict=False):
        print(f"{'agrees ' if one else 'differs'}  {call}")
    if problem:
        print(problem)
    return 0 if agreed and all(agreed) else 1


def _replay(task: LoadedTask, path: Path) -> tuple[list[bool], str]:
    """Whether each call agrees, and why a file that did not deliver did not."""
    files = _of_notebook(task, path) if is_notebook(path.name) else _of_files(task, path)
    try:
        with BareProgram(task, Program("own", "submission", files)) as own:
            return own.example(), ""
    except ProgramError as error:
        return [], in_cells(error.message, files)


def _of_files(task: LoadedTask, path: Path) -> dict[str, bytes]:
    """The files that a task asks for: in a folder, or ``path`` for the program, others beside it.

    Raises:
        UsageError: one of them does not exist.
    """
    folder = path if path.is_dir() else path.parent
    files = {name: folder / name for name in task.spec.wanted_files}
    if not path.is_dir():
        files[task.spec.file] = path
    for name, place in files.items():
        if not place.is_file():
            raise UsageError(f"{place}: no such file; {task.id} wants {name}")
    return {name: place.read_bytes() for name, place in files.items()}


def _of_notebook(task: LoadedTask, path: Path) -> dict[str, bytes]:
    """The module that the cells of a notebook make up, and other files that lie beside it.

    Raises:
        UsageError: it has no cells for the task, or a file is missing.
    """
    (submission,) = find([path], frozenset({task.spec.file}))
    if task.spec.file not in submission.contents:
        sentences = [problem.message for problem in submission.problems] + list(submission.notes)
        raise UsageError(f"{path}: {'; '.join(sentences)}")
    beside = [name for name in task.spec.wanted_files if name != task.spec.file]
    return dict(submission.contents) | {name: path.with_name(name).read_bytes() for name in beside}
