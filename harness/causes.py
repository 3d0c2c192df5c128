"""Why a check is not passed: one word each, with its sentence and whose fault it is."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal, Self

#: ``program``: the submitted program did not deliver. ``answer``: it did, and the check decided
#: against it. ``harness``: our side failed, or could not decide; never a mark. ``none``: nobody's.
Fault = Literal["program", "answer", "harness", "none"]


class Cause(StrEnum):
    """The cause of a status other than PASS; :attr:`NONE` (empty) where there is none.

    Attributes:
        fault: whose fault it is.
        message: the sentence for a check where nothing more precise is known.
    """

    fault: Fault
    message: str

    def __new__(cls, word: str, fault: Fault = "none", message: str = "") -> Self:
        member = str.__new__(cls, word)
        member._value_ = word
        member.fault = fault
        member.message = message
        return member

    @property
    def before_running(self) -> bool:
        """Whether looking at the submitted files alone can establish it, without running them.

        Telling such a cause gives nothing away about a hidden check.
        """
        return self in _BEFORE_RUNNING

    NONE = ""

    MISSING_FILE = "missing-file", "program", "a file was not submitted"
    DUPLICATE_FILE = "duplicate-file", "program", "a file was submitted more than once"
    EMPTY = "empty", "program", "no file that a task asks for was submitted"
    NOT_TEXT = "not-text", "program", "the file is not UTF-8 text"
    TOO_LARGE = "too-large", "program", "the file is too large"
    UNSAFE_FILE = "unsafe-file", "program", "the file is not a plain file"
    UNSAFE_ARCHIVE = "unsafe-archive", "program", "the archive is not safe"
    UNREADABLE_ARCHIVE = "unreadable-archive", "program", "the archive cannot be read"
    SYNTAX = "syntax", "program", "the file is not valid Python"

    MISSING_NAME = "missing-name", "program", "the file does not define what the statement asks for"
    SIGNATURE = "signature", "program", "a function cannot be called as the statement says"
    EXCEPTION = "exception", "program", "the program raised an exception"
    EXIT = "exit", "program", "the program ended its process"
    SIGNAL = "signal", "program", "the program's process was ended by a signal"
    TIMEOUT = "timeout", "program", "the program took longer than it may"
    BUDGET = "budget", "program", "the program asked an environment for more steps than it may take"
    MEMORY = "memory", "program", "the program used more memory, processes or disk than it may"
    BAD_OUTPUT = "bad-output", "program", "an answer has another type or shape than it must have"
    CHANGED_ARGUMENT = (
        "changed-argument",
        "program",
        "a function changed an argument in place; clone it first",
    )
    RESEEDED = "reseeded", "program", "the program reseeds a generator or ignores the one it gets"
    PROTOCOL = "protocol", "program", "the program interfered with the harness' connection to it"
    WORKER_DIED = "worker-died", "program", "the program ended the process that ran it"
    LEFTOVER_PROCESS = "leftover-process", "program", "the program left a process running"
    NOT_REPRODUCIBLE = (
        "not-reproducible",
        "program",
        "the same seed gave different results when the program ran again",
    )

    WRONG = "wrong", "answer", "the answer is not the expected one"
    NOT_FINITE = (
        "not-finite",
        "answer",
        "the answer holds NaN or infinity where a number is expected",
    )
    LEAK = "leak", "answer", "an output changes with an input that it must not depend on"
    BLIND = "blind", "answer", "an output ignores inputs that it must depend on"
    BIASED = (
        "biased",
        "answer",
        "an average over your draws is not the expected one, on two independent sets of draws",
    )
    VARIANCE = (
        "variance",
        "answer",
        "the estimator is too noisy for its mean to be certified at this number of draws",
    )
    DISTRIBUTION = (
        "distribution",
        "answer",
        "your draws do not follow the law, on two independent sets of draws",
    )
    DEPENDENT = (
        "dependent",
        "answer",
        "draws that must be independent are correlated, on two independent sets of draws",
    )
    VARIANCE_RATIO = (
        "variance-ratio",
        "answer",
        "the variance is above the limit, on two independent sets of draws",
    )
    BELOW_FLOOR = (
        "below-floor",
        "answer",
        "the likelihood is better than that of the true distribution",
    )
    EXCESS = (
        "excess",
        "answer",
        "the negative log-likelihood is above the reference's by more than the margin",
    )
    RETURN = "return", "answer", "the mean episode return is below that for full credit"
    FEW_TRAJECTORIES = (
        "few-trajectories",
        "answer",
        "too few distinct episodes came about for an interval",
    )
    SEEDS = (
        "seeds",
        "answer",
        "too few training runs, each with a seed of its own, reach the threshold",
    )
    UNDECIDED = (
        "undecided",
        "answer",
        "training runs reach the threshold too often to fail and too seldom to pass",
    )

    PREREQUISITE = "prerequisite", "none", "a check that this one builds on did not pass"

    BY_COURSE = "by-course", "none", "marked by your course"

    NOT_RUN = "not-run", "harness", "this check has not been run yet"
    NO_TARGET = (
        "no-target",
        "harness",
        "no target is stored for this check; it cannot be graded yet",
    )
    HARNESS_ERROR = (
        "harness-error",
        "harness",
        "this check could not be graded, through no fault of yours",
    )
    MARK_UNUSABLE = (
        "mark-unusable",
        "harness",
        "The harness came to no usable mark for this check.",
    )


_BEFORE_RUNNING = frozenset(
    {
        *(Cause.MISSING_FILE, Cause.EMPTY, Cause.NOT_TEXT, Cause.TOO_LARGE, Cause.SYNTAX),
        Cause.DUPLICATE_FILE,
        *(Cause.UNSAFE_FILE, Cause.UNSAFE_ARCHIVE, Cause.UNREADABLE_ARCHIVE),
    }
)

#: What a worker may report about the program that it runs; everything else is established
#: from outside. ``syntax`` is among them for what parses and does not compile.
REPORTED_BY_WORKER = frozenset(
    {
        *(Cause.MISSING_FILE, Cause.MISSING_NAME, Cause.SIGNATURE, Cause.SYNTAX),
        *(Cause.EXCEPTION, Cause.EXIT, Cause.MEMORY, Cause.BAD_OUTPUT),
        *(Cause.CHANGED_ARGUMENT, Cause.BUDGET),
    }
)
