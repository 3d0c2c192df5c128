"""Makes the submission; run by the driver."""

import os
from pathlib import Path


def build(folder: Path) -> Path:
    path = folder / "attack"
    path.mkdir()
    os.mkfifo(path / "rt_exp.py")
    (path / "rt_twice.py").symlink_to("@secret_file@")
    (path / "rt_draw.py").symlink_to("/dev/zero")
    return path
