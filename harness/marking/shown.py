"""The pictures of a task: what its show.py drew of a program, good or wrong, under the public key.

They are no part of a mark. They are asked for once the checks that they go with are decided; of a
task that trains these are the checks that train, so that a program is not trained for the sake of
its pictures alone. Where there is no reference, those of a task that doesn't train are asked for at
once, and run in the sandbox of its trials. Where a visible check failed, the reference's pictures
stand beside. :mod:`harness.report.drawing` draws them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from harness import kinds
from harness.arrays import encode_array
from harness.causes import Cause
from harness.marking import at_home
from harness.marking.gradebook import TaskGrade
from harness.marking.jobs import PlannedTrial
from harness.marking.subjects import Subject
from harness.marking.views import View
from harness.records import EXAMPLE, SHOW, Array, Observation, Verdict
from harness.spec.checks import CheckBase
from harness.spec.load import LoadedTask
from harness.submissions.cells import in_cells

#: What a student reads in the place of pictures that could not be drawn.
NOT_DRAWN = "they could not be drawn, by a fault of the grader's; the mark does not rest on them"
_DECIDED = ("PASS", "FAIL", "INCONCLUSIVE")


def with_pictures(
    task: LoadedTask, subject: Subject, view: View, grade: TaskGrade
) -> tuple[TaskGrade, tuple[PlannedTrial, ...]]:
    """The grade with the pictures of the task, and the trials that must still be run for them."""
    verdicts = [
        verdict for verdict in grade.verdicts if goes_with(task, task.spec.check(verdict.check))
    ]
    if not any(_asks(task, verdict) for verdict in verdicts):
        return grade, ()
    own = view.observe(task, subject.program, SHOW, EXAMPLE)
    failed = any(
        verdict.status in ("FAIL", "INCONCLUSIVE") and verdict.visibility == "visible"
        for verdict in verdicts
    )
    beside: Observation | PlannedTrial | None = None
    if failed and task.reference is not None:
        beside = view.observe(task, task.reference.solution, SHOW, EXAMPLE)
    missing = tuple(each for each in (beside, own) if isinstance(each, PlannedTrial))
    if isinstance(own, PlannedTrial) or isinstance(beside, PlannedTrial):
        return grade, missing
    if own.outcome != "ok":
        message = in_cells(own.message, subject.program.files) or own.cause.message
        why = NOT_DRAWN if own.outcome == "infrastructure" else message
        return replace(grade, no_pictures=why), ()
    wanted = beside.statistics if beside is not None and beside.outcome == "ok" else {}
    pictures = tuple(
        _picture(task.id, number, arrays, wanted.get(number))
        for number, arrays in own.statistics.items()
    )
    return replace(grade, pictures=pictures), ()


def _asks(task: LoadedTask, verdict: Verdict) -> bool:
    if verdict.cause == Cause.NOT_RUN:
        return at_home.all_at_once(task)
    return verdict.status in _DECIDED or verdict.by_course


def goes_with(task: LoadedTask, check: CheckBase) -> bool:
    """Whether the pictures of a task are asked for once this check is decided."""
    return task.show is not None and (task.spec.tier != "training" or kinds.of(check).trained)


def _picture(
    task: str, number: str, arrays: Mapping[str, Array], wanted: Mapping[str, Array] | None
) -> dict[str, Any]:
    """One picture as a report draws it, the reference's beside it if it is of the same form."""
    caption = json.loads(arrays["caption"].tobytes())
    drawn = _encoded(arrays)
    picture = {"file": f"picture-{task}.{number}.svg", **caption, **drawn}
    if wanted is not None and form(wanted) == form(arrays):
        picture["beside"] = _encoded(wanted)
        picture["alt"] += " The reference's stands beside it."
    return picture


def _encoded(arrays: Mapping[str, Array]) -> dict[str, Any]:
    return {name: encode_array(array) for name, array in arrays.items() if name != "caption"}


def form(arrays: Mapping[str, Array]) -> list[object]:
    """What must be equal of two pictures that stand beside each other: their texts and shape.

    Args:
        arrays: a picture as observations keep it: ``caption``, the bytes of a JSON object, and
            ``images`` "rows columns h w" or none.
    """
    caption = json.loads(arrays["caption"].tobytes())
    shape = arrays["images"].shape if "images" in arrays else ()
    texts = {name: caption.get(name) for name in ("title", "rows", "columns", "groups", "axes")}
    return [texts, shape]
