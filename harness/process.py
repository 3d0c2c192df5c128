"""Settings of the grader's own process, made once before a verb runs."""

from __future__ import annotations

import gc
import os

#: Objects made between two searches for reference cycles; Python's own number is 700.
_OBJECTS_BETWEEN_COLLECTIONS = 50_000


def settle() -> None:
    """One thread for sums, and a garbage collector that suits many records that live long.

    With one thread a process sums have the same bits everywhere, and no thread busy-waits. The
    records of a large class are hundreds of thousands of objects without cycles that live until
    the run ends; searching them at Python's own rate takes about a tenth of the time of marking.
    """
    for name in ("OMP", "OPENBLAS", "MKL", "NUMEXPR"):
        os.environ.setdefault(f"{name}_NUM_THREADS", "1")
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS, 20, 20)
