"""What keeps submitted code from what it must not reach, at each level of isolation.

:mod:`parts` says what a level needs and whether the machine has it, :mod:`launch` prepares the
start of a sandbox's first process, :mod:`filter` makes the seccomp program, :mod:`identity` finds
an unused user for a sandbox, :mod:`cgroup` makes control groups, :mod:`interpreter` says what a
worker must be able to read. What a worker gives up by itself is in :mod:`harness.worker.confine`;
whether a level holds is tried in :mod:`harness.sandbox.choice`.
"""

from __future__ import annotations

from harness.isolation.parts import Isolation, Unavailable

__all__ = ["Isolation", "Unavailable"]
