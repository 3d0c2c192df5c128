"""The last stage: a gradebook becomes files and tables, all written from the one model.

Nothing here decides anything. Every file is written whole or not at all, and equal gradebooks give
equal bytes; only the ``circumstances`` of grades.json may differ.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from harness.marking.gradebook import Gradebook
from harness.report import (
    examples,
    feedback,
    gradebook_csv,
    grades_json,
    gradescope,
    junit,
    pictures,
    tables,
)
from harness.report.grades_json import document
from harness.report.names import refuse_duplicates
from harness.results import Results

__all__ = ["document", "write"]


def write(
    gradebook: Gradebook, results: Results, only: Collection[str] | None = None
) -> list[Path]:
    """Write all reports of a class into a results folder and return their paths.

    These are the leaderboard, the gradebook, the grades as CSV and JSON and junit.xml, and for
    every submission its gradescope.json, its feedback.md, the pictures in it and the numbers that
    its examples load.
    Reports of other submissions stay as they are.

    Args:
        only: the submissions whose own reports are written; all of them where None.

    Raises:
        UsageError: two submissions have the same name, or the results folder cannot be used; then
            nothing is written.
        OSError: a file cannot be written.
    """
    refuse_duplicates(gradebook)
    names = [row.name for row in gradebook.submissions]
    results.make(names)
    written = [
        grades_json.write(gradebook, results.grades_json),
        tables.write_grades(gradebook, results.grades),
        tables.write_leaderboard(gradebook, results.leaderboard),
        gradebook_csv.write(gradebook, results.gradebook),
        junit.write(gradebook, results.junit),
    ]
    reports = results.submissions(names)
    for row in gradebook.submissions:
        if only is not None and row.name not in only:
            continue
        files = reports[row.name]
        files.folder.mkdir(parents=True, exist_ok=True)
        written.append(gradescope.write(row, gradebook, files.gradescope))
        written.append(feedback.write(row, gradebook, files.feedback))
        written += examples.write(row, files)
        written += pictures.write(row, files)
    return written
