"""The grader's hold on one zygote: the warm process that every worker of a sandbox is a fork of.

A zygote runs nothing submitted. How it is started and what its forks give up is the business of the
isolation level (:mod:`harness.isolation`); its own side is :mod:`harness.worker.zygote`.
"""

from __future__ import annotations

import base64
import json
import os
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Literal

from harness.errors import InfrastructureError
from harness.isolation import Isolation, cgroup
from harness.isolation.launch import BOOT, Folders, Launch
from harness.sandbox import processes
from harness.sandbox.folders import remove
from harness.sandbox.output import DrainedOutput

_START_S = 180.0
_STOP_GRACE_S = 0.5
#: Seconds to wait for a zygote to fork or to reap. One that takes longer does not run any more;
#: presumably the program sent it SIGSTOP.
ANSWER_S = 20.0
_MAX_FILE_MIB = 64
# what a control group may hold besides the worker: the zygote's own memory and pages of files
_ZYGOTE_MIB = 1024


class ZygoteLost(Exception):
    """The zygote is gone, or does not answer any more."""


@dataclass(frozen=True)
class Membership:
    """A zygote's control group, where it has one, and the handles by which it enters."""

    group: cgroup.Group | None
    entrances: tuple[int, ...]


@dataclass(frozen=True)
class _Memory:
    """Kills for want of memory, and how often the sandbox's own limit was reached.

    They are those of its control group, or else of the whole machine, which has no such limit.
    """

    kills: int = 0
    at_limit: int = 0


class Zygote:
    """One zygote process, from its start until it is destroyed.

    :func:`launch` makes it; then :meth:`introduce` must be called once before anything else.

    Attributes:
        process: the process that was started: the zygote, or bubblewrap above it.
        pid: the zygote's process id as the grader sees it.
        output: what the zygote and all its workers print.
        versions: of what it has imported, for the record of an observation.
    """

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        control: socket.socket,
        resources: ExitStack,
        launched: Launch,
        membership: Membership,
    ) -> None:
        self.process = process
        self.pid = process.pid
        self.output = DrainedOutput(process)
        self.versions: dict[str, str] = {}
        self._control = control
        self._resources = resources
        self._launched = launched
        self._entrances = membership.entrances
        self._group = membership.group
        self._memory = _Memory()

    @property
    def running(self) -> bool:
        """Whether the process that was started has not ended."""
        return self.process.poll() is None

    def introduce(
        self, isolation: Isolation, folders: Folders, *, preload: bool, dynamo: bool
    ) -> None:
        """Tells the zygote how to confine its forks, and waits until it is ready.

        With ``preload`` it imports torch first, and with ``dynamo`` torch._dynamo too.

        Raises:
            InfrastructureError: it ended, did not answer in time, or is not in its control group;
                the caller destroys it.
        """
        config = {
            "preload": preload,
            "dynamo": dynamo,
            "entrances": self._entrances,
            "file_mib": _MAX_FILE_MIB,
            "readable": [*self._launched.readable, str(folders.runtime)],
            "processes": isolation.process_limit(),
            "landlock": isolation.landlock,
            "filter": base64.b64encode(isolation.filter).decode("ascii"),
        }
        self._control.settimeout(_START_S)
        processes.request_sender(self._control)
        try:
            self._control.send(json.dumps(config).encode())
            data, ancillary, _, _ = self._control.recvmsg(65536, 256)
            self.versions = json.loads(data)["versions"]
        except (OSError, ValueError, KeyError):
            time.sleep(0.05)  # its last words may still be on their way through the pipe
            said = last_words(self.output.since(0))
            raise InfrastructureError(f"the sandbox did not start; it said: {said}") from None
        sender = processes.sender(ancillary)
        self.pid = sender.pid if sender is not None else self.pid
        if self._group is not None and self._group.members() != {self.pid}:
            raise InfrastructureError("the sandbox is not in its control group")

    def ask(self, request: Mapping[str, Any], fds: list[int]) -> dict[str, Any]:
        """Sends a request with some file descriptors and waits for the answer.

        Raises:
            ZygoteLost: there is none.
        """
        try:
            self._control.settimeout(ANSWER_S)
            socket.send_fds(self._control, [json.dumps(request).encode()], fds)
            data = self._control.recv(65536)
            answer = json.loads(data) if data else None
        except (OSError, ValueError):
            raise ZygoteLost from None
        if not isinstance(answer, dict):
            raise ZygoteLost
        return answer

    def limit_memory(self, mib: int) -> None:
        """Prepares the control group, where there is one, for a worker that may use ``mib``."""
        if self._group is not None:
            self._group.limit_memory(_ZYGOTE_MIB + mib)
        self._memory = self._looked_at_memory()

    def short_of_memory(self) -> Literal["", "program", "machine"]:
        """Whose memory the kernel killed a process for since the last call or worker, if it did.

        The machine's is what any limit above the sandbox's own stands for: another program of the
        machine, or a container, may have used it up. Without a control group a kill of any process
        of the machine counts.
        """
        before, now = self._memory, self._looked_at_memory()
        self._memory = now
        if now.kills == before.kills:
            return ""
        return "program" if now.at_limit > before.at_limit else "machine"

    def _looked_at_memory(self) -> _Memory:
        group = self._group
        if group is None:
            return _Memory(processes.killed_for_memory())
        return _Memory(group.killed_for_memory(), group.times_at_limit())

    def kill(self) -> None:
        """Kills the process that was started; may be called from any thread."""
        processes.kill_group(self.process.pid)

    def destroy(self) -> float:
        """Kills the zygote and everything below it; the processor seconds that they used."""
        # The zygote adopts orphans, so it goes last.
        processes.kill_all(
            lambda: [process.pid for process in processes.below(self.pid) if process.alive]
        )
        cpu_s = 0.0
        zygote = processes.look(self.pid)
        if zygote is not None and self.pid != self.process.pid:
            # bubblewrap never waits for the zygote, so its time is not in bubblewrap's
            cpu_s += zygote.cpu_s
        self._control.close()
        cpu_s += processes.wait_or_kill(self.process, _STOP_GRACE_S)
        own_uid = self._launched.own_uid
        if own_uid is not None:  # nobody else has this user
            processes.kill_all(lambda: processes.of_user(own_uid))
        self.output.close()
        self._resources.close()
        return cpu_s


