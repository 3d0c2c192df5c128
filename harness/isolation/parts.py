"""How workers are isolated at each level, and whether this machine has what a level needs.

Whether a level also works is tried by :mod:`harness.sandbox.choice`.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from harness.errors import InfrastructureError
from harness.isolation import identity, launch
from harness.isolation.filter import build
from harness.isolation.launch import Folders, Launch

_SCOPES = 6  # the first Landlock ABI that keeps signals within the sandbox
#: The most processes of one worker.
PROCESSES = 64
_SPARE_TASKS = 256  # for a worker of the grader's own user, whose other processes come and go


class Unavailable(InfrastructureError):
    """This machine does not reach a level; the message says why."""


@dataclass(frozen=True)
class Isolation:
    """How workers are isolated, and what trying it on this machine showed.

    Attributes:
        level: one of :data:`harness.levels.GRADING_LEVELS`.
        own_user: every sandbox has a uid of its own.
        cgroup: every sandbox has a control group of its own.
        landlock: the version of Landlock's interface that is used, 0 for none.
        filter: the seccomp program, empty for none.
        insecure: it was accepted although it is below the required level.
        required: the level that was required, or accepted instead; observations made at a weaker
            one do not count.
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
        """What is stored with every observation: the record without its texts for people."""
        return {
            name: value
            for name, value in self.record.items()
            if name not in ("meaning", "said", "stronger")
        }

    def launch(self, folders: Folders, command: tuple[str, ...]) -> AbstractContextManager[Launch]:
        """The start of a sandbox; ``command`` holds the arguments of its interpreter."""
        if self.level == "L3":
            return launch.bubblewrapped(folders, command, as_root=self.own_user)
        return launch.plain(folders, command, own_user=self.own_user)

    def process_limit(self) -> int:
        """RLIMIT_NPROC of a worker; 0 for none.

        The kernel counts all processes of a user. So for a worker of the grader's own user the
        limit is what that user runs now and some more.
        """
        if self.own_user or self.level == "L3":
            return PROCESSES
        return _tasks_of(os.getuid()) + _SPARE_TASKS if sys.platform == "linux" else 0


def prepare(level: str) -> Isolation:
    """The isolation of a level, not yet tried.

    Raises:
        Unavailable: this machine lacks something that the level needs.
    """
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
        filter_ = build(scoped=level == "L3" or abi >= _SCOPES)
    except ImportError as error:
        raise Unavailable(str(error)) from None
    return Isolation(level, own_user=own_user, landlock=abi, filter=filter_.program)


def _check_bubblewrap(own_user: bool) -> None:
    try:
        bwrap = launch.program("bwrap")
    except InfrastructureError:
        raise Unavailable("bubblewrap is not installed") from None
    if identity.is_root() and not own_user:
        raise Unavailable("root that may not change its user would stay root in the sandbox")
    command = [
        bwrap,
        "--unshare-pid",
        "--unshare-net",
        "--ro-bind",
        "/",
        "/",
        launch.program("true"),
    ]
    if not own_user:
        command.insert(1, "--unshare-user")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Unavailable(f"bubblewrap does not work here: {done.stderr.strip()[:200]}")


def _landlock_abi() -> int | str:
    """The kernel's version of Landlock, at most what py-landlock knows; or why there is none."""
    try:
        from py_landlock import LandlockError, get_abi_version
    except ImportError:
        return "py-landlock is not installed"
    try:
        return min(int(get_abi_version()), 7)
    except (LandlockError, ValueError, OSError) as error:
        return f"no Landlock in this kernel ({error})"


def bubblewrap_version() -> str:
    """What the installed bubblewrap says of its version."""
    command = [launch.program("bwrap"), "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip()


def _tasks_of(uid: int) -> int:
    """How many tasks, threads included, a user runs."""
    count = 0
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                if os.stat(f"/proc/{name}").st_uid == uid:
                    count += len(os.listdir(f"/proc/{name}/task"))
            except OSError:
                continue
    return count
