"""One sandbox: a warm zygote, and a fresh fork of it for every group of trials.

How the zygote is started and what a fork gives up is the business of the isolation level
(:mod:`harness.isolation`); here are its life and its forks. Only arrays come back from a worker, so
nothing that a program does can forge a result; everything that it leaves behind is killed, removed
and reported.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.errors import InfrastructureError, ProgramError
from harness.isolation import Isolation
from harness.isolation.launch import Folders
from harness.sandbox import processes
from harness.sandbox.folders import OwnedFolder, copy_runtime, make, remove, write_program
from harness.sandbox.monitor import CPU_SHARE, ResourceMonitor
from harness.sandbox.output import DrainedOutput
from harness.sandbox.session import Prepare, Usage, WorkerSession
from harness.sandbox.worker import Worker
from harness.sandbox.zygote import ANSWER_S, Zygote, ZygoteLost, launch
from harness.spec.models import Limits


class Sandbox:
    """A warm zygote and the folder that its programs are copied to.

    Use as a context manager; nothing of it survives the block. The zygote is started by the first
    worker.

    Attributes:
        isolation: how its workers are confined.
        usage: what the latest trial used.
        cpu_s: processor seconds of all its processes that have ended.
        starting_s: seconds in which its zygotes were started, of all together.
        versions: of what its zygote has imported.
        unloadable: why a program, by its folder, could not be loaded.
    """

    def __init__(self, isolation: Isolation, *, preload: bool = True, dynamo: bool = True) -> None:
        """``preload=False`` leaves torch out of the zygote, which is enough for the canaries.

        ``dynamo=False`` leaves torch._dynamo out, two fifths of what importing costs. A program
        that turns out to need it imports it in its own time.
        """
        self.isolation = isolation
        self.usage = Usage()
        self.cpu_s = 0.0
        self.starting_s = 0.0
        self.versions: dict[str, str] = {}
        self.unloadable: dict[Path, ProgramError] = {}
        self._preload = preload
        self._root: OwnedFolder | None = None
        self._dynamo = dynamo
        self._folders: Folders | None = None
        self._programs: dict[str, Path] = {}
        self._files: dict[Path, Mapping[str, bytes]] = {}
        self._zygote: Zygote | None = None
        self._output: DrainedOutput | None = None  # that of the latest zygote
        self._killed = False

    def __enter__(self) -> Sandbox:
        with _said_where(Path(tempfile.gettempdir())):
            self._root = make()
        self._folders = Folders(self._root.path)
        try:
            with _said_where(self._root.path):
                copy_runtime(self._folders.runtime)
                self._folders.programs.mkdir()
                # whatever the umask is; nobody else can enter the root
                self._folders.programs.chmod(0o755)
        except BaseException:
            self._root.remove()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()
        if self._root is not None:
            self._root.remove()

    @property
    def folders(self) -> Folders:
        """Where its files lie, while the block lasts."""
        if self._folders is None:
            raise InfrastructureError("a sandbox has folders inside its with block only")
        return self._folders

    @property
    def zygote_pid(self) -> int | None:
        """The process id of the running zygote as the grader sees it; None while there is none."""
        current = self._zygote
        return current.pid if current is not None else None

    def kill(self) -> None:
        """Kills whatever runs, from any thread, for good: no other zygote is started.

        The trial under way gets no observation.
        """
        # first, so that a zygote that is being started meanwhile is killed by whoever starts it
        self._killed = True
        current = self._zygote
        if current is not None:
            current.kill()

    def stop(self) -> None:
        """Destroys the zygote and everything below it; the next worker gets a new one."""
        current, self._zygote = self._zygote, None
        if current is not None:
            self.cpu_s += current.destroy()
            remove(self.folders.scratch)

    def place(self, label: str, files: Mapping[str, bytes]) -> Path:
        """The read-only folder of one program's files for one task, made on first use.

        Raises:
            InfrastructureError: it cannot be written.
        """
        if label not in self._programs:
            folder = self.folders.programs / f"program-{len(self._programs)}"
            with _said_where(folder):
                write_program(folder, files)
            self._programs[label] = folder
            self._files[folder] = files
        return self._programs[label]

    def files(self, program: Path) -> Mapping[str, bytes]:
        """The content of a program's files, as they were placed in its folder."""
        return self._files.get(program, {})

    @contextlib.contextmanager
    def session(
        self,
        program: Path,
        limits: Limits,
        prepare: Prepare = lambda connection: None,
        trials: int = 1,
    ) -> Iterator[WorkerSession]:
        """Trials of one program that follow each other in one worker, as long as it is in order.

        Args:
            program: its folder.
            limits: those of the trial that may use most.
            prepare: what is done with the connection of every new worker.
            trials: how many there are, at most; each may use the processor time of the limits.
        """
        session = WorkerSession(self, program, limits, prepare, trials)
        try:
            yield session
        finally:
            session.close()

    def fork(
        self, program: Path, limits: Limits, entry: str = "shim", *, trials: int = 1, **more: Any
    ) -> Worker:
        """A fresh worker, confined, that runs ``entry`` with ``more`` in its request.

        The kernel limits the processor time of all its ``trials`` together; that of each is
        looked at by :class:`harness.sandbox.monitor.ResourceMonitor`.

        Raises:
            ZygoteLost: the zygote is gone.
            InfrastructureError: no zygote or no process could be started, or a fork not confined.
        """
        current = self._ensure_started()
        current.limit_memory(limits.memory_mib)
        scratch = self.folders.scratch / secrets.token_hex(8)
        ours, theirs = socket.socketpair()
        printed, prints = os.pipe()
        current.output.add(printed)
        try:
            processes.request_sender(ours)
            request = {
                "op": "fork",
                "entry": entry,
                "program": str(program),
                "scratch": str(scratch),
                "memory_mib": limits.memory_mib,
                "cpu_s": limits.trial_s * CPU_SHARE * trials,
                "result_bytes": limits.result_mib << 20,
                **more,
            }
            answer = current.ask(request, [theirs.fileno(), prints])
            theirs.close()  # so that reading ends where the worker dies before its greeting
            if answer["pid"] < 0:
                raise InfrastructureError(f"no process could be forked: {answer['error']}")
            sender = _greeting(ours, answer["pid"])
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
            os.close(prints)
        fresh = processes.look(sender.pid)
        baseline = fresh.resident if fresh is not None else 0
        monitor = ResourceMonitor(current.pid, sender.pid, baseline, scratch)
        return Worker(current, ours, answer["pid"], sender.uid, monitor, str(scratch))

    def output_mark(self) -> int:
        """The present position in the output, for :meth:`output_since`; a new trial begins."""
        if self._zygote is None or self._output is None:
            return 0
        return self._output.mark()

    def output_since(self, mark: int) -> str:
        """What was printed since, up to a cap."""
        return self._output.since(mark) if self._output is not None else ""

    def _ensure_started(self) -> Zygote:
        """The running zygote, or a new one unless the sandbox was killed.

        It is known to :meth:`kill` from the moment it exists, since importing takes seconds.
        """
        if self._zygote is not None and self._zygote.running:
            return self._zygote
        self.stop()
        if self._killed:
            raise InfrastructureError("the sandbox was killed")
        assert self._root is not None
        began = time.monotonic()
        started = self._zygote = launch(self.isolation, self.folders, self._root.admit)
        self._output = started.output
        if self._killed:
            started.kill()
        try:
            started.introduce(
                self.isolation, self.folders, preload=self._preload, dynamo=self._dynamo
            )
        except InfrastructureError:
            self.stop()
            raise
        self.versions = started.versions
        self.starting_s += time.monotonic() - began
        return started


@contextlib.contextmanager
def _said_where(folder: Path) -> Iterator[None]:
    """What the disk refuses below a folder is said with the folder and what to do.

    Raises:
        InfrastructureError: it refused something.
    """
    try:
        yield
    except OSError as error:
        raise InfrastructureError(
            f"{folder} cannot be written ({error.strerror}); make room there, or name another "
            "folder for temporary files with TMPDIR"
        ) from error


def _greeting(sock: socket.socket, pid: int) -> processes.Sender:
    """The worker's process id and user as the grader sees them, once the worker is confined.

    ``pid`` is taken where the kernel does not name the sender.

    Raises:
        ZygoteLost: the worker did not greet.
        InfrastructureError: it could not be confined.
    """
    sock.settimeout(ANSWER_S)
    try:
        # one byte: what the worker sends next may have arrived too
        data, ancillary, _, _ = sock.recvmsg(1, 256)
        reason = sock.recv(600).decode("utf-8", "replace") if data == b"!" else ""
    except OSError as error:
        raise ZygoteLost from error
    if data == b"!":
        raise InfrastructureError(f"a worker could not be confined: {reason}")
    if data != b".":
        raise ZygoteLost
    return processes.sender(ancillary) or processes.Sender(pid, os.getuid())
