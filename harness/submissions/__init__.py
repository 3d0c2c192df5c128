"""Submissions: where they are, what is taken of them, and what is wrong with them.

Nothing here runs or imports submitted code, and nothing is unpacked to a place that a
submission names: files are opened without following links, archives are read member by
member, and of everything only the file names that some task asks for are taken.
"""

from __future__ import annotations

from harness.submissions.finding import copy_to, find
from harness.submissions.records import Limits, Submission, SubmissionProblem, display

__all__ = ["Limits", "Submission", "SubmissionProblem", "copy_to", "display", "find"]
