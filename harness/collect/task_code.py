"""A task's own code, measure.py or show.py, as a module of this process."""

from __future__ import annotations

import functools
import types
from pathlib import PurePath

from harness.spec.load import LoadedTask


def module_of(task: LoadedTask, file: str, source: bytes) -> types.ModuleType:
    """A new module of one of a task's files; it is compiled once, and run for every module.

    Raises:
        Exception: whatever the file raises at import.
    """
    module = types.ModuleType(f"{task.spec.module}_{PurePath(file).stem}")
    exec(_compiled(source, f"tasks/{task.id}/{file}"), module.__dict__)
    return module


@functools.lru_cache(maxsize=64)
def _compiled(source: bytes, name: str) -> types.CodeType:
    return compile(
        source, name, "exec", dont_inherit=True
    )  # without the __future__ imports of this file
