"""One sandbox: a warm zygote, and a fresh fork of it for every group of trials.

How the zygote is started and what a fork gives up is the level of isolation's business
(:mod:`harness.isolation`); here are its life, the sockets, and what became of each worker. Only
arrays come back, so nothing that a program does can forge a result; everything it leaves behind is
killed, removed and reported.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import os
import secrets
import select
import signal
import socket
import struct
import subprocess
import tempfile
import termios
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import harness
from harness.errors import InfrastructureError, ProgramError
from harness.isolation import Isolation, cgroup
from harness.isolation.launch import BOOT, Folders
from harness.sandbox import processes
from harness.sandbox.connection import Answer, Died, Link
from harness.sandbox.monitor import CPU_SHARE, Watch
from harness.spec.models import Limits
from harness.wire import Array, Frame

Prepare = Callable[[Link], object]

_START_S = 180.0
_GRACE_S = 0.5
_ANSWER_S = 20.0  # a zygote that takes longer to fork or to reap was stopped
_OUTPUT_CAP = 64 * 1024
_FILE_MIB = 64
_ZYGOTE_MIB = 1024  # of a control group, for what the zygote holds and for pages of files

# after one of these nothing is assumed about the zygote: the next worker gets a new one
_ANOMALIES = frozenset({"timeout", "protocol", "signal", "worker-died", "leftover-process"})
# after one of these the worker goes on: it said itself what went wrong, in good order
_IN_ORDER = frozenset(
    {"exception", "bad-output", "missing-file", "missing-name", "signature", "syntax"}
)


@dataclass
class Usage:
    """What a trial used: seconds of processor time, peak memory, its output for people."""

    cpu_s: float = 0.0
    peak_mib: float = 0.0
    output: str = ""


class ZygoteLost(Exception):
    """The zygote itself is gone."""


@dataclass
class Sandbox:
    """A warm zygote and the folder that its programs are copied to.

    Use as a context manager; nothing of it survives the block. ``preload=False`` leaves torch out,
    which is enough for a probe. ``cpu_s`` is what all its processes used, once they ended.
    """

    isolation: Isolation
    preload: bool = True
    usage: Usage = field(default_factory=Usage)

    def __enter__(self) -> Sandbox:
        root = Path(tempfile.mkdtemp(prefix="fairmark-"))
        root.chmod(0o711)
        self._folders = Folders(root)
        _copy_runtime(self._folders.runtime)
        self._folders.programs.mkdir(mode=0o755)
        self._programs: dict[str, Path] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self.cpu_s = 0.0
        self._zygote = 0
        self._uid: int | None = None
        self._group: cgroup.Group | None = None
        self._kills = 0
        self._resources = ExitStack()
        self.versions: dict[str, str] = {}
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()
        _remove(self._folders.root)

    def kill(self) -> None:
        """Ends whatever runs, from any thread; the trial under way gets no observation."""
        process = self._process
        if process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)

    def stop(self) -> None:
        """Destroys the zygote and everything below it; the next worker gets a new one."""
        process, self._process = self._process, None
        if process is None:
            return
        # the zygote adopts orphans, so it goes last
        kill_all(lambda: [found.pid for found in processes.below(self._zygote) if found.alive])
        zygote = processes.look(self._zygote)
        if zygote is not None and self._zygote != process.pid:  # bubblewrap never waits for it
            self.cpu_s += zygote.cpu_s
        self._control.close()
        self.cpu_s += _wait(process, _GRACE_S)
        if self._uid is not None:  # nobody else has this user
            kill_all(lambda: processes.of_user(self._uid))
        self._output.close()
        self._resources.close()
        _remove(self._folders.scratch)

    def place(self, label: str, files: Mapping[str, bytes]) -> Path:
        """The read-only folder of one program's files for one task, made on first use."""
        if label not in self._programs:
            folder = self._folders.programs / f"program-{len(self._programs)}"
            folder.mkdir(mode=0o755)
            for name, content in files.items():
                (folder / name).write_bytes(content)
                (folder / name).chmod(0o444)
            folder.chmod(0o555)
            self._programs[label] = folder
        return self._programs[label]

    @contextlib.contextmanager
    def seat(
        self, program: Path, limits: Limits, prepare: Prepare = lambda link: None
    ) -> Iterator[Seat]:
        """Where trials of one program follow each other in one worker, as long as it is in order.

        ``limits`` are those of the trial that may use most.
        """
        seat = Seat(self, program, limits, prepare)
        try:
            yield seat
        finally:
            seat.close()

    def fork(self, program: Path, limits: Limits, entry: str = "shim", **more: Any) -> Worker:
        """A fresh worker.

        Raises:
            ZygoteLost: the zygote is gone.
            InfrastructureError: no zygote or no process could be started, or a fork not confined.
        """
        self._ensure_started()
        if self._group is not None:
            self._group.limit_memory(_ZYGOTE_MIB + limits.memory_mib)
            self._kills = self._group.killed_for_memory()
        scratch = self._folders.scratch / secrets.token_hex(8)
        ours, theirs = socket.socketpair()
        try:
            if hasattr(socket, "SO_PASSCRED"):
                ours.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
            request = {
                "op": "fork",
                "entry": entry,
                "program": str(program),
                "scratch": str(scratch),
                "memory_mib": limits.memory_mib,
                "cpu_s": limits.trial_s * CPU_SHARE,
                "result_bytes": limits.result_mib << 20,
                **more,
            }
            answer = self._ask(request, [theirs.fileno()])
            theirs.close()
            if answer["pid"] < 0:
                raise InfrastructureError(f"no process could be forked: {answer['error']}")
            pid, uid = self._greeting(ours, answer["pid"])
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        fresh = processes.look(pid)
        watch = Watch(self._zygote, pid, fresh.resident if fresh is not None else 0, scratch)
        return Worker(self, ours, answer["pid"], uid, watch, str(scratch))

    def _greeting(self, sock: socket.socket, pid: int) -> tuple[int, int]:
        """The worker's process id and user as they are out here, once it is confined."""
        sock.settimeout(_ANSWER_S)
        try:
            data, ancillary, _, _ = sock.recvmsg(600, 256)
        except OSError as error:
            raise ZygoteLost from error
        if data[:1] == b"!":
            said = data[1:].decode("utf-8", "replace")
            raise InfrastructureError(f"a worker could not be confined: {said}")
        if data != b".":
            raise ZygoteLost
        return _credentials(ancillary) or (pid, os.getuid())

    def reap(self, worker: Worker, grace_s: float) -> dict[str, Any]:
        """What became of a worker, after ``grace_s`` at most; nothing of it is left."""
        request = {"op": "reap", "pid": worker.pid, "grace_s": grace_s, "scratch": worker.scratch}
        return self._ask(request, [])

    def killed_for_memory(self) -> bool:
        """Whether the kernel ended a process of this sandbox because it held too much."""
        before, self._kills = self._kills, self._group.killed_for_memory() if self._group else 0
        return self._kills > before

    def output_mark(self) -> int:
        """Where the output stands now."""
        return self._output.mark() if self._process is not None else 0

    def output_since(self, mark: int) -> str:
        """What was printed since, capped."""
        return self._output.since(mark)

    def _ensure_started(self) -> None:
        if self._process is not None and self._process.poll() is None:
            return
        self.stop()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command = ("-c", BOOT, str(self._folders.runtime), str(theirs.fileno()))
        try:
            launch = self._resources.enter_context(self.isolation.launch(self._folders, command))
            entrances: list[int] = []
            self._group = None
            if self.isolation.cgroup:
                self._group, entrances = self._resources.enter_context(cgroup.group())
            self._uid = launch.own_uid
            self._make_scratch(launch.uid)
            changed = {} if launch.uid is None else {"user": launch.uid, "group": launch.uid}
            self._process = subprocess.Popen(
                launch.argv,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=launch.env,
                cwd="/",
                pass_fds=[theirs.fileno(), *launch.handles, *entrances],
                start_new_session=True,
                extra_groups=None if launch.uid is None else [],
                **changed,  # type: ignore[call-overload]
            )
        except (OSError, subprocess.SubprocessError) as error:
            ours.close()
            self._resources.close()
            raise InfrastructureError(f"the sandbox did not start: {error}") from error
        finally:
            theirs.close()
        self._control = ours
        self._zygote = self._process.pid
        self._output = _Drain(self._process)
        self._introduce(launch.readable, entrances)

    def _introduce(self, readable: tuple[str, ...], entrances: list[int]) -> None:
        """Tells the zygote what to be and waits until it is ready."""
        config = {
            "preload": self.preload,
            "entrances": entrances,
            "file_mib": _FILE_MIB,
            "readable": [*readable, str(self._folders.runtime)],
            "processes": self.isolation.process_limit(),
            "landlock": self.isolation.landlock,
            "filter": base64.b64encode(self.isolation.filter).decode("ascii"),
        }
        self._control.settimeout(_START_S)
        if hasattr(socket, "SO_PASSCRED"):
            self._control.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        assert self._process is not None
        try:
            self._control.send(json.dumps(config).encode())
            data, ancillary, _, _ = self._control.recvmsg(65536, 256)
            self.versions = json.loads(data)["versions"]
        except (OSError, ValueError, KeyError):
            time.sleep(0.05)  # what it said last is on its way
            said = self._output.since(0)[-2000:]
            self.stop()
            raise InfrastructureError(f"the sandbox did not start; it said: {said}") from None
        found = _credentials(ancillary)
        self._zygote = found[0] if found else self._zygote
        if self._group is not None and self._group.members() != {self._zygote}:
            self.stop()
            raise InfrastructureError("the sandbox is not in its control group")

    def _make_scratch(self, uid: int | None) -> None:
        _remove(self._folders.scratch)
        self._folders.scratch.mkdir(mode=0o700)
        if uid is not None:
            os.chown(self._folders.scratch, uid, uid)

    def _ask(self, request: Mapping[str, Any], fds: list[int]) -> dict[str, Any]:
        try:
            self._control.settimeout(_ANSWER_S)
            socket.send_fds(self._control, [json.dumps(request).encode()], fds)
            data = self._control.recv(65536)
            answer = json.loads(data) if data else None
        except (OSError, ValueError):
            raise ZygoteLost from None
        if not isinstance(answer, dict):
            raise ZygoteLost
        return answer


