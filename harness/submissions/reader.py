"""The process that reads submitted bytes: they are parsed or unpacked there, and never run.

Started by :mod:`harness.submissions.process` as a script, with the name of a file beside it, whose
``reader()`` gives what answers requests: :mod:`~harness.submissions.parser` for sources and
notebooks, :mod:`~harness.submissions.unpacker` for archives. A request on its input is a line of
JSON (``bytes``: how many bytes follow; ``cpu_s``: how much processor time the answer may take; the
rest is for the reader) and these bytes; the answer on its output has the same form, with the
processor time that it took. One that takes longer ends the process: the kernel sends SIGPROF.

Before the first request the process gives up what it does not need: it can start no process and
write to no file. The one for archives can open no file and no socket either, and where it was
started by root it is root no longer; Python's parser loads codecs when a text declares them.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

#: Gives the fields of an answer and the bytes behind it.
Reader = Callable[[dict[str, Any], bytes], tuple[dict[str, Any], bytes]]
#: A user and a group to whom nothing belongs.
_NOBODY = 65534


def _load(name: str) -> ModuleType:
    """A file of this folder, without what its package imports beside it."""
    folder = Path(__file__).parent
    for package, place in (("harness", folder.parent), ("harness.submissions", folder)):
        sys.modules[package] = ModuleType(package)
        sys.modules[package].__path__ = [str(place)]
    return importlib.import_module(f"harness.submissions.{name}")


def _confine(memory_bytes: int, *, opens_files: bool) -> None:
    limits = {resource.RLIMIT_AS: memory_bytes}
    limits |= dict.fromkeys((resource.RLIMIT_CORE, resource.RLIMIT_FSIZE, resource.RLIMIT_NPROC), 0)
    if not opens_files:
        limits[resource.RLIMIT_NOFILE] = 0
    for which, most in limits.items():
        resource.setrlimit(which, (most, most))
    if os.geteuid() == 0 and not opens_files:
        with contextlib.suppress(OSError):  # root of a namespace that has no other user
            os.setgroups([])
            os.setgid(_NOBODY)
            os.setuid(_NOBODY)


def main() -> None:
    """Answers requests until the input ends."""
    name, memory_bytes = sys.argv[1:]
    module = _load(name)
    answer: Reader = module.reader()
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the grader ends it by closing its input
    _confine(int(memory_bytes), opens_files=module.OPENS_FILES)
    stdin, stdout = sys.stdin.buffer, sys.stdout.buffer
    while line := stdin.readline():
        request = json.loads(line)
        content = stdin.read(request["bytes"])
        began = time.process_time()
        signal.setitimer(signal.ITIMER_PROF, request["cpu_s"])
        fields, body = answer(request, content)
        cpu_s = time.process_time() - began
        head = json.dumps(fields | {"bytes": len(body), "cpu_s": cpu_s}).encode()
        signal.setitimer(signal.ITIMER_PROF, 0)
        stdout.write(head + b"\n")
        stdout.write(body)
        stdout.flush()


if __name__ == "__main__":
    main()
