"""What a student is told about a failed visible check: an example and, if one fits, a hint.

The example is the first call on a public instance whose result differs from the reference's.
Checks whose measurement trains or plays whole episodes have none; their figures have to suffice.
What a program says when it breaks may hold the instance that it was given, so a student reads what
it says on the public instance instead.
Everything shown comes from trials under the public key, never from an instance that is marked. A
hint is given if the mutant of a known mistake has the same statistics on the example: it is the
hint of that mistake.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from harness import kinds
from harness.causes import Cause
from harness.marking.gradebook import TaskGrade
from harness.marking.jobs import PlannedTrial
from harness.marking.trials import Subject, View
from harness.records import EXAMPLE, WITHHELD, Array, Observation, Verdict, decode_array
from harness.spec.load import LoadedTask

#: An array of at most this many entries is shown whole; of a larger one, this many are shown.
_WHOLE_ELEMENTS = 24
_SHOWN_ELEMENTS = 8
#: Entries count as equal up to this relative difference, plus this share of the array's largest.
_RELATIVE = 1e-9
_ROUNDING = 1e-13
#: How many entries of two arrays are compared before the rest.
_FIRST_ENTRIES = 8


@dataclass(frozen=True)
class Explained:
    """A grade whose verdicts have examples and hints, as far as these are known yet.

    Attributes:
        missing: the example trials that must still be run to complete them.
    """

    grade: TaskGrade
    missing: tuple[PlannedTrial, ...] = ()


def explain(
    task: LoadedTask, subject: Subject, view: View, grade: TaskGrade, trusted: TrustedExamples
) -> Explained:
    """Add an example, and a hint if one fits, to every failed visible check of a grade.

    A check on which the program broke gets what it says on the example.

    Args:
        task: the task of the grade.
        subject: the subject that is graded.
        view: the observations known so far.
        grade: the verdicts on this task.
        trusted: the examples of the reference and the mutants, shared by all subjects of a round.
    """
    missing: dict[str, PlannedTrial] = {}
    verdicts = []
    for verdict in grade.verdicts:
        broke = _broke_when_marked(verdict)
        if not broke and not _has_example(task, verdict):
            verdicts.append(verdict)
            continue
        measurement = task.spec.check(verdict.check).measurement
        # a program that broke is compared with nobody
        examples = None if broke else trusted.of(task, measurement)
        if examples is not None:
            missing |= {planned.trial.digest: planned for planned in examples.missing}
        own = view.observe(task, subject.program, measurement, EXAMPLE)
        if isinstance(own, PlannedTrial):
            missing[own.trial.digest] = own
            verdicts.append(verdict)
        elif examples is None:
            verdicts.append(replace(verdict, message=_said_on_the_example(own, verdict)))
        else:
            verdicts.append(_explained(own, examples, verdict))
    return Explained(replace(grade, verdicts=tuple(verdicts)), tuple(missing.values()))


def _broke_when_marked(verdict: Verdict) -> bool:
    """Whether the program broke on an instance that is marked, and the check is visible."""
    return verdict.visibility == "visible" and WITHHELD in verdict.evidence


def _said_on_the_example(own: Observation, verdict: Verdict) -> str:
    """The message about a program that broke, from the public example alone."""
    if own.outcome != "error":
        return (
            f"{verdict.cause.message}, on an instance that is marked but not on the public "
            "example; what it said is withheld, since it could show the instance"
        )
    if own.cause == verdict.cause:
        return own.message
    return f"{verdict.cause.message}; on the public example: {own.message}"


def _has_example(task: LoadedTask, verdict: Verdict) -> bool:
    return (
        task.reference is not None
        and verdict.status == "FAIL"
        and verdict.visibility == "visible"
        and not kinds.of(task.spec.check(verdict.check)).trained
    )


@dataclass(frozen=True)
class _Examples:
    """What the reference and the mutants give on the example of one measurement.

    Attributes:
        reference: None if the example was not run yet.
        mutants: check id -> hint and observation of every mutant whose statistics for the check
            differ from the reference's, in the order of mistakes.yaml.
        missing: the trials that were not run yet.
    """

    reference: Observation | None
    mutants: Mapping[str, tuple[tuple[str, Observation], ...]]
    missing: tuple[PlannedTrial, ...]


class TrustedExamples:
    """Examples of references and mutants at one state of the ledger, each looked up once."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._cache: dict[tuple[str, str], _Examples] = {}

    def of(self, task: LoadedTask, measurement: str) -> _Examples:
        """The examples of one measurement of a task that was loaded with its reference."""
        cache_key = (task.id, measurement)
        if cache_key not in self._cache:
            self._cache[cache_key] = self._look_up(task, measurement)
        return self._cache[cache_key]

    def _look_up(self, task: LoadedTask, measurement: str) -> _Examples:
        assert task.reference is not None
        programs = [
            task.reference.solution,
            *(mutant.program for mutant in task.reference.mutants),
        ]
        examples = [self._view.observe(task, program, measurement, EXAMPLE) for program in programs]
        missing = tuple(example for example in examples if isinstance(example, PlannedTrial))
        reference = examples[0]
        if isinstance(reference, PlannedTrial):
            return _Examples(None, {}, missing)
        hints = [mutant.mistake.hint for mutant in task.reference.mutants]
        mutants = [
            (hint, example)
            for hint, example in zip(hints, examples[1:], strict=True)
            if isinstance(example, Observation)
        ]
        differing = {
            check.id: tuple(
                (hint, example)
                for hint, example in mutants
                if not _same(example, reference, check.id)
            )
            for check in task.spec.checks_of(measurement)
        }
        return _Examples(reference, differing, missing)


