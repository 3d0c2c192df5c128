"""``grade``: mark submissions; what is already observed is not run again.

Where nothing says what to mark, the tour is: an assignment that shows the whole course in minutes.
A path of one's own is marked on every task that it holds, whole.

The results folder keeps the record of a class. A run replaces in it the marks of the tasks and
submissions that it grades, and keeps all others; ``--prune`` drops those.
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from harness import class_record, grading, report
from harness.class_record import ClassRecord, RecordName
from harness.classroom.attempts import History
from harness.classroom.book import Book
from harness.classroom.handing_in import Arrangements
from harness.course import (
    TOUR,
    Course,
    Syllabus,
    find_submitted,
    handed_out,
    is_absent,
    is_all,
    is_at_home,
    read_syllabus,
    require_references,
)
from harness.errors import UsageError
from harness.files import write_text
from harness.ledger import Ledger
from harness.marking import costs, feedback
from harness.marking.costs import Costs
from harness.marking.gradebook import Gradebook
from harness.marking.round import Round
from harness.marking.trials import View
from harness.progress import ProgressLine
from harness.report.explain import COUNTING_PHASES
from harness.report.sanitise import SENTENCE_LIMIT, clean
from harness.results import Results
from harness.sandbox import exposure
from harness.sandbox.choice import require
from harness.seeds import phase_key
from harness.spec.catalogue import assignment_path
from harness.spec.load import LoadedTask
from harness.spec.models import TIERS
from harness.submissions import Reading
from harness.verbs import classroom, options, output, regrading
from harness.verbs.regrading import Regrade
from harness.verbs.stored import compare_with_best, new_run, pages_of_others, read_book, usable

#: A run that is expected to take longer than this says so before it begins.
_LONG_S = 60.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the verb's options."""
    options.common(parser)
    options.results(parser)
    parser.add_argument("paths", nargs="*", type=Path, metavar="PATH")
    parser.add_argument(
        "--assignment",
        metavar="NAME",
        help="what is marked; `all` is every check of every task. Else all that the PATHs hold; "
        "without any, a tour",
    )
    parser.add_argument("--task", action="append", default=[], metavar="ID")
    options.tier(parser)
    parser.add_argument(
        "--phase",
        choices=("public", "feedback", "final", "late"),
        help="whose key draws the instances; else feedback, and public where references are not "
        "at hand",
    )
    classroom.add_arguments(parser)
    parser.add_argument(
        "--single", action="store_true", help="each PATH is one submission, whatever it holds"
    )
    parser.add_argument("--fresh", action="store_true", help="observe everything anew and compare")
    parser.add_argument(
        "--prune",
        action="store_true",
        help="drop the marks of submissions and tasks that this run does not grade",
    )
    parser.add_argument(
        "--keep-costs",
        action="store_true",
        help=f"keep what trials took in {costs.FILE} beside the tasks, for estimates elsewhere",
    )
    regrading.add_arguments(parser)
    options.key_file(parser)
    options.jobs(parser)
    options.isolation(parser)


@dataclass(frozen=True)
class _Run:
    """What one call of the verb is about.

    Attributes:
        kept: the record without what this run grades, its marks computed again.
        gone: the submissions whose marks are dropped.
        book: what stands beside the computed marks.
        before: the record as it was, marks and all.
    """

    course: Course
    order: tuple[str, ...]
    kept: ClassRecord
    gone: tuple[str, ...]
    book: Book
    before: ClassRecord

    @property
    def graded(self) -> list[str]:
        """The names of the submissions that this run grades."""
        return [subject.program.name for subject in self.course.subjects]

    @property
    def units(self) -> list[str]:
        """Who handed these in."""
        return list(dict.fromkeys(subject.program.owner for subject in self.course.subjects))

    @property
    def is_regrade(self) -> bool:
        """Whether some of what it grades has marks already."""
        return any(
            (name, task.id) in self.before.entries
            for name in self.graded
            for task in self.course.tasks
        )

    def gone_names(self, ledger: Ledger, shown: list[RecordName]) -> list[str]:
        """The rows whose reports are to go; where another record was shown, those of it too."""
        gone = self.book.names(self.gone)
        if shown != [self.kept.name]:
            gone += pages_of_others(ledger, self.book, self.kept.name)
        return gone

    def record(self, current: Round) -> ClassRecord:
        """The record of the class, with what this run knows so far."""
        return self.kept.updated(current)

    def gradebook(self, current: Round, commit: str) -> Gradebook:
        """The marks of the class, with what this run knows so far."""
        return self.of(self.record(current), commit)

    def of(self, record: ClassRecord, commit: str) -> Gradebook:
        """The marks of a record of the class."""
        return self.book.finished(grading.of_record(record, self.order, commit))


