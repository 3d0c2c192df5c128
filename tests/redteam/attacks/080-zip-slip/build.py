"""Makes the submission; run by the driver."""

import zipfile
from pathlib import Path

SOURCE = "def solve(x):\n    return x * 0\n"


def build(folder: Path) -> Path:
    path = folder / "attack.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("rt_exp.py", SOURCE)
        archive.writestr("../../witness/grades.txt", "slipped")
        archive.writestr("@witness_file@", "slipped")
        archive.writestr("\x1b[2J.py", SOURCE)
    return path
