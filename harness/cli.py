"""The command line: one parser, one exit code, nothing heavy imported before a verb needs it.

Exit codes: 0 everything passes · 1 something does not · 2 usage, spec or plan · 3 internal ·
130 interrupted.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import harness
from harness.errors import FairmarkError, InfrastructureError, PlanError, SpecError, UsageError
from harness.levels import GRADING_LEVELS
from harness.verbs.output import emit

VERBS = {
    "list": "what can be graded",
    "grade": "mark submissions (default: all of submissions/)",
    "score": "compute marks again from stored observations, running nothing",
    "report": "write the reports of the last run again",
    "verify": "prove that checks pass honest work and catch every known mistake",
    "calibrate": "measure the error rates that the specs declare",
    "targets": "list or make stored reference distributions",
    "replay": "score stored observations again and compare bit for bit",
    "bench": "what grading costs, as ratios within one run",
    "redteam": "run the known attacks and show what every level of isolation stops",
    "doctor": "what this machine offers, and which isolation is in force",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one verb and returns the exit code."""
    _one_thread()
    args = parser().parse_args(argv)
    try:
        verb = importlib.import_module(f"harness.verbs.{args.verb}")
        code: int = verb.run(args)
        sys.stdout.flush()  # here, where a reader that has gone is quiet
        return code
    except KeyboardInterrupt:
        print("interrupted; what was observed is kept, run again to go on", file=sys.stderr)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (UsageError, SpecError, PlanError) as error:
        _report(args, error)
        return 2
    except FairmarkError as error:
        _report(args, error)
        return 3
    except Exception as error:
        if os.environ.get("FAIRMARK_DEBUG"):
            raise
        text = f"internal error: {type(error).__name__}: {error}"
        _report(args, InfrastructureError(f"{text} (FAIRMARK_DEBUG=1 shows where)"))
        return 3


def parser() -> argparse.ArgumentParser:
    """The parser of all verbs."""
    top = argparse.ArgumentParser(prog="python -m harness", description=harness.__doc__)
    top.add_argument("--version", action="version", version=harness.__version__)
    verbs = top.add_subparsers(dest="verb", required=True, metavar="VERB")
    made = {
        name: verbs.add_parser(name, help=text, description=text) for name, text in VERBS.items()
    }
    for sub in made.values():
        sub.add_argument("--json", action="store_true", help="one JSON document on stdout")
        sub.add_argument("--tasks", type=Path, default=Path("tasks"), metavar="DIR")
        sub.add_argument("--reference", type=Path, default=Path("reference"), metavar="DIR")
    for name in ("grade", "score", "report", "replay", "doctor"):
        _results(made[name], positional=name == "replay")
    _grade(made["grade"])
    _grade(made["replay"], selection=False)
    replay = made["replay"]
    replay.add_argument("--submission", metavar="NAME", help="only this submission")
    replay.add_argument("--task", action="append", default=[], metavar="ID", help="only this task")
    replay.add_argument("--rerun", action="store_true", help="run the programs again as well")
    verify = made["verify"]
    verify.add_argument("task", nargs="*", metavar="TASK")
    verify.add_argument("--results", type=Path, default=Path("results"), metavar="DIR")
    verify.add_argument("--tier", choices=("exact", "estimator", "training", "all"), default="all")
    verify.add_argument("--jobs", type=_positive, default=_jobs(), metavar="N")
    targets = made["targets"]
    targets.add_argument("task", nargs="*", metavar="TASK")
    targets.add_argument("--list", action="store_true", help="only say what is stored and stale")
    targets.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"))
    targets.add_argument("--seeds", type=_positive, metavar="K", help="runs of an honest program")
    targets.add_argument("--mistaken", type=_positive, default=20, metavar="K")
    targets.add_argument("--jobs", type=_positive, default=_jobs(), metavar="N")
    calibrate = made["calibrate"]
    calibrate.add_argument("task", nargs="*", metavar="TASK")
    calibrate.add_argument("--gradings", type=_positive, default=10_000, metavar="R")
    calibrate.add_argument("--mistaken", type=_positive, default=200, metavar="R")
    calibrate.add_argument("--minutes", type=float, default=60.0, metavar="M")
    calibrate.add_argument("--jobs", type=_positive, default=_jobs(), metavar="N")
    calibrate.add_argument("--results", type=Path, default=Path("results"), metavar="DIR")
    doctor = made["doctor"]
    doctor.add_argument("--key-file", type=Path, metavar="FILE", help="show this key's SHA-256")
    redteam = made["redteam"]
    redteam.add_argument("--level", action="append", default=[], choices=GRADING_LEVELS)
    redteam.add_argument("--attack", type=int, action="append", default=[], metavar="N")
    redteam.add_argument("--attacks", type=Path, action="append", default=[], metavar="DIR")
    redteam.add_argument("--jobs", type=_positive, default=_jobs(), metavar="N")
    redteam.add_argument("--results", type=Path, default=Path("results"), metavar="DIR")
    bench = made["bench"]
    bench.add_argument("--level", choices=GRADING_LEVELS, help="isolation; the best by default")
    bench.add_argument("--repeat", type=_positive, default=3, metavar="N")
    bench.add_argument("--results", type=Path, default=Path("results"), metavar="DIR")
    bench.add_argument(
        "--statistics", action="store_true", help="error rates, beside other published schemes"
    )
    bench.add_argument("--task", action="append", default=[], metavar="ID")
    bench.add_argument("--gradings", type=_positive, default=200, metavar="R")
    bench.add_argument("--seed", type=int, default=0, metavar="N")
    return top


def _results(sub: argparse.ArgumentParser, *, positional: bool) -> None:
    if positional:
        sub.add_argument(
            "results", type=Path, nargs="?", default=Path("results"), metavar="RESULTS"
        )
    else:
        sub.add_argument("--results", type=Path, default=Path("results"), metavar="DIR")


def _grade(sub: argparse.ArgumentParser, *, selection: bool = True) -> None:
    if selection:
        sub.add_argument("paths", nargs="*", type=Path, metavar="PATH")
        sub.add_argument("--assignment", metavar="NAME")
        sub.add_argument("--task", action="append", default=[], metavar="ID")
        sub.add_argument("--tier", choices=("exact", "estimator", "training", "all"), default="all")
        sub.add_argument("--phase", choices=("feedback", "final", "late"), default="feedback")
        sub.add_argument("--roster", type=Path, metavar="FILE")
        sub.add_argument("--fresh", action="store_true", help="observe everything anew and compare")
    sub.add_argument("--key-file", type=Path, metavar="FILE")
    sub.add_argument("--jobs", type=_positive, default=_jobs(), metavar="N")
    sub.add_argument("--require-isolation", choices=GRADING_LEVELS, metavar="LEVEL")
    sub.add_argument(
        "--allow-insecure", action="store_true", help="grade below it; every row says so"
    )


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a positive number")
    return value


def _jobs() -> int:
    return max(1, min(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1, 8))


def _one_thread() -> None:
    """One thread a process: sums come out the same everywhere, and nothing spins."""
    for name in ("OMP", "OPENBLAS", "MKL", "NUMEXPR"):
        os.environ.setdefault(f"{name}_NUM_THREADS", "1")


def _report(args: argparse.Namespace, error: FairmarkError) -> None:
    print(f"fairmark: {error}", file=sys.stderr)
    if args.json:
        problems = getattr(error, "problems", None)
        errors = (
            [vars(problem) for problem in problems]
            if problems
            else [{"file": "", "line": 0, "col": 0, "message": str(error), "remedy": ""}]
        )
        emit({"errors": errors})
