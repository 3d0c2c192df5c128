"""Makes the submission; run by the driver."""

from pathlib import Path

WORK = "def solve(x):\n    return x.exp()\n"


def build(folder: Path) -> Path:
    path = folder / "two-files"
    path.mkdir()
    (path / "rt_exp.py").write_text(WORK)
    (path / "notes.ipynb").write_text('{"cells": [], "nbformat": ' + "4" * 5000 + "}")
    return path
