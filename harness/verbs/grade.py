"""``grade``: mark submissions; what is already observed is not run again."""

from __future__ import annotations

import argparse
from pathlib import Path

from harness import grading, report
from harness.course import Course, find_subjects, load_tasks, remember
from harness.errors import UsageError
from harness.marking.gradebook import Gradebook
from harness.marking.round import Round
from harness.marking.trials import View
from harness.progress import ProgressLine
from harness.results import Results
from harness.sandbox.choice import require
from harness.seeds import phase_key
from harness.spec.load import load_all
from harness.verbs import options, output
from harness.verbs.stored import open_ledger, record_run


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the verb's options."""
    options.common(parser)
    options.results(parser)
    parser.add_argument("paths", nargs="*", type=Path, metavar="PATH")
    parser.add_argument("--assignment", metavar="NAME")
    parser.add_argument("--task", action="append", default=[], metavar="ID")
    options.tier(parser)
    parser.add_argument("--phase", choices=("feedback", "final", "late"), default="feedback")
    parser.add_argument("--roster", type=Path, metavar="FILE")
    parser.add_argument("--fresh", action="store_true", help="observe everything anew and compare")
    options.key_file(parser)
    options.jobs(parser)
    options.isolation(parser)


def run(args: argparse.Namespace) -> int:
    """Marks submissions and writes their reports; returns the exit code."""
    course = _load_course(args)
    results = Results(args.results)
    # Whatever is refused is refused before anything is written.
    if args.phase != "feedback":
        phase_key(args.phase, args.key_file, args.results)
    isolation = require(args.require_isolation, args.phase, allow_insecure=args.allow_insecure)
    results.make(subject.program.name for subject in course.subjects)
    progress = ProgressLine()
    with open_ledger(results, fresh=args.fresh) as ledger:
        view = View(phase_key(args.phase, args.key_file, args.results), ledger, isolation.required)
        remember(course.subjects, ledger)
        commit = output.commit()

        def write(current: Round) -> Gradebook:
            gradebook = grading.gradebook(course, current, args.phase, commit)
            report.write(gradebook, results)
            return gradebook

        with grading.local_executor(args.jobs) as executor:
            last = grading.collect_all(course, view, executor, progress, write, isolation)
        gradebook = write(last)
        record_run(ledger, args, course, gradebook, isolation.required)
    output.show_marks(args, gradebook, progress.elapsed_s)
    return output.exit_code(gradebook)


def _load_course(args: argparse.Namespace) -> Course:
    """Tasks and subjects as the command line names them."""
    tasks, points = load_tasks(args.tasks, args.reference, args.assignment, args.task)
    if args.tier != "all":
        tasks = tuple(task for task in tasks if task.spec.tier == args.tier)
        if not tasks:
            raise UsageError(f"no task of tier {args.tier} is left to grade")
    every_task = load_all(args.tasks, args.reference, with_reference=False)
    paths = args.paths or [Path("submissions")]
    subjects = find_subjects(paths, every_task, args.roster)
    return Course(tasks, subjects, args.assignment or "", points)
