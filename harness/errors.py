"""The exceptions of the harness.

::

    FairmarkError             base of all; the message is for people
    ├── UsageError            the command line names something that does not exist (exit 2)
    ├── SpecError             all problems of task.yaml, starter.py and so on (exit 2)
    ├── PlanError             trials cannot be planned (exit 2)
    ├── ArchiveError          files of a submission cannot be accepted (its checks are ERROR)
    ├── ProgramError          a program raised, hung or broke the contract (its checks are ERROR)
    ├── InfrastructureError   our fault: no sandbox, an unusable ledger (UNGRADABLE)
    └── MeasurementError      our fault: a measurement or a statistic failed (UNGRADABLE)

Errors of a program never leave :mod:`harness.collect`; our own errors never become a mark.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from harness.causes import Cause


class FairmarkError(Exception):
    """Base of every error that the harness raises on purpose."""


class UsageError(FairmarkError):
    """The command line names something that does not exist or cannot be used."""


@dataclass(frozen=True)
class Problem:
    """One problem in a file that an instructor wrote.

    Attributes:
        file: its path.
        line, col: the place in it, from 1.
        message: what is wrong.
        remedy: what to do about it; empty if nothing more precise is known.
    """

    file: str
    line: int
    col: int
    message: str
    remedy: str = ""

    def __str__(self) -> str:
        remedy = f" ({self.remedy})" if self.remedy else ""
        return f"{self.file}:{self.line}:{self.col}: {self.message}{remedy}"


class SpecError(FairmarkError):
    """All problems of the specs, in ``problems``; nothing runs while there is one."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.problems,)  # an exception is rebuilt from its text otherwise


class PlanError(FairmarkError):
    """The trials of a run cannot be planned."""


class ArchiveError(FairmarkError):
    """An archive, or another file or folder of a submission, that cannot be accepted.

    Attributes:
        cause: the cause stored with the verdict, such as :attr:`Cause.UNSAFE_ARCHIVE`.
        message: one sentence for the student.
    """

    def __init__(self, cause: str, message: str) -> None:
        self.cause = Cause(cause)
        self.message = message
        super().__init__(message)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.cause, self.message)


class ProgramError(FairmarkError):
    """A program gave no usable result, by its own fault; no other program's marks are affected.

    Attributes:
        cause: the cause stored with the verdict; its ``fault`` is ``program``.
        message: one sentence for the student.
        while_loading: it happened before the program was given any input, so nothing in the message
            can come from an instance that is marked.
    """

    def __init__(self, cause: str, message: str, *, while_loading: bool = False) -> None:
        self.cause = Cause(cause)
        self.message = message
        self.while_loading = while_loading
        super().__init__(message)

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(type(self), while_loading=self.while_loading), (self.cause, self.message)


class InfrastructureError(FairmarkError):
    """The machine or the harness failed; no mark may result from it."""


class MeasurementError(FairmarkError):
    """A measurement of a task raised, or returned something that its checks cannot use.

    Attributes:
        message: what is wrong.
        remedy: what to do about it; empty if nothing more precise is known.
    """

    def __init__(self, message: str, remedy: str = "") -> None:
        self.message = message
        self.remedy = remedy
        super().__init__(f"{message} ({remedy})" if remedy else message)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.message, self.remedy)
