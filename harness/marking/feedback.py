"""What a student is told of a failed visible check: a worked example and, if it fits, a hint.

Checks whose measurement trains or plays whole episodes have no example: their figures say what
happened. Everything shown comes from trials under the public key, never from a marked instance. A
hint is that of the known mistake whose mutant gives the same statistics on the example.
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
from harness.records import EXAMPLE, Array, Observation, Verdict, decode_array
from harness.spec.load import LoadedTask

_SHOWN_ELEMENTS = 8
_WHOLE_ELEMENTS = 24
#: Relative and, in units of the largest entry, absolute difference that counts as the same.
_SAME = 1e-9
_ROUNDING = 1e-13
_FIRST_ENTRIES = 8


@dataclass(frozen=True)
class Explained:
    """A grade with examples and hints.

    Attributes:
        missing: the example trials without which the explanation is not complete.
    """

    grade: TaskGrade
    missing: tuple[PlannedTrial, ...] = ()


def explain(
    task: LoadedTask, subject: Subject, view: View, grade: TaskGrade, trusted: TrustedExamples
) -> Explained:
    """The grade with an example and perhaps a hint for every check that failed.

    Args:
        trusted: the examples of our own programs, which all subjects of a round share.
    """
    missing: dict[str, PlannedTrial] = {}
    verdicts = []
    for verdict in grade.verdicts:
        if not _has_example(task, verdict):
            verdicts.append(verdict)
            continue
        measurement = task.spec.check(verdict.check).measurement
        known = trusted.of(task, measurement)
        own = view.observe(task, subject.program, measurement, EXAMPLE)
        missing |= {planned.trial.digest: planned for planned in known.missing}
        if isinstance(own, Observation):
            verdicts.append(_explained(own, known, verdict))
        else:
            missing[own.trial.digest] = own
            verdicts.append(verdict)
    return Explained(replace(grade, verdicts=tuple(verdicts)), tuple(missing.values()))


def _has_example(task: LoadedTask, verdict: Verdict) -> bool:
    return (
        task.reference is not None
        and verdict.status == "FAIL"
        and verdict.visibility == "visible"
        and not kinds.of(task.spec.check(verdict.check)).trained
    )


@dataclass(frozen=True)
class _Examples:
    """The displayed example of one measurement by our own programs, as far as it was run.

    Attributes:
        mutants: for each check of the measurement, the hints and examples of the mutants whose
            statistics differ from the reference's, in the order of mistakes.yaml.
    """

    reference: Observation | None
    mutants: Mapping[str, tuple[tuple[str, Observation], ...]]
    missing: tuple[PlannedTrial, ...]


class TrustedExamples:
    """Examples of references and mutants at one state of the ledger, each looked up once."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._known: dict[tuple[str, str], _Examples] = {}

    def of(self, task: LoadedTask, measurement: str) -> _Examples:
        """Those of one measurement of a task that has its reference."""
        place = (task.id, measurement)
        if place not in self._known:
            self._known[place] = self._looked_up(task, measurement)
        return self._known[place]

    def _looked_up(self, task: LoadedTask, measurement: str) -> _Examples:
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
            text
            for text, mutant in examples.mutants[verdict.check]
            if _same(own, mutant, verdict.check)
        )
        hint = next(matching, "")
    example = _example(own, reference, not_finite=verdict.cause == Cause.NOT_FINITE)
    return replace(verdict, example=example, hint=hint)


def _same(first: Observation, second: Observation, check_id: str) -> bool:
    """Whether two programs gave the same statistics for a check, rounding aside."""
    if first.outcome != "ok" or second.outcome != "ok":
        return False
    ours, theirs = first.statistics.get(check_id, {}), second.statistics.get(check_id, {})
    if not ours or ours.keys() - theirs.keys():
        return False
    return all(_close(array, theirs[name]) for name, array in ours.items())


def _close(first: Array, second: Array) -> bool:
    """Whether two arrays are equal up to rounding, NaN where NaN and infinity where infinity is.

    Most mutants differ in the first few entries already, so these are compared first.
    """
    if first.shape != second.shape:
        return False
    a, b = first.astype(np.float64).ravel(), second.astype(np.float64).ravel()
    atol = _ROUNDING * _size(b)
    for part in (slice(_FIRST_ENTRIES), slice(_FIRST_ENTRIES, None)):
        near, far = a[part], b[part]
        with np.errstate(all="ignore"):
            within = (np.abs(near - far) <= atol + _SAME * np.abs(far)) & np.isfinite(far)
        same = (near == far) | within | (np.isnan(near) & np.isnan(far))
        if not same.all():
            return False
    return True


