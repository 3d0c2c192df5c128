"""What keeps submitted code from what it must not reach, and how far that goes on this machine.

A *level* (:mod:`levels`) is reached only if canaries (:mod:`canaries`), released in a worker that
is confined just as those that run submitted code, were stopped. :mod:`launch` starts a sandbox's
first process, :mod:`filter` makes the seccomp program, :mod:`identity` finds users of their own,
:mod:`interpreter` says what a worker must be able to read; what a worker gives up by itself is in
:mod:`harness.worker.confine`.
"""

from __future__ import annotations

from harness.isolation.choice import Isolation, Unavailable, at, best, candidates, require
from harness.isolation.levels import GRADING_LEVELS, LEVELS

__all__ = [
    "GRADING_LEVELS",
    "LEVELS",
    "Isolation",
    "Unavailable",
    "at",
    "best",
    "candidates",
    "require",
]
