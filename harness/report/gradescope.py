"""results.json of Gradescope, for one submission.

Gradescope shows no total to a student while a test of theirs is not visible to them, so one hidden
check hides the total until the grades are published. A top-level score overrides the sum of the
tests; both are written here, and they agree. The leaderboard has the computed points, unless there
are hidden checks, whose points they would give away.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from harness.files import write_text
from harness.marking.gradebook import Gradebook, SubmissionGrade, TaskGrade
from harness.records import Verdict
from harness.report.adjustments import Adjustment, adjustments
from harness.report.explain import COUNTING_PHASES, cause_of, explain, notes
from harness.report.grades_json import FORMAT, dump, json_value
from harness.report.marks import number
from harness.report.sanitise import NAME_LIMIT, clean

_VISIBILITY: Mapping[str, str] = MappingProxyType(
    {"visible": "visible", "hidden": "after_published"}
)
_HIDDEN_TOTAL = "The total is shown once grades are published: some checks are hidden until then."


def document(
    row: SubmissionGrade, gradebook: Gradebook, *, seconds: float | None = None
) -> dict[str, Any]:
    """The results.json of one submission.

    A check without a mark scores 0 and says that this is provisional and why.

    Args:
        seconds: how long grading took; None leaves the field out.
    """
    tests = [
        _test(task, verdict, f"{major}.{minor}")
        for major, task in enumerate(row.tasks, start=1)
        for minor, verdict in enumerate(task.verdicts, start=1)
    ]
    tests += [_adjustment(each) for each in adjustments(row)]
    lines = notes(row, gradebook.run)
    hides = any(test["visibility"] != "visible" for test in tests)
    lines += [_HIDDEN_TOTAL] if hides else []
    result: dict[str, Any] = {
        "score": number(row.mark),
        "output": "\n".join(lines),
        "output_format": "text",
        "test_output_format": "text",
        "test_name_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "extra_data": _extra(row, gradebook),
        "tests": tests,
    }
    if not hides:
        entry = {"name": "points", "value": number(row.points), "order": "desc"}
        result["leaderboard"] = [entry]
    return result if seconds is None else {**result, "execution_time": number(seconds)}


def _test(task: TaskGrade, verdict: Verdict, place: str) -> dict[str, Any]:
    name = clean(f"{task.id}/{verdict.check}", NAME_LIMIT)
    tags = [clean(text, NAME_LIMIT) for text in (task.id, task.tier, verdict.status.lower())]
    test: dict[str, Any] = {
        "name": name,
        "name_format": "text",
        "number": place,
        "score": number(verdict.points or 0.0),
        "max_score": number(verdict.max_points),
        "status": "passed" if verdict.status == "PASS" else "failed",
        "visibility": _VISIBILITY[verdict.visibility],
        "tags": [*tags, "provisional"] if verdict.points is None else tags,
        "extra_data": {
            "status": verdict.status,
            "cause": cause_of(verdict),
            "seeds_used": json_value(verdict.seeds_used),
            "provisional": verdict.points is None,
        },
    }
    if lines := explain(verdict):
        test |= {"output": "\n".join(map(str, lines)), "output_format": "text"}
    return test


def _adjustment(adjustment: Adjustment) -> dict[str, Any]:
    """An override or a lateness as a test of its own, so that the tests sum up to the score.

    What gives points is worth 0 itself, so it has no status: a test is passed at its own maximum.
    """
    place = "/".join(filter(None, (adjustment.task, adjustment.check)))
    status = {"status": "failed"} if adjustment.points < 0 else {}
    return {
        "name": clean(f"{adjustment.kind.lower()}: {place}", NAME_LIMIT),
        "name_format": "text",
        "score": adjustment.points,
        "max_score": 0.0,
        **status,
        "visibility": "visible",
        "tags": [adjustment.kind.lower()],
        "output": adjustment.text,
        "output_format": "text",
    }


def _extra(row: SubmissionGrade, gradebook: Gradebook) -> dict[str, Any]:
    run = gradebook.run
    extra = {
        "format": FORMAT,
        "assignment": run.assignment,
        "phase": run.phase,
        "key_sha256": run.key_sha256,
        "harness": run.harness,
        "harness_sha256": run.harness_sha256,
        "commit": run.commit,
        "submission_sha256": row.sha256,
        "isolation": row.isolation,
        "identity": row.identity,
        "provisional": row.provisional or run.phase not in COUNTING_PHASES,
        "problems": list(row.problems),
    }
    return {key: json_value(value) for key, value in extra.items()}


def write(
    row: SubmissionGrade, gradebook: Gradebook, path: Path, *, seconds: float | None = None
) -> Path:
    """Write the document of one submission, whole or not at all; returns the path.

    Raises:
        ValueError: ``seconds`` is not finite.
    """
    return write_text(path, dump(document(row, gradebook, seconds=seconds)))