def run(args: argparse.Namespace) -> int:
    """Marks submissions and writes the reports of the class; returns the exit code."""
    _choose_assignment(args)
    syllabus = read_syllabus(args.tasks, args.reference, args.assignment)
    _choose_phase(args, syllabus)
    known = classroom.arrangements(args, syllabus, _paths(args))
    course, history = _load_course(args, syllabus, known)
    results = Results(args.results)
    # Whatever is refused is refused before anything is written.
    if args.phase in COUNTING_PHASES:
        phase_key(args.phase, args.key_file, args.results)
    isolation = require(args.require_isolation, args.phase, allow_insecure=args.allow_insecure)
    key_files = [args.key_file] if args.key_file else []
    references = [] if syllabus.at_home else [args.reference]
    secret = [*references, results.ledger, results.root, *_paths(args), *key_files]
    exposure.refuse(isolation, secret)
    results.make(Book(known.roster).names([each.program.owner for each in course.subjects]))
    progress = ProgressLine(jobs=args.jobs)
    commit = output.commit()
    with results.writer():
        key = phase_key(args.phase, args.key_file, args.results)
        with Ledger(results.ledger, new_run()) as ledger:
            compare_with_best(ledger, isolation)
            view = View(key, ledger, isolation.required)
            this = _prepare(args, syllabus, course, view, known, history)
            classroom.remember(ledger, known, history, args.assignment or "")
            this = replace(this, book=read_book(ledger, syllabus, this.kept.name))
        course, names = this.course, this.book.names(this.units)
        with Ledger(results.ledger, new_run(), fresh=args.fresh) as ledger:
            class_record.keep_files(course.subjects, ledger)
            last_shown = class_record.names(ledger)[-1:]

            def write(current: Round) -> None:
                _keep_costs(progress, ledger, current)
                if not this.is_regrade and not args.dry_run:
                    report.write(this.gradebook(current, commit), results, only=names)

            view = View(key, ledger, isolation.required)
            first = grading.first_round(course, view)
            _say_how_long(args, progress, first)
            with grading.local_executor(args.jobs) as executor:
                last = grading.collect(first, executor, progress, write, isolation)
            gradebook = this.gradebook(last, commit)
            regrade = Regrade(this.before, this.of(this.before, commit), this.book)
            changes = regrade.changes(ledger, gradebook)
            if regrading.confirmed(args, changes):
                regrade.write(ledger, this.record(last), gradebook, changes, this.graded)
                report.write(gradebook, results)
                gone = this.gone_names(ledger, last_shown)
                results.remove_reports(gone, [row.name for row in gradebook.submissions])
    _keep_usual(args, syllabus, progress.costs)
    graded = tuple(row for row in gradebook.submissions if row.name in set(names))
    others = len(gradebook.submissions) - len(graded)
    return _show(args, syllabus, replace(gradebook, submissions=graded), progress, others)


def _show(
    args: argparse.Namespace,
    syllabus: Syllabus,
    gradebook: Gradebook,
    progress: ProgressLine,
    others: int,
) -> int:
    """Shows the marks of what was graded, beside ``others`` of the class; returns the exit code."""
    _say_what_was_not_explained(gradebook)
    output.show_marks(args, gradebook, progress.elapsed_s, others, args.task)
    _say_what_is_left_out(args, syllabus)
    return output.exit_code(gradebook.of_tasks(args.task) if args.task else gradebook)


def _say_what_was_not_explained(gradebook: Gradebook) -> None:
    """Says on stderr which explanations could not be made, by a fault of ours."""
    faults = list(feedback.faults(grade for row in gradebook.submissions for grade in row.tasks))
    if not faults:
        return
    print(
        f"warning: {len(faults)} explanations of failed checks could not be made; the marks do not "
        "rest on them. This is a fault of the grader, please report it:",
        file=sys.stderr,
    )
    for fault in faults[:5]:
        print(f"  {clean(fault, SENTENCE_LIMIT)}", file=sys.stderr)


def _say_how_long(args: argparse.Namespace, progress: ProgressLine, first: Round) -> None:
    """Says before a long run how long it takes, as far as the costs of its trials are known."""
    usual = costs.usual(args.tasks)
    progress.costs = Costs.stored(first.view.ledger.document(costs.DOCUMENT), usual)
    expected = progress.expect(first)
    if is_all(args.tasks, args.assignment) or expected.wall_s(args.jobs) > _LONG_S:
        print(expected.in_words(args.jobs), file=sys.stderr)


def _keep_costs(progress: ProgressLine, ledger: Ledger, current: Round) -> None:
    """Stores what trials took, and tells the display what is still wanted."""
    ledger.put_document(costs.DOCUMENT, progress.costs.document())
    progress.expect(current)


def _keep_usual(args: argparse.Namespace, syllabus: Syllabus, measured: Costs) -> None:
    """Writes beside the tasks what trials took, where that is wanted."""
    if not args.keep_costs:
        return
    tasks = syllabus.catalogue.loaded.values()
    usual = costs.kept(costs.usual(args.tasks), measured, tasks)
    write_text(args.tasks / costs.FILE, costs.text(usual))


