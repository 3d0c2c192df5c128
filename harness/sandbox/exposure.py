"""Whether what must stay secret lies where every sandbox can read.

From level L2 on a worker reads the system's folders and the interpreter's, and nothing else. A
project that lies below one of these (``/usr/src/app`` in a container, a folder in a conda prefix)
would hand its references, other submissions and its ledger to every program.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from harness import levels
from harness.errors import UsageError
from harness.isolation import Isolation
from harness.isolation.interpreter import SYSTEM, SYSTEM_FILES, current
from harness.sandbox import canaries

#: How many files of a folder a worker reaches for.
_TRIED = 3


def refuse(isolation: Isolation, secret: Sequence[Path]) -> None:
    """Refuses to grade where a worker could read one of these files or folders.

    Where each lies is compared with what a worker may read, and a worker reaches for some files of
    each. L1 hides no files, and is not held to it.

    Raises:
        UsageError: it could; the message names the place and the remedy.
        InfrastructureError: the sandbox does not start.
    """
    if levels.rank(isolation.level) < levels.rank("L2"):
        return
    for path in secret:
        if (root := readable_root(path)) is not None:
            raise UsageError(_message(path, isolation, f"lies below {root}"))
    files = [file for path in secret for file in _files(path)]
    if read := canaries.files_read(isolation, files):
        raise UsageError(_message(read[0], isolation, "was read by a worker"))


def readable_root(path: Path) -> Path | None:
    """The folder that every worker may read in which a path lies; None where there is none."""
    roots = {os.path.realpath(root) for root in (*SYSTEM, *SYSTEM_FILES, *current().folders)}
    real = Path(os.path.realpath(path))
    return next((Path(root) for root in sorted(roots) if real.is_relative_to(root)), None)


def _files(path: Path) -> list[Path]:
    """The file itself, or the first few below a folder."""
    if path.is_file():
        return [path]
    return list(islice(_below(path), _TRIED))


def _below(folder: Path) -> Iterator[Path]:
    for where, _, names in os.walk(folder):
        for name in sorted(names):
            file = Path(where, name)
            if file.is_file() and not file.is_symlink():
                yield file


def _message(path: Path, isolation: Isolation, reason: str) -> str:
    return (
        f"{path} {reason}, so at {isolation.level} every program could read it; nothing was "
        "graded. Move the course, the submissions and --results out of the system's folders and "
        "of the interpreter's, such as to a home or to /srv"
    )
