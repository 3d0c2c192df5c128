"""Makes the submission; run by the driver."""

import zipfile
from pathlib import Path


def build(folder: Path) -> Path:
    path = folder / "attack.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("rt_exp.py", "def solve(x):\n    return x * 0\n")
        for index in range(10_000):
            archive.writestr(f"files/{index}", "")
    return path