def _choose_assignment(args: argparse.Namespace) -> None:
    """Settles ``args.assignment``, and ``args.free``: whether what the paths hold says the tasks.

    Where nothing is chosen, marks count for nothing, and this is no student's machine, it is the
    tour, if there is one. In a handout of one assignment it is that one, with its points.
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


def _say_what_is_left_out(args: argparse.Namespace, syllabus: Syllabus) -> None:
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


def _choose_phase(args: argparse.Namespace, syllabus: Syllabus) -> None:
    """Settles ``args.phase``; without references it is the public one, the same for everybody.

    Raises:
        UsageError: marks that count are wanted, and the references are not at hand.
    """
    if args.phase in COUNTING_PHASES:
        require_references(syllabus, args.reference)
    args.phase = args.phase or ("public" if syllabus.at_home else "feedback")


def _prepare(
    args: argparse.Namespace,
    syllabus: Syllabus,
    course: Course,
    view: View,
    known: Arrangements,
    history: History,
) -> _Run:
    """What is known of the class besides what is graded now.

    Args:
        history: every attempt that is known now.
    """
    name = RecordName(course.assignment, args.phase, view.key.commitment)
    stored = class_record.read(view.ledger, name)
    if args.free:
        course = course.held(() if args.prune else stored.task_ids)
    # on a student's own machine nobody asks when something was handed in
    dated = None if syllabus.at_home else syllabus.declared
    for notice in classroom.settle_times(course, stored, dated, history):
        print(f"note: {notice}", file=sys.stderr)
    _say_what_is_replaced(args, view.ledger, name)
    lost = _without_work(stored, known, history)
    if not args.prune:
        owners = {each.program.owner for each in stored.newest.values()}
        course = course.without_absent(owners - set(lost))
    graded = {
        (subject.program.name, task.id) for subject in course.subjects for task in course.tasks
    }
    if args.prune:
        kept = ClassRecord(name)
    else:
        kept = stored.recomputed(usable(stored, syllabus), view, syllabus.points, graded)
        kept = kept.without({*_counting_no_more(stored, course), *stored.names_of(lost)})
    gone = set(stored.newest) - set(kept.newest) - {name for name, _ in graded}
    gone = {stored.newest[each].program.owner for each in gone}
    key_file = os.path.abspath(args.key_file) if args.key_file else ""
    kept = replace(kept, key_file=key_file, isolation=view.isolation)
    if args.free:
        kept = kept.completed(course.tasks, view, syllabus.points, graded)
    return _Run(course, syllabus.ids, kept, tuple(sorted(gone)), Book(), stored)


def _without_work(stored: ClassRecord, known: Arrangements, history: History) -> set[str]:
    """Who has marks in the record and handed in nothing, as it turns out.

    That is whose every attempt is somebody else's by what is told now, and who is not in the roster
    any more and had a row for being in it: an id that was wrong there.
    """
    lost = set(known.history.attempts.keys() - history.attempts.keys())
    if known.roster.path is None:
        return lost
    rows = stored.newest.values()
    absent = {each.program.owner for each in rows if is_absent(each)}
    return lost | (absent - known.roster.units.keys())


def _counting_no_more(stored: ClassRecord, course: Course) -> set[str]:
    """The subjects whose owners handed in, and that are none of what may count of it now."""
    return {
        name
        for name in stored.names_of(course.names)
        if name not in course.names[stored.newest[name].program.owner]
    }


def _say_what_is_replaced(args: argparse.Namespace, ledger: Ledger, name: RecordName) -> None:
    """Says on stderr that the tables of the folder showed other marks until now."""
    if args.dry_run:
        return
    known = class_record.names(ledger)
    if known and known[-1] != name:
        last = known[-1]
        assignment = f" --assignment {last.assignment}" if last.assignment else ""
        print(
            f"note: the tables in {args.results}/ showed {last}; they now show {name}. The former "
            f"marks stay stored: `report --phase {last.phase}{assignment}` shows them",
            file=sys.stderr,
        )


def _paths(args: argparse.Namespace) -> list[Path]:
    return args.paths or [Path("submissions")]


def _load_course(
    args: argparse.Namespace, syllabus: Syllabus, known: Arrangements
) -> tuple[Course, History]:
    """Tasks and subjects as the command line names them, and every attempt that is known now."""
    tasks = _of_tiers(args, syllabus, syllabus.choose(args.task))
    every_task = list(syllabus.catalogue.loaded.values())
    reading: Reading = "single" if args.single else "guess"
    submitted = find_submitted(_paths(args), every_task, known, reading)
    for notice in submitted.notices:
        print(f"note: {notice}", file=sys.stderr)
    course = Course(
        tasks,
        submitted.subjects,
        args.assignment or "",
        syllabus.points,
        submitted.absent,
        submitted.elsewhere,
        submitted.names,
    )
    return course, submitted.history


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
        raise UsageError(f"no task of tier {args.tier} is left to grade")
    left = tuple(task for task in chosen if task.spec.tier in allowed)
    if not left:
        raise UsageError(
            f"assignment {args.assignment} marks tiers {', '.join(allowed)} in the phase "
            f"{args.phase}, and none of these tasks is of them"
        )
    if len(left) < len(chosen):
        others = ", ".join(task.id for task in chosen if task not in left)
        print(f"note: not marked in the phase {args.phase}: {others}", file=sys.stderr)
    return left
