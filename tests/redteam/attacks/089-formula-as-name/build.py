"""Makes the submission; run by the driver."""

from pathlib import Path


def build(folder: Path) -> Path:
    path = folder / "=cmd|' \x1b[31m C calc'!A0<b>"
    path.mkdir()
    (path / "rt_exp.py").write_text("def solve(x):\n    return x * 0\n")
    return path
