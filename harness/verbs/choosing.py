"""What one call of ``grade`` marks: the assignment, the phase, the tasks and the submissions."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from harness.causes import Cause
from harness.classroom.attempts import History
from harness.classroom.handing_in import Arrangements
from harness.classroom.roster import listed
from harness.course import Course, find_submitted
from harness.errors import UsageError
from harness.marking.subjects import Subject
from harness.report.explain import COUNTING_PHASES
from harness.spec.catalogue import assignment_path
from harness.spec.load import LoadedTask
from harness.spec.models import TIERS
from harness.submissions import Reading, display
from harness.syllabus import TOUR, Syllabus, handed_out, is_at_home, require_references


def choose_assignment(args: argparse.Namespace) -> None:
    """Settles ``args.assignment``, and ``args.free``: whether what the paths hold says the tasks.

    In a handout of one assignment it is that one, with its points. Else it is the tour, if there is
    one, where neither a path nor a task, a tier or a roster is named; on a student's own machine,
    and in a phase whose marks count, there is no tour.
    """
    args.free = args.assignment is None and not args.task
    if args.assignment is None and is_at_home(args.reference):
        args.assignment = handed_out(args.tasks)
    chosen = args.paths or args.task or args.roster or args.tier != "all"
    counting = args.phase in COUNTING_PHASES
    if args.assignment or chosen or counting or is_at_home(args.reference):
        return
    if assignment_path(args.tasks, TOUR).is_file():
        args.assignment, args.free = TOUR, False


def choose_phase(args: argparse.Namespace, syllabus: Syllabus) -> None:
    """Settles ``args.phase``; without references it is the public one, the same for everybody.

    Raises:
        UsageError: marks that count are wanted, and the references are not at hand.
    """
    if args.phase in COUNTING_PHASES:
        require_references(syllabus, args.reference)
    args.phase = args.phase or ("public" if syllabus.at_home else "feedback")


def paths(args: argparse.Namespace) -> list[Path]:
    """The paths of submissions; those of the folder ``submissions`` where none is named."""
    return args.paths or [Path("submissions")]


def load_course(
    args: argparse.Namespace, syllabus: Syllabus, known: Arrangements
) -> tuple[Course, History]:
    """Tasks and subjects as the command line names them, and every attempt that is known now."""
    tasks = _of_tiers(args, syllabus, syllabus.choose(args.task))
    every_task = list(syllabus.catalogue.loaded.values())
    reading: Reading = "single" if args.single else "guess"
    asked = tasks if args.assignment else ()
    submitted = find_submitted(paths(args), every_task, known, reading, asked)
    subjects, others = _of_other_assignments(args, syllabus, submitted.subjects)
    others += _holding_nothing(subjects)
    for notice in (*submitted.notices, *others):
        print(f"note: {notice}", file=sys.stderr)
    course = Course(
        tasks,
        subjects,
        args.assignment or "",
        syllabus.points,
        submitted.absent,
        submitted.elsewhere,
        submitted.names,
    )
    return course, submitted.history


def _of_other_assignments(
    args: argparse.Namespace, syllabus: Syllabus, subjects: Sequence[Subject]
) -> tuple[tuple[Subject, ...], list[str]]:
    """The subjects, and a sentence about each that handed in files of other tasks alone.

    Their pages say it, too: most of these took one assignment for another.
    """
    if syllabus.declared is None:
        return tuple(subjects), []
    asked = sorted(file for task in syllabus.usable.values() for file in task.spec.wanted_files)
    told, notices = [], []
    for subject in subjects:
        files = sorted({*subject.program.files, *subject.problems} - {""})
        if not files or set(files) & set(asked):
            told.append(subject)
            continue
        given = f"{listed(files)} {'is' if len(files) == 1 else 'are'} not of the assignment"
        note = f"{given} {args.assignment}, which asks for {listed(asked)}"
        told.append(replace(subject, notes=(*subject.notes, note)))
        notices.append(f"{display(subject.program.owner)}: {note}")
    return tuple(told), notices


def _holding_nothing(subjects: Sequence[Subject]) -> list[str]:
    """A sentence about those in whose work no file of any task was found; of a class alone."""
    empty = [
        each.program.owner for each in subjects if each.problems.get("", ("", ""))[0] == Cause.EMPTY
    ]
    if len(subjects) < 2 or not empty:
        return []
    return [
        f"no file that a task asks for was found in what these handed in: {listed(empty)}; what "
        "was found instead say their pages and `summary`"
    ]


def _of_tiers(
    args: argparse.Namespace, syllabus: Syllabus, tasks: tuple[LoadedTask, ...]
) -> tuple[LoadedTask, ...]:
    """Those of the tiers that the command line wants and the assignment marks in this phase.

    Raises:
        UsageError: none is left.
    """
    allowed = syllabus.declared.tiers.get(args.phase, TIERS) if syllabus.declared else TIERS
    chosen = [task for task in tasks if args.tier in ("all", task.spec.tier)]
    if not chosen:
        raise UsageError(
            f"no task of tier {args.tier} is left to grade; leave --tier out or choose other tasks"
        )
    left = tuple(task for task in chosen if task.spec.tier in allowed)
    if not left:
        raise UsageError(
            f"assignment {args.assignment} marks tiers {', '.join(allowed)} in the phase "
            f"{args.phase}, and none of these tasks is of them; grade in another phase"
        )
    if len(left) < len(chosen):
        others = ", ".join(task.id for task in chosen if task not in left)
        print(f"note: not marked in the phase {args.phase}: {others}", file=sys.stderr)
    return left


def say_what_is_left_out(args: argparse.Namespace, syllabus: Syllabus) -> None:
    """Says in one line which checks the assignment does without, and how they are marked."""
    left_out = {
        task: ids for task, ids in syllabus.left_out.items() if task in (args.task or [task])
    }
    if left_out:
        named = "; ".join(f"{task}: {', '.join(ids)}" for task, ids in left_out.items())
        words = " ".join(map(shlex.quote, map(str, args.paths)))
        print(
            f"the assignment {args.assignment} leaves out {named}. "
            f"`nox -s grade -- {words}{' ' if words else ''}--assignment all` marks them too",
            file=sys.stderr if args.json else sys.stdout,
        )
