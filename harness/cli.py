"""The command line: the parser of the verb that was named, its exit code, and one error report.

Exit codes: 0 everything passes · 1 something does not · 2 usage, spec or plan · 3 internal ·
130 interrupted, 143 and 129 by SIGTERM and SIGHUP.

Nothing but the named verb's module is imported, so ``--help`` needs neither NumPy nor pydantic.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import importlib
import os
import signal
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType

import harness
from harness import process
from harness.errors import FairmarkError, InfrastructureError, PlanError, SpecError, UsageError
from harness.verbs import VERBS
from harness.verbs.output import emit


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one verb and returns the exit code.

    Args:
        argv: the words of the command line; without them those of this process, which is then
            also made to end properly when a signal asks for it.
    """
    if argv is None:
        process.open_standard_streams()  # first: any file takes the lowest free number
        process.take_every_signal()
        process.own_what_is_made()
        process.show_what_can_be_shown()
    process.settle()
    words = sys.argv[1:] if argv is None else list(argv)
    args = parser_for(words).parse_args(words)
    try:
        if argv is None:
            process.end_by_signal_as_by_interrupt()
        code: int = _module(args.verb).run(args)
        sys.stdout.flush()  # flushed here so that a closed pipe is caught below
        return code
    except KeyboardInterrupt as interrupt:
        with contextlib.suppress(OSError):  # if the terminal has gone, this fails too
            print("interrupted; what was observed is kept, run again to go on", file=sys.stderr)
        return 128 + getattr(interrupt, "signal", signal.SIGINT)
    except BrokenPipeError:
        # Python flushes stdout once more when it exits; let that go nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        # As of a program that the signal ends: what was found was not said.
        return 128 + signal.SIGPIPE
    except (UsageError, SpecError, PlanError) as error:
        _report(args, error)
        return 2
    except FairmarkError as error:
        _report(args, error)
        return 3
    except Exception as error:
        if os.environ.get("FAIRMARK_DEBUG"):
            raise
        if isinstance(error, OSError):
            text = _of_the_system(error)
        else:
            text = f"internal error: {type(error).__name__}: {error} (FAIRMARK_DEBUG=1 shows where)"
        _report(args, InfrastructureError(text))
        return 3


def _of_the_system(error: OSError) -> str:
    """What the operating system refused, and what to do about it."""
    remedies = {
        errno.ENOSPC: "free some room on that disk and run the same again",
        errno.EDQUOT: "your quota is used up: free some room and run the same again",
        errno.EROFS: "that disk is mounted read-only: give another folder",
        errno.EACCES: "see that you may read and write it",
        errno.EPERM: "see that you may read and write it",
        errno.EIO: "that disk does not work: give another folder, and look after this one",
        errno.ELOOP: "a symbolic link in that path leads to itself: give another path",
        errno.ENAMETOOLONG: "give a shorter path",
        errno.ENOENT: "see that it is there, and that nothing removes it during a run",
        errno.ENOTDIR: "one of its folders is a file: give another path",
        errno.ENOMEM: "this machine has no memory left: end what else runs, or give fewer --jobs",
        errno.EMFILE: "too many files are open: raise `ulimit -n`, or give fewer --jobs",
    }
    remedy = remedies.get(error.errno or 0, "FAIRMARK_DEBUG=1 shows where")
    place = f"{error.filename}: " if error.filename else ""
    return f"{place}{error.strerror or error}; {remedy}. What was observed before is kept"


def parser_for(words: Sequence[str]) -> argparse.ArgumentParser:
    """The parser for these words: all verbs with their summaries, the named one with its options.

    A word that is no verb ends the process with exit code 2, as argparse does.
    """
    called = "fairmark" if Path(sys.argv[0]).stem == "fairmark" else "python -m harness"
    parser = argparse.ArgumentParser(prog=called, description=harness.__doc__)
    parser.add_argument("--version", action="version", version=harness.__version__)
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    parsers = {
        name: verbs.add_parser(name, help=summary, description=summary)
        for name, summary in VERBS.items()
    }
    # The options before a verb take no value, so the first other word must be the verb.
    named = next((word for word in words if not word.startswith("-")), None)
    if named in parsers:
        _module(named).add_arguments(parsers[named])
    elif named is not None:
        close = get_close_matches(named, VERBS, n=1)
        remedy = f"did you mean {close[0]!r}?" if close else f"there are: {', '.join(VERBS)}"
        parser.error(f"no verb is called {named!r}; {remedy}")
    return parser


def _module(verb: str) -> ModuleType:
    return importlib.import_module(f"harness.verbs.{verb}")


def _report(args: argparse.Namespace, error: FairmarkError) -> None:
    """Prints an error on stderr, and with ``--json`` as the document of the verb too."""
    print(f"fairmark: {error}", file=sys.stderr)
    if args.json:
        problems = error.problems if isinstance(error, SpecError) else ()
        errors = (
            [vars(problem) for problem in problems]
            if problems
            else [{"file": "", "line": 0, "col": 0, "message": str(error), "remedy": ""}]
        )
        emit({"errors": errors})
