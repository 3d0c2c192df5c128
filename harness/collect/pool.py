"""Processes for trusted work, such as simulations and training of references."""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context


def fresh(jobs: int) -> ProcessPoolExecutor:
    """An executor whose processes start anew and compute on one thread each.

    They are spawned, since the fork of a process that has threads may hang.
    """
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    return ProcessPoolExecutor(jobs, mp_context=get_context("spawn"))
