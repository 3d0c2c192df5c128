"""What runs on Classroom 50: ``python -m harness.autograders.on_classroom50 SOURCE ASSIGNMENT``.

The working directory is the student's checkout. The platform reads result.json from it (schema
``classroom50/result/v1``), whose scores are whole numbers: hundredths of points here. Checks that
only the course can mark are listed as tests of 0 points.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness.autograders import running
from harness.files import write_text
from harness.report.sanitise import SENTENCE_LIMIT, clean

SCHEMA = "classroom50/result/v1"
#: Whole numbers a point.
UNIT = 100


def main(words: list[str]) -> int:
    """Marks the checkout; returns the exit code, 0 where there is a result."""
    source, assignment = Path(words[0]), words[1]
    work = Path.cwd()
    with tempfile.TemporaryDirectory() as made:
        results = Path(made, "results")
        options = [str(work), "--assignment", assignment]
        ended = running.grade(source, options, results, lambda: None)
        print(ended.stderr)
        grades = results / "grades.json"
        if not ended.delivered or not grades.is_file():
            return 1  # the platform shows an error of the autograder, and no mark
        (row,) = json.loads(grades.read_text(encoding="utf-8"))["submissions"]
        pages = sorted((results / "submissions").glob("*/feedback.md"))
        page = pages[0].read_text(encoding="utf-8") if pages else ""
    tests = [_test(task, check) for task in row["tasks"] for check in task["checks"]]
    document = {
        **_told(os.environ),
        "datetime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),  # the platform sets it anew
        "score": sum(test["score"] for test in tests),
        "max-score": sum(test["max-score"] for test in tests),
        "tests": tests,
    }
    write_text(work / "result.json", json.dumps(document, indent=2) + "\n")
    note = f"Scores are in hundredths of points. {_by_course(row)}\n\n"
    write_text(work / "release-body.md", note + page)
    return 0


def _told(environment: Mapping[str, str]) -> dict[str, str]:
    """What the platform says of the submission, under the names that it reads."""
    commit = environment["COMMIT_URL"]
    return {
        "schema": SCHEMA,
        "classroom": environment["CLASSROOM"],
        "assignment": environment["ASSIGNMENT"],
        "submission": environment["SUBMISSION_TAG"],
        "commit": commit,
        "release": environment["RELEASE_URL"],
        "review": environment.get("REVIEW_URL") or commit,
    }


def _test(task: Mapping[str, Any], check: Mapping[str, Any]) -> dict[str, Any]:
    by_course = check["cause"] == "by-course"
    return {
        "test-name": f"{task['id']}/{check['id']}",
        "passed": check["status"] == "PASS",
        "score": round(UNIT * (check["points"] or 0)),
        "max-score": 0 if by_course else round(UNIT * check["max_points"]),
        "status": "marked by your course" if by_course else check["status"],
        "message": clean(check["hint"] or check["message"], SENTENCE_LIMIT),
    }


def _by_course(row: Mapping[str, Any]) -> str:
    points = sum(_points(row))
    return f"{points:g} points are marked by your course." if points else ""


def _points(row: Mapping[str, Any]) -> Iterator[float]:
    """The points of every check that only the course can mark."""
    for task in row["tasks"]:
        for check in task["checks"]:
            if check["cause"] == "by-course":
                yield check["max_points"]


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
