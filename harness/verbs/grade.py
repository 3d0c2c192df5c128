"""``grade``: mark submissions; what is already observed is not run again."""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import os
import secrets
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from harness import grading, report
from harness.course import Course, find_subjects, load_tasks, remember
from harness.errors import UsageError
from harness.ledger import Ledger, make_folder
from harness.marking.gradebook import Gradebook
from harness.marking.round import Round
from harness.marking.trials import View
from harness.progress import ProgressLine
from harness.report import terminal
from harness.sandbox.choice import require
from harness.seeds import phase_key
from harness.spec.load import load_all
from harness.verbs import output


def run(args: argparse.Namespace) -> int:
    course = load_course(args)
    if args.phase != "feedback":  # whatever is refused is refused before anything is written
        phase_key(args.phase, args.key_file, args.results)
    isolation = require(args.require_isolation, args.phase, allow_insecure=args.allow_insecure)
    progress = ProgressLine()
    with one_writer(args.results), open_ledger(args.results, fresh=args.fresh) as ledger:
        view = View(phase_key(args.phase, args.key_file, args.results), ledger, isolation.required)
        remember(course.subjects, ledger)
        commit = output.commit()

        def write(current: Round) -> Gradebook:
            gradebook = grading.gradebook(course, current, args.phase, commit)
            report.write(gradebook, args.results)
            return gradebook

        with grading.local_executor(args.jobs) as executor:
            last = grading.collect_all(course, view, executor, progress, write, isolation)
        gradebook = write(last)
        record_run(ledger, args, course, gradebook, isolation.required)
    show(args, gradebook, progress.elapsed_s)
    return exit_code(gradebook)


def load_course(args: argparse.Namespace) -> Course:
    """Tasks and subjects as the command line names them."""
    tasks, points = load_tasks(args.tasks, args.reference, args.assignment, args.task)
    if args.tier != "all":
        tasks = tuple(task for task in tasks if task.spec.tier == args.tier)
        if not tasks:
            raise UsageError(f"no task of tier {args.tier} is left to grade")
    every = load_all(args.tasks, args.reference, with_reference=False)
    paths = args.paths or [Path("submissions")]
    subjects = find_subjects(paths, every, args.roster)
    return Course(tasks, subjects, args.assignment or "", points)


def open_ledger(results: Path, *, fresh: bool = False) -> Ledger:
    """The ledger of a results folder."""
    return Ledger(results / "ledger.sqlite", secrets.token_hex(8), fresh=fresh)


@contextlib.contextmanager
def one_writer(results: Path) -> Iterator[None]:
    """Holds the results folder; a second grader is refused and not mixed in.

    Raises:
        UsageError: another process grades into it.
    """
    make_folder(results)
    with (results / "lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise UsageError(
                f"another run is grading into {results}; wait for it or give another --results"
            ) from None
        yield


def record_run(
    ledger: Ledger, args: argparse.Namespace, course: Course, gradebook: Gradebook, isolation: str
) -> None:
    """What ``score`` and ``replay`` need to do it again."""
    ledger.put_document(
        "run",
        {
            "tasks": [task.id for task in course.tasks],
            "assignment": course.assignment,
            "phase": args.phase,
            "key_file": os.path.abspath(args.key_file) if args.key_file else "",
            "isolation": isolation,
            "gradebook": gradebook.to_json(),
        },
    )


def show(args: argparse.Namespace, gradebook: Gradebook, elapsed_s: float) -> None:
    """The table for people, or the document for programs."""
    stream = sys.stderr if args.json else sys.stdout
    if stream.isatty():
        from rich.console import Console

        Console(file=stream).print(terminal.table(gradebook, shutil.get_terminal_size().columns))
    else:
        print(terminal.plain(gradebook), file=stream)
    if len(gradebook.submissions) == 1:
        for line in [*terminal.summary_lines(gradebook.submissions[0]), ""]:
            print(line, file=stream)
    print(
        f"phase {gradebook.run.phase}, key sha256 {gradebook.run.key_sha256[:16]}…; isolation "
        f"{', '.join(sorted({row.isolation for row in gradebook.submissions} - {''})) or 'none'}; "
        f"{elapsed_s:.0f} s; reports in {args.results}/",
        file=stream,
    )
    if args.json:
        document = report.document(gradebook)
        output.emit({**document, "circumstances": {"elapsed_s": round(elapsed_s, 2)}})


def exit_code(gradebook: Gradebook) -> int:
    """0 where everything passes."""
    return 0 if gradebook.all_pass else 1
