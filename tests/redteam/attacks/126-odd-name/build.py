"""Makes the submission; run by the driver."""

import os
from pathlib import Path


def build(folder: Path) -> Path:
    path = Path(os.fsdecode(os.fsencode(folder) + b"/x\xff\n..honest"))
    path.mkdir()
    (path / "rt_exp.py").write_text("def solve(x):\n    return x * 0\n")
    return path
