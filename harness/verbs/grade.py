"""``grade``: mark submissions; what is already observed is not run again.

Where nothing says what to mark, the tour is: an assignment that shows the whole course in minutes.
A path of one's own is marked on every task that it holds, whole.

The results folder keeps the record of a class. A run replaces in it the marks of the tasks and
submissions that it grades, and keeps all others; ``--prune`` drops those.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from harness import class_documents, grading, report
from harness.classroom.book import Book
from harness.files import write_text
from harness.isolation import Isolation
from harness.ledger import Ledger
from harness.marking import costs, feedback
from harness.marking.costs import Costs
from harness.marking.gradebook import Gradebook
from harness.marking.round import Round
from harness.marking.views import View
from harness.progress import ProgressLine
from harness.report.explain import COUNTING_PHASES
from harness.report.sanitise import SENTENCE_LIMIT, clean
from harness.results import Results
from harness.sandbox import exposure
from harness.sandbox.choice import require
from harness.seeds import PHASES, phase_key
from harness.syllabus import Syllabus, is_all, read_syllabus
from harness.verbs import choosing, class_run, classroom, options, output, regrading
from harness.verbs.regrading import Regrade
from harness.verbs.stored import (
    compare_with_best,
    new_run,
    read_book,
    refuse_lost_key,
    refuse_lost_ledger,
    say_what_counts_nothing,
)

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
        choices=PHASES,
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


def run(args: argparse.Namespace) -> int:
    """Marks submissions and writes the reports of the class; returns the exit code."""
    choosing.choose_assignment(args)
    syllabus = read_syllabus(args.tasks, args.reference, args.assignment)
    choosing.choose_phase(args, syllabus)
    known = classroom.arrangements(args, syllabus, choosing.paths(args))
    course, history = choosing.load_course(args, syllabus, known)
    results = Results(args.results)
    # Whatever is refused is refused before anything is written.
    isolation = _required_isolation(args, syllabus, results)
    results.make(Book(known.roster).names([each.program.owner for each in course.subjects]))
    progress = ProgressLine(jobs=args.jobs)
    commit = output.commit()
    with results.writer():
        with Ledger(results.ledger, new_run()) as ledger:
            if not args.prune:
                if ledger.is_empty:
                    refuse_lost_ledger(results)
                refuse_lost_key(args, course.assignment, results, ledger)
            key = phase_key(args.phase, args.key_file, args.results)
            compare_with_best(ledger, isolation)
            view = View(key, ledger, isolation.required)
            this = class_run.prepare(args, syllabus, course, view, known, history)
            classroom.remember(ledger, known, history, args.assignment or "")
            this = replace(this, book=read_book(ledger, syllabus, this.kept.name))
        course, names = this.course, this.book.names(this.units)
        with Ledger(results.ledger, new_run(), fresh=args.fresh) as ledger:
            class_documents.keep_files(course.subjects, ledger)
            last_shown = class_documents.names(ledger)[-1:]

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
            say_what_counts_nothing(this.record(last), gradebook, this.book)
    _keep_usual(args, syllabus, progress.costs)
    graded = tuple(row for row in gradebook.submissions if row.name in set(names))
    others = len(gradebook.submissions) - len(graded)
    return _show(args, syllabus, replace(gradebook, submissions=graded), progress, others)


def _required_isolation(
    args: argparse.Namespace, syllabus: Syllabus, results: Results
) -> Isolation:
    """The isolation that programs are run under.

    Raises:
        UsageError: the key of a phase that counts is not at hand, this machine cannot isolate as
            well as the phase or the command line asks, or submissions could read what is secret.
    """
    if args.phase in COUNTING_PHASES:
        phase_key(args.phase, args.key_file, args.results)
    isolation = require(args.require_isolation, args.phase, allow_insecure=args.allow_insecure)
    key_files = [args.key_file] if args.key_file else []
    references = [] if syllabus.at_home else [args.reference]
    secret = [*references, results.ledger, results.root, *choosing.paths(args), *key_files]
    exposure.refuse(isolation, secret)
    return isolation


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
    choosing.say_what_is_left_out(args, syllabus)
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
