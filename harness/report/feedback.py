"""feedback.md: what a student reads about a submission.

Every value that the template prints goes through :func:`harness.report.sanitise.markdown` by way of
the environment's ``finalize``, so that a template cannot forget it.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.files import write_text
from harness.marking.gradebook import Gradebook, SubmissionGrade, TaskGrade
from harness.records import Verdict
from harness.report import pictures
from harness.report.adjustments import adjustments, lateness_text, sum_text
from harness.report.explain import Line, cause_of, explain, notes
from harness.report.marks import InOne, in_one, not_submitted, points_text
from harness.report.names import shown
from harness.report.sanitise import NAME_LIMIT, SENTENCE_LIMIT, clean, fenced, markdown

if TYPE_CHECKING:
    import jinja2


def render(row: SubmissionGrade, gradebook: Gradebook) -> str:
    """The feedback page of one submission as Markdown."""
    page = _template().render(
        name=shown(row),
        points=points_text(row.points),
        max_points=points_text(row.max_points),
        provisional=row.provisional,
        mark=points_text(row.mark) if row.is_adjusted else "",
        sum=sum_text(row),
        adjustments=[each.text for each in adjustments(row)],
        facts=_facts(row, gradebook),
        notes=notes(row, gradebook.run),
        tasks=[_task(task) for task in row.tasks if not not_submitted(task)],
        missing=[_missing(task, reason) for task in row.tasks if (reason := not_submitted(task))],
    )
    return page.rstrip("\n") + "\n"


def write(row: SubmissionGrade, gradebook: Gradebook, path: Path) -> Path:
    """Write the feedback page of one submission, whole or not at all; returns the path.

    Raises:
        OSError: the file cannot be written.
    """
    return write_text(path, render(row, gradebook))


@cache
def _template() -> jinja2.Template:
    import jinja2  # only this report needs it

    environment = jinja2.Environment(
        autoescape=False,
        finalize=lambda value: value if isinstance(value, _Markdown) else markdown(str(value)),
        keep_trailing_newline=True,
        lstrip_blocks=True,
        trim_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    source = resources.files("harness.report").joinpath("feedback.md.j2")
    return environment.from_string(source.read_text(encoding="utf-8"))


def _facts(row: SubmissionGrade, gradebook: Gradebook) -> list[tuple[str, str]]:
    run = gradebook.run
    late = bool(row.late and row.late.days)  # then a line above says when it came in
    facts = (
        ("Assignment", run.assignment),
        ("Phase", run.phase),
        ("Time", "" if late else lateness_text(row.late) if row.late else row.submitted),
        ("Extension", row.extension),
        ("Isolation", row.isolation or "none"),
        ("Submission SHA-256", row.sha256),
        ("Harness", f"{run.harness}, SHA-256 {run.harness_sha256}"),
        ("Key commitment (SHA-256)", run.key_sha256),
    )
    return [(label, clean(value, 2 * NAME_LIMIT)) for label, value in facts if value]


def _missing(task: TaskGrade, reason: str) -> dict[str, str]:
    return {
        "id": clean(task.id, NAME_LIMIT),
        "reason": clean(reason, SENTENCE_LIMIT),
        "points": points_text(task.points),
        "max_points": points_text(task.max_points),
    }


def _task(task: TaskGrade) -> dict[str, Any]:
    whole = in_one(task)
    told = task.verdicts if whole is None else ()
    visible = [verdict for verdict in told if verdict.visibility == "visible"]
    hidden = [verdict for verdict in told if verdict.visibility == "hidden"]
    return {
        "in_one": None if whole is None else _in_one(whole),
        "id": clean(task.id, NAME_LIMIT),
        "title": clean(task.title, NAME_LIMIT) or clean(task.id, NAME_LIMIT),
        "points": points_text(task.points),
        "max_points": points_text(task.max_points),
        "passed": [_check(verdict) for verdict in visible if verdict.status == "PASS"],
        "failed": [_check(verdict) for verdict in visible if _told_by_itself(verdict)],
        "hidden": [_check(verdict) for verdict in hidden if not verdict.by_course],
        "by_course": [_check(verdict) for verdict in task.by_course if not verdict.hint],
        "pictures": [_Markdown(pictures.link(picture)) for picture in task.pictures],
        "no_pictures": clean(task.no_pictures, SENTENCE_LIMIT),
    }


def _in_one(whole: InOne) -> dict[str, Any]:
    """The one block about a file that could not be loaded, or is not filled in."""
    return {**_check(whole.verdict), "text": f"{whole.text[0].upper()}{whole.text[1:]}."}


def _told_by_itself(verdict: Verdict) -> bool:
    """Whether it has a paragraph: what the course marks has one only where there is a hint."""
    return bool(verdict.hint) if verdict.by_course else verdict.status != "PASS"


def _check(verdict: Verdict) -> dict[str, Any]:
    lines = explain(verdict)
    return {
        "id": clean(verdict.check, NAME_LIMIT),
        "status": verdict.status,
        "cause": cause_of(verdict),
        "points": points_text(verdict.points),
        "max_points": points_text(verdict.max_points),
        "message": " ".join(line.text for line in lines),
        "entries": [_entry(line) for line in lines],
        "picture": _picture(verdict),
    }


class _Markdown(str):
    """A text that is Markdown already and is printed as it is."""


def _picture(verdict: Verdict) -> _Markdown:
    """The link to its picture; empty where there is none."""
    picture = pictures.of(verdict)
    if picture is None:
        return _Markdown("")
    return _Markdown(pictures.link(picture))


def _entry(line: Line) -> dict[str, Any]:
    if line.code:
        language = "python" if line.text.startswith(("import ", "from ")) else ""
        return {"label": line.label, "block": _Markdown(fenced(line.text, language))}
    # Empty lines are left out: one would end the list item in Markdown.
    parts = [part for part in line.text.split("\n") if part.strip()]
    return {"label": line.label, "first": parts[0] if parts else "", "rest": parts[1:], "block": ""}
