"""Processes for trusted work, such as simulations and training of references."""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import active_children, get_context
from types import TracebackType

from harness.process import ONE_THREAD, die_with_parent


class Processes(ProcessPoolExecutor):
    """An executor whose processes end when the work ends, finished or not.

    Where its block is left by an exception, Ctrl-C and signals included, work that has begun is
    ended at once: its results have nobody left to go to. The processes are killed, too, if this one
    is.
    """

    def __init__(self, jobs: int) -> None:
        # spawned, since the fork of a process that has threads may hang
        super().__init__(jobs, mp_context=get_context("spawn"), initializer=die_with_parent)
        self._others = set(active_children())

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None:
            self.shutdown(wait=False, cancel_futures=True)
            for process in set(active_children()) - self._others:
                process.kill()
        super().__exit__(kind, error, trace)


def fresh(jobs: int) -> Processes:
    """An executor whose processes start anew and compute on one thread each."""
    for name, value in ONE_THREAD.items():
        os.environ.setdefault(name, value)
    return Processes(jobs)
