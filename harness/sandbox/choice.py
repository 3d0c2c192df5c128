"""Which level is in force: each is tried, and reached only if its canaries say so."""

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
from harness.sandbox import canaries

_PR_SET_DUMPABLE = 4
#: What is asked for where nobody says otherwise, by phase.
DEFAULT_REQUIREMENT: Mapping[str, str] = {"feedback": "L1", "final": "L2", "late": "L2"}


def protect_this_process() -> None:
    """Nobody of the same user can read this process's memory or environment from now on."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


@functools.cache
def at(level: str) -> Isolation:
    """The level, tried on this machine.

    Raises:
        Unavailable: something it takes is missing, or a canary got through.
    """
    protect_this_process()
    found = replace(prepare(levels.check(level)), cgroup=cgroup.available())
    outcome = canaries.release(found)
    through = sorted(levels.REQUIRED[level] - {n for n, said in outcome.items() if said[0]})
    if through:
        said = ", ".join(through)
        raise Unavailable(f"canaries got through that {level} must stop: {said}")
    return replace(found, record=_record(found, outcome))


def candidates() -> tuple[str, ...]:
    """The levels that make sense for this user, the strongest first."""
    return ("L3", "L2U", "L1") if identity.can_change_user() else ("L3", "L2", "L1")


@functools.cache
def best() -> Isolation:
    """The strongest level that this machine reaches; the record says why no stronger one.

    Raises:
        Unavailable: not even the weakest.
    """
    reasons: dict[str, str] = {}
    for level in candidates():
        try:
            found = at(level)
        except InfrastructureError as error:
            reasons[level] = str(error)
            continue
        return replace(found, record={**found.record, "stronger": reasons})
    raise Unavailable("; ".join(f"{level}: {said}" for level, said in reasons.items()))


def require(wanted: str | None, phase: str, *, allow_insecure: bool = False) -> Isolation:
    """What to grade with: the strongest level there is, if it is strong enough.

    Raises:
        UsageError: it is below the level asked for, by default L2 in the final and late phases.
    """
    asked = levels.check(wanted or DEFAULT_REQUIREMENT[phase])
    try:
        found = best()
    except Unavailable as error:
        raise UsageError(f"no isolation works here, so nothing was graded: {error}") from None
    if levels.rank(found.level) >= levels.rank(asked):
        return replace(found, required=asked)
    if allow_insecure:
        return replace(found, insecure=True, required=found.level)
    reasons = [f"{level}: {why}" for level, why in found.record["stronger"].items()]
    remedy = levels.REMEDY.get(asked, "")
    raise UsageError(
        f"isolation {asked} is required and {found.level} is what this machine reaches "
        f"({levels.MEANING[found.level]}); nothing was graded. Why no more: {'; '.join(reasons)}. "
        f"For {asked}: {remedy}. --require-isolation {found.level} or --allow-insecure accepts "
        "less, and every row says so"
    )


def _record(found: Isolation, outcome: Mapping[str, tuple[bool, str]]) -> dict[str, Any]:
    network = {"L3": "namespace and seccomp", "L1": "open"}.get(found.level, "seccomp")
    if found.landlock >= 4 and found.level != "L3":
        network += " and landlock"
    files = {"L3": "mount namespace", "L1": "open"}.get(found.level, "")
    if found.landlock:
        files = f"{files} and landlock-abi{found.landlock}".removeprefix(" and ")
    return {
        "level": found.label,
        "meaning": levels.MEANING[found.level],
        "files": files,
        "network": network,
        "user": "its own" if found.own_user else "the grader's",
        "memory": "address space, a watch over statm" + ", control group" * found.cgroup,
        "seccomp_sha256": Filter(found.filter).sha256 if found.filter else "",
        "bubblewrap": bubblewrap_version() if found.level == "L3" else "",
        "kernel": platform.release(),
        "canaries": {name: "blocked" if said[0] else "open" for name, said in outcome.items()},
        "said": {name: said[1] for name, said in outcome.items()},
    }
