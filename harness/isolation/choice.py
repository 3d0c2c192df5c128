"""Which level is in force: each is tried, and reached only if its canaries say so."""

from __future__ import annotations

import ctypes
import functools
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import Any

from harness.errors import InfrastructureError, UsageError
from harness.isolation import cgroup, identity, launch, levels
from harness.isolation.filter import Filter, build
from harness.isolation.launch import Folders, Launch

_PR_SET_DUMPABLE = 4
_SCOPES = 6  # the Landlock ABI that confines signals
PROCESSES = 64
_SPARE_TASKS = 256
#: What is asked for where nobody says otherwise, by phase.
DEFAULT_REQUIREMENT: Mapping[str, str] = {"feedback": "L1", "final": "L2", "late": "L2"}


class Unavailable(InfrastructureError):
    """A level that this machine does not reach; the text says why."""


@dataclass(frozen=True)
class Isolation:
    """How workers are isolated, and what was found out about it.

    Attributes:
        level: one of :data:`harness.isolation.levels.GRADING_LEVELS`.
        own_user: every sandbox has a uid of its own.
        cgroup: every sandbox has a control group of its own.
        landlock: the ABI that is used, 0 for none.
        filter: the seccomp program, empty for none.
        insecure: it was accepted although it is below what is asked for.
        required: what was asked for, or accepted instead; weaker observations don't count.
        record: what is stored with observations and shown by ``doctor``.
    """

    level: str
    own_user: bool = False
    cgroup: bool = False
    landlock: int = 0
    filter: bytes = b""
    insecure: bool = False
    required: str = "L1"
    record: Mapping[str, Any] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """The level as reports show it."""
        return f"{self.level}{'+C' * self.cgroup}{' insecure' * self.insecure}"

    @property
    def stored(self) -> dict[str, Any]:
        """What goes into every observation: the record without its texts for people."""
        return {
            name: value
            for name, value in self.record.items()
            if name not in ("meaning", "said", "stronger")
        }

    def launch(self, folders: Folders, command: tuple[str, ...]) -> AbstractContextManager[Launch]:
        """The start of a sandbox whose interpreter is given ``command``."""
        if self.level == "L3":
            return launch.bubblewrapped(folders, command, as_root=self.own_user)
        return launch.plain(folders, command, own_user=self.own_user)

    def process_limit(self) -> int:
        """RLIMIT_NPROC of a worker.

        The kernel counts all that a user runs, so a worker of the grader's own user may have what
        runs now and some more.
        """
        if self.own_user or self.level == "L3":
            return PROCESSES
        return _tasks_of(os.getuid()) + _SPARE_TASKS if sys.platform == "linux" else 0


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
    from harness.isolation import canaries

    protect_this_process()
    found = replace(_prepare(levels.check(level)), cgroup=cgroup.available())
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


def _prepare(level: str) -> Isolation:
    """The level's parts, if they are there."""
    own_user = identity.can_change_user()
    if level == "L1":
        return Isolation(level, own_user=own_user)
    if sys.platform != "linux":
        raise Unavailable(f"{level} needs Linux; this is {platform.system()}")
    if level == "L2U" and not own_user:
        raise Unavailable("not root, or root that may not change its user")
    if level == "L2" and own_user:
        raise Unavailable("root gets L2U or L3 instead: its workers never keep its user")
    if level == "L3":
        _check_bubblewrap(own_user)
    landlock = _landlock_abi()
    if isinstance(landlock, str) and level != "L3":
        raise Unavailable(landlock)
    abi = landlock if isinstance(landlock, int) else 0
    try:
        made = build(scoped=level == "L3" or abi >= _SCOPES)
    except ImportError as error:
        raise Unavailable(str(error)) from None
    return Isolation(level, own_user=own_user, landlock=abi, filter=made.program)


def _check_bubblewrap(own_user: bool) -> None:
    if shutil.which("bwrap") is None:
        raise Unavailable("bubblewrap is not installed")
    if identity.is_root() and not own_user:
        raise Unavailable("root that may not change its user would stay root in the sandbox")
    command = ["bwrap", "--unshare-pid", "--unshare-net", "--ro-bind", "/", "/", "true"]
    if not own_user:
        command.insert(1, "--unshare-user")
    tried = subprocess.run(command, capture_output=True, text=True, check=False)
    if tried.returncode:
        raise Unavailable(f"bubblewrap does not work here: {tried.stderr.strip()[:200]}")


def _landlock_abi() -> int | str:
    """The kernel's Landlock ABI, at most the one py-landlock knows; or why there is none."""
    try:
        from py_landlock import LandlockError, get_abi_version
    except ImportError:
        return "py-landlock is not installed"
    try:
        return min(int(get_abi_version()), 7)
    except (LandlockError, ValueError, OSError) as error:
        return f"no Landlock in this kernel ({error})"


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
        "bubblewrap": _bubblewrap_version() if found.level == "L3" else "",
        "kernel": platform.release(),
        "canaries": {name: "blocked" if said[0] else "open" for name, said in outcome.items()},
        "said": {name: said[1] for name, said in outcome.items()},
    }


def _bubblewrap_version() -> str:
    said = subprocess.run(["bwrap", "--version"], capture_output=True, text=True, check=False)
    return said.stdout.strip()


def _tasks_of(uid: int) -> int:
    count = 0
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                if os.stat(f"/proc/{name}").st_uid == uid:
                    count += len(os.listdir(f"/proc/{name}/task"))
            except OSError:
                continue
    return count
