"""Settings of the grader's own process, made once before a verb runs."""

from __future__ import annotations

import gc
import os
import signal
import sys
from types import FrameType
from typing import NoReturn

#: Objects made between two searches for reference cycles; Python's own number is 700.
_OBJECTS_BETWEEN_COLLECTIONS = 50_000
#: Variables of the environment with which libraries make their sums on one thread.
ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "NUMEXPR")}
_ENDING_SIGNALS = (signal.SIGTERM, signal.SIGHUP)


class Interrupted(KeyboardInterrupt):
    """The process was asked to end by a signal; it ends as it does at Ctrl-C.

    Attributes:
        signal: the signal's number.
    """

    def __init__(self, number: int) -> None:
        self.signal = number
        super().__init__(signal.Signals(number).name)


def settle() -> None:
    """One thread for sums, and a garbage collector that suits many records that live long.

    With one thread a process sums have the same bits everywhere, and no thread busy-waits. The
    records of a large class are hundreds of thousands of objects without cycles that live until
    the run ends; searching them at Python's own rate takes about a tenth of the time of marking.
    """
    for name, value in ONE_THREAD.items():
        os.environ.setdefault(name, value)
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS, 20, 20)


def end_by_signal_as_by_interrupt() -> None:
    """From now on SIGTERM and SIGHUP raise :class:`Interrupted` in the main thread.

    A signal that is ignored, as SIGHUP is under ``nohup``, stays ignored.
    """
    for number in _ENDING_SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _interrupt)


def _interrupt(number: int, _frame: FrameType | None) -> NoReturn:
    signal.signal(number, signal.SIG_IGN)  # a second one must not break off the cleaning up
    raise Interrupted(number)


def show_every_character() -> None:
    """A character that the terminal's encoding lacks is printed as an escape instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
