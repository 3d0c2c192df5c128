"""What verbs print: the JSON document with its head, the marks of a run, and their exit code."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import harness
from harness.files import write_text

if TYPE_CHECKING:
    import argparse

    from harness.marking.gradebook import Gradebook


def emit(document: dict[str, Any]) -> None:
    """Prints the one JSON document of a verb, with its head."""
    print(json.dumps({**head(), **document}, indent=2, allow_nan=False))


def bring_up_to_date(args: argparse.Namespace, wanted: Mapping[Path, str], all_current: str) -> int:
    """Names the files that hold another text than they should, and with ``--write`` writes them.

    Args:
        all_current: what to print where there is none.

    Returns:
        The exit code: 0 if all are current, or are now.
    """
    stale = [
        path
        for path, text in wanted.items()
        if not path.is_file() or path.read_text(encoding="utf-8") != text
    ]
    if args.write:
        for path in stale:
            write_text(path, wanted[path])
    if args.json:
        emit({"written" if args.write else "stale": [str(path) for path in stale]})
    else:
        for path in stale:
            print(f"{path}: {'written' if args.write else 'out of date; run with --write'}")
        if not stale:
            print(all_current)
    return 0 if args.write or not stale else 1


def head() -> dict[str, Any]:
    """What every JSON document carries."""
    return {"format": 1, "harness": harness.__version__, "commit": commit()}


def commit() -> str:
    """The commit that the harness runs from, or an empty text outside a checkout or without git."""
    root = Path(harness.__file__).resolve().parents[1]
    if not (root / ".git").exists():
        return ""
    command = ["git", "-C", str(root), "rev-parse", "HEAD"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return done.stdout.strip()


def show_marks(
    args: argparse.Namespace,
    whole: Gradebook,
    elapsed_s: float,
    others: int = 0,
    tasks: Sequence[str] = (),
) -> None:
    """Prints the leaderboard for people, and with ``--json`` the document for programs.

    Args:
        others: how many submissions of the class are in the reports but not shown.
        tasks: those that the leaderboard is about; else all. The document has all.
    """
    from harness import report  # imported here: cli imports this module to report errors
    from harness.report import terminal

    gradebook = whole.of_tasks(tasks) if tasks else whole
    ids = {task.id for row in whole.submissions for task in row.tasks} - set(tasks)
    stream = sys.stderr if args.json else sys.stdout
    if stream.isatty():
        from rich.console import Console

        Console(file=stream).print(terminal.table(gradebook, shutil.get_terminal_size().columns))
    else:
        print(terminal.plain(gradebook), file=stream)
    if len(gradebook.submissions) == 1:
        for line in [*terminal.summary_lines(gradebook.submissions[0]), ""]:
            print(line, file=stream)
    if others:
        print(
            f"of the class {others} more are in the reports, with the marks that they had; the "
            "ranks here are those among the submissions that were graded now",
            file=stream,
        )
    if tasks and ids:
        print(
            f"points here are those of {', '.join(tasks)}; with the marks that they had, "
            f"{len(ids)} other {'task is' if len(ids) == 1 else 'tasks are'} in the reports",
            file=stream,
        )
    print(
        f"phase {gradebook.run.phase}, key sha256 {gradebook.run.key_sha256[:16]}…; isolation "
        f"{', '.join(sorted({row.isolation for row in gradebook.submissions} - {''})) or 'none'}; "
        f"{elapsed_s:.0f} s; reports in {args.results}/",
        file=stream,
    )
    if args.json:
        document = report.document(whole)
        emit({**document, "circumstances": {"elapsed_s": round(elapsed_s, 2)}})


def exit_code(gradebook: Gradebook) -> int:
    """0 where everything passes, else 1."""
    return 0 if gradebook.all_pass else 1
