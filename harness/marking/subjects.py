"""What is marked: a submission as marking sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.causes import Cause
from harness.records import Program
from harness.spec.load import LoadedTask


@dataclass(frozen=True)
class Subject:
    """A program to be marked, with what is known to be wrong before anything runs.

    ``problems`` maps a file name, or ``""`` for the submission as a whole, to (cause, message).

    Attributes:
        notes: sentences for the student about what was handed in and not taken.
        left: the names of what was handed in and not taken.
        submitted: when it was handed in, as ISO 8601 with an offset; empty where not known.
        remark: which of several attempts this is, and why; empty where nothing is to be said.
    """

    program: Program
    display_name: str
    identity: str = "unverified"
    problems: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    submitted: str = ""
    remark: str = ""

    def problem(self, task: LoadedTask) -> tuple[Cause, str] | None:
        """Why the task cannot even be tried, with a sentence, or None."""
        for name in (*task.spec.wanted_files, ""):  # a problem of a wanted file says more
            if name in self.problems:
                cause, message = self.problems[name]
                return Cause(cause), message
        for name in task.spec.wanted_files:
            if name not in self.program.files:
                return Cause.MISSING_FILE, f"{name} was not submitted"
        return None

    @property
    def handed_in(self) -> bool:
        """Whether there is a file that a task asks for, be it of use or not."""
        causes = {cause for cause, _ in self.problems.values()}
        return bool(self.program.files) or bool(causes - {Cause.MISSING_FILE})

    def holds(self, task: LoadedTask) -> bool:
        """Whether something was handed in for a task, be it of use or not."""
        names = task.spec.wanted_files
        return any(name in self.program.files or name in self.problems for name in names)

    def left_out(self, task: LoadedTask, message: str) -> str:
        """What to add to an error that names something which was handed in and not taken."""
        named = [
            name
            for name in dict.fromkeys(self.left)
            if f"'{name}'" in message
            or f"/{name}'" in message
            or f"'{name.partition('.')[0]}'" in message
        ]
        if not named:
            return ""
        return (
            f"; {', '.join(named[:3])} was handed in and not taken: only "
            f"{' and '.join(task.spec.wanted_files)} and the .py modules beside it that it imports "
            "by name come along"
        )
