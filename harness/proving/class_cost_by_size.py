"""Measures what marking costs by the size of the class, beside an earlier commit if asked for."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from harness.errors import InfrastructureError

_SCRIPT = Path(__file__).resolve().with_name("class_cost.py")


def measure(root: Path, sizes: Sequence[int], against: str | None = None) -> list[dict[str, Any]]:
    """A record for each size of class; with ``against``, beside that commit in the same run.

    Every measurement is a process of its own; the two versions take turns. Each marks the tasks of
    its own checkout, so the ratios are given by check as well.

    Raises:
        InfrastructureError: the commit cannot be checked out, or a measurement failed.
    """
    records: list[dict[str, Any]] = []
    with _checkout(root, against) as earlier:
        for size in sizes:
            now = _in_a_process(root, size)
            record = {
                "submissions": size,
                "checks_per_submission": int(now["checks"]),
                "cpu_ms_per_submission": round(1000 * now["cpu_s"], 2),
                "deciding_cpu_ms_per_submission": round(1000 * now["deciding_s"], 2),
                "once_cpu_s": round(now["once_s"], 2),
                "yardsticks_per_submission": round(now["cpu_s"] / now["yardstick_s"], 3),
            }
            if earlier is not None:
                before = _in_a_process(earlier, size)
                record["before_cpu_ms_per_submission"] = round(1000 * before["cpu_s"], 2)
                whole = now["cpu_s"] / before["cpu_s"]
                deciding = now["deciding_s"] / before["deciding_s"]
                record["ratio"] = round(whole, 3)
                record["ratio_of_deciding"] = round(deciding, 3)
                record["before_checks_per_submission"] = int(before["checks"])
                more = now["checks"] / before["checks"]
                record["ratio_per_check"] = round(whole / more, 3)
                record["ratio_of_deciding_per_check"] = round(deciding / more, 3)
            records.append(record)
    return records


@contextlib.contextmanager
def _checkout(root: Path, commit: str | None) -> Iterator[Path | None]:
    """A temporary work tree of an earlier commit; None where none is asked for."""
    if commit is None:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="fairmark-earlier-") as name:
        tree = Path(name) / "tree"
        git = ["git", "-C", str(root), "worktree"]
        made = subprocess.run(
            [*git, "add", "--detach", str(tree), commit],
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode:
            reason = made.stderr.strip()
            raise InfrastructureError(f"commit {commit} cannot be checked out: {reason}")
        try:
            yield tree
        finally:
            subprocess.run([*git, "remove", "--force", str(tree)], check=False)


def _in_a_process(root: Path, size: int) -> dict[str, float]:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-P", str(_SCRIPT), str(root), str(size)],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise InfrastructureError(f"{root} with {size} submissions: {done.stderr[-1000:]}")
    measured: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return measured
