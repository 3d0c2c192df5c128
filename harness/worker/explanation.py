"""What a program raised, as a cause and one sentence that says what to do where that is known.

The remedies are those of docs/where-your-code-runs.md: what differs from the student's own machine.
"""

from __future__ import annotations

import errno
import socket
import traceback
from collections.abc import Iterator
from pathlib import Path

_TEXT_CAP = 500
_REFUSALS = frozenset({errno.EPERM, errno.EACCES, errno.EROFS})
# libc's words, which errors of C++ libraries quote
_SAID = ("Operation not permitted", "Permission denied", "Read-only file system")
#: Whose code raises where a program wants further processes: their queues need shared memory.
_OF_PROCESSES = ("/multiprocessing/", "/concurrent/futures/process.py")
#: What a program may import besides the standard library, by the names of the modules.
MODULES = ("torch", "numpy", "scipy", "gymnasium", "pandas", "jaxtyping", "safetensors")
PAGE = "see docs/where-your-code-runs.md"

_MAIN = 'below `if __name__ == "__main__":`, which is not run here'


class Refusal(Exception):
    """The program did not deliver; ``cause`` is one of :class:`harness.causes.Cause`."""

    def __init__(self, cause: str, message: str) -> None:
        self.cause = cause
        super().__init__(message)


class BudgetSpent(RuntimeError):
    """The program asked an environment for a step beyond its budget, which was not made."""


def explain(error: BaseException, directory: Path) -> tuple[str, str]:
    """The cause of an error and one sentence about it, with the line of the program.

    Args:
        error: what came out of a request.
        directory: where the program's files lie.

    Raises:
        BaseException: an exception class of the program may raise whatever it likes.
    """
    if isinstance(error, Refusal):
        return error.cause, str(error)
    try:
        text = str(error)
    except BaseException:
        text = "(its message cannot be shown)"
    name = type(error).__name__
    where = _line_in(error, directory)
    sentence = f"{name}: {text}"[:_TEXT_CAP] + where
    remedy = _remedy(error, text, directory)
    if isinstance(error, MemoryError) or "can't allocate memory" in text:
        return "memory", f"out of memory{where}"
    if isinstance(error, BudgetSpent):
        return "budget", text[:_TEXT_CAP] + where
    if isinstance(error, SystemExit | KeyboardInterrupt):
        return "exit", f"your code ended the process ({sentence}){remedy}"
    if isinstance(error, SyntaxError) and error.filename and str(directory) in error.filename:
        return "syntax", f"{Path(error.filename).name}:{error.lineno}: {error.msg}"[:_TEXT_CAP]
    return "exception", sentence + remedy


def _remedy(error: BaseException, text: str, directory: Path) -> str:
    """What to do about it, where that is known, to be put behind the sentence."""
    match error:
        case ModuleNotFoundError():
            remedy = (
                f"installed here are {', '.join(MODULES)}; what only plots or logs belongs {_MAIN}"
            )
        case SystemExit():
            remedy = f"return instead; parsing of arguments, tests and plots belong {_MAIN}"
        case EOFError() if "reading a line" in text:
            remedy = "nobody types here: use a constant instead of input()"
        case FileNotFoundError():
            remedy = _files(error, directory)
        case _:
            remedy = _refusal(error, text)
    return f"; {remedy} ({PAGE})" if remedy else ""


def _files(error: FileNotFoundError, directory: Path) -> str:
    """Where a file is that was looked for in the working folder."""
    name = error.filename if isinstance(error.filename, str) else ""
    frames = traceback.extract_tb(error.__traceback__)
    of_program = frames and frames[-1].filename.endswith("/subprocess.py")
    if not name or Path(name).is_absolute() or of_program:
        return ""
    if Path(directory, name).exists():
        return f'it lies beside your program: Path(__file__).with_name("{Path(name).name}")'
    present = sorted(path.name for path in directory.iterdir())
    return f"relative paths begin in an empty folder; beside your program lie {', '.join(present)}"


def _refusal(error: BaseException, text: str) -> str:
    """What the sandbox refused, if that is what the error says."""
    chain = list(_chain(error))
    refused = any(isinstance(one, OSError) and one.errno in _REFUSALS for one in chain)
    refused |= any(words in text for words in _SAID)
    if any(isinstance(one, socket.gaierror) for one in chain):
        return "there is no network"
    if not refused:
        return ""
    files = {frame.filename for frame in traceback.extract_tb(error.__traceback__)}
    if "shared memory" in text or any(part in file for part in _OF_PROCESSES for file in files):
        return "programs run in one process: use DataLoader(num_workers=0) and no process pools"
    return (
        "a sandbox has one process, its own files and no network; "
        "write to relative paths or by tempfile"
    )


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An error and what it was raised from; urllib keeps it as the reason."""
    for _ in range(8):
        yield error
        reason = getattr(error, "reason", None) or error.__cause__ or error.__context__
        if not isinstance(reason, BaseException):
            return
        error = reason


def _line_in(error: BaseException, directory: Path) -> str:
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if frame.filename.startswith(str(directory)):
            return f" (line {frame.lineno} of {Path(frame.filename).name})"
    return ""
