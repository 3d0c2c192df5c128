"""What a student is told of a failed visible check: a worked example and, if it fits, a hint.

Checks that play whole episodes or train have no example: their figures say what happened.

Everything shown comes from trials under the public key, never from a scored instance. A hint is
that of the known mistake whose output the submission's matches on the example.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from harness.marking.gradebook import TaskGrade
from harness.marking.jobs import Run
from harness.marking.score import Decision, decide_task
from harness.marking.trials import Subject, View
from harness.records import EXAMPLE, Array, Observation, Program, Verdict, decode_array
from harness.spec.checks import CheckBase, ReturnsCheck, SeedSuccessCheck
from harness.spec.load import LoadedTask

_SHOWN_ELEMENTS = 8
_WHOLE_ELEMENTS = 24
_SAME = 1e-9
_ROUNDING = 1e-13


def needed(tasks: Sequence[LoadedTask], subjects: Sequence[Subject], view: View) -> Iterator[Run]:
    """The example runs that failed visible checks still lack."""
    for subject in subjects:
        for task in tasks:
            for check in _to_explain(task, subject, view):
                for program in _programs(task, subject):
                    found = view.observe(task, program, check.measurement, EXAMPLE)
                    if isinstance(found, Run):
                        yield found


def _to_explain(task: LoadedTask, subject: Subject, view: View) -> Iterable[CheckBase]:
    if task.reference is None:
        return
    decisions = decide_task(task, subject, view)
    for check in task.spec.checks:
        decision = decisions[check.id]
        failed = isinstance(decision, Decision) and decision.status == "FAIL"
        if (
            failed
            and check.visibility == "visible"
            and not isinstance(check, ReturnsCheck | SeedSuccessCheck)
        ):
            yield check


def _programs(task: LoadedTask, subject: Subject) -> list[Program]:
    assert task.reference is not None
    mutants = [mutant.program for mutant in task.reference.mutants]
    return [subject.program, task.reference.solution, *mutants]


def explain(task: LoadedTask, subject: Subject, view: View, grade: TaskGrade) -> TaskGrade:
    """The same grade with examples and hints where the example runs are there."""
    explained = {check.id: check for check in _to_explain(task, subject, view)}
    verdicts = tuple(
        _explain(task, explained[verdict.check], subject, view, verdict)
        if verdict.check in explained
        else verdict
        for verdict in grade.verdicts
    )
    return replace(grade, verdicts=verdicts)


def _explain(
    task: LoadedTask, check: CheckBase, subject: Subject, view: View, verdict: Verdict
) -> Verdict:
    assert task.reference is not None
    own = view.observe(task, subject.program, check.measurement, EXAMPLE)
    reference = view.observe(task, task.reference.solution, check.measurement, EXAMPLE)
    if not isinstance(own, Observation) or not isinstance(reference, Observation):
        return verdict
    hint = ""
    if own.outcome == "ok" and not _same(own, reference, check.id):
        for mutant in task.reference.mutants:
            other = view.observe(task, mutant.program, check.measurement, EXAMPLE)
            if isinstance(other, Observation) and _same(own, other, check.id):
                hint = mutant.mistake.hint
                break
    example = _example(own, reference, not_finite=verdict.cause == "not-finite")
    return replace(verdict, example=example, hint=hint)


def _same(first: Observation, second: Observation, check_id: str) -> bool:
    """Whether two programs gave the same stored numbers for a check, rounding aside."""
    if first.outcome != "ok" or second.outcome != "ok":
        return False
    names = [name for name in first.values if name.startswith(check_id + "/")]
    for name in names:
        ours, theirs = first.values[name], second.values.get(name)
        if theirs is None or ours.shape != theirs.shape:
            return False
        a, b = ours.astype(np.float64), theirs.astype(np.float64)
        if not np.allclose(a, b, rtol=_SAME, atol=_ROUNDING * _size(b), equal_nan=True):
            return False
    return bool(names)


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
