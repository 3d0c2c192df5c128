"""Bait: secrets, listeners, files and a process, laid out anew for every attack.

A secret is a random token, so whoever prints it has read it. Every user may read the files and
write the witness (a file and its folder that must not change): only isolation protects them.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import secrets
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import harness
from harness.redteam.model import Effect
from harness.results import Results

_PUBLIC_FOLDERS = (Path("/tmp"), Path("/var/tmp"), Path("/dev/shm"))
_SIGN_OF_LIFE_S = 10.0  # that the decoy has for an answer
_TOKENS: tuple[Effect, ...] = (
    "secret-file",
    "other-submission",
    "environ",
    "grader-memory",
    "decoy-environ",
    "decoy-memory",
    "claimed",
    "output-shown",
)


@dataclass
class Bait:
    """The bait of one attack, below one folder.

    Attributes:
        tokens: the secret of every effect that is recognised by one.
        tag: a random word that is in the name of whatever an attack leaves in a public folder.
    """

    folder: Path
    tag: str = field(default_factory=lambda: f"rt{secrets.token_hex(6)}")
    tokens: dict[Effect, str] = field(
        default_factory=lambda: {name: secrets.token_hex(16) for name in _TOKENS}
    )

    def __post_init__(self) -> None:
        for name in ("secrets", "witness", "neighbour", "submissions", "results"):
            (self.folder / name).mkdir(mode=0o755)
        self._write("secrets/answers.txt", self.tokens["secret-file"], 0o644)
        self._write("neighbour/rt_exp.py", f"# {self.tokens['other-submission']}\n", 0o644)
        self._write("witness/grades.txt", "100\n", 0o666)
        (self.folder / "witness").chmod(0o777)
        self._memory = ctypes.create_string_buffer(self.tokens["grader-memory"].encode())
        self._tcp = socket.create_server(("127.0.0.1", 0))
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.bind(("127.0.0.1", 0))
        self._abstract = _listen(f"\0{self.tag}")
        self._local = _listen(str(self.folder / "socket"))
        (self.folder / "socket").chmod(0o777)
        self._decoy = self._start_decoy()
        self._before = self._witness()

    def _write(self, name: str, text: str, mode: int) -> None:
        (self.folder / name).write_text(text, encoding="ascii")
        (self.folder / name).chmod(mode)

    def _start_decoy(self) -> subprocess.Popen[bytes]:
        decoy = subprocess.Popen(
            [sys.executable, "-I", "-S", str(Path(__file__).with_name("decoy.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={"COURSE_TOKEN": self.tokens["decoy-environ"]},
        )
        assert decoy.stdin is not None and decoy.stdout is not None
        decoy.stdin.write(self.tokens["decoy-memory"].encode() + b"\n")
        decoy.stdin.flush()
        self._decoy_address = int(decoy.stdout.readline())
        os.set_blocking(decoy.stdout.fileno(), False)
        return decoy

    @property
    def decoy_pid(self) -> int:
        """The process that holds secrets beside the grader."""
        return self._decoy.pid

    @property
    def results(self) -> Results:
        """The results folder of the grader that meets the attack."""
        return Results(self.folder / "results")

    def placeholders(self, grader_pid: int) -> dict[str, str]:
        """The text for every placeholder in the sources of an attack."""
        folder = self.folder
        return {
            "secret_file": str(folder / "secrets" / "answers.txt"),
            "secret_folder": str(folder / "secrets"),
            "other_submission": str(folder / "neighbour" / "rt_exp.py"),
            "witness_file": str(folder / "witness" / "grades.txt"),
            "witness_folder": str(folder / "witness"),
            "harness_file": str(Path(harness.__file__).parent / "marking" / "score.py"),
            "results_folder": str(self.results.root),
            "ledger": str(self.results.ledger),
            "grader_pid": str(grader_pid),
            "grader_address": str(ctypes.addressof(self._memory)),
            "decoy_pid": str(self._decoy.pid),
            "decoy_address": str(self._decoy_address),
            "token_bytes": "32",
            "tcp_port": str(self._tcp.getsockname()[1]),
            "udp_port": str(self._udp.getsockname()[1]),
            "abstract_name": self.tag,
            "socket_path": str(folder / "socket"),
            "claim": self.tokens["claimed"],
            "public": self.tokens["output-shown"],
            "tag": self.tag,
        }

    def reached(self) -> Iterator[Effect]:
        """The effects that show in the bait itself."""
        listeners: dict[Effect, socket.socket] = {
            "tcp": self._tcp,
            "udp": self._udp,
            "abstract-socket": self._abstract,
            "unix-socket": self._local,
        }
        for name, listener in listeners.items():
            if _was_reached(listener):
                yield name
        if self._witness() != self._before:
            yield "witness-changed"
        yield from self._decoy_effects()
        if any(self.left()):
            yield "files-left"

    def _witness(self) -> list[object]:
        """Everything about the witness that an attack could change."""
        state: list[object] = []
        folder = self.folder / "witness"
        for path in (folder, *sorted(folder.iterdir())):
            at = path.lstat()
            state.append([path.name, at.st_mode, at.st_uid, at.st_gid, at.st_nlink, at.st_mtime_ns])
            if stat.S_ISREG(at.st_mode):
                state.append(path.read_bytes())
        return state

    def _decoy_effects(self) -> Iterator[Effect]:
        """Whether the decoy was killed, or got a signal: it is stopped, or says that it got SIGURG.

        It is asked for a sign of life first, so that no signal is still on its way. A decoy that
        gives none in time is taken for one that was signalled.
        """
        assert self._decoy.stdin is not None and self._decoy.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            os.write(self._decoy.stdin.fileno(), b"\n")
        said, signalled, deadline = b"", False, time.monotonic() + _SIGN_OF_LIFE_S
        while b"." not in said:
            if self._decoy.poll() is not None:
                yield "decoy-killed"
                return
            if self._is_stopped():
                signalled = True
                self._decoy.send_signal(signal.SIGCONT)
            if time.monotonic() > deadline:
                signalled = True
                break
            time.sleep(0.001)
            said += self._decoy.stdout.read() or b""
        if signalled or b"!" in said:
            yield "decoy-signalled"

    def _is_stopped(self) -> bool:
        state = Path(f"/proc/{self._decoy.pid}/stat")
        return state.exists() and state.read_text().rpartition(")")[2].split()[0] in "Tt"

    @property
    def made(self) -> Path:
        """The list of the temporary folders that the grader made."""
        return self.folder / "made.txt"

    def left(self) -> Iterator[Path]:
        """The grader's temporary folders and the attack's files that are still there."""
        made = self.made.read_text(encoding="utf-8").splitlines() if self.made.exists() else []
        yield from (Path(name) for name in made if os.path.lexists(name))
        for folder in _PUBLIC_FOLDERS:
            if folder.is_dir():
                yield from folder.glob(f"*{self.tag}*")

    def close(self) -> None:
        """Removes everything, also what the attack left."""
        for listener in (self._tcp, self._udp, self._abstract, self._local):
            listener.close()
        self._decoy.kill()
        self._decoy.wait()
        for pipe in (self._decoy.stdin, self._decoy.stdout):
            if pipe is not None:
                pipe.close()
        for path in list(self.left()):
            _remove(path)


@contextlib.contextmanager
def laid_out() -> Iterator[Bait]:
    """Bait in a temporary folder that every user may enter."""
    folder = Path(tempfile.mkdtemp(prefix="fairmark-redteam-"))
    folder.chmod(0o755)
    bait = Bait(folder)
    try:
        yield bait
    finally:
        bait.close()
        _remove(folder)


def _remove(path: Path) -> None:
    """Removes anything, also folders nested deeper than shutil can follow."""
    subprocess.run(["rm", "-rf", "--", str(path)], check=False)


def _listen(address: str) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen(8)
    return listener


def _was_reached(listener: socket.socket) -> bool:
    """Whether a connection or a datagram arrived."""
    listener.setblocking(False)
    try:
        if listener.type == socket.SOCK_DGRAM:
            listener.recv(1)
        else:
            listener.accept()[0].close()
    except BlockingIOError:
        return False
    return True
