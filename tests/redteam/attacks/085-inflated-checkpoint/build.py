"""Makes the submission; run by the driver."""

import zipfile
from pathlib import Path

SOURCE = "def solve(x):\n    return x * 0\n"


def build(folder: Path) -> Path:
    path = folder / "attack.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("rt_exp.py", SOURCE)
        with archive.open("rt_exp.pt", "w") as member:
            for _ in range(512):
                member.write(bytes(1 << 20))
    return path
