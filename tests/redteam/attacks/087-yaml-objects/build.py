"""Makes the submission; run by the driver."""

from pathlib import Path

PAYLOAD = '!!python/object/apply:os.system ["echo loaded >> @witness_file@"]\n'


def build(folder: Path) -> Path:
    path = folder / "attack"
    path.mkdir()
    (path / "rt_exp.py").write_text("def solve(x):\n    return x * 0\n")
    for name in ("task.yaml", "attack.yaml", "config.yml", "roster.csv", "mistakes.yaml"):
        (path / name).write_text(PAYLOAD)
    return path