def last_words(printed: str) -> str:
    """What a process said before it ended; of an exception of Python's the line that names it."""
    text = printed[-2000:].strip()
    lines = text.splitlines()
    at = next((place for place, line in enumerate(lines) if line.startswith("Traceback ")), None)
    if at is None:
        return text
    return next((line for line in lines[at + 1 :] if line[:1].strip()), text)


def no_memory_left() -> InfrastructureError:
    """The error where the kernel killed a program for the machine's memory, not for its own."""
    return InfrastructureError(
        "the kernel killed the program because this machine, or the container it runs in, has no "
        "memory left, while the program used less than it may; give it more memory or fewer --jobs"
    )


def launch(isolation: Isolation, folders: Folders, admit: Callable[[int | None], object]) -> Zygote:
    """Starts the process of a zygote, which then waits for :meth:`Zygote.introduce`.

    ``admit`` lets the zygote's user into the root of the folders, where it is not the grader's.

    Raises:
        InfrastructureError: the process could not be started.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs, ExitStack() as on_failure:
        on_failure.callback(ours.close)
        resources = on_failure.enter_context(ExitStack())
        command = ("-c", BOOT, str(folders.runtime), str(theirs.fileno()))
        try:
            launched = resources.enter_context(isolation.launch(folders, command))
            group: cgroup.Group | None = None
            entrances: list[int] = []
            if isolation.cgroup:
                group, entrances = resources.enter_context(cgroup.group())
            admit(launched.uid)
            _make_scratch(folders, launched.uid)
            process = _start(launched, [theirs.fileno(), *launched.handles, *entrances])
        except (OSError, subprocess.SubprocessError) as error:
            raise InfrastructureError(f"the sandbox did not start: {error}") from error
        membership = Membership(group, tuple(entrances))
        zygote = Zygote(process, ours, resources, launched, membership)
        on_failure.pop_all()
    return zygote


def _start(launched: Launch, handles: list[int]) -> subprocess.Popen[bytes]:
    user: dict[str, Any] = {}
    if launched.uid is not None:
        user = {"user": launched.uid, "group": launched.uid, "extra_groups": []}
    return subprocess.Popen(
        launched.argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=launched.env,
        cwd="/",
        pass_fds=handles,
        start_new_session=True,
        **user,
    )


def _make_scratch(folders: Folders, uid: int | None) -> None:
    """An empty folder that the zygote's user may write to."""
    remove(folders.scratch)
    folders.scratch.mkdir(mode=0o700)
    if uid is not None:
        os.chown(folders.scratch, uid, uid)
