"""A class of twelve on Canvas: what its instructor has on the day after the due date.

The tables are laid out as Canvas writes them, of students who are numbers. What each handed in:

=====  ==========================================================================================
01-03  right programs, written differently
04     three attempts: a mean at first, then without weights, then right
05     the entries without their weights
06     right, but the weights are taken out of the graph
07     right, but computed in single precision
08     right, a day late
09     right, in a notebook
10     a file that is not Python
11     nothing
12     right, four days late
=====  ==========================================================================================
"""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

ASSIGNMENT = """\
id: hw1
title: Sums
tasks:
  - {id: weighted-sum, points: 10}
release: 2026-10-05 09:00 Europe/Berlin
due: 2026-10-19 23:59 Europe/Berlin
late_until: 2026-10-22 23:59 Europe/Berlin
late: {per_day: 10%}
max_submissions: 3
"""
_HEAD = "def weighted_sum(x, w):\n    return "
RIGHT = _HEAD + "(x * w).sum(dim=1)\n"
#: Number -> (the program, when it came in: the days from the due date, one an attempt).
PROGRAMS = {
    1: (RIGHT, [-1]),
    2: (_HEAD + "x @ w\n", [-3]),
    3: ("import torch\n\n\n" + _HEAD + 'torch.einsum("bn,n->b", x, w)\n', [-1]),
    4: (RIGHT, [-3, -2, -1]),
    5: (_HEAD + "x.sum(dim=1)\n", [-1]),
    6: (_HEAD + "(x * w.detach()).sum(dim=1)\n", [-2]),
    7: (_HEAD + "(x.float() * w.float()).sum(dim=1).double()\n", [-1]),
    8: (_HEAD + "(w * x).sum(dim=1)\n", [0.5]),
    9: (RIGHT, [-1]),
    10: ("def weighted_sum(x, w:\n", [-1]),
    12: (RIGHT, [3.5]),
}
PSEUDONYMS = (
    *("alder", "birch", "cedar", "elder", "fir", "hazel"),
    *("juniper", "larch", "maple", "oak", "pine", "rowan"),
)
_COUNT = len(PSEUDONYMS)
_FILE = "weighted_sum.py"


def lay_out(folder: Path) -> None:
    """Write what the instructor has into a folder, and in mine/ what student 01 writes."""
    with zipfile.ZipFile(folder / "submissions.zip", "w") as archive:
        for number, (program, times) in PROGRAMS.items():
            name, content = _FILE, program
            if number == 9:
                name, content = "hw1.ipynb", _notebook(program)
            elif len(times) > 1:
                name = _FILE.replace(".py", f"-{len(times) - 1}.py")
            late = "LATE_" if times[-1] > 0 else ""
            archive.writestr(
                f"student{number:02}_{late}{_user(number)}_{9000 + number}_{name}", content
            )
    rows = ["Student,ID,SIS User ID,SIS Login ID,Section,Sums (4711),Final Score"]
    rows += ["    Points Possible,,,,,10.00,(read only)"]
    rows += [
        f'"Student, {number:02}",{_user(number)},{number:05},s{number:02},Course 1,,'
        for number in range(1, _COUNT + 1)
    ]
    (folder / "gradebook.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    roster = [f"{number:05},{name}" for number, name in enumerate(PSEUDONYMS, 1)]
    (folder / "roster.csv").write_text("\n".join(["id,pseudonym", *roster]) + "\n")
    (folder / "final.key").write_text("5eed" * 16 + "\n")
    (folder / "mine").mkdir()
    (folder / "mine" / _FILE).write_text(PROGRAMS[1][0])
    listed = [_listed(number, times) for number, (_, times) in PROGRAMS.items()]
    (folder / "submissions.json").write_text(json.dumps(listed), encoding="utf-8")


def _user(number: int) -> int:
    return 100 + number


def _listed(number: int, times: list[float]) -> dict[str, object]:
    """What Canvas's API says of a student's attempts."""
    history = [
        {"attempt": attempt, "submitted_at": _time(days), "user_id": _user(number)}
        for attempt, days in enumerate(times, 1)
    ]
    return {**history[-1], "submission_history": history}


def _time(days: float) -> str:
    """So many days from 21:00 UTC of the due day, which is an hour before it ends in Berlin."""
    hours = round(21 + 24 * days)
    return f"2026-10-{19 + hours // 24:02}T{hours % 24:02}:00:00Z"


def _notebook(program: str) -> str:
    cells = ["import matplotlib", "# fairmark: weighted_sum\n" + program, "weighted_sum(1, 2)"]
    return json.dumps(
        {
            "cells": [{"cell_type": "code", "source": cell, "metadata": {}} for cell in cells],
            "metadata": {},
            "nbformat": 4,
            "nbformat_minor": 5,
        }
    )
