"""Makes the submission; run by the driver."""

from pathlib import Path


def build(folder: Path) -> Path:
    path = folder / "attack"
    path.mkdir()
    (path / "rt_exp.py").write_bytes(b"x = 1\n" * (2 << 20))
    (path / "rt_twice.py").write_text("x = " + "(" * 100_000 + ")" * 100_000)
    (path / "rt_draw.py").write_text("x = " + "-" * 200_000 + "1")
    return path