def _explained(own: Observation, examples: _Examples, verdict: Verdict) -> Verdict:
    reference = examples.reference
    if reference is None:
        return verdict
    hint = ""
    if own.outcome == "ok" and not _same(own, reference, verdict.check):
        matching = (
            mutant_hint
            for mutant_hint, mutant in examples.mutants[verdict.check]
            if _same(own, mutant, verdict.check)
        )
        hint = next(matching, "")
    example = _example(own, reference, not_finite=verdict.cause == Cause.NOT_FINITE)
    return replace(verdict, example=example, hint=hint)


def _same(first: Observation, second: Observation, check_id: str) -> bool:
    """Whether two observations have the same statistics for a check, up to rounding."""
    if first.outcome != "ok" or second.outcome != "ok":
        return False
    ours, theirs = first.statistics.get(check_id, {}), second.statistics.get(check_id, {})
    if not ours or ours.keys() - theirs.keys():
        return False
    return all(_close(array, theirs[name]) for name, array in ours.items())


def _close(first: Array, second: Array) -> bool:
    """Whether two arrays are equal up to rounding; NaN equals NaN, an infinity the same infinity.

    The first entries are compared first, since most mutants differ in them already.
    """
    if first.shape != second.shape:
        return False
    a, b = first.astype(np.float64).ravel(), second.astype(np.float64).ravel()
    atol = _ROUNDING * _largest(b)
    for part in (slice(_FIRST_ENTRIES), slice(_FIRST_ENTRIES, None)):
        left, right = a[part], b[part]
        with np.errstate(all="ignore"):
            tolerance = atol + _RELATIVE * np.abs(right)
            within = (np.abs(left - right) <= tolerance) & np.isfinite(right)
        same = (left == right) | within | (np.isnan(left) & np.isnan(right))
        if not same.all():
            return False
    return True


def _largest(array: Array) -> float:
    """The largest absolute value of the finite entries; 0 if there are none."""
    finite = array[np.isfinite(array)]
    return float(np.abs(finite).max()) if finite.size else 0.0


def _example(own: Observation, reference: Observation, *, not_finite: bool) -> dict[str, str]:
    """The first call whose result differs: the call, its result and the reference's.

    With ``not_finite``, calls that returned a value that is not finite come before all others.
    """
    calls = list(zip(own.transcript, reference.transcript, strict=False))
    if not_finite:
        calls.sort(key=lambda pair: _is_finite(pair[0]))
    for own_call, reference_call in calls:
        index = _largest_difference(own_call, reference_call)
        if index is not None:
            return {
                "call": _call(own_call, index),
                "got": _texts(own_call["results"], index),
                "wanted": _texts(reference_call["results"], index),
                "note": _detached_note(own_call),
            }
    if own.outcome == "error":
        return {"note": f"on the example your code stopped: {own.message}"}
    if not all(_is_whole(call) for call in own.transcript):
        return {"note": "what the example returned is too large to show"}
    return {"note": "on the displayed example your answers are right; they differ on other draws"}


