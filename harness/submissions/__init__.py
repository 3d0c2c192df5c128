"""Submissions: where they are, what is taken of them, and what is wrong with them.

Nothing here runs or imports submitted code, and nothing is unpacked to a place that a
submission names: files are opened without following links, archives are read member by
member, and of everything only the files that some task asks for are taken, with the
modules that they import from beside them. Sources are parsed and archives taken apart in processes
with deadlines.
"""

from __future__ import annotations

from harness.submissions.finding import Found, Reading, find, find_all
from harness.submissions.records import Limits, Submission, SubmissionProblem, display

__all__ = [
    "Found",
    "Limits",
    "Reading",
    "Submission",
    "SubmissionProblem",
    "display",
    "find",
    "find_all",
]
