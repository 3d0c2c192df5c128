"""The exceptions of the harness.

::

    FairmarkError             what the harness knows how to say in one sentence
    ├── UsageError            the command line asks for something that is not there (exit 2)
    ├── SpecError             task.yaml, starter.py…: every problem at once (exit 2)
    ├── PlanError             trials cannot be planned (exit 2)
    ├── ArchiveError          a submission's archive cannot be accepted (its ERROR)
    ├── ProgramError          a program raised, hung, broke the contract… (its ERROR)
    ├── InfrastructureError   ours: no sandbox, an unusable ledger (UNGRADABLE)
    └── MeasurementError      ours: a measurement or a statistic went wrong (UNGRADABLE)

Errors of a program never leave :mod:`harness.collect`; errors of ours never become a mark.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.causes import Cause


class FairmarkError(Exception):
    """Base of every error that the harness raises on purpose."""


class UsageError(FairmarkError):
    """The command line names something that does not exist or cannot be used."""


@dataclass(frozen=True)
class Problem:
    """One thing wrong in a file that an instructor wrote, with its place and its remedy."""

    file: str
    line: int
    col: int
    message: str
    remedy: str = ""

    def __str__(self) -> str:
        remedy = f" ({self.remedy})" if self.remedy else ""
        return f"{self.file}:{self.line}:{self.col}: {self.message}{remedy}"


class SpecError(FairmarkError):
    """Every problem found in the specs; nothing runs while there is one."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class PlanError(FairmarkError):
    """A trial that was asked for cannot be planned."""


class ArchiveError(FairmarkError):
    """A submission's archive that cannot be accepted.

    Attributes:
        cause: the one stored with the verdict, such as :attr:`Cause.UNSAFE_ARCHIVE`.
        message: one sentence for the student.
    """

    def __init__(self, cause: str, message: str) -> None:
        self.cause = Cause(cause)
        self.message = message
        super().__init__(message)


class ProgramError(FairmarkError):
    """A program did not deliver: the cause is the program's, and only its own marks suffer.

    Attributes:
        cause: the one stored with the verdict; its fault is ``program``.
        message: one sentence for the student.
    """

    def __init__(self, cause: str, message: str) -> None:
        self.cause = Cause(cause)
        self.message = message
        super().__init__(message)


class InfrastructureError(FairmarkError):
    """The machine or the harness failed; no mark may come of it."""


class MeasurementError(FairmarkError):
    """A measurement of ours raised or returned what its checks cannot use.

    Attributes:
        message: what is wrong.
        remedy: what to do about it; empty where nothing more precise is known.
    """

    def __init__(self, message: str, remedy: str = "") -> None:
        self.message = message
        self.remedy = remedy
        super().__init__(f"{message} ({remedy})" if remedy else message)
