"""Puts a verdict into words for students, the same in every report.

About a hidden check nothing is told but a fixed sentence for its status, or why the submitted files
could not be run at all (a :class:`Verdict` keeps no other message of a hidden check). Details of
our own faults are left out too: they may hold paths and values of the grader, and stay in
grades.json and in the ledger.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from harness.marking.gradebook import RunRecord, SubmissionGrade
from harness.records import Verdict
from harness.report.marks import points_text
from harness.report.sanitise import EXAMPLE_LIMIT, NAME_LIMIT, SENTENCE_LIMIT, clean

#: Phases whose marks count.
COUNTING_PHASES = ("final", "late")

_NO_MARK = (
    "There is no mark for this check yet, through no fault of the program. It counts 0 for now "
    "and is run again; until then the total is provisional."
)
_WITHOUT_MESSAGE: Mapping[str, str] = MappingProxyType(
    {
        "FAIL": "The check decided against the program.",
        "INCONCLUSIVE": "The runs allowed for this check did not decide it either way.",
        "ERROR": "The program did not deliver a result.",
        "SKIPPED": "A check that this one builds on did not pass.",
        "UNGRADABLE": "The harness could not run or decide the check.",
    }
)
#: The parts of an example, in the order of a report, with their labels.
_EXAMPLE = (("call", "Call"), ("got", "Came back"), ("wanted", "Wanted"), ("note", "Note"))
#: Those that are code or numbers, which keep their lines and their spaces.
_CODE = ("call", "got", "wanted")


@dataclass(frozen=True)
class Line:
    """A labelled piece of text about a verdict; the text may have several lines.

    Attributes:
        code: whether it is code or numbers, in which spaces and line breaks matter.
    """

    label: str
    text: str
    code: bool = False

    def __str__(self) -> str:
        """As plain text; several lines start below the label, so that arrays stay aligned."""
        separator = "\n" if "\n" in self.text else " "
        return f"{self.label}:{separator}{self.text}"


def explain(verdict: Verdict) -> tuple[Line, ...]:
    """What a report says about a check: only its message if it is hidden.

    Of one that passed nothing, but for what the student is to know all the same.
    """
    if verdict.status == "PASS":
        said = clean(verdict.message, SENTENCE_LIMIT)
        return (Line("Note", said),) if said else ()
    is_ours = verdict.cause == "harness-error"
    stored_message = "" if is_ours else clean(verdict.message, SENTENCE_LIMIT)
    message = stored_message or _WITHOUT_MESSAGE[verdict.status]
    lines = [Line("Result", message)]
    if verdict.status == "UNGRADABLE" and not verdict.by_course:
        return (Line("Provisional", _NO_MARK), *lines)
    if verdict.visibility == "visible":
        lines += _example(verdict.example)
        lines += [Line("Hint", hint)] if (hint := clean(verdict.hint, SENTENCE_LIMIT)) else []
    return tuple(lines)


def reason(verdict: Verdict) -> str:
    """One sentence about a check: its hint, else its message; empty if it passed."""
    texts = {line.label: line.text for line in explain(verdict)}
    return texts.get("Hint") or texts.get("Result", "")


def _example(example: Mapping[str, object] | None) -> list[Line]:
    parts = [(key, label, example.get(key)) for key, label in _EXAMPLE] if example else []
    lines = [
        Line(label, clean(str(part), EXAMPLE_LIMIT, keep="\n").strip("\n"), key in _CODE)
        for key, label, part in parts
        if part is not None
    ]
    return [line for line in lines if line.text]


def cause_of(verdict: Verdict) -> str:
    """The cause of a verdict, safe to print; empty if it has none."""
    return clean(verdict.cause, NAME_LIMIT)


def notes(row: SubmissionGrade, run: RunRecord) -> list[str]:
    """What a reader must know about the marks of a row: isolation, phase, what is open.

    One sentence each, safe to print; the problems of the whole submission come last.
    """
    isolation = clean(row.isolation, NAME_LIMIT) or "none, as no program was run"
    phase = clean(run.phase, NAME_LIMIT)
    sentences = [f"Isolation of the submitted programs: {isolation}."]
    if "insecure" in isolation:
        sentences.append(
            "Graded without the isolation that is required: the marks are not official."
        )
    if run.phase in COUNTING_PHASES:
        sentences.append(f"These are marks of the {phase} phase.")
    else:
        sentences.append(f"Marks of the {phase} phase are provisional; the final phase's count.")
    if row.points_by_course:
        sentences.append(
            f"{points_text(row.points_by_course)} points are marked by your course, which has the "
            "references: they are neither earned nor lost here."
        )
    verdicts = [verdict for task in row.tasks for verdict in task.verdicts]
    undecided = sum(verdict.points is None and not verdict.by_course for verdict in verdicts)
    if undecided:
        sentences.append(
            f"The total is provisional: {undecided} of the checks could not be marked yet, through "
            "no fault of the program, and will be run again."
        )
    if row.identity == "unverified":
        sentences.append(
            "The identity is unverified: the name is that of the submitted file or folder."
        )
    sentences += [
        f"{clean(task.id, NAME_LIMIT)} is stale: {clean(task.stale, SENTENCE_LIMIT)}."
        for task in row.tasks
        if task.stale
    ]
    return sentences + [clean(problem, SENTENCE_LIMIT) for problem in row.problems]
