"""How a sandbox's first process is started at each level: command, environment, user, handles."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.errors import InfrastructureError
from harness.isolation import identity, interpreter
from harness.isolation.interpreter import SYSTEM, SYSTEM_FILES, Interpreter

SCRATCH_MIB = 64

# Not -I: it would ignore PYTHONHASHSEED, and the order of a set would differ from run to run. All
# else that -I protects from is absent, since the environment is written here from nothing.
_FLAGS = ("-P", "-s", "-S")
#: The code that starts a zygote; its arguments are the folder of modules and the control socket.
BOOT = (
    "import sys; sys.path.insert(0, sys.argv[1]); from harness.worker import zygote; "
    "zygote.main(int(sys.argv[2]))"
)


@dataclass(frozen=True)
class Folders:
    """A sandbox's folders: the worker's own modules, the programs, and what a worker may write."""

    root: Path

    @property
    def runtime(self) -> Path:
        """The modules of the worker, read-only."""
        return self.root / "runtime"

    @property
    def programs(self) -> Path:
        """A folder for each program, read-only."""
        return self.root / "programs"

    @property
    def scratch(self) -> Path:
        """The parent of the folders that workers write to."""
        return self.root / "scratch"


@dataclass(frozen=True)
class Launch:
    """A command to start, with everything that it inherits.

    Attributes:
        handles: open file descriptors.
        readable: paths that a worker may read, as the worker sees them.
        uid: the user to start under, or None for the grader's.
        own_uid: the user that only this sandbox has, if it has one.
    """

    argv: tuple[str, ...]
    env: dict[str, str]
    handles: tuple[int, ...]
    readable: tuple[str, ...]
    uid: int | None = None
    own_uid: int | None = None


def environment(folders: Folders, python: Interpreter) -> dict[str, str]:
    """The whole environment of a worker; nothing of the grader's own is passed on."""
    threads = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "NUMEXPR")}
    scratch = str(folders.scratch)
    return {
        "PATH": "/usr/bin:/bin",
        "HOME": scratch,
        "TMPDIR": scratch,
        "USER": "program",
        "LOGNAME": "program",
        "LANG": "C.UTF-8",
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",  # a worker ends without flushing
        "PYTHONNOUSERSITE": "1",
        "TORCHINDUCTOR_CACHE_DIR": f"{scratch}/inductor",
        # torch.compile gives back what it is given: eager is the same program, and compiling takes
        # a C++ compiler, processes and folders
        "TORCHDYNAMO_DISABLE": "1",
        **threads,
        **python.environment(),
    }


@contextmanager
def plain(folders: Folders, command: Sequence[str], *, own_user: bool) -> Iterator[Launch]:
    """The start of a plain process (L1, L2, L2U), under a user of its own where ``own_user``.

    ``command`` holds the arguments of the interpreter.
    """
    python = interpreter.current()
    with ExitStack() as stack:
        handles: list[int] = []
        if Path("/proc/self/fd").is_dir():
            python, handles = stack.enter_context(python.by_handle())
        uid = stack.enter_context(identity.lease()) if own_user else None
        yield Launch(
            (python.executable, *_FLAGS, *command),
            environment(folders, python),
            tuple(handles),
            (*SYSTEM, *SYSTEM_FILES, *python.folders),
            uid=uid,
            own_uid=uid,
        )


@contextmanager
def bubblewrapped(folders: Folders, command: Sequence[str], *, as_root: bool) -> Iterator[Launch]:
    """The start of a process in bubblewrap's namespaces (L3), with the least files mounted.

    An ordinary user gets a user namespace. In one, root would stay the machine's root; so root
    makes no user namespace and changes to an unused uid inside, before anything else is run.

    Raises:
        InfrastructureError: a program that is needed is not installed.
    """
    bwrap = program("bwrap")
    python = interpreter.current()
    binds = [*python.folders, str(folders.runtime), str(folders.programs)]
    with ExitStack() as stack:
        uid = stack.enter_context(identity.lease()) if as_root else None
        inner = [python.executable, *_FLAGS, *command]
        if uid is not None:
            inner = [*_drop_user(uid), *inner]
        options = [*_namespaces(as_root), *_tree(binds, folders.scratch)]
        reader, writer = os.pipe()
        stack.callback(os.close, reader)
        with open(writer, "wb") as stream:  # by a pipe: a command line could be read in /proc
            stream.write(b"".join(os.fsencode(option) + b"\0" for option in options))
        yield Launch(
            (bwrap, "--args", str(reader), "--", *inner),
            environment(folders, python),
            (reader,),
            (*SYSTEM, *SYSTEM_FILES, *python.folders),
            own_uid=uid,
        )


def _namespaces(as_root: bool) -> list[str]:
    common = ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts"]
    common += ["--unshare-cgroup-try", "--die-with-parent", "--new-session", "--cap-drop", "ALL"]
    if not as_root:
        return [*common, "--unshare-user", "--disable-userns"]
    for capability in ("SETUID", "SETGID", "SETPCAP"):
        common += ["--cap-add", f"CAP_{capability}"]
    return common


def _tree(binds: Sequence[str], scratch: Path) -> list[str]:
    made: set[str] = {"/"}
    options: list[str] = []

    def parents(path: str) -> None:
        # made here, since bubblewrap makes missing parents with mode 0700
        for parent in [str(p) for p in reversed(Path(path).parents)]:
            if parent not in made and not parent.startswith("/usr"):
                made.add(parent)
                options.extend(["--perms", "0755", "--dir", parent])

    for path in SYSTEM:
        if os.path.islink(path):
            options += ["--symlink", os.readlink(path), path]
        elif os.path.isdir(path):
            parents(path)
            options += ["--ro-bind", path, path]
        made.add(path)
    for path in SYSTEM_FILES:
        if os.path.exists(path):
            parents(path)
            options += ["--ro-bind", path, path]
    options += ["--proc", "/proc", "--dev", "/dev"]
    made |= {"/proc", "/dev"}
    for path in binds:
        parents(path)
        options += ["--ro-bind", path, path]
    size = str(SCRATCH_MIB << 20)
    options += ["--perms", "0777", "--size", size, "--tmpfs", str(scratch)]
    options += ["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/"]
    return options


def _drop_user(uid: int) -> list[str]:
    drop = ["--reuid", str(uid), "--regid", str(uid), "--clear-groups", "--no-new-privs"]
    return [program("setpriv"), *drop, "--bounding-set=-all", "--inh-caps=-all"]


def program(name: str) -> str:
    """The path of a program of the system's, or else of the grader's PATH.

    Raises:
        InfrastructureError: it is not installed.
    """
    path = shutil.which(name, path="/usr/bin:/bin:/usr/sbin:/sbin") or shutil.which(name)
    if path is None:
        raise InfrastructureError(f"{name} is not installed; `doctor` says what each level needs")
    return path
