"""Makes the submission; run by the driver."""

from pathlib import Path


def build(folder: Path) -> Path:
    path = folder / "attack"
    (path / "rt_exp.py").mkdir(parents=True)
    (path / "rt_exp.py" / "__init__.py").write_text("def solve(x):\n    return x * 0\n")
    return path
