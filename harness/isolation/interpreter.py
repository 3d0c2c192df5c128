"""The interpreter that workers run: which folders it needs, and how they are reached.

Often a worker's user may not enter the folders above an interpreter, such as a home of mode 0700 or
root's own. So the folders are handed to it as open file descriptors: ``/proc/self/fd/N`` leads to a
folder itself, and the permissions of those above it are not consulted.
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
    """The paths of an interpreter and its packages.

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
        """The path of the executable."""
        return f"{self.home}/{self.binary}"

    @property
    def folders(self) -> tuple[str, ...]:
        """Every folder that a worker reads from, besides the system's."""
        return (self.home, *self.packages)

    def environment(self) -> dict[str, str]:
        """The environment variables by which it finds its library and its packages."""
        variables = {"PYTHONHOME": self.home, "PYTHONPATH": ":".join(self.packages)}
        if sysconfig.get_config_var("Py_ENABLE_SHARED"):
            variables["LD_LIBRARY_PATH"] = f"{self.home}/lib"
        return variables

    @contextmanager
    def by_handle(self) -> Iterator[tuple[Interpreter, list[int]]]:
        """The same interpreter by open file descriptors, and those descriptors to inherit."""
        with ExitStack() as stack:
            handles = []
            for folder in self.folders:
                handle = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
                stack.callback(os.close, handle)
                handles.append(handle)
            paths = [f"/proc/self/fd/{handle}" for handle in handles]
            yield Interpreter(paths[0], self.binary, tuple(paths[1:])), handles


def current() -> Interpreter:
    """The interpreter of this process, with the packages that it imports from."""
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
