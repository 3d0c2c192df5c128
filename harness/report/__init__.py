"""The last stage: a gradebook becomes files and tables, all written from the one model.

Nothing here decides anything. Every file is written whole or not at all, and equal gradebooks give
equal bytes; only the ``circumstances`` of grades.json lie outside that.
"""

from __future__ import annotations

from pathlib import Path

from harness.marking.gradebook import Gradebook
from harness.report import feedback, grades_json, gradescope, junit, tables
from harness.report.grades_json import document
from harness.report.names import folder_name, folders

__all__ = ["document", "folder_name", "write"]


def write(gradebook: Gradebook, results: Path) -> list[Path]:
    """Write all reports of a run below ``results`` and return their paths.

    These are leaderboard.csv, grades.csv, grades.json and junit.xml, and in a folder of every
    submission its gradescope.json and feedback.md. Folders of other submissions stay as they are.

    Raises:
        UsageError: two submissions have the same name.
        OSError: something below ``results`` cannot be written.
    """
    chosen = folders(gradebook)
    results.mkdir(parents=True, exist_ok=True)
    written = [
        grades_json.write(gradebook, results / "grades.json"),
        tables.write_grades(gradebook, results / "grades.csv"),
        tables.write_leaderboard(gradebook, results / "leaderboard.csv"),
        junit.write(gradebook, results / "junit.xml"),
    ]
    for row in gradebook.submissions:
        folder = results / chosen[row.name]
        folder.mkdir(exist_ok=True)
        written.append(gradescope.write(row, gradebook, folder / "gradescope.json"))
        written.append(feedback.write(row, gradebook, folder / "feedback.md"))
    return written