def _is_finite(call: Mapping[str, Any]) -> bool:
    """Whether every floating-point result of a call is finite."""
    arrays = (_array(value) for value in call["results"])
    return all(
        np.isfinite(array).all()
        for array in arrays
        if array is not None and array.dtype.kind == "f"
    )


def _is_whole(call: Mapping[str, Any]) -> bool:
    """Whether all results of a call are arrays that the transcript holds whole."""
    return all(_array(value) is not None for value in call["results"])


def _detached_note(call: Mapping[str, Any]) -> str:
    """A sentence about the arguments that the results of a call have no gradient to."""
    if not call["cut"]:
        return ""
    names = ", ".join(call["cut"])
    return f"no gradient reaches {names}: the result is cut off from it in the graph"


def _largest_difference(
    own_call: Mapping[str, Any], reference_call: Mapping[str, Any]
) -> tuple[int, ...] | None:
    """The index of the largest difference in the first result that differs beyond rounding.

    Empty where results cannot be compared entry by entry; None where all results agree.
    """
    for own, reference in zip(own_call["results"], reference_call["results"], strict=False):
        a, b = _array(own), _array(reference)
        if a is None or b is None or a.shape != b.shape:
            if own != reference:
                return ()
            continue
        with np.errstate(all="ignore"):
            difference = np.abs(a.astype(np.float64) - b.astype(np.float64))
            # An undefined difference is none if both entries are NaN, and else infinite.
            where_undefined = np.where(np.isnan(a) & np.isnan(b), 0.0, np.inf)
            difference = np.where(np.isnan(difference), where_undefined, difference)
            rounding = _RELATIVE * np.abs(b) + _ROUNDING * _largest(b)
        difference = np.where(difference > np.nan_to_num(rounding), difference, 0.0)
        if difference.size and difference.max() > 0:
            index = np.unravel_index(int(difference.argmax()), difference.shape)
            return tuple(int(position) for position in index)
    return None


def _call(call: Mapping[str, Any], index: tuple[int, ...]) -> str:
    """A call with its arguments as text; long arguments are cut to the row of the difference."""
    rows = _row_count(call["results"])
    parts = [f"{label}={_text(value, index, rows)}" for label, value in call["args"]]
    where = f" (row {index[0]} of {rows})" if index and rows and rows > 1 else ""
    return f"{call['call']}({', '.join(parts)}){where}"


def _row_count(values: Sequence[Any]) -> int | None:
    """The size of the first axis of the first array that has axes; None if no array has any."""
    for value in values:
        array = _array(value)
        if array is not None and array.ndim:
            return int(array.shape[0])
    return None


def _texts(values: Sequence[Any], index: tuple[int, ...]) -> str:
    rows = _row_count(values)
    return ", ".join(_text(value, index, rows) for value in values)


def _text(value: Any, index: tuple[int, ...], rows: int | None) -> str:
    """A value of a transcript as text.

    Of a long array with ``rows`` rows only the row ``index[0]`` is shown, if ``index`` has one.
    """
    array = _array(value)
    if array is None:
        return str(value)
    has_rows = rows is not None and rows > 1 and array.ndim > 0 and array.shape[0] == rows
    if index and has_rows and array.size > _WHOLE_ELEMENTS:
        array = array[index[0]]
    if array.size <= _WHOLE_ELEMENTS:
        return np.array2string(array, precision=6, separator=", ", max_line_width=10_000)
    flat = np.array2string(
        array.ravel()[:_SHOWN_ELEMENTS], precision=6, separator=", ", max_line_width=10_000
    )
    return f"{flat[:-1]}, …] of shape {list(array.shape)}"


def _array(value: Any) -> Array | None:
    """The array that a transcript's value holds; None for others, also for arrays too large."""
    return decode_array(value) if isinstance(value, Mapping) and "data" in value else None
