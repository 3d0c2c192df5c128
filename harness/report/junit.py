"""junit.xml: the run in the format that continuous integration reads.

Every submission is a test suite and every check a test case. FAIL is a failure, INCONCLUSIVE a
failure of type ``inconclusive``, ERROR an error, UNGRADABLE an error of type ``ungradable``;
SKIPPED is skipped, and so is what only the course can mark. There are no durations and no time
stamp: equal gradebooks give equal bytes.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from xml.etree import ElementTree as ET

from harness.files import write_text
from harness.marking.gradebook import Gradebook, SubmissionGrade, TaskGrade
from harness.records import Verdict
from harness.report.adjustments import adjustments
from harness.report.explain import cause_of, explain
from harness.report.names import labels
from harness.report.sanitise import NAME_LIMIT, SENTENCE_LIMIT, clean

#: How readers count each kind of node.
_COUNTED = {"failures": "failure", "errors": "error", "skipped": "skipped"}


def render(gradebook: Gradebook) -> str:
    """The run as JUnit XML."""
    label = labels(gradebook)
    rows = gradebook.submissions
    name = clean(gradebook.run.assignment, NAME_LIMIT)
    root = ET.Element("testsuites", {"name": name, **_counts(*rows)})
    for row in rows:
        suite = ET.SubElement(root, "testsuite", {"name": label[row.name], **_counts(row)})
        _properties(suite, row, gradebook)
        for task in row.tasks:
            for verdict in task.verdicts:
                _case(suite, label[row.name], task, verdict)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, "unicode") + "\n"


def write(gradebook: Gradebook, path: Path) -> Path:
    """Write the run as JUnit XML, whole or not at all; returns the path."""
    return write_text(path, render(gradebook))


def _counts(*rows: SubmissionGrade) -> dict[str, str]:
    verdicts = [verdict for row in rows for task in row.tasks for verdict in task.verdicts]
    kinds = Counter(_kind(verdict)[0] for verdict in verdicts if verdict.status != "PASS")
    counts = {name: str(kinds[kind]) for name, kind in _COUNTED.items()}
    return {"tests": str(len(verdicts)), **counts}


def _properties(suite: ET.Element, row: SubmissionGrade, gradebook: Gradebook) -> None:
    properties = ET.SubElement(suite, "properties")
    for name, value in (
        ("phase", gradebook.run.phase),
        ("isolation", row.isolation),
        ("submission_sha256", row.sha256),
        ("harness_sha256", gradebook.run.harness_sha256),
        ("provisional", str(row.provisional).lower()),
        *((each.kind.lower(), each.text) for each in adjustments(row)),
    ):
        ET.SubElement(properties, "property", {"name": name, "value": clean(value, SENTENCE_LIMIT)})


def _case(suite: ET.Element, submission: str, task: TaskGrade, verdict: Verdict) -> None:
    # Readers split a class name at its full stops, and a submission's name may contain some.
    group = f"{submission.replace('.', '_')}.{clean(task.id, NAME_LIMIT)}"
    case = ET.SubElement(
        suite, "testcase", {"classname": group, "name": clean(verdict.check, NAME_LIMIT)}
    )
    if verdict.status == "PASS":
        return
    lines = explain(verdict)
    kind, type_ = _kind(verdict)
    attributes = {"message": lines[0].text, "type": type_}
    if kind == "skipped":
        del attributes["type"]
    node = ET.SubElement(case, kind, attributes)
    node.text = "\n".join(map(str, lines))


def _kind(verdict: Verdict) -> tuple[str, str]:
    if verdict.status == "SKIPPED" or verdict.by_course:
        return "skipped", ""
    kind = "failure" if verdict.status in ("FAIL", "INCONCLUSIVE") else "error"
    if verdict.status in ("INCONCLUSIVE", "UNGRADABLE"):
        return kind, verdict.status.lower()
    return kind, cause_of(verdict) or verdict.status.lower()
