"""Settings of the grader's own process, made once before a verb runs."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import io
import os
import signal
import sys
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

#: Objects made between two searches for reference cycles; Python's own number is 700.
_OBJECTS_BETWEEN_COLLECTIONS = 50_000
#: Variables of the environment with which libraries make their sums on one thread.
ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "NUMEXPR")}
_ENDING_SIGNALS = (signal.SIGTERM, signal.SIGHUP)
_PR_SET_PDEATHSIG = 1
#: What the owner may do with a file or folder, in a umask.
_OWNER = 0o700


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


def own_what_is_made() -> None:
    """What this process makes can be used by its own user, whatever the umask it inherited."""
    umask = os.umask(0o077)
    os.umask(umask & ~_OWNER)


def end_quietly_at_a_signal() -> None:
    """From now on Ctrl-C, SIGTERM and SIGHUP end the process at once, without a traceback.

    A signal that is ignored, as SIGHUP is under ``nohup``, stays ignored.
    """
    for number in (signal.SIGINT, *_ENDING_SIGNALS):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)


def end_by_signal_as_by_interrupt() -> None:
    """From now on SIGTERM and SIGHUP raise :class:`Interrupted` in the main thread.

    Ctrl-C raises KeyboardInterrupt, as Python does. A signal that is ignored stays ignored.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in _ENDING_SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _interrupt)


def _interrupt(number: int, _frame: FrameType | None) -> NoReturn:
    signal.signal(number, signal.SIG_IGN)  # a second signal must not interrupt the cleaning up
    raise Interrupted(number)


def die_with_parent() -> None:
    """From now on this process is killed when the one that started it ends, however that ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def take_every_signal() -> None:
    """Receives what the caller had blocked, and hears of children that end.

    Blocked signals and an ignored SIGCHLD are inherited. Under the one no deadline of a child
    works that is kept by a signal; under the other nobody learns how a sandbox ended.
    """
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)


def open_standard_streams() -> None:
    """Opens those of the three standard streams that were closed, onto nothing.

    Otherwise the next file or socket gets their number, and whoever prints writes into it.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
            os.set_inheritable(number, True)
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            mode = "w" if number else "r"
            stream = open(number, mode, encoding="utf-8", closefd=False)
            setattr(sys, name, stream)
            setattr(sys, f"__{name}__", stream)


class _Lossy(io.FileIO):
    """A stream to read by the way: what cannot be written is lost, and ends nothing."""

    def write(self, data: ReadableBuffer, /) -> int:
        left = memoryview(data).cast("B")
        size = len(left)
        with contextlib.suppress(OSError):
            while left:
                left = left[super().write(left) or 0 :]
        return size


def show_what_can_be_shown() -> None:
    """Printing never ends a run.

    A character that the terminal's encoding lacks is printed as an escape. Notes, warnings and
    progress go to stderr: where it is a full disk or a closed pipe, they are lost.
    """
    own = sys.__stderr__
    if own is not None and sys.stderr is own:
        raw = io.BufferedWriter(_Lossy(2, "w", closefd=False))
        sys.stderr = io.TextIOWrapper(raw, own.encoding, line_buffering=True, write_through=True)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
