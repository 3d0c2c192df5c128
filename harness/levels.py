"""The levels of isolation: what each promises, and the canaries that it must block."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from harness.errors import UsageError

#: From the weakest to the strongest. L0 runs in the grader's process and never makes a mark.
LEVELS = ("L0", "L1", "L2", "L2U", "L3")
#: The levels at which marks are made.
GRADING_LEVELS = LEVELS[1:]

#: Level -> what it means, for people.
MEANING: Mapping[str, str] = MappingProxyType(
    {
        "L0": "in the grader's own process; for experiments, never for a mark",
        "L1": "a process of its own with limits and a scrubbed environment; files and the network "
        "are not hidden, and a grader of the same user can be signalled",
        "L2": "Landlock and seccomp under the grader's own user: no files but the program's, no "
        "network, no signals to others",
        "L2U": "a user of its own for every sandbox, Landlock and seccomp (what root in a "
        "container gets)",
        "L3": "namespaces by bubblewrap, seccomp and limits under a user that is not root",
    }
)

_L1 = frozenset({"own-environ", "daemon"})
_L2 = _L1 | {
    "secret-file",
    "write-outside",
    "tcp",
    "udp",
    "abstract-socket",
    "unix-socket",
    "kill-grader",
    "ptrace-grader",
    "grader-environ",
    "user-namespace",
    "file-lock",
    "shared-memory",
}
_L2U = _L2 | {"fork-limit", "root-uid"}

#: Level -> the canaries that must be blocked for the level to count as reached.
REQUIRED: Mapping[str, frozenset[str]] = MappingProxyType(
    {"L1": _L1, "L2": _L2, "L2U": _L2U, "L3": _L2U}
)

#: Level -> what to install or change to reach it; ``doctor`` prints it.
REMEDY: Mapping[str, str] = MappingProxyType(
    {
        "L2": "pip install 'fairmark[isolation]' (pyseccomp, py-landlock) on Linux 5.13 or newer "
        "with Landlock enabled; 6.12 or newer also keeps a worker from signalling its own user's "
        "processes by Landlock alone",
        "L2U": "run as root (in a container: as its root) and pip install 'fairmark[isolation]'",
        "L3": "apt install bubblewrap (or your distribution's package) and pip install "
        "'fairmark[isolation]'; where bubblewrap may not create namespaces, allow unprivileged "
        "user namespaces (on Ubuntu: sysctl kernel.apparmor_restrict_unprivileged_userns=0)",
    }
)


def base(level: str) -> str:
    """The level without its suffixes: ``L3+C`` (with cgroup limits) and ``L3 insecure`` are L3."""
    return level.partition(" ")[0].partition("+")[0]


def rank(level: str) -> int:
    """The level's index in :data:`LEVELS`, its suffixes aside.

    Raises:
        ValueError: there is no such level.
    """
    return LEVELS.index(base(level))


def weakest(levels: set[str]) -> str:
    """The weakest of some levels; of two that differ in ``+C`` only, that without it.

    Empty if there are no levels.

    Raises:
        ValueError: there is no such level.
    """
    return min(sorted(levels), key=lambda level: (rank(level), "+C" in level), default="")


def check(level: str) -> str:
    """Return the level if marks can be made at it.

    Raises:
        UsageError: there is no such level, or it is L0.
    """
    if level not in GRADING_LEVELS:
        raise UsageError(f"isolation {level!r} is none of {', '.join(GRADING_LEVELS)}")
    return level
