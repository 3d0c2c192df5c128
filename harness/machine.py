"""What an observation depends on besides the program and its seed: packages and the machine."""

from __future__ import annotations

import platform
from functools import cache
from importlib import metadata

from harness.records import canonical

_PINNED = ("torch", "numpy", "gymnasium", "ale-py")


@cache
def environment() -> str:
    """The versions of Python and of the packages that observations depend on, as canonical JSON.

    A package that is not installed has an empty version.
    """
    versions = {}
    for name in _PINNED:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = ""
    versions["python"] = ".".join(platform.python_version_tuple()[:2])
    return canonical(versions)


@cache
def machine_class() -> str:
    """Architecture and widest vector instructions, on which the rounding of training depends.

    Such as ``x86_64-avx2-1thread``. Programs always run on one thread.
    """
    flags = ""
    try:
        with open("/proc/cpuinfo", encoding="ascii", errors="replace") as info:
            for line in info:
                if line.startswith("flags"):
                    widest_first = ("avx512f", "avx2", "avx", "sse4_2")
                    present = line.split()
                    flags = next((flag for flag in widest_first if flag in present), "")
                    break
    except OSError:
        pass
    return f"{platform.machine()}-{flags}-1thread"