@dataclass
class Worker:
    """One fork: its socket, its process, what is known of its end."""

    sandbox: Sandbox
    sock: socket.socket
    pid: int
    uid: int
    watch: Watch
    scratch: str
    report: dict[str, Any] | None = None

    def spent(self) -> tuple[float, int]:
        """Processor seconds since the trial began, and the most memory in bytes that was seen."""
        if self.report is not None:
            whole = float(self.report["cpu_s"])
            return max(0.0, whole - self.watch.cpu_before), int(self.report["peak_mib"] * (1 << 20))
        return self.watch.spent()

    def end(self, grace_s: float) -> dict[str, Any]:
        """Closes the socket and waits for the end, once; what the zygote says of it."""
        self.sock.close()
        if self.report is None:
            self.report = self.sandbox.reap(self, grace_s)
        return self.report

    def death(self) -> ProgramError:
        """Why a worker that hung up did so."""
        code = self.end(_GRACE_S)["status"]
        if code >= 0:
            return ProgramError("exit", f"your code ended the process with status {code}")
        if -code == signal.SIGXCPU:
            return ProgramError("timeout", "your code used more processor time than is allowed")
        if self.sandbox.killed_for_memory():
            return ProgramError("memory", "used more memory than is allowed")
        name = signal.Signals(-code).name if -code in signal.valid_signals() else str(-code)
        return ProgramError("signal", f"your code ended the process with {name}")


