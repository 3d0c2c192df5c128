"""The isolation level to grade with: a level is reached only if its canaries were stopped."""

from __future__ import annotations

import ctypes
import functools
import platform
import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from harness import levels
from harness.errors import InfrastructureError, UsageError
from harness.isolation import Isolation, Unavailable, cgroup, identity
from harness.isolation.filter import Filter
from harness.isolation.parts import bubblewrap_version, prepare
from harness.sandbox import canaries, folders

_PR_SET_DUMPABLE = 4
#: The level that a phase requires where the command line names none.
DEFAULT_REQUIREMENT: Mapping[str, str] = {
    **{"public": "L1", "feedback": "L1"},
    **{"final": "L2", "late": "L2"},
}


def protect_this_process() -> None:
    """Keeps processes of the same user from reading this one's memory and environment, for good.

    Every process that starts sandboxes does this first, since a worker may have its user.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


@functools.cache
def at(level: str) -> Isolation:
    """The isolation of a level, tried on this machine; what killed graders left is removed first.

    Raises:
        Unavailable: something that the level needs is missing, or a canary got through.
    """
    protect_this_process()
    folders.clear_leftovers()
    cgroup.clear_leftovers()
    isolation = replace(prepare(levels.check(level)), cgroup=cgroup.available())
    outcomes = canaries.release(isolation)
    stopped = {name for name, outcome in outcomes.items() if outcome[0]}
    if through := sorted(levels.REQUIRED[level] - stopped):
        names = ", ".join(through)
        raise Unavailable(f"canaries got through that {level} must stop: {names}")
    return replace(isolation, record=_record(isolation, outcomes))


def candidates() -> tuple[str, ...]:
    """The levels that make sense for this user, the strongest first."""
    return ("L3", "L2U", "L1") if identity.can_change_user() else ("L3", "L2", "L1")


@functools.cache
def best() -> Isolation:
    """The strongest level that this machine reaches; the record says why no stronger one.

    Raises:
        Unavailable: it does not even reach the weakest level.
    """
    reasons: dict[str, str] = {}
    for level in candidates():
        try:
            isolation = at(level)
        except InfrastructureError as error:
            reasons[level] = str(error)
            continue
        return replace(isolation, record={**isolation.record, "stronger": reasons})
    raise Unavailable("; ".join(f"{level}: {reason}" for level, reason in reasons.items()))


def require(level: str | None, phase: str, *, allow_insecure: bool = False) -> Isolation:
    """The strongest isolation that this machine reaches, if it is strong enough to grade with.

    Raises:
        UsageError: it is below the required ``level``: by default L2 in the final and late phases,
            L1 in the feedback phase.
    """
    required = levels.check(level or DEFAULT_REQUIREMENT[phase])
    try:
        isolation = best()
    except Unavailable as error:
        raise UsageError(f"no isolation works here, so nothing was graded: {error}") from None
    reached = isolation.level
    if levels.rank(reached) >= levels.rank(required):
        return replace(isolation, required=required)
    if allow_insecure:
        return replace(isolation, insecure=True, required=reached)
    reasons = [f"{stronger}: {why}" for stronger, why in isolation.record["stronger"].items()]
    remedy = levels.REMEDY.get(required, "")
    raise UsageError(
        f"isolation {required} is required and {reached} is what this machine reaches "
        f"({levels.MEANING[reached]}); nothing was graded. Why no more: {'; '.join(reasons)}. "
        f"For {required}: {remedy}. --require-isolation {reached} or --allow-insecure accepts "
        "less, and every row says so"
    )


def _record(isolation: Isolation, outcomes: Mapping[str, canaries.Outcome]) -> dict[str, Any]:
    """What is stored with observations and shown by ``doctor``."""
    level = isolation.level
    network = {"L3": "namespace and seccomp", "L1": "open"}.get(level, "seccomp")
    if isolation.landlock >= 4 and level != "L3":
        network += " and landlock"
    files = {"L3": "mount namespace", "L1": "open"}.get(level, "")
    if isolation.landlock:
        files = f"{files} and landlock-abi{isolation.landlock}".removeprefix(" and ")
    return {
        "level": isolation.label,
        "meaning": levels.MEANING[level],
        "files": files,
        "network": network,
        "user": "its own" if isolation.own_user else "the grader's",
        "memory": "address space, a watch over statm" + ", control group" * isolation.cgroup,
        "seccomp_sha256": Filter(isolation.filter).sha256 if isolation.filter else "",
        "bubblewrap": bubblewrap_version() if level == "L3" else "",
        "kernel": platform.release(),
        "canaries": {name: "blocked" if was[0] else "open" for name, was in outcomes.items()},
        "said": {name: text for name, (_, text) in outcomes.items()},
    }
