"""``term``: the marks of all assignments of a term together, each student's lowest dropped.

``total`` of tasks/term.yaml says which assignments count. Nothing is run; what is added up are the
marks of ``gradebook.csv``, overrides and lateness included. The table is not for publication.
"""

from __future__ import annotations

import argparse
import sys

from harness import class_documents
from harness.classroom import term
from harness.classroom.term import TermRow
from harness.errors import Problem, SpecError, UsageError
from harness.files import csv_text, write_text
from harness.ledger import Ledger
from harness.marking.gradebook import Gradebook
from harness.report import gradebook_csv
from harness.report.marks import number
from harness.report.sanitise import NAME_LIMIT, as_text, clean
from harness.results import Results
from harness.seeds import PHASES
from harness.spec import strict_yaml
from harness.spec.catalogue import assignment_names, load_term
from harness.spec.reading import did_you_mean
from harness.spec.schedule import TermTotal
from harness.verbs import options, output
from harness.verbs.stored import open_record, open_stored

_TOTAL = ("mark", "max_points", "share", "dropped", "provisional")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the verb's options."""
    options.common(parser)
    options.results(parser)
    options.key_file(parser)
    parser.add_argument(
        "--phase",
        choices=PHASES,
        help="marks of this phase, where there are several",
    )


def run(args: argparse.Namespace) -> int:
    """Writes the table of the term; returns the exit code."""
    total = _total(args)
    results = Results(args.results)
    with open_stored(results) as ledger:
        gradebooks = _gradebooks(args, ledger, total)
    rows = term.rows(gradebooks, total.drop_lowest)
    write_text(results.term, _table(rows, list(gradebooks)))
    left = [name for name in total.assignments if name not in gradebooks]
    if args.json:
        output.emit(
            {
                "written": str(results.term),
                "assignments": list(gradebooks),
                "not_marked_yet": left,
                "drop_lowest": total.drop_lowest,
                "students": [_document(row) for row in rows],
            }
        )
        return 0
    if left:
        print(f"note: not marked yet, and not counted: {', '.join(left)}", file=sys.stderr)
    dropped = f", the lowest {total.drop_lowest} of each dropped" if total.drop_lowest else ""
    if dropped and not any(part.dropped for row in rows for part in row.parts):
        dropped = "; none is dropped yet"
    print(
        f"{results.term}: {len(rows)} students, {len(gradebooks)} of {len(total.assignments)} "
        f"assignments{dropped}"
    )
    return 0


def _total(args: argparse.Namespace) -> TermTotal:
    """What the term declares.

    Raises:
        UsageError: it declares nothing.
        SpecError: it is not in order, or names an assignment that does not exist.
    """
    declared = load_term(args.tasks)
    path = args.tasks / "term.yaml"
    if declared is None or declared.total is None:
        what = "is not there" if declared is None else "says nothing of a mark of the term"
        raise UsageError(f"{path} {what}; write total: {{assignments: [NAME, …]}}")
    known = assignment_names(args.tasks)
    places = strict_yaml.positions(path.read_text(encoding="utf-8-sig"))
    problems = [
        Problem(
            str(path),
            *places["total", "assignments", index],
            f"no assignment is called {name!r}",
            did_you_mean(name, known).lstrip("; "),
        )
        for index, name in enumerate(declared.total.assignments)
        if name not in known
    ]
    if problems:
        raise SpecError(problems)
    return declared.total


def _gradebooks(args: argparse.Namespace, ledger: Ledger, total: TermTotal) -> dict[str, Gradebook]:
    """The marks of every assignment that has some, in one phase.

    Raises:
        UsageError: none has, or there are marks of several phases and none is chosen.
    """
    names = [
        name
        for name in class_documents.names(ledger)
        if name.assignment in total.assignments and args.phase in (None, name.phase)
    ]
    if not names:
        phase = f" in the phase {args.phase}" if args.phase else ""
        raise UsageError(f"{args.results}: no assignment of the term has marks{phase}; grade first")
    phases = sorted({name.phase for name in names})
    if len(phases) > 1:
        raise UsageError(f"there are marks of the phases {', '.join(phases)}; choose with --phase")
    marked = {name.assignment for name in names}
    gradebooks = {}
    for name in total.assignments:
        if name in marked:
            chosen = argparse.Namespace(**{**vars(args), "assignment": name, "phase": phases[0]})
            gradebooks[name] = open_record(chosen, ledger).gradebook()
    return gradebooks


def _table(rows: list[TermRow], assignments: list[str]) -> str:
    columns = [*gradebook_csv.WHO, *_TOTAL, *(f"assignment:{name}" for name in assignments)]
    lines = []
    for each in rows:
        figures = [repr(number(figure)) for figure in (each.mark, each.worth, each.share)]
        dropped = " ".join(part.assignment for part in each.parts if part.dropped)
        marks = [repr(number(part.mark)) for part in each.parts]
        lines.append(
            [
                *gradebook_csv.who(each.row),
                *figures,
                as_text(clean(dropped, 10 * NAME_LIMIT)),
                repr(each.provisional),
                *marks,
            ]
        )
    return csv_text(columns, lines)


def _document(each: TermRow) -> dict[str, object]:
    return {
        "id": each.row.name,
        "mark": each.mark,
        "max_points": each.worth,
        "provisional": each.provisional,
        "assignments": {
            part.assignment: {"mark": part.mark, "max_points": part.worth, "dropped": part.dropped}
            for part in each.parts
        },
    }