class Seat:
    """Trials of one program, one after the other; each finds a worker that is in order.

    Between two trials the worker must be quiet: nothing unread on its socket, no process besides
    it. Whatever else goes wrong ends it, and the next trial gets another. ``prepare`` is run with
    the link of every new worker.
    """

    def __init__(self, sandbox: Sandbox, program: Path, limits: Limits, prepare: Prepare) -> None:
        self._sandbox = sandbox
        self._program = program
        self._limits = limits
        self._prepare = prepare
        self._worker: Worker | None = None
        self._link: Link | None = None

    @contextlib.contextmanager
    def trial(self, limits: Limits) -> Iterator[Seat]:
        """One trial, in which requests may be made.

        Raises:
            ProgramError: also where the worker died or left a process behind.
            InfrastructureError: no zygote could be started.
        """
        usage = self._sandbox.usage = Usage()
        mark = self._sandbox.output_mark()
        try:
            try:
                self._sit(limits)
                yield self
                self._quiet()
            except Died:
                assert self._worker is not None
                raise self._worker.death() from None
            finally:
                self._account(usage)
                usage.output = self._sandbox.output_since(mark)
        except ZygoteLost:
            self._abandon()
            raise ProgramError("worker-died", "your code ended the process that ran it") from None
        except ProgramError as error:
            if error.cause not in _IN_ORDER:
                self._end(0.0)
            if error.cause in _ANOMALIES:
                self._sandbox.stop()
            raise
        except BaseException:
            self._abandon()
            raise

    def request(
        self, message: Mapping[str, Any], arrays: Sequence[Array], answer: Answer | None = None
    ) -> Frame:
        """See :meth:`harness.sandbox.connection.Link.request`."""
        assert self._link is not None
        return self._link.request(message, arrays, answer)

    def renew(self, *, sandbox: bool = False) -> None:
        """Ends the worker with all it left, and goes on with a new one.

        With ``sandbox`` nothing of the sandbox survives either. The time that this takes is not
        the program's.

        Raises:
            ProgramError: the worker left a process behind.
        """
        started = time.monotonic()
        old = self._link
        assert old is not None
        self._quiet()
        self._account(self._sandbox.usage)
        self._end(_GRACE_S)
        if sandbox:
            self._sandbox.stop()
        self._begin(old.limits, old.deadline - started)

    def close(self) -> None:
        """Ends the worker, if one is left."""
        self._end(_GRACE_S)

    def _sit(self, limits: Limits) -> None:
        if self._worker is None:
            self._begin(limits, limits.trial_s)
        else:
            self._worker.watch.begin()
            self._link = Link(self._worker.sock, limits, self._worker.watch)

    def _begin(self, limits: Limits, left_s: float) -> None:
        """A new worker; the time that is left begins once it stands."""
        self._worker = self._sandbox.fork(self._program, self._limits)
        watch = self._worker.watch
        self._link = Link(self._worker.sock, limits, watch, time.monotonic() + left_s)
        try:
            self._prepare(self._link)
        except ProgramError:
            self._end(0.0)
            raise

    def _quiet(self) -> None:
        assert self._link is not None and self._worker is not None
        self._link.expect_silence()
        zygote = processes.look(self._worker.watch.zygote)
        if zygote is not None and not zygote.runs:
            raise ZygoteLost
        if left := self._worker.watch.leftovers(_GRACE_S):
            raise ProgramError("leftover-process", f"your code left {left} process(es) running")

    def _end(self, grace_s: float) -> None:
        worker, self._worker = self._worker, None
        if worker is not None:
            try:
                worker.end(grace_s)
            except ZygoteLost:
                self._sandbox.stop()

    def _account(self, usage: Usage) -> None:
        """Adds what the present worker used since the trial, or the worker, began."""
        worker = self._worker
        if worker is not None:
            spent, peak = worker.spent()
            usage.cpu_s += spent
            usage.peak_mib = max(usage.peak_mib, peak / (1 << 20))

    def _abandon(self) -> None:
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.sock.close()
        self._sandbox.stop()


