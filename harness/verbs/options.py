"""Options that several verbs share, each declared once."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from harness.levels import GRADING_LEVELS

_MOST_JOBS = 8


def common(parser: argparse.ArgumentParser) -> None:
    """What every verb takes: ``--json`` and the folders of the course."""
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    parser.add_argument("--tasks", type=Path, default=Path("tasks"), metavar="DIR")
    parser.add_argument("--reference", type=Path, default=Path("reference"), metavar="DIR")


def results(parser: argparse.ArgumentParser) -> None:
    """``--results``: the folder that marks and figures go to."""
    parser.add_argument("--results", type=Path, default=Path("results"), metavar="DIR")


def tier(parser: argparse.ArgumentParser) -> None:
    """``--tier``: only tasks of one tier."""
    tiers = ("exact", "estimator", "training", "all")
    parser.add_argument("--tier", choices=tiers, default="all")


def task_names(parser: argparse.ArgumentParser) -> None:
    """Any number of task ids, as words of their own."""
    parser.add_argument("task", nargs="*", metavar="TASK")


def jobs(parser: argparse.ArgumentParser) -> None:
    """``--jobs``: how many processes work at once; one for each core, at most eight."""
    parser.add_argument("--jobs", type=positive, default=_default_jobs(), metavar="N")


def key_file(parser: argparse.ArgumentParser) -> None:
    """``--key-file``: the phase's key."""
    parser.add_argument("--key-file", type=Path, metavar="FILE")


def headers(parser: argparse.ArgumentParser) -> None:
    """``--header``: what the columns of Moodle's worksheet are called in another language."""
    parser.add_argument(
        "--header",
        action="append",
        default=[],
        metavar="NAME=HERE",
        help="a column of Moodle's worksheet in another language, such as Grade=Bewertung",
    )


def isolation(parser: argparse.ArgumentParser) -> None:
    """``--require-isolation`` and ``--allow-insecure``."""
    parser.add_argument("--require-isolation", choices=GRADING_LEVELS, metavar="LEVEL")
    parser.add_argument(
        "--allow-insecure", action="store_true", help="grade below it; every row says so"
    )


def positive(text: str) -> int:
    """A whole number of at least 1.

    Raises:
        argparse.ArgumentTypeError, ValueError: it is something else.
    """
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a positive number")
    return value


def _default_jobs() -> int:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
    return max(1, min(cores, _MOST_JOBS))