def _size(array: Array) -> float:
    finite = array[np.isfinite(array)]
    return float(np.abs(finite).max()) if finite.size else 0.0


def _example(own: Observation, reference: Observation, *, not_finite: bool) -> dict[str, str]:
    """The first call that differs: what was called, what came back, what was wanted.

    Where the check found a value that is not finite, a call that returned one comes first.
    """
    calls = list(zip(own.transcript, reference.transcript, strict=False))
    if not_finite:
        calls.sort(key=lambda pair: _finite(pair[0]))
    for mine, wanted in calls:
        row = _difference(mine, wanted)
        if row is not None:
            return {
                "call": _call(mine, row),
                "got": _texts(mine["results"], row),
                "wanted": _texts(wanted["results"], row),
                "note": _cut(mine),
            }
    if own.outcome == "error":
        return {"note": f"on the example your code stopped: {own.message}"}
    if not all(_whole(entry) for entry in own.transcript):
        return {"note": "what the example returned is too large to show"}
    return {"note": "on the displayed example your answers are right; they differ on other draws"}


def _finite(entry: Mapping[str, Any]) -> bool:
    arrays = (_array(value) for value in entry["results"])
    return all(
        np.isfinite(array).all()
        for array in arrays
        if array is not None and array.dtype.kind == "f"
    )


def _whole(entry: Mapping[str, Any]) -> bool:
    return all(_array(value) is not None for value in entry["results"])


def _cut(entry: Mapping[str, Any]) -> str:
    if not entry["cut"]:
        return ""
    names = ", ".join(entry["cut"])
    return f"no gradient reaches {names}: the result is cut off from it in the graph"


def _difference(mine: Mapping[str, Any], wanted: Mapping[str, Any]) -> tuple[int, ...] | None:
    """The leading index of the largest difference; None where the calls agree."""
    for ours, theirs in zip(mine["results"], wanted["results"], strict=False):
        a, b = _array(ours), _array(theirs)
        if a is None or b is None or a.shape != b.shape:
            if ours != theirs:
                return ()
            continue
        with np.errstate(all="ignore"):
            gap = np.abs(a.astype(np.float64) - b.astype(np.float64))
            gap = np.where(np.isnan(gap), np.where(np.isnan(a) & np.isnan(b), 0.0, np.inf), gap)
            rounding = _SAME * np.abs(b) + _ROUNDING * _size(b)
        gap = np.where(gap > np.nan_to_num(rounding), gap, 0.0)
        if gap.size and gap.max() > 0:
            return tuple(int(i) for i in np.unravel_index(int(gap.argmax()), gap.shape))
    return None


def _call(entry: Mapping[str, Any], row: tuple[int, ...]) -> str:
    lead = _lead(entry)
    parts = [f"{label}={_text(value, row, lead)}" for label, value in entry["args"]]
    where = f" (row {row[0]} of {lead})" if row and lead and lead > 1 else ""
    return f"{entry['call']}({', '.join(parts)}){where}"


def _lead(entry: Mapping[str, Any]) -> int | None:
    """The size of the first axis of the first result: arguments that share it are shown by row."""
    for value in entry["results"]:
        array = _array(value)
        if array is not None and array.ndim:
            return int(array.shape[0])
    return None


def _texts(values: Sequence[Any], row: tuple[int, ...]) -> str:
    leads = [
        array.shape[0] for value in values if (array := _array(value)) is not None and array.ndim
    ]
    lead = leads[0] if leads else None
    return ", ".join(_text(value, row, lead) for value in values)


def _text(value: Any, row: tuple[int, ...], lead: int | None) -> str:
    array = _array(value)
    if array is None:
        return str(value)
    shares = lead is not None and lead > 1 and array.ndim > 0 and array.shape[0] == lead
    if row and shares and array.size > _WHOLE_ELEMENTS:
        array = array[row[0]]
    if array.size <= _WHOLE_ELEMENTS:
        return np.array2string(array, precision=6, separator=", ", max_line_width=10_000)
    flat = np.array2string(
        array.ravel()[:_SHOWN_ELEMENTS], precision=6, separator=", ", max_line_width=10_000
    )
    return f"{flat[:-1]}, …] of shape {list(array.shape)}"


def _array(value: Any) -> Array | None:
    return decode_array(value) if isinstance(value, Mapping) and "data" in value else None