class _Drain:
    """Reads a process's output for ever, so that it never blocks, and keeps the beginning."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        self._stream = process.stdout
        self._kept = bytearray()
        self._from = 0
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        handle = self._stream.fileno()
        chunk = b"-"
        while chunk:
            select.select([handle], [], [])
            with self._lock:  # what has left the pipe is kept before anybody can ask
                chunk = os.read(handle, 1 << 16)
                room = self._from + _OUTPUT_CAP - len(self._kept)
                self._kept += chunk[: max(room, 0)]

    def mark(self) -> int:
        """A new trial begins: at most the cap is kept from here."""
        with self._lock:
            self._from = len(self._kept)
            return self._from

    def since(self, mark: int) -> str:
        """What came, once the pipe has been empty: whatever was written before is in it."""
        deadline = time.monotonic() + 1.0
        while self._thread.is_alive() and time.monotonic() < deadline and self._waiting():
            time.sleep(0.001)
        with self._lock:
            return bytes(self._kept[mark:]).decode("utf-8", "replace")

    def _waiting(self) -> bool:
        (size,) = struct.unpack(
            "i", fcntl.ioctl(self._stream.fileno(), termios.FIONREAD, struct.pack("i", 0))
        )
        return bool(size)

    def close(self) -> None:
        # a process that escaped could hold the pipe open; the thread is a daemon and is left to it
        self._thread.join(timeout=1.0)
        if not self._thread.is_alive():
            self._stream.close()


def _wait(process: subprocess.Popen[bytes], grace_s: float) -> float:
    """Waits for a process that was told to end, and ends it after the grace; its seconds of CPU."""
    deadline = time.monotonic() + grace_s
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            process.returncode = os.waitstatus_to_exitcode(status)
            return usage.ru_utime + usage.ru_stime
        if time.monotonic() >= deadline:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)
        time.sleep(0.001)


def kill_all(find: Callable[[], Iterable[int]]) -> None:
    """Kills what ``find`` finds until it finds nothing: processes may fork meanwhile."""
    for _ in range(200):
        found = list(find())
        if not found:
            return
        for pid in found:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.002)


def _credentials(ancillary: list[tuple[int, int, bytes]]) -> tuple[int, int] | None:
    """Process id and uid of a message's sender, as the kernel translates them for the reader."""
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == getattr(socket, "SCM_CREDENTIALS", None):
            pid, uid, _ = struct.unpack("3i", data)
            return pid, uid
    return None


def _copy_runtime(folder: Path) -> None:
    """The modules that a worker needs, and no others of the harness."""
    source = Path(harness.__file__).parent
    names = ["__init__.py", "wire.py"]
    names += [f"worker/{path.name}" for path in sorted((source / "worker").glob("*.py"))]
    (folder / "harness" / "worker").mkdir(parents=True)
    for name in names:
        target = folder / "harness" / name
        target.write_bytes((source / name).read_bytes())
        target.chmod(0o444)
    for path in (folder / "harness" / "worker", folder / "harness", folder):
        path.chmod(0o555)


def _remove(folder: Path) -> None:
    """Removes a folder, whatever permissions were left in it and however deep it is."""
    if folder.exists():
        for command in (["chmod", "-R", "u+rwx"], ["rm", "-rf"]):
            subprocess.run([*command, os.fspath(folder)], stderr=subprocess.DEVNULL, check=False)
