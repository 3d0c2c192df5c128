"""Makes the submission; run by the driver."""

from pathlib import Path


def build(folder: Path) -> Path:
    path = folder / "attack"
    path.mkdir()
    (path / "rt_exp.py").write_bytes(b"# \xff\xfe\n")
    (path / "rt_twice.py").write_bytes(b"# \0\n")
    (path / "rt_draw.py").write_bytes(b"# coding: utf-7\n+AGkAbQBwAG8AcgB0- os\n")
    return path
