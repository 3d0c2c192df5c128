"""The interpreter that workers run: which folders it needs, and how they are reached.

A worker's user can often not enter the folder above an interpreter (a home of mode 0700, root's
own among them). Where that could be, the folders travel as open handles: ``/proc/self/fd/N`` leads
to the folder itself, without asking those above it.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

#: Read-only parts of the system that an interpreter and its libraries use.
SYSTEM = ("/usr", "/lib", "/lib64", "/lib32", "/bin", "/sbin", "/nix/store", "/gnu/store")
SYSTEM_FILES = ("/etc/ld.so.cache", "/etc/alternatives", "/etc/localtime")


@dataclass(frozen=True)
class Interpreter:
    """Where an interpreter and its packages lie.

    Attributes:
        home: the prefix of the standard library.
        binary: the executable, relative to ``home``.
        packages: folders to import from, besides the standard library.
    """

    home: str
    binary: str
    packages: tuple[str, ...]

    @property
    def executable(self) -> str:
        return f"{self.home}/{self.binary}"

    @property
    def folders(self) -> tuple[str, ...]:
        """Every folder that a worker reads from, besides the system's."""
        return (self.home, *self.packages)

    def environment(self) -> dict[str, str]:
        """What an interpreter needs to know to find itself."""
        found = {"PYTHONHOME": self.home, "PYTHONPATH": ":".join(self.packages)}
        if sysconfig.get_config_var("Py_ENABLE_SHARED"):
            found["LD_LIBRARY_PATH"] = f"{self.home}/lib"
        return found

    @contextmanager
    def by_handle(self) -> Iterator[tuple[Interpreter, list[int]]]:
        """The same interpreter through open handles, and the handles to pass on."""
        with ExitStack() as stack:
            handles = []
            for folder in self.folders:
                handle = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
                stack.callback(os.close, handle)
                handles.append(handle)
            paths = [f"/proc/self/fd/{handle}" for handle in handles]
            yield Interpreter(paths[0], self.binary, tuple(paths[1:])), handles


def current() -> Interpreter:
    """The interpreter that runs this, with the packages that it sees."""
    home = os.path.abspath(sys.base_prefix)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    binary = Path("bin", version)
    if not Path(home, binary).exists():
        binary = Path(os.path.realpath(sys.executable)).relative_to(os.path.realpath(home))
    standard = {os.path.realpath(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib")}
    standard.add(os.path.realpath(Path(home, "lib", version)))
    packages = []
    for entry in sys.path:
        real = os.path.realpath(entry or ".")
        if not os.path.isdir(entry) or Path(real).name not in ("site-packages", "dist-packages"):
            continue
        if real not in standard and entry not in packages:
            packages.append(entry)
    return Interpreter(home, str(binary), tuple(packages))
