"""What an observation depends on besides the program and its seed: packages and the machine."""

from __future__ import annotations

import platform
from functools import cache
from importlib import metadata

from harness.records import canonical

_PINNED = ("torch", "numpy", "gymnasium", "ale-py")


@cache
def environment() -> str:
    """The pinned packages that an observation depends on, as one canonical text."""
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
    """What fp32 training depends on besides its seed: architecture and vector instructions."""
    flags = ""
    try:
        with open("/proc/cpuinfo", encoding="ascii", errors="replace") as info:
            for line in info:
                if line.startswith("flags"):
                    known = ("avx512f", "avx2", "avx", "sse4_2")
                    present = line.split()
                    flags = next((flag for flag in known if flag in present), "")
                    break
    except OSError:
        pass
    return f"{platform.machine()}-{flags}-1thread"
