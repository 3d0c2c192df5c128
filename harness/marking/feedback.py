"""What a student is told about a failed visible check: an example and, if one fits, a hint.

Where there is no reference, there is no example; the hint is that of a sealed box which the
program's answers open (:mod:`harness.spec.sealed`), also for a check that only the course can mark.

The example is a call on a public instance whose result differs from the reference's
(:mod:`harness.marking.illustration`), drawn where it can be (:mod:`harness.marking.pictures`).
Checks whose measurement trains or plays whole episodes have none; their figures have to suffice,
those of training seeds as a picture, passed or not. What a program says when it breaks may hold
the instance that it was given, so a student reads what it says on the public instance instead.
Every example comes from trials under the public key, never from an instance that is marked. The
hint is that of a known mistake that answers the same there (:mod:`harness.marking.hints`).

A mark never rests on what is said here. So a fault of ours that keeps an example, a picture or a
hint from being made costs that piece alone, and the run says it: see :func:`faults`.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from harness.causes import Cause
from harness.errors import FairmarkError
from harness.marking import hints, pictures, training_curves
from harness.marking.gradebook import TaskGrade
from harness.marking.illustration import NOT_MADE, illustrate
from harness.marking.jobs import PlannedTrial
from harness.marking.subjects import Subject
from harness.marking.views import View
from harness.records import EXAMPLE, WITHHELD, Observation, Verdict
from harness.spec.checks import SeedSuccessCheck
from harness.spec.load import LoadedTask
from harness.submissions.cells import in_cells

_T = TypeVar("_T")


@dataclass(frozen=True)
class Explained:
    """A grade whose verdicts have examples and hints, as far as these are known yet.

    Attributes:
        missing: the example trials that must still be run to complete them.
    """

    grade: TaskGrade
    missing: tuple[PlannedTrial, ...] = ()


def explain(task: LoadedTask, subject: Subject, view: View, grade: TaskGrade) -> Explained:
    """Add an example, and a hint if one fits, to every failed visible check of a grade.

    A check on which the program broke gets what it says on the example.

    Args:
        task: the task of the grade.
        subject: the subject that is graded.
        view: the observations known so far; that of a round looks up each reference's once.
        grade: the verdicts on this task.
    """
    missing: dict[str, PlannedTrial] = {}
    reference = task.reference
    open_causes = (Cause.BY_COURSE, Cause.NOT_RUN)
    undecided = frozenset(each.check for each in grade.verdicts if each.cause in open_causes)
    failed = frozenset(hints.hinted_checks(task)) & frozenset(
        verdict.check for verdict in grade.verdicts if verdict.status == "FAIL"
    )
    wanted = failed if reference is not None else _sealed_checks(task) & (failed | undecided)
    verdicts = []
    for verdict in grade.verdicts:
        broke = _broke_when_marked(verdict)
        if not broke and verdict.check not in wanted:
            verdicts.append(_with_seeds(task, verdict))
            continue
        measurement = task.spec.check(verdict.check).measurement
        # a program that broke gave no answer to compare
        trusted = None
        if not broke and reference is not None:
            trusted = view.observe(task, reference.solution, measurement, EXAMPLE)
        own = view.observe(task, subject.program, measurement, EXAMPLE)
        for example in (trusted, own):
            if isinstance(example, PlannedTrial):
                missing[example.trial.digest] = example
        if isinstance(own, PlannedTrial) or isinstance(trusted, PlannedTrial):
            verdicts.append(verdict)
        elif broke:
            verdicts.append(replace(verdict, message=_said_on_the_example(own, verdict)))
        elif trusted is None:
            pieces = _Pieces()
            hint = pieces.made("", hints.sealed_hint, task, verdict.check, own, failed, undecided)
            verdicts.append(pieces.added(replace(verdict, hint=hint)))
        else:
            verdicts.append(_explained(task, own, trusted, verdict, failed))
    verdicts = without_contradicted(task, verdicts, failed)
    files = subject.program.files
    told = (
        replace(each, message=in_cells(each.message, files)) if each.message else each
        for each in verdicts
    )
    return Explained(replace(grade, verdicts=tuple(told)), tuple(missing.values()))


def without_contradicted(
    task: LoadedTask, verdicts: list[Verdict], failed: frozenset[str]
) -> list[Verdict]:
    """The verdicts without hints of truth values alone that figures of failed checks contradict.

    Another slip fails the same checks with other figures: where these fit no known mistake, or
    another one, the truth values tell nothing.
    """
    by_figures = {
        each.hint
        for each in verdicts
        if each.check in failed and not hints.only_truth_values(task, each.check)
    }
    return [
        replace(each, hint="")
        if each.check in failed
        and hints.only_truth_values(task, each.check)
        and by_figures - {each.hint}
        else each
        for each in verdicts
    ]


def _picture_file(verdict: Verdict) -> str:
    return f"picture-{verdict.task}.{verdict.check}.svg"


def _with_seeds(task: LoadedTask, verdict: Verdict) -> Verdict:
    """The verdict with a picture of the training seeds that it rests on, if there are any.

    Where the check has the course of trainings shown, with a sentence about it, too.
    """
    check = task.spec.check(verdict.check)
    decided = verdict.status in ("PASS", "FAIL", "INCONCLUSIVE")
    if not isinstance(check, SeedSuccessCheck) or not decided:
        return verdict
    pieces, file = _Pieces(), _picture_file(verdict)
    picture = pieces.made(None, pictures.of_seeds, task, check, verdict.evidence, file=file)
    if picture is not None:
        verdict = replace(verdict, example={"picture": picture})
    when = pieces.made("", training_curves.sentence, task, check, verdict.evidence)
    return pieces.added(_with_note(verdict, when) if when else verdict)


def _with_note(verdict: Verdict, note: str) -> Verdict:
    """The verdict with a note. Of a check that passed, reports show the message alone."""
    if verdict.status == "PASS":
        return replace(verdict, message="; ".join(filter(None, (verdict.message, note))))
    return replace(verdict, example={**(verdict.example or {}), "note": note})


def _sealed_checks(task: LoadedTask) -> frozenset[str]:
    """The visible checks of which a handout holds hints."""
    if task.sealed is None:
        return frozenset()
    return frozenset(hints.hinted_checks(task)) & {box.check for box in task.sealed.boxes}


def _broke_when_marked(verdict: Verdict) -> bool:
    """Whether the program broke on an instance that is marked, and the check is visible."""
    return verdict.visibility == "visible" and WITHHELD in verdict.evidence


def _said_on_the_example(own: Observation, verdict: Verdict) -> str:
    """The message about a program that broke, from the public example alone."""
    if own.outcome == "infrastructure":
        return (
            f"{verdict.cause.message}, on an instance that is marked; what it said is withheld, "
            "since it could show the instance, and the public example could not be run"
        )
    if own.outcome != "error":
        return (
            f"{verdict.cause.message}, on an instance that is marked but not on the public "
            "example; what it said is withheld, since it could show the instance"
        )
    if own.cause == verdict.cause:
        return own.message
    return f"{verdict.cause.message}; on the public example: {own.message}"


def _explained(
    task: LoadedTask,
    own: Observation,
    reference: Observation,
    verdict: Verdict,
    failed: frozenset[str],
) -> Verdict:
    not_finite = verdict.cause == Cause.NOT_FINITE
    file = f"example-{task.id}.{verdict.check}.npz"
    pieces, nothing = _Pieces(), dict[str, Any]()
    example = pieces.made(
        nothing, illustrate, task, own, reference, file=file, not_finite=not_finite
    )
    check = task.spec.check(verdict.check)
    picture = pieces.made(
        None, pictures.picture, check, own, reference, file=_picture_file(verdict)
    )
    if picture is not None:
        example["picture"] = picture
    hint = pieces.made("", hints.hint, task, verdict.check, own, failed)
    return pieces.added(replace(verdict, example=example, hint=hint))


class _Pieces:
    """The pieces of one explanation, and the faults that kept some of them from being made."""

    def __init__(self) -> None:
        self._faults: list[str] = []

    def made(self, otherwise: _T, make: Callable[..., _T], *args: Any, **named: Any) -> _T:
        """What ``make`` gives, or ``otherwise`` where it breaks.

        Raises:
            FairmarkError: it refused on purpose.
        """
        try:
            return make(*args, **named)
        except FairmarkError:
            raise
        except Exception as error:
            place = traceback.extract_tb(error.__traceback__)[-1]
            self._faults.append(
                f"{type(error).__name__}: {error} ({Path(place.filename).name}:{place.lineno})"
            )
            return otherwise

    def added(self, verdict: Verdict) -> Verdict:
        """The verdict, with the faults and a note for the student where there were any."""
        if not self._faults:
            return verdict
        example = dict(verdict.example or {})
        example["note"] = "\n".join(filter(None, (example.get("note"), NOT_MADE)))
        return replace(verdict, example=example | {"faults": self._faults})


def faults(grades: Iterable[TaskGrade]) -> Iterator[str]:
    """Every fault of ours that kept a piece of an explanation from being made, with its place."""
    for grade in grades:
        for verdict in grade.verdicts:
            for fault in (verdict.example or {}).get("faults", ()):
                yield f"{verdict.submission}, {verdict.task}/{verdict.check}: {fault}"
