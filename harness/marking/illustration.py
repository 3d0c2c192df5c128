"""The example of a failed check: one call, what came back and what was wanted.

Of all calls of the public example whose results differ from the reference's, the shortest is shown;
of a batch, an ordinary row that is wrong. What is shown can be repeated at home wherever it is
short enough to be written down (:mod:`harness.marking.snippet`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.arrays import encode_array
from harness.marking import snippet
from harness.marking.closeness import ordinary_entry, relative_differences, wrong_entries
from harness.marking.snippet import Entry, Recorded, Row, array_of
from harness.records import Array, Observation
from harness.spec.load import LoadedTask

#: A result with at most this many entries is shown whole; of a larger one, the entry alone.
_WHOLE_ELEMENTS = 48
#: Agreement to this relative difference points to single precision or to a small number added.
_NEARLY = 1e-5
_LEAST_DIGITS, _MOST_DIGITS = 6, 17


@dataclass(frozen=True)
class _Difference:
    """Where a call of the program differs from the reference's.

    Attributes:
        call: the call.
        result: the place of the first result that differs.
        own, wanted: the results; None where they are not recorded as arrays.
        wrong: the entries that differ; index: the one that is shown.
    """

    call: Recorded
    result: int
    own: Array | None
    wanted: Array | None
    wrong: Array | None
    index: tuple[int, ...]

    @property
    def not_finite(self) -> bool:
        """Whether the program's result holds NaN or infinity where the reference's is finite."""
        if self.own is None or self.wanted is None:
            return False
        return bool((~np.isfinite(self.own) & np.isfinite(self.wanted)).any())


#: What a student reads in the place of an example that could not be made.
NOT_MADE = (
    "an explanation of this check could not be made, by a fault of the grader's; the mark does not "
    "rest on it"
)


def illustrate(
    task: LoadedTask, own: Observation, reference: Observation, *, file: str, not_finite: bool
) -> dict[str, Any]:
    """The parts of the example, as texts: ``call``, ``got``, ``wanted``, ``note``.

    Where the call's numbers are too many to be read: ``file``, the name of the file that the code
    loads them from, and ``arrays``, what belongs into it (:func:`harness.arrays.encode_array`).

    Args:
        task: the task.
        own: what the program did on the public example.
        reference: what the reference did there.
        file: how the file of numbers is called, if there is one.
        not_finite: show a call that returned a value that is not finite, if there is one.
    """
    if "infrastructure" in (own.outcome, reference.outcome):
        return {"note": NOT_MADE}
    differences = list(_differences(task, own, reference))
    if differences:
        chosen = min(  # the first of the shortest
            differences,
            key=lambda each: (not_finite and not each.not_finite, each.call.numbers()),
        )
        return _parts(chosen, _of_not_finite(chosen) if not_finite else chosen.index, file)
    if own.outcome == "error":
        return {"note": f"on the example your code stopped: {own.message}"}
    results = [value for call in own.transcript for value in call["results"]]
    if any(array_of(value) is None and _number(value) is None for value in results):
        return {"note": "what the example returned is too large to show"}
    return {
        "note": (
            "on the displayed example your answers agree with the right ones to nine digits; "
            "what is wrong lies beyond those, or shows on other draws"
        )
    }


def _differences(
    task: LoadedTask, own: Observation, reference: Observation
) -> Iterator[_Difference]:
    calls = snippet.recorded(task, own.transcript)
    for call, trusted in zip(calls, reference.transcript, strict=False):
        difference = _first_difference(call, trusted)
        if difference is not None:
            yield difference


def _first_difference(call: Recorded, trusted: Entry) -> _Difference | None:
    results = zip(call.entry["results"], trusted["results"], strict=False)
    for place, (own, wanted) in enumerate(results):
        a, b = array_of(own), array_of(wanted)
        if a is None or b is None or a.shape != b.shape:
            a, b = _number(own), _number(wanted)
        if a is None or b is None:
            if own != wanted:
                return _Difference(call, place, None, None, None, ())
            continue
        wrong = wrong_entries(a, b)
        if wrong.any():
            return _Difference(call, place, a, b, wrong, ordinary_entry(a, b, wrong))
    return None


def _number(value: object) -> Array | None:
    """A recorded Python number as an array; None for what is none."""
    if isinstance(value, bool | int | float):
        return np.asarray(value)
    if value in ("inf", "-inf", "nan"):
        return np.asarray(float(str(value)))
    return None


def _of_not_finite(chosen: _Difference) -> tuple[int, ...]:
    if chosen.own is None or chosen.wanted is None:
        return chosen.index
    broken = np.argwhere(~np.isfinite(chosen.own) & np.isfinite(chosen.wanted))
    return tuple(int(position) for position in broken[0]) if len(broken) else chosen.index


def _parts(chosen: _Difference, index: tuple[int, ...], file: str) -> dict[str, Any]:
    call, own, wanted = chosen.call, chosen.own, chosen.wanted
    row = None
    if own is not None:
        row = snippet.batch_row(call, chosen.result, index, own.shape)
    code = call.code(row, file)
    parts: dict[str, Any] = {"call": _in_words(call) if code is None else code.text}
    if own is not None and wanted is not None:
        axes = call.result_axes(chosen.result)
        shown = (snippet.cut(own, axes, row), snippet.cut(wanted, axes, row))
        if shown[0].size > _WHOLE_ELEMENTS:
            shown = own[index], wanted[index]
        digits = _digits(*shown)
        parts |= {"got": _text(shown[0], digits), "wanted": _text(shown[1], digits)}
    notes = [*_notes(chosen, index, row)]
    if code is not None and code.arrays:
        parts["file"] = file
        parts["arrays"] = {name: encode_array(array) for name, array in code.arrays.items()}
        notes.append(f"{file} lies beside feedback.md: put it beside your file")
    if notes:
        parts["note"] = "; ".join(notes)
    return parts


def _digits(own: Array, wanted: Array) -> int:
    """How many significant digits show the smallest difference that matters."""
    relative = relative_differences(own, wanted)
    visible = relative[(relative > 0) & np.isfinite(relative)]
    if not visible.size:
        return _LEAST_DIGITS
    needed = 3 - math.floor(math.log10(float(np.median(visible))))
    return min(max(needed, _LEAST_DIGITS), _MOST_DIGITS)


def _text(array: Array, digits: int) -> str:
    if array.dtype.kind != "f":
        return snippet.literal(np.asarray(array))
    values = np.asarray(array, dtype=np.float64)
    if values.ndim == 0:
        return f"{float(values):.{digits}g}"
    with np.printoptions(formatter={"float_kind": lambda x: f"{x:.{digits}g}"}, linewidth=92):
        return np.array2string(values, separator=", ", threshold=2**31)


def _notes(chosen: _Difference, index: tuple[int, ...], row: Row | None) -> Iterator[str]:
    entry = chosen.call.entry
    count = len(entry["results"])
    if count > 1:
        names = entry.get("by") or ()
        name = f", that by {names[chosen.result]}" if names else ""
        yield f"result {chosen.result + 1} of {count} is shown{name}"
    if entry["cut"]:
        names = ", ".join(entry["cut"])
        yield f"no gradient reaches {names}: the result is cut off from it in the graph"
    wrong = chosen.wrong
    if wrong is None or chosen.own is None or chosen.wanted is None:
        return
    if row is not None:
        axis = list(chosen.call.result_axes(chosen.result)).index(snippet.BATCH)
        others = tuple(other for other in range(wrong.ndim) if other != axis)
        rows = int(wrong.any(axis=others).sum())
        yield f"row {row.index} of the batch is shown; {_share(rows, row.count, 'rows')}"
        yield "if this row comes out right when it is called alone, your rows depend on each other"
    elif wrong.size > 1:
        yield _share(int(wrong.sum()), wrong.size, "entries")
    if row is None and wrong.size > _WHOLE_ELEMENTS:
        yield f"entry {list(index)} is shown"
    yield from _precision_note(chosen.own, chosen.wanted, wrong)


def _share(wrong: int, count: int, things: str) -> str:
    return f"{wrong} of {count} {things} {'is' if wrong == 1 else 'are'} wrong"


def _precision_note(own: Array, wanted: Array, wrong: Array) -> Iterator[str]:
    """Where all that is wrong agrees in the leading digits, what that usually means."""
    relative = relative_differences(own, wanted)[wrong]
    if own.dtype.kind == "f" and float(relative.max()) < _NEARLY:
        digits = math.floor(-math.log10(float(np.median(relative))))
        yield (
            f"it agrees to {digits} digits: is something computed in float32, a constant rounded, "
            "or a small number added?"
        )


def _in_words(call: Recorded) -> str:
    """A call that is too long to be written out: what was called with what."""
    parts = [f"{label}={_described(value)}" for label, value in call.entry["args"]]
    return f"{call.entry['call']}({', '.join(parts)})"


def _described(value: object) -> str:
    array = array_of(value)
    if array is not None:
        if array.size <= _WHOLE_ELEMENTS // 2:
            return _text(array, _LEAST_DIGITS)
        return f"{array.dtype.name} tensor of shape {list(array.shape)}"
    match value:
        case {"given": str(name)}:
            return f"given.{name}"
        case {"seed": seed}:
            return f"torch.Generator().manual_seed({seed})"
    return str(value)
